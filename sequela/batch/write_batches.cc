#include "sequela/batch/write_batches.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "sequela/batch/bucket_writer.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"

namespace fs = std::filesystem;

namespace sequela {

namespace {

using Counter = std::pair<const char*, int64_t BatchReport::*>;
constexpr Counter kCounters[] = {
    {"subjects", &BatchReport::num_subjects},
    {"subjects_without_birth", &BatchReport::subjects_without_birth},
    {"subjects_without_label", &BatchReport::subjects_without_label},
    {"windows", &BatchReport::num_windows},
    {"shortened_windows", &BatchReport::num_shortened},
    {"batches", &BatchReport::num_batches},
    {"tokens", &BatchReport::num_tokens},
    {"labels", &BatchReport::num_labels},
    {"batches_without_label", &BatchReport::batches_without_label},
    {"bytes", &BatchReport::num_bytes},
};

using Written = BucketWriter::Written;

// Beside each finished file of an unfinished folder lies what there is to say of it, so that it
// need not be made again.
std::string note_path(const std::string& folder, int64_t index) {
  return str(folder, "/note-", index, ".json");
}

void write_note(const Written& written, const std::string& path) {
  const StreamFile& file = written.file;
  const Json json = {{"report", to_json(written.report)},
                     {"name", file.name},
                     {"rows", file.num_rows},
                     {"bytes", file.num_bytes},
                     {"digest", file.digest}};
  write_file(path, json_text(json));
}

Written read_note(const std::string& path) {
  const Json json = parse_json(read_file(path), path);
  Written written;
  try {
    written.report = batch_report_from(json.at("report"), path);
    written.file = {json.at("name").get<std::string>(), json.at("rows").get<int64_t>(),
                    json.at("bytes").get<int64_t>(), json.at("digest").get<std::string>()};
  } catch (const Json::exception&) {
    throw FileError(path, "damaged", "delete the folder it is in and run again");
  }
  return written;
}

std::string staging_of(const std::string& folder, const std::string& key) {
  return folder + ".unfinished-" + key;
}

// Removes unfinished folders of other keys.
void remove_stale(const std::string& folder, const std::string& staging) {
  const fs::path parent = fs::path(folder).parent_path();
  const std::string prefix = fs::path(folder).filename().string() + ".unfinished-";
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(parent.empty() ? "." : parent)) {
    if (entry.path().filename().string().starts_with(prefix) &&
        entry.path().filename() != fs::path(staging).filename()) {
      stale.push_back(entry.path());
    }
  }
  for (const auto& path : stale) fs::remove_all(path);
}

// The file under a second name, or a copy where the disk has no such thing.
void link_or_copy(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error) fs::copy_file(from, to);
}

void finish_folder(const std::string& staging, const std::vector<StreamFile>& files,
                   const BatchOptions& options, const BatchLayout& layout,
                   const std::string& folder, Staging kind) {
  AtomicFolder finished(folder);
  for (const StreamFile& file : files) {
    const std::string from = staging + "/" + file.name;
    const std::string to = finished.partial_path() + "/" + file.name;
    kind == Staging::keep ? link_or_copy(from, to) : fs::rename(from, to);
  }
  write_batch_folder_info(finished.partial_path(), options.form, layout, files);
  finished.commit();
  if (kind == Staging::remove) fs::remove_all(staging);
}

}  // namespace

BatchLayout layout_of(const BatchSource& source) {
  return {source.tokenizer.vocab_size(), source.targets.num_tasks(), source.targets.femr_fields()};
}

void BatchOptions::validate() const {
  if (min_subjects_per_batch < 1) {
    throw ConfigError("min-subjects-per-batch", str(min_subjects_per_batch), "at least 1");
  }
  if (max_length() < 3 || tokens_per_batch > 1 << 20) {
    throw ConfigError("tokens-per-batch", str(tokens_per_batch),
                      str(3 * min_subjects_per_batch, " to 1048576"));
  }
  if (!(label_fraction > 0 && label_fraction <= 1)) {
    throw ConfigError("label-fraction", str(label_fraction), "above 0, at most 1");
  }
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "at least 1");
}

void BatchReport::add(const BatchReport& other) {
  for (const auto& [name, counter] : kCounters) this->*counter += other.*counter;
}

Json to_json(const BatchReport& report) {
  Json json = Json::object();
  for (const auto& [name, counter] : kCounters) json[name] = report.*counter;
  return json;
}

