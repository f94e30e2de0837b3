#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"

namespace sequela {

// Events as rows of a Parquet shard.
struct MedsRows {
  std::vector<int64_t> subjects, times;
  std::vector<std::string> codes;
  std::vector<float> numbers;
  std::vector<uint8_t> has_subject, has_number;

  size_t size() const { return subjects.size(); }
  void add(int64_t subject, int64_t time_us, const std::string& code,
           std::optional<float> number = std::nullopt) {
    subjects.push_back(subject);
    times.push_back(time_us);
    codes.push_back(code);
    numbers.push_back(number.value_or(0));
    has_subject.push_back(1);
    has_number.push_back(number.has_value());
  }
  MedsRows in_order(const std::vector<size_t>& order) const {
    MedsRows rows;
    for (const size_t i : order) {
      rows.add(subjects[i], times[i], codes[i],
               has_number[i] != 0 ? std::optional(numbers[i]) : std::nullopt);
    }
    return rows;
  }
  // By subject and time, as data sets have it.
  MedsRows sorted() const {
    std::vector<size_t> order(size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, {}, [&](size_t i) { return std::pair(subjects[i], times[i]); });
    return in_order(order);
  }
  Table table() const {
    return {{"subject_id", subjects, has_subject},
            {"time", times, {}, true},
            {"code", codes, {}},
            {"numeric_value", numbers, has_number}};
  }
};

inline constexpr int64_t kNumGoodSubjects = 20;

inline int64_t year_us(int64_t year) {
  return (year - 1970) * 365 * kMicrosPerDay;
}

// Twenty subjects, each with a birth and ten to eighteen events at times of their own.
inline MedsRows good_rows() {
  MedsRows rows;
  for (int64_t subject = 0; subject < kNumGoodSubjects; ++subject) {
    const int64_t birth_us = year_us(1950 + subject);
    rows.add(subject, birth_us, "MEDS_BIRTH");
    for (int64_t i = 1; i <= 10 + subject % 9; ++i) {
      const int64_t time_us = birth_us + (40 * 365 + 31 * i + subject) * kMicrosPerDay + i;
      const std::string code = i == 1 ? "Gender/F" : "TREE/" + std::to_string((subject + i) % 12);
      rows.add(subject, time_us, code,
               i % 5 == 3 ? std::optional(static_cast<float>(subject + i)) : std::nullopt);
    }
  }
  return rows;
}

inline void write_shard(const std::string& folder, const Table& table, int shard = 0) {
  std::filesystem::create_directories(folder + "/data");
  std::filesystem::create_directories(folder + "/metadata");
  write_file(folder + "/metadata/dataset.json", R"({"meds_version": "0.3.3"})");
  write_parquet(folder + "/data/" + std::to_string(shard) + ".parquet", table);
}

inline void write_rows(const std::string& folder, const MedsRows& rows, int shard = 0) {
  write_shard(folder, rows.table(), shard);
}

// Columns of other types than MEDS asks for.
inline Table wrongly_typed(const MedsRows& rows) {
  std::vector<std::string> subjects, numbers;
  for (size_t i = 0; i < rows.size(); ++i) {
    subjects.push_back(std::to_string(rows.subjects[i]));
    numbers.push_back(std::to_string(rows.numbers[i]));
  }
  return {{"subject_id", subjects, {}},
          {"time", rows.times, {}},
          {"code", rows.codes, {}},
          {"numeric_value", numbers, {}}};
}

// The order of rows with each subject in two runs, or with its events backwards.
inline std::vector<size_t> interleaved(const MedsRows& rows) {
  std::vector<size_t> even, odd;
  for (size_t i = 0; i < rows.size(); ++i) (i % 2 == 0 ? even : odd).push_back(i);
  even.insert(even.end(), odd.begin(), odd.end());
  return even;
}
inline std::vector<size_t> backwards(const MedsRows& rows) {
  std::vector<size_t> order;
  for (size_t first = 0; first < rows.size();) {
    size_t end = first;
    while (end < rows.size() && rows.subjects[end] == rows.subjects[first]) ++end;
    for (size_t i = end; i-- > first;) order.push_back(i);
    first = end;
  }
  return order;
}

// Values of the first six rows that are hard on arithmetic.
inline MedsRows with_odd_numbers(MedsRows rows) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> odd = {NAN, inf, -inf, 3.4e38f, 1e-42f, -0.0f};
  std::copy(odd.begin(), odd.end(), rows.numbers.begin());
  std::fill_n(rows.has_number.begin(), odd.size(), uint8_t{1});
  return rows;
}

// Writes the data set with the fault that its name says.
inline void write_bad_meds(const std::string& name, const std::string& folder) {
  MedsRows rows = good_rows();
  const std::string fault = name.substr(3);
  if (fault == "meds_truncated_parquet") {
    write_rows(folder, rows);
    const std::string path = folder + "/data/0.parquet";
    const std::string whole = read_file(path);
    write_file(path, whole.substr(0, whole.size() * 6 / 10));
  } else if (fault == "meds_wrong_types") {
    write_shard(folder, wrongly_typed(rows));
  } else if (fault == "meds_unsorted_subjects") {
    write_rows(folder, rows.in_order(interleaved(rows)));
  } else if (fault == "meds_times_backwards") {
    write_rows(folder, rows.in_order(backwards(rows)));
  } else if (fault == "meds_null_subject_id") {
    rows.has_subject[5] = 0;
    write_rows(folder, rows);
  } else if (fault == "meds_events_before_birth") {
    for (int i = 0; i < 4; ++i) rows.add(3, year_us(1900) + i, "TREE/1");
    write_rows(folder, rows.sorted());
  } else if (fault == "meds_duplicate_births") {
    rows.add(4, year_us(1955), "MEDS_BIRTH");
    write_rows(folder, rows.sorted());
  } else if (fault == "meds_far_future") {
    rows.add(5, year_us(9999), "TREE/1");
    for (int i = 0; i < 2; ++i) {
      rows.add(5, std::numeric_limits<int64_t>::max() - i, "TREE/2");
    }
    write_rows(folder, rows.sorted());
  } else if (fault == "meds_nan_inf_values") {
    write_rows(folder, with_odd_numbers(rows));
  } else if (fault == "meds_10mb_code") {
    rows.codes[10] = std::string(size_t{10} << 20, 'x');
    write_rows(folder, rows);
  } else if (fault == "meds_non_utf8_code") {
    rows.codes[7] = "bad\xff\xfe";
    rows.codes[8] = "\xfe";
    write_rows(folder, rows);
  } else if (fault == "meds_empty_shard") {
    write_rows(folder, rows);
    write_rows(folder, {}, 1);
  } else if (fault == "meds_zero_subjects") {
    write_rows(folder, {});
  } else if (fault == "meds_missing_code_column") {
    Table table = rows.table();
    table.erase(table.begin() + 2);
    write_shard(folder, table);
  } else {  // meds_subject_in_two_shards
    write_rows(folder, rows);
    MedsRows last;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows.subjects[i] == 19) last.add(19, rows.times[i], rows.codes[i]);
    }
    write_rows(folder, last, 1);
  }
}

}  // namespace sequela
