#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/bad_athena.h"
#include "tests/support/bad_meds.h"
#include "tests/support/bad_models.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {

// A broken input, and which answers to it are right.
struct BadKind {
  const char* name;  // of its folder
  const char* kind;  // meds, athena, model, split, labels or meds_reader
  bool may_accept, may_reject;
  double seconds = 10;  // limits for the answer
  int64_t resident_mib = 512;
};

inline const std::vector<BadKind>& bad_kinds() {
  static const std::vector<BadKind> kinds = {
      {"01_meds_truncated_parquet", "meds", false, true},
      {"02_meds_wrong_types", "meds", false, true},
      {"03_meds_unsorted_subjects", "meds", false, true},
      {"04_meds_times_backwards", "meds", false, true},
      {"05_meds_null_subject_id", "meds", false, true},
      {"06_meds_events_before_birth", "meds", true, false},
      {"07_meds_duplicate_births", "meds", true, false},
      {"08_meds_far_future", "meds", true, false},
      {"09_meds_nan_inf_values", "meds", true, false},
      {"10_meds_10mb_code", "meds", true, true, 20, 768},
      {"11_meds_non_utf8_code", "meds", true, true},
      {"12_meds_empty_shard", "meds", true, false},
      {"13_meds_zero_subjects", "meds", true, true},
      {"14_meds_missing_code_column", "meds", false, true},
      {"15_meds_subject_in_two_shards", "meds", false, true},
      {"16_athena_missing_column", "athena", false, true},
      {"17_athena_wrong_delimiter", "athena", false, true},
      {"18_athena_cycle", "athena", true, true},
      {"19_athena_huge_field", "athena", true, true},
      {"20_athena_dangling", "athena", true, false},
      {"21_model_truncated_safetensors", "model", false, true},
      {"22_model_oversized_header", "model", false, true},
      {"23_model_overlapping_offsets", "model", false, true},
      {"24_dict_truncated", "model", false, true},
      {"25_dict_nested_bomb", "model", false, true},
      {"26_config_negative_sizes", "model", false, true},
      {"27_split_subject_twice", "split", false, true},
      {"28_labels_unknown_subjects", "labels", true, true},
      {"29_labels_before_first_event", "labels", true, true},
      {"31_reader_db_truncated_data", "meds_reader", false, true},
      {"32_reader_db_missing_zdict", "meds_reader", false, true},
  };
  return kinds;
}

// Makes broken inputs, each when its path is first asked for, and the unbroken form of each kind
// ("good_controls/meds", .../meds_reader, .../athena, .../model, .../split.csv,
// .../labels.parquet).
class BadInputs {
 public:
  std::string path(const std::string& name) {
    const std::string folder = folder_ / "bad/" + name;
    if (!std::filesystem::exists(folder)) make(name.substr(0, name.find('/')));
    return folder;
  }

 private:
  void make(const std::string& name) {
    const std::string folder = folder_ / "bad/" + name;
    if (name == "good_controls") return make_controls(folder);
    std::filesystem::create_directories(folder);
    const std::string fault = name.substr(3);
    if (fault.starts_with("meds_")) write_bad_meds(name, folder);
    if (fault.starts_with("athena_")) write_bad_athena(name, folder);
    if (fault.starts_with("model_") || fault.starts_with("dict_") || fault.starts_with("config_")) {
      copy("clmbr_model", folder);
      damage_model(name, folder);
    }
    if (fault == "split_subject_twice") write_split(folder, "3,test\n");
    if (fault.starts_with("labels_")) write_labels(folder, fault);
    if (fault.starts_with("reader_db_")) {
      copy("meds_reader", folder);
      if (fault == "reader_db_missing_zdict") std::filesystem::remove(folder + "/time/zdict");
      const std::string data = folder + "/code/data";
      if (fault == "reader_db_truncated_data") {
        std::filesystem::resize_file(data, std::filesystem::file_size(data) / 3);
      }
    }
  }

  static void make_controls(const std::string& folder) {
    write_rows(folder + "/meds", good_rows());
    good_athena().write(folder + "/athena");
    copy("clmbr_model", folder + "/model");
    copy("meds_reader", folder + "/meds_reader");
    write_split(folder, "");
    write_labels(folder, "");
  }

  static void copy(const std::string& name, const std::string& folder) {
    std::filesystem::copy(tutorial_path(name), folder,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }

  static void write_split(const std::string& folder, const std::string& more) {
    std::string text = "subject_id,split_name\n";
    for (int64_t subject = 0; subject < kNumGoodSubjects; ++subject) {
      text += std::to_string(subject) + (subject % 7 == 5 ? ",test\n" : ",train\n");
    }
    write_file(folder + "/split.csv", text + more);
  }

  // A label at each subject's last event; five of unknown subjects, or ten before every event.
  static void write_labels(const std::string& folder, const std::string& fault) {
    const MedsRows rows = good_rows();
    std::vector<int64_t> subjects, times;
    std::vector<uint8_t> values;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + 1 < rows.size() && rows.subjects[i + 1] == rows.subjects[i]) continue;
      subjects.push_back(rows.subjects[i]);
      times.push_back(rows.times[i]);
      values.push_back(subjects.size() % 2);
    }
    if (fault == "labels_unknown_subjects") {
      const std::vector<int64_t> unknown = {-1, int64_t{1} << 62, 777, 778, 779};
      std::copy(unknown.begin(), unknown.end(), subjects.begin() + 4);
    }
    if (fault == "labels_before_first_event") std::fill_n(times.begin(), 10, year_us(1800));
    write_parquet(folder + "/labels.parquet", {{"subject_id", subjects, {}},
                                               {"prediction_time", times, {}, true},
                                               {"boolean_value", values, {}}});
  }

  TestFolder folder_;
};

}  // namespace sequela
