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
#include "sequela/synth/shards.h"
#include "sequela/synth/subject_tables.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxSubjects = 100'000'000;

SynthRows write_shard(const SynthVocabulary& vocabulary, uint64_t seed, const std::string& path,
                      const std::vector<int64_t>& subject_ids, Progress& progress) {
  SynthRows rows;
  if (subject_ids.empty()) return rows;
  ShardWriter writer(vocabulary, path);
  SynthRecord record;
  for (const int64_t id : subject_ids) {
    throw_if_stopped();
    generate_subject(vocabulary, seed, id, record);
    writer.write(record);
    rows.subjects.push_back({record.person, static_cast<int64_t>(record.events.size())});
    rows.labels.insert(rows.labels.end(), record.labels.begin(), record.labels.end());
    progress.advance(1);
  }
  writer.finish();
  return rows;
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

void write_metadata(const SynthVocabulary& vocabulary, uint64_t seed, const std::string& folder) {
  write_codes(vocabulary, folder + "/codes.parquet");
  const Json dataset = {{"dataset_name", str("sequela synth, seed ", seed)},
                        {"dataset_version", "1"},
                        {"etl_name", "sequela synth"},
                        {"etl_version", "1"},
                        {"meds_version", "0.4.0"}};
  write_file(folder + "/dataset.json", json_text(dataset) + "\n");
}

void write_report(const SynthReport& report, uint64_t seed, Flares flares,
                  const std::string& path) {
  Json tasks = Json::object();
  for (int i = 0; i < num_synth_tasks(flares); ++i) {
    tasks[task_name(static_cast<SynthTask>(i))] = {{"labels", report.tasks[i].num_labels},
                                                   {"positive", report.tasks[i].num_positive}};
  }
  const Json json = {{"seed", seed},
                     {"subjects", report.num_subjects},
                     {"events", report.num_events},
                     {"shards", report.num_shards},
                     {"codes", report.num_codes},
                     {"deaths", report.num_deaths},
                     {"tasks", tasks}};
  write_file(path, json_text(json) + "\n");
}

// Libraries, vocabulary, subjects whose tables wait; a thread's shard, its columns and their
// encoding. Measured: 233 to 254 MiB with one thread, from 12,000 to 60,000 subjects.
constexpr int64_t kFixedBytes = int64_t{180} << 20, kThreadBytes = int64_t{72} << 20;

int threads_within(const SynthOptions& options) {
  const int64_t left = options.memory_bytes - kFixedBytes;
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
  const Flares flares = options.has_flares ? Flares::yes : Flares::no;
  const SynthVocabulary vocabulary = build_vocabulary(flares);
  AtomicFolder output(options.folder);
  const std::string& folder = output.partial_path();
  const std::string data_folder = folder + "/meds/data";
  for (const char* split : kSynthSplits) fs::create_directories(data_folder + "/" + split);

  SubjectTables tables(folder, flares);
  {
    Progress progress("synth", options.num_subjects, "subjects");
    parallel_for(
        num_synth_shards(options.num_subjects), threads_within(options), [&](int64_t i, int) {
          const SynthShard shard = plan_shard(i, options.num_subjects);
          tables.add(i, write_shard(vocabulary, options.seed, data_folder + "/" + shard.path,
                                    shard.subject_ids, progress));
        });
  }
  SynthReport report = tables.finish();
  report.num_codes = std::ranges::count(vocabulary.is_event_code, 1);
  write_metadata(vocabulary, options.seed, folder + "/meds/metadata");
  write_athena_tables(vocabulary, folder + "/athena");
  write_file(folder + "/truth/hazards.json", json_text(hazards_to_json()) + "\n");
  write_report(report, options.seed, flares, folder + "/synth.json");
  output.commit();
  return report;
}

}  // namespace sequela
