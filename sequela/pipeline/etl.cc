#include "sequela/pipeline/etl.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/etl/omop/omop_database.h"
#include "sequela/etl/privacy.h"
#include "sequela/etl/source.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/run_inputs.h"
#include "sequela/run/folder_lock.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

// What Sequela itself holds beside DuckDB.
constexpr int64_t kOwnBytes = int64_t{128} << 20;

DuckDbOptions database_options(const EtlOptions& options, const std::string& work) {
  const int64_t bytes = std::max((options.memory_bytes - kOwnBytes) * 3 / 4, int64_t{96} << 20);
  // Each thread wants some buffers of its own.
  const auto most = static_cast<int>(std::max<int64_t>(bytes / (int64_t{48} << 20), 1));
  return {.memory_bytes = bytes,
          .num_threads = std::min(options.num_threads, most),
          .temp_folder = work + "/spilled"};
}

// Every file that a plan reads, by its path below the source's folder.
std::vector<InputFile> plan_files(const EtlPlan& plan, const std::string& folder) {
  std::set<std::string> paths;
  for (const TablePlan& table : plan.tables) paths.insert(table.files.begin(), table.files.end());
  for (const CodePlan& codes : plan.codes) paths.insert(codes.files.begin(), codes.files.end());
  std::vector<InputFile> files;
  for (const std::string& path : paths) {
    files.push_back({std::filesystem::relative(path, folder).string(), path});
  }
  return files;
}

// What the file of --shift-dates holds, without the line's end; empty = no shift.
std::string secret_of(const EtlOptions& options) {
  if (options.shift_dates.empty()) return "";
  std::string secret = read_file(options.shift_dates);
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  constexpr size_t kLeast = 16;
  if (secret.size() < kLeast) {
    throw ConfigError(str("shift-dates: ", options.shift_dates, " holds ", secret.size(),
                          " characters, which can be guessed. Fix: give it ", kLeast,
                          " random ones or more."));
  }
  return secret;
}

RunRecipe etl_recipe(const EtlOptions& options, const EtlPlan& plan, Fingerprints& fingerprints) {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "etl";
  recipe.set("from", plan.source);
  recipe.set("shards", options.num_shards);
  recipe.set("units", options.units);
  recipe.set("drop-text", options.drops_text);
  recipe.set("train-share", options.train_share);
  recipe.set("tuning-share", options.tuning_share);
  // Of the secret it can only be told whether it is the same.
  recipe.set("shift-dates",
             options.shift_dates.empty() ? "" : fingerprint_of_text("shift " + secret_of(options)));
  recipe.set("plan", fingerprint_of_text(identity_of(plan, options.folder)));
  add_input("raw", plan_files(plan, options.folder), fingerprints, recipe);
  return recipe;
}

ConvertOptions convert_options(const EtlOptions& options) {
  return {.out = options.out,
          .folder = options.folder,
          .num_shards = options.num_shards,
          .allows_drops = options.allows_drops,
          .shards = {.shift_key = secret_of(options),
                     .normalizes_units = !options.units.empty(),
                     .drops_text = options.drops_text},
          .splits = {.train = options.train_share, .tuning = options.tuning_share},
          .num_threads = options.num_threads,
          .memory_bytes = options.memory_bytes};
}

void warn_of_names(const EtlPlan& plan) {
  std::string names;
  for (const std::string& column : identifying_columns(plan))
    names += (names.empty() ? "" : ", ") + column;
  if (names.empty()) return;
  log_warning(str("columns that may tell who somebody is go into the events: ", names,
                  ". Leave them out, or see --drop-text."));
}

// Of tables in a folder, while the output's is locked.
EtlReport convert_files(const EtlOptions& options) {
  const std::string work = options.out + "/.etl";
  DuckDb db(database_options(options, work));
  const EtlPlan plan = plan_source(db, options.from, options.folder);
  warn_of_names(plan);
  Fingerprints fingerprints({options.fingerprint_cache, options.num_threads});
  RunRecipe recipe = etl_recipe(options, plan, fingerprints);
  Manifest manifest(options.out, fingerprints);
  EtlReport report;
  report.is_up_to_date = manifest.is_up_to_date(recipe);
  if (report.is_up_to_date) return report;
  manifest.remove_with_files();
  report.converted = convert(db, plan, convert_options(options), fingerprints);
  recipe.outputs = report.converted.files;
  manifest.record(recipe, {{"num_events", report.converted.shards.num_events},
                           {"num_subjects", report.converted.shards.num_subjects},
                           {"num_codes", report.converted.num_codes}});
  return report;
}

// Tables that were copied out of a database. They hold records, so they go, whatever happens.
class CopiedTables {
 public:
  explicit CopiedTables(std::string folder) : folder_(std::move(folder)) {}
  ~CopiedTables() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CopiedTables(const CopiedTables&) = delete;

  const std::string& folder() const { return folder_; }

 private:
  const std::string folder_;
};

EtlReport convert_database(const EtlOptions& options) {
  const std::string work = options.out + "/.etl";
  EtlReport report;
  {
    const CopiedTables copied(work + "/raw");
    export_omop(options.from, copied.folder());
    EtlOptions of_files = options;
    of_files.from = "omop";
    of_files.folder = copied.folder();
    report = convert_files(of_files);
  }
  std::filesystem::remove_all(work);
  return report;
}

}  // namespace

void EtlOptions::validate() const {
  if (from.empty()) throw ConfigError("--from is missing. Fix: name a source, such as omop.");
  if (folder.empty() && !is_postgres_uri(from))
    throw ConfigError("the folder of the raw tables is missing. Fix: name it behind the source.");
  if (!units.empty() && units != "ucum") throw ConfigError("units", units, "ucum");
  if (num_shards < 0 || num_shards > 100'000)
    throw ConfigError("shards", std::to_string(num_shards), "0 to 100000");
  if (!(train_share >= 0 && tuning_share >= 0 && train_share + tuning_share <= 1)) {
    throw ConfigError("split shares", str(train_share, ", ", tuning_share),
                      "two shares that are at most 1 together");
  }
}

EtlReport etl(const EtlOptions& options) {
  options.validate();
  if (options.out.empty()) {
    throw ConfigError("--out is missing. Fix: name a folder for the MEDS data set.");
  }
  const auto start = std::chrono::steady_clock::now();
  const FolderLock lock(options.out);
  EtlReport report =
      is_postgres_uri(options.from) ? convert_database(options) : convert_files(options);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

std::string explain_etl(const EtlOptions& options) {
  options.validate();
  if (is_postgres_uri(options.from)) {
    // The plan depends on the columns of the exported tables.
    throw ConfigError(
        "--explain reads tables in files, not a database. Fix: export them, and name the folder.");
  }
  DuckDb db({.memory_bytes = int64_t{256} << 20, .num_threads = 1, .temp_folder = ""});
  return explain(plan_source(db, options.from, options.folder));
}

}  // namespace sequela
