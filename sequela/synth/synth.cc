#include "sequela/synth/synth.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"
#include "sequela/synth/athena_tables.h"
#include "sequela/synth/shard_writer.h"
#include "sequela/synth/truth_tables.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSubjectsPerShard = 1000;
constexpr int64_t kMaxSubjects = 100'000'000;
constexpr std::array kSplits = {"train", "tuning", "held_out"};

size_t split_of(int64_t subject_id) {
  const int64_t remainder = subject_id % 10;
  return remainder == 0 ? 2 : remainder == 1 ? 1 : 0;
}

// The subjects of one file.
struct Shard {
  std::string path;  // below the data set's data folder
  std::vector<int64_t> subject_ids;
  std::vector<SubjectTruth> subjects;  // filled when written
  std::vector<TaskLabel> labels;
};

std::vector<Shard> plan_shards(int64_t num_subjects) {
  std::array<std::vector<Shard>, kSplits.size()> shards;
  for (int64_t id = 1; id <= num_subjects; ++id) {
    const size_t split = split_of(id);
    auto& own = shards[split];
    if (own.empty() || own.back().subject_ids.size() == kSubjectsPerShard) {
      own.push_back({str(kSplits[split], "/", own.size(), ".parquet"), {}, {}, {}});
    }
    own.back().subject_ids.push_back(id);
  }
  std::vector<Shard> all;
  for (auto& own : shards) std::move(own.begin(), own.end(), std::back_inserter(all));
  return all;
}

void write_shard(const SynthVocabulary& vocabulary, uint64_t seed, const std::string& data_folder,
                 Shard& shard, Progress& progress) {
  ShardWriter writer(vocabulary, data_folder + "/" + shard.path);
  SubjectRecord record;
  for (const int64_t id : shard.subject_ids) {
    throw_if_stopped();
    generate_subject(vocabulary, seed, id, record);
    writer.write(record);
    shard.subjects.push_back({record.person, static_cast<int64_t>(record.events.size())});
    shard.labels.insert(shard.labels.end(), record.labels.begin(), record.labels.end());
    progress.advance(1);
  }
  writer.finish();
}

void write_codes(const SynthVocabulary& vocabulary, const std::string& path) {
  std::vector<std::string> codes, descriptions;
  std::vector<std::vector<std::string>> parents;
  std::vector<uint8_t> has_parents;
  for (size_t code = 0; code < vocabulary.codes.size(); ++code) {
    if (!vocabulary.is_event_code[code]) continue;
    const int32_t parent = vocabulary.local_parents[code];
    codes.push_back(vocabulary.codes[code]);
    descriptions.push_back(vocabulary.descriptions[code]);
    parents.emplace_back();
    if (parent >= 0) parents.back().push_back(vocabulary.codes[parent]);
    has_parents.push_back(parent >= 0);
  }
  write_parquet(path, {{.name = "code", .values = codes},
                       {.name = "description", .values = descriptions},
                       {.name = "parent_codes", .values = parents, .valid = has_parents}});
}

void write_metadata(const SynthVocabulary& vocabulary, const SynthOptions& options,
                    const std::string& folder) {
  fs::create_directories(folder);
  write_codes(vocabulary, folder + "/codes.parquet");
  const Json dataset = {{"dataset_name", str("sequela synth, seed ", options.seed)},
                        {"dataset_version", "1"},
                        {"etl_name", "sequela synth"},
                        {"etl_version", "1"},
                        {"meds_version", "0.4.0"}};
  write_file(folder + "/dataset.json", json_text(dataset) + "\n");
  std::vector<int64_t> ids;
  std::vector<std::string> splits;
  for (int64_t id = 1; id <= options.num_subjects; ++id) {
    ids.push_back(id);
    splits.push_back(kSplits[split_of(id)]);
  }
  write_parquet(folder + "/subject_splits.parquet",
                {{.name = "subject_id", .values = ids}, {.name = "split", .values = splits}});
}

void write_labels_and_truth(const std::vector<SubjectTruth>& subjects,
                            const std::vector<TaskLabel>& labels, const std::string& folder) {
  fs::create_directories(folder + "/labels");
  fs::create_directories(folder + "/truth");
  for (int i = 0; i < static_cast<int>(SynthTask::count); ++i) {
    const auto task = static_cast<SynthTask>(i);
    write_parquet(str(folder, "/labels/", task_name(task), ".parquet"),
                  to_label_table(labels, task));
  }
  write_parquet(folder + "/labels.parquet", to_label_table(labels, SynthTask::count));
  write_parquet(folder + "/truth/subjects.parquet", to_subject_table(subjects));
  write_parquet(folder + "/truth/diseases.parquet", to_disease_table(subjects));
  write_parquet(folder + "/truth/label_probabilities.parquet", to_probability_table(labels));
  write_file(folder + "/truth/hazards.json", json_text(hazards_to_json()) + "\n");
}