BatchReport batch_report_from(const Json& json, const std::string& path) {
  BatchReport report;
  for (const auto& [name, counter] : kCounters) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) {
      throw FileError(path, str("'", name, "' is missing"), "delete the file and run again");
    }
    report.*counter = found->get<int64_t>();
  }
  return report;
}

BatchReport write_batches(const BatchSource& source, Side side, const BatchOptions& options,
                          const std::string& folder, const std::string& key, Staging kind) {
  options.validate();
  const std::string staging = staging_of(folder, key);
  remove_stale(folder, staging);
  share_batches(source, side, options, folder, key, {}, [] { return false; });

  BatchReport total;
  std::vector<StreamFile> files;
  const auto num_buckets =
      static_cast<int64_t>(plan_buckets(source.store, source.sides, side).size());
  for (int64_t i = 0; i < num_buckets; ++i) {
    const Written one = read_note(note_path(staging, i));
    total.add(one.report);
    files.push_back(one.file);
  }
  finish_folder(staging, files, options, layout_of(source), folder, kind);
  return total;
}

void share_batches(const BatchSource& source, Side side, const BatchOptions& options,
                   const std::string& folder, const std::string& key, const SharedWork& work,
                   const std::function<bool()>& is_over) {
  const std::string staging = staging_of(folder, key);
  fs::create_directories(staging);
  const std::vector<Bucket> buckets = plan_buckets(source.store, source.sides, side);
  const auto num_buckets = static_cast<int64_t>(buckets.size());
  std::vector<int64_t> sizes;
  int64_t num_events = 0;
  for (const Bucket& bucket : buckets) {
    sizes.push_back(bucket.num_events);
    num_events += bucket.num_events;
  }
  std::vector<std::unique_ptr<BucketWriter>> writers(static_cast<size_t>(options.num_threads));
  Progress progress(fs::path(folder).filename().string(), num_events, "events");
  const auto path_of = [&](int64_t i) { return staging + "/" + batch_file_name(i, num_buckets); };
  const auto is_done = [&](int64_t i) {
    // Another process first notes that the folder is complete, then takes its parts away.
    const bool is_there = fs::exists(note_path(staging, i)) && fs::exists(path_of(i));
    if (!is_there && !is_over()) return false;
    progress.advance(sizes[i]);
    return true;
  };
  const std::string name = fs::path(folder).filename().string();
  work.run(name, sizes, options.num_threads, is_done, [&](int64_t i, int thread) {
    auto& writer = writers[thread];
    if (writer == nullptr) writer = std::make_unique<BucketWriter>(source, side, options);
    write_note(writer->write(buckets[i], i, path_of(i)), note_path(staging, i));
    source.store.release(buckets[i].first_subject, buckets[i].end_subject);
    progress.advance(sizes[i]);
  });
}

void remove_unfinished(const std::string& folder) {
  remove_stale(folder, "");
}

int64_t estimate_femr_bytes(const BatchSource& source, Side side, const BatchOptions& options) {
  constexpr int64_t kSample = 64;
  constexpr int64_t kFirst[1] = {0};
  BatchOptions femr = options;
  femr.form = BatchForm::femr;
  BucketWriter writer(source, side, femr);
  int64_t sampled_events = 0;
  int64_t all_events = 0;
  double bytes = 0;
  const int64_t step = std::max<int64_t>(1, source.store.num_subjects() / kSample);
  for (int64_t i = 0; i < source.store.num_subjects(); ++i) {
    if (source.sides[i] == side) all_events += source.store.subject(i).num_events;
    if (i % step != 0 || source.sides[i] != side) continue;
    BatchReport report;
    writer.stage({i, i + 1, 0}, report);
    sampled_events += source.store.subject(i).num_events;
    if (report.num_windows == 0) continue;
    writer.build(kFirst);
    const BatchArrays& batch = writer.batch();
    bytes += static_cast<double>(batch.num_tokens()) * 39 +
             static_cast<double>(batch.token_ids.size()) * 4 +
             static_cast<double>(batch.num_labels()) * 12 +
             static_cast<double>(batch.rows.task_ids.size()) * 8;
    for (const TargetArray& array : batch.targets)
      bytes += static_cast<double>(array.values.size()) * 4;
  }
  if (sampled_events == 0) return 0;
  return static_cast<int64_t>(bytes * static_cast<double>(all_events) /
                              static_cast<double>(sampled_events));
}

}  // namespace sequela
