#include "sequela/etl/convert.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/etl/report.h"
#include "sequela/etl/spool.h"
#include "sequela/etl/table_reader.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRawBytesPerShard = int64_t{64} << 20;
constexpr size_t kMaxBuffer = size_t{64} << 10;

// About how large a file's rows are as CSV.
int64_t raw_bytes(const std::string& file) {
  const auto size = static_cast<int64_t>(fs::file_size(file));
  if (file.ends_with(".gz")) return size * 6;
  return file.ends_with(".parquet") || file.ends_with(".par") ? size * 4 : size;
}

class Converter {
 public:
  Converter(DuckDb& db, const EtlPlan& plan, const ConvertOptions& options,
            Fingerprints& fingerprints)
      : db_(db),
        plan_(plan),
        options_(options),
        fingerprints_(fingerprints),
        work_(options.out + "/.etl") {}

  ConvertReport run();

 private:
  int64_t find_num_shards() const;
  std::string table_key(const TablePlan& table);
  void spool_tables();
  void check_losses() const;
  void remove_stale(const std::string& key) const;
  void make_shards();
  void make_shard(const ShardMaker& maker, int64_t shard, const std::string& key);
  void write_metadata(const ShardMaker& maker);
  void run_macros();
  std::string data_file(int64_t shard) const { return str("data/", shard, ".parquet"); }

  DuckDb& db_;
  const EtlPlan& plan_;
  const ConvertOptions& options_;
  Fingerprints& fingerprints_;
  const std::string work_;
  int64_t num_shards_ = 0;
  std::vector<std::unique_ptr<SpoolFile>> spools_;
  std::string spools_key_;
  bool has_macros_ = false;
  std::mutex mutex_;  // of what follows
  std::vector<ShardLedger> ledgers_;
  std::vector<std::vector<int64_t>> subjects_;
  ConvertReport report_;
};

int64_t Converter::find_num_shards() const {
  if (options_.num_shards > 0) return options_.num_shards;
  std::set<std::string> files;
  for (const TablePlan& table : plan_.tables) files.insert(table.files.begin(), table.files.end());
  int64_t bytes = 0;
  for (const std::string& file : files) bytes += raw_bytes(file);
  return 1 + bytes / kRawBytesPerShard;
}

void Converter::run_macros() {
  if (has_macros_) return;
  for (const std::string& macro : plan_.macros) db_.run(macro);
  has_macros_ = true;
}

// Two equal keys give the same spool, and shards of the same columns: the files' content, the SQL,
// the names of blocks and columns.
std::string Converter::table_key(const TablePlan& table) {
  std::string text = str(SEQUELA_VERSION, " ", num_shards_, "\n", identity_of(table));
  for (const std::string& macro : plan_.macros) text += "\n" + macro;
  for (const std::string& file : table.files) text += str("\n", fingerprints_.of_file(file));
  return fingerprint_of_text(without_folder(text, options_.folder));
}

void Converter::spool_tables() {
  int32_t first_block = 0;
  const size_t buffer =
      std::clamp<size_t>(options_.memory_bytes / 8 / num_shards_, 1024, kMaxBuffer);
  for (const TablePlan& table : plan_.tables) {
    throw_if_stopped();
    const std::string key = table_key(table);
    const std::string path = str(work_, "/", key.substr(0, 32), "-", first_block, ".spool");
    if (fs::exists(path)) {
      ++report_.num_tables_kept;
    } else {
      run_macros();
      read_table(db_, table, first_block, num_shards_, buffer, path);
    }
    spools_.push_back(std::make_unique<SpoolFile>(path));
    report_.tables.push_back(spools_.back()->ledger());
    spools_key_ += key;
    first_block += static_cast<int32_t>(table.blocks.size());
  }
  if (report_.num_tables_kept > 0) {
    log_info(str(report_.num_tables_kept, " of ", plan_.tables.size(),
                 " tables were read by an earlier run"));
  }
}

void Converter::check_losses() const {
  std::string losses;
  for (const TableLedger& table : report_.tables) {
    const std::string loss = loss_of(table);
    if (!loss.empty()) losses += (losses.empty() ? "" : "; ") + loss;
  }
  if (losses.empty()) return;
  if (!options_.allows_drops) {
    throw DataError(Where{}, losses,
                    "mend the tables, or accept the loss with --allow-drops; " + options_.out +
                        "/etl_report.json lists which rows");
  }
  log_warning(losses);
}