SynthReport make_report(const SynthVocabulary& vocabulary,
                        const std::vector<SubjectTruth>& subjects,
                        const std::vector<TaskLabel>& labels) {
  SynthReport report;
  report.num_subjects = static_cast<int64_t>(subjects.size());
  for (const SubjectTruth& subject : subjects) {
    report.num_events += subject.num_events;
    report.num_deaths += subject.person.is_dead();
  }
  for (const uint8_t is_event_code : vocabulary.is_event_code) report.num_codes += is_event_code;
  for (const TaskLabel& label : labels) {
    auto& count = report.tasks[static_cast<size_t>(label.task)];
    ++count.num_labels;
    count.num_positive += label.value;
  }
  return report;
}

void write_report(const SynthReport& report, const SynthOptions& options, const std::string& path) {
  Json tasks = Json::object();
  for (size_t i = 0; i < report.tasks.size(); ++i) {
    tasks[task_name(static_cast<SynthTask>(i))] = {{"labels", report.tasks[i].num_labels},
                                                   {"positive", report.tasks[i].num_positive}};
  }
  const Json json = {{"seed", options.seed},
                     {"subjects", report.num_subjects},
                     {"events", report.num_events},
                     {"shards", report.num_shards},
                     {"codes", report.num_codes},
                     {"deaths", report.num_deaths},
                     {"tasks", tasks}};
  write_file(path, json_text(json) + "\n");
}

// Libraries and vocabulary; a thread's shard, its columns and their encoding; what is kept of a
// subject. Measured: 204 MiB with one thread, 70 more with each other, 1.7 KiB a subject.
constexpr int64_t kFixedBytes = int64_t{145} << 20, kThreadBytes = int64_t{72} << 20,
                  kSubjectBytes = int64_t{2} << 10;

int threads_within(const SynthOptions& options) {
  const int64_t left = options.memory_bytes - kFixedBytes - kSubjectBytes * options.num_subjects;
  return static_cast<int>(std::clamp<int64_t>(left / kThreadBytes, 1, options.num_threads));
}

}  // namespace

void SynthOptions::validate() const {
  if (num_subjects < 1 || num_subjects > kMaxSubjects) {
    throw ConfigError("subjects", str(num_subjects), str("1 to ", kMaxSubjects));
  }
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "1 or more");
  if (folder.empty()) throw ConfigError("out", "", "a folder");
  const bool is_taken = fs::exists(folder) && !(fs::is_directory(folder) && fs::is_empty(folder));
  if (is_taken && !fs::exists(folder + "/synth.json")) {
    throw ConfigError("out", folder, "a folder that is new, empty, or was made by synth");
  }
}

SynthReport synth(const SynthOptions& options) {
  options.validate();
  const SynthVocabulary vocabulary = build_vocabulary();
  AtomicFolder output(options.folder);
  const std::string& folder = output.partial_path();
  const std::string data_folder = folder + "/meds/data";
  for (const char* split : kSplits) fs::create_directories(data_folder + "/" + split);

  std::vector<Shard> shards = plan_shards(options.num_subjects);
  {
    Progress progress("synth", options.num_subjects, "subjects");
    parallel_for(static_cast<int64_t>(shards.size()), threads_within(options), [&](int64_t i, int) {
      write_shard(vocabulary, options.seed, data_folder, shards[i], progress);
    });
  }
  std::vector<SubjectTruth> subjects;
  std::vector<TaskLabel> labels;
  for (Shard& shard : shards) {
    std::move(shard.subjects.begin(), shard.subjects.end(), std::back_inserter(subjects));
    labels.insert(labels.end(), shard.labels.begin(), shard.labels.end());
    shard = {};
  }
  std::sort(subjects.begin(), subjects.end(),
            [](const SubjectTruth& a, const SubjectTruth& b) { return a.person.id < b.person.id; });
  std::stable_sort(labels.begin(), labels.end(), [](const TaskLabel& a, const TaskLabel& b) {
    return a.subject_id < b.subject_id;
  });

  write_metadata(vocabulary, options, folder + "/meds/metadata");
  write_athena_tables(vocabulary, folder + "/athena");
  write_labels_and_truth(subjects, labels, folder);
  SynthReport report = make_report(vocabulary, subjects, labels);
  report.num_shards = static_cast<int64_t>(shards.size());
  write_report(report, options, folder + "/synth.json");
  output.commit();
  return report;
}

}  // namespace sequela
