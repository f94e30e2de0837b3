#include "sequela/meds/ingest.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/new_folder.h"
#include "sequela/meds/ingest_plan.h"
#include "sequela/meds/store/gather.h"
#include "sequela/meds/store/store_index.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Lets shards be decoded side by side while their memory stays within a budget; one alone always
// may.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t bytes) : free_(bytes), total_(bytes) {}

  // A part of the budget, held while this object lives; waits until it is free.
  class Share {
   public:
    Share(MemoryBudget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {
      std::unique_lock lock(budget_->mutex_);
      budget_->changed_.wait(
          lock, [&] { return bytes_ <= budget_->free_ || budget_->free_ == budget_->total_; });
      budget_->free_ -= bytes_;
    }
    ~Share() {
      std::lock_guard lock(budget_->mutex_);
      budget_->free_ += bytes_;
      budget_->changed_.notify_all();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    MemoryBudget* budget_;
    const int64_t bytes_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t free_;
  const int64_t total_;
};

// What a shard's content depends on, beside the program.
Digest shard_fingerprint(const ShardSource& source, const IngestPlan& plan,
                         const IngestOptions& options) {
  std::string text =
      str("shard ", kShardVersion, " repair ", options.repair, " zone ",
          options.zone_rule == ZoneRule::local ? "local" : "utc", '\n', source.identity, '\n');
  for (const PropertyColumn& property : plan.properties) {
    text += str(property.name, property.is_text ? " text\n" : " number\n");
  }
  return sha256(text.data(), text.size());
}

class Ingest {
 public:
  Ingest(const IngestOptions& options, const SharedWork& work);
  IngestReport run();

 private:
  void make_shards();
  // Rows may be out of order, for the user asked so or the clock was set back.
  bool may_sort() const { return options_.repair || plan_.has_local_times; }
  bool is_finished(size_t shard) const;
  void make_shard(size_t shard);
  void make_index();
  Digest store_fingerprint() const;
  bool has_index() const;
  void remove_strangers() const;
  std::string path_of(const std::string& name) const { return options_.folder + "/" + name; }

  const IngestOptions& options_;
  const SharedWork& work_;
  IngestPlan plan_;
  std::vector<Digest> fingerprints_;
  std::vector<StoreShard> shards_;
  std::atomic<int64_t> num_reused_{0};
  IngestReport report_;
};

IngestPlan make_plan(const IngestOptions& options) {
  const Dataset dataset = find_dataset(options.meds);
  IngestPlan plan = dataset.kind == DatasetKind::parquet ? plan_parquet(dataset, options)
                                                         : plan_reader_database(dataset, options);
  if (plan.num_events == 0) {
    throw DataError({.path = options.meds}, "no subjects: every shard is empty",
                    "check the step that wrote the data set");
  }
  return plan;
}

Ingest::Ingest(const IngestOptions& options, const SharedWork& work)
    : options_(options), work_(work), plan_(make_plan(options)) {
  for (const ShardSource& source : plan_.shards) {
    if (!work.is_alone() && !source.is_reusable) {
      throw ConfigError(str("ranks do not share data behind a URI: ", options.meds,
                            ". Fix: copy them to a disk, or prepare on one rank."));
    }
    fingerprints_.push_back(shard_fingerprint(source, plan_, options));
    // Named by what it was made from: a shard is found again wherever it stands among the others.
    shards_.push_back(
        {"shard-" + to_hex(fingerprints_.back()).substr(0, 16) + ".events", source.path});
  }
}

// Says once what the reader of the data should know.
void warn(const IngestReport& report) {
  const auto say = [](int64_t count, const char* what) {
    if (count > 0) log_warning(str(count, what));
  };
  say(report.subjects_without_birth, " subjects have no MEDS_BIRTH with a time; they are skipped");
  say(report.subjects_with_several_births,
      " subjects have several MEDS_BIRTH events; the earliest counts");
  say(report.events_before_birth, " events lie before their subject's birth");
  say(report.non_finite_values, " values are NaN or infinite; NaN is taken as missing");
  say(report.rounded_values,
      " whole numbers have more digits than a float32 holds (24 bits); they are rounded");
  say(report.clipped_times, " times lie beyond the year 9999; they are brought back to its end");
}

IngestReport Ingest::run() {
  make_shards();
  work_.run(
      "index", {1}, 1, [this](int64_t) { return has_index(); },
      [this](int64_t, int) {
        make_index();
        remove_strangers();
      });
  report_ =
      read_description(SectionFile(path_of(std::string(kIndexName)), kIndexMagic, kIndexVersion))
          .report;
  report_.num_shards_reused = num_reused_;
  warn(report_);
  return report_;
}

void Ingest::make_shards() {
  const NewFolder folder(options_.folder);
  std::vector<int64_t> sizes;
  int64_t num_events = 0;
  for (const ShardSource& source : plan_.shards) {
    sizes.push_back(source.num_events);
    num_events += source.num_events;
  }
  Progress progress("ingest", num_events, "events");
  MemoryBudget budget(options_.memory_bytes);
  const auto is_done = [&](int64_t i) {
    if (!is_finished(i)) return false;
    ++num_reused_;
    progress.advance(sizes[i]);
    return true;
  };
  work_.run("shard", sizes, options_.num_threads, is_done, [&](int64_t i, int) {
    const MemoryBudget::Share share(&budget, plan_.shards[i].memory_bytes);
    make_shard(i);
    progress.advance(sizes[i]);
  });
}

bool Ingest::is_finished(size_t shard) const {
  const std::string path = path_of(shards_[shard].name);
  if (!plan_.shards[shard].is_reusable || !fs::exists(path)) return false;
  try {
    return ShardFile(path, plan_.properties).fingerprint() == fingerprints_[shard];
  } catch (const FileError&) {
    return false;
  }
}

void Ingest::make_shard(size_t shard) {
  ShardOptions options{.path = path_of(shards_[shard].name),
                       .properties = plan_.properties,
                       .num_events = plan_.shards[shard].num_events};
  const std::string path = options.path;
  if (may_sort()) {
    options.path += ".unsorted";
    options.must_be_ordered = false;
  }
  bool is_ordered = true;
  try {
    ShardBuilder builder(options);
    plan_.shards[shard].decode(&builder);
    is_ordered = builder.finish(fingerprints_[shard]);
  } catch (const DataError& error) {
    throw error.within({.path = plan_.shards[shard].path});
  }
  if (!may_sort()) return;
  if (is_ordered) {
    fs::rename(options.path, path);
    return;
  }
  const std::string unsorted = options.path;
  options.path = path;
  options.must_be_ordered = true;
  write_ordered_shard(unsorted, options, fingerprints_[shard]);
}

Digest Ingest::store_fingerprint() const {
  std::string text = str("store ", kIndexVersion, '\n');
  for (const Digest& fingerprint : fingerprints_) text += to_hex(fingerprint) + '\n';
  return sha256(text.data(), text.size());
}

// True if the index fits the shards. Alone, none may have been made anew.
bool Ingest::has_index() const {
  const std::string path = path_of(std::string(kIndexName));
  const bool is_as_before = num_reused_ == static_cast<int64_t>(shards_.size());
  if ((work_.is_alone() && !is_as_before) || !fs::exists(path)) return false;
  try {
    const SectionFile index(path, kIndexMagic, kIndexVersion);
    if (index.fingerprint() != store_fingerprint()) return false;
    for (const std::string& name : read_description(index).shards) {
      ShardFile(path_of(name), plan_.properties);
    }
    return true;
  } catch (const FileError&) {
    return false;
  }
}

void Ingest::make_index() {
  fs::remove(path_of(std::string(kIndexName)));
  write_store_index({.folder = options_.folder,
                     .shards = shards_,
                     .properties = plan_.properties,
                     .fingerprint = store_fingerprint(),
                     .repair = options_.repair},
                    &report_);
}

// Removes what earlier runs left: shards of an older input, files that were not finished.
void Ingest::remove_strangers() const {
  const SectionFile index(path_of(std::string(kIndexName)), kIndexMagic, kIndexVersion);
  const auto names = read_description(index).shards;
  const std::set<std::string> known(names.begin(), names.end());
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_ours =
        name.starts_with("shard-") || name.starts_with("gathered-") || name.starts_with(kIndexName);
    if (is_ours && name != kIndexName && !known.contains(name)) fs::remove(entry.path());
  }
}

}  // namespace

void IngestOptions::validate() const {
  if (meds.empty()) throw ConfigError("no MEDS data set is given");
  if (folder.empty()) throw ConfigError("no folder for the event store is given");
  if (num_threads < 1) throw ConfigError("threads", str(num_threads), "1 or more");
  if (memory_bytes < 1) throw ConfigError("memory", str(memory_bytes), "some bytes");
}

IngestReport ingest(const IngestOptions& options, const SharedWork& work) {
  options.validate();
  return Ingest(options, work).run();
}

}  // namespace sequela