void Converter::make_shard(const ShardMaker& maker, int64_t shard, const std::string& key) {
  const std::string note = str(work_, "/", key, "-", shard, ".json");
  const std::string path = options_.out + "/" + data_file(shard);
  if (fs::exists(note)) {
    const Json json = parse_json(read_file(note), note);
    ledgers_[shard] = to_shard_ledger(json.at("ledger"));
    subjects_[shard] = json.at("subjects").get<std::vector<int64_t>>();
    if (ledgers_[shard].num_events == 0 || fs::exists(path)) {
      const std::lock_guard lock(mutex_);
      ++report_.num_shards_kept;
      return;
    }
  }
  ledgers_[shard] = maker.make(shard, path, &subjects_[shard]);
  write_file(note,
             json_text({{"ledger", to_json(ledgers_[shard])}, {"subjects", subjects_[shard]}}, -1));
}

// Takes away shards that a run with other tables or options left unfinished.
void Converter::remove_stale(const std::string& key) const {
  for (const auto& entry : fs::directory_iterator(options_.out + "/data")) {
    const std::string note = str(work_, "/", key, "-", entry.path().stem().string(), ".json");
    if (!fs::exists(note)) fs::remove_all(entry.path());
  }
}

void Converter::make_shards() {
  const ShardMaker maker(plan_, spools_, options_.shards);
  const ShardMakerOptions& how = options_.shards;
  const std::string key = fingerprint_of_text(str(spools_key_, how.shift_key, how.normalizes_units,
                                                  how.drops_text, plan_.drops_duplicates))
                              .substr(0, 32);
  fs::create_directories(options_.out + "/data");
  remove_stale(key);
  ledgers_.resize(num_shards_);
  subjects_.resize(num_shards_);
  int64_t largest = 1;
  for (int64_t shard = 0; shard < num_shards_; ++shard)
    largest = std::max(largest, maker.num_bytes(shard));
  const int num_threads = static_cast<int>(
      std::clamp<int64_t>(options_.memory_bytes / largest, 1, options_.num_threads));
  Progress progress("shards", num_shards_, "shards");
  parallel_for(num_shards_, num_threads, [&](int64_t shard, int) {
    throw_if_stopped();
    make_shard(maker, shard, key);
    progress.advance(1);
  });
  for (int64_t shard = 0; shard < num_shards_; ++shard) {
    report_.shards.add(ledgers_[shard]);
    if (ledgers_[shard].num_events > 0) report_.files.push_back(data_file(shard));
  }
  write_metadata(maker);
}

void Converter::write_metadata(const ShardMaker& maker) {
  const std::string folder = options_.out + "/metadata/";
  fs::create_directories(folder);
  run_macros();
  report_.num_codes = write_codes(db_, plan_, spools_, work_, folder + "codes.parquet");
  write_dataset_info(plan_, maker.extras(), folder + "dataset.json");
  std::vector<int64_t> subjects;
  for (const std::vector<int64_t>& part : subjects_)
    subjects.insert(subjects.end(), part.begin(), part.end());
  write_splits(subjects, options_.splits, folder + "subject_splits.parquet");
  for (const char* name : {"codes.parquet", "dataset.json", "subject_splits.parquet"}) {
    report_.files.push_back(str("metadata/", name));
  }
}

ConvertReport Converter::run() {
  num_shards_ = find_num_shards();
  fs::create_directories(work_);
  report_.missing = plan_.missing;
  spool_tables();
  const std::string report_path = options_.out + "/etl_report.json";
  write_file(report_path, json_text(report_json(plan_, report_)) + "\n");
  check_losses();
  make_shards();
  write_file(report_path, json_text(report_json(plan_, report_)) + "\n");
  report_.files.push_back("etl_report.json");
  spools_.clear();
  fs::remove_all(work_);
  return std::move(report_);
}

}  // namespace

ConvertReport convert(DuckDb& db, const EtlPlan& plan, const ConvertOptions& options,
                      Fingerprints& fingerprints) {
  return Converter(db, plan, options, fingerprints).run();
}

}  // namespace sequela
