#pragma once

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/core/time.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"

namespace sequela {

struct VisitRecordsOptions {
  int64_t num_subjects = 28;
  int64_t num_visits = 40;  // of each
  int num_shards = 1;
};

// What write_visit_records() wrote.
struct VisitRecords {
  int64_t num_events = 0, num_numbers = 0, num_texts = 0;
};

namespace visit_records_detail {

struct Shard {
  std::vector<int64_t> subjects, times, ends, visits;
  std::vector<std::string> codes, texts, tables, units;
  std::vector<float> numbers;
  std::vector<uint8_t> has_time, has_end, has_visit, has_text, has_number;

  // A row without values; the caller fills in what it has.
  void add(int64_t subject, int64_t time_us, const std::string& code, const std::string& table) {
    subjects.push_back(subject);
    times.push_back(time_us);
    codes.push_back(code);
    tables.push_back(table);
    has_time.push_back(1);
    for (auto* values : {&ends, &visits}) values->push_back(0);
    for (auto* values : {&texts, &units}) values->emplace_back();
    numbers.push_back(0);
    for (auto* flags : {&has_end, &has_visit, &has_text, &has_number}) flags->push_back(0);
  }
  void set_visit(int64_t visit) { visits.back() = visit, has_visit.back() = 1; }
  void set_end(int64_t time_us) { ends.back() = time_us, has_end.back() = 1; }
  void set_number(float number, const std::string& unit) {
    numbers.back() = number, has_number.back() = 1, units.back() = unit;
  }
  void set_text(const std::string& text) { texts.back() = text, has_text.back() = 1; }

  void write(const std::string& path) const {
    write_parquet(path, {{"subject_id", subjects, {}},
                         {"time", times, has_time, true},
                         {"code", codes, {}},
                         {"numeric_value", numbers, has_number},
                         {"text_value", texts, has_text},
                         {"end", ends, has_end, true},
                         {"table", tables, {}},
                         {"unit", units, has_number},
                         {"visit_id", visits, has_visit}});
  }
};

// A visit of a few days at most: its type with its end, then events. Of the codes few are common.
inline void add_visit(int64_t subject, int64_t visit, int64_t start_us, Random& random,
                      Shard& shard) {
  const bool is_stay = random.below(6) == 0;
  const int64_t days = is_stay ? 1 + static_cast<int64_t>(random.below(4)) : 0;
  shard.add(subject, start_us, is_stay ? "Visit/IP" : "Visit/OP", "visit");
  shard.set_visit(visit);
  shard.set_end(start_us + days * kMicrosPerDay);
  for (int64_t i = 1; i <= 8; ++i) {
    const double u = random.uniform();
    const auto rank = static_cast<int64_t>(60 * u * u * u * u);
    const int64_t time_us = start_us + days * kMicrosPerDay * i / 9 + i;
    if (i % 3 == 0) {
      shard.add(subject, time_us, "LOINC/" + std::to_string(rank % 9) + "-1", "measurement");
      shard.set_number(static_cast<float>(rank % 9 + random.uniform()), "mg/dL");
    } else {
      shard.add(subject, time_us, "SNOMED/" + std::to_string(1'000 + rank), "condition");
      if (random.below(50) == 0) shard.set_text("much of it");
    }
    if (random.below(40) != 0) shard.set_visit(visit);
  }
}

}  // namespace visit_records_detail

// Writes a MEDS data set of made-up subjects with encounter ids, ends of visits, units, texts and,
// for each, an event without a time.
inline VisitRecords write_visit_records(const std::string& folder,
                                        const VisitRecordsOptions& options = {}) {
  using visit_records_detail::Shard;
  for (const char* name : {"/data", "/metadata"})
    std::filesystem::create_directories(folder + name);
  std::vector<Shard> shards(options.num_shards);
  std::vector<int64_t> subjects;
  std::vector<std::string> splits;
  for (int64_t subject = 1; subject <= options.num_subjects; ++subject) {
    Random random(subject);
    Shard& shard = shards[(subject - 1) * options.num_shards / options.num_subjects];
    shard.add(subject, 0, subject % 2 == 0 ? "Gender/F" : "Gender/M", "person");
    shard.has_time.back() = 0;
    int64_t time_us = (subject - 20) * 365 * kMicrosPerDay;
    shard.add(subject, time_us, "MEDS_BIRTH", "person");
    for (int64_t visit = 0; visit < options.num_visits; ++visit) {
      time_us += static_cast<int64_t>(6 + random.below(300)) * kMicrosPerDay;
      visit_records_detail::add_visit(subject, subject * 1'000 + visit, time_us, random, shard);
    }
    subjects.push_back(subject);
    splits.emplace_back(subject % 10 == 0 ? "held_out" : "train");
  }
  VisitRecords written;
  for (size_t i = 0; i < shards.size(); ++i) {
    shards[i].write(folder + "/data/" + std::to_string(i) + ".parquet");
    written.num_events += std::ssize(shards[i].subjects);
    for (const uint8_t has : shards[i].has_number) written.num_numbers += has;
    for (const uint8_t has : shards[i].has_text) written.num_texts += has;
  }
  write_file(folder + "/metadata/dataset.json", R"({"meds_version": "0.3.3"})");
  write_parquet(folder + "/metadata/subject_splits.parquet",
                {{"subject_id", subjects, {}}, {"split", splits, {}}});
  write_parquet(folder + "/metadata/codes.parquet",
                {{"code", std::vector<std::string>{"Visit/IP", "Visit/OP"}, {}},
                 {"description", std::vector<std::string>{"a stay", "a visit"}, {}},
                 {"parent_codes", std::vector<std::vector<std::string>>{{}, {}}, {}}});
  return written;
}

}  // namespace sequela
