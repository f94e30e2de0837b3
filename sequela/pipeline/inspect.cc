#include "sequela/pipeline/inspect.h"

#include <algorithm>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "sequela/io/parquet.h"
#include "sequela/io/unpack.h"
#include "sequela/io/uri.h"
#include "sequela/meds/labels.h"
#include "sequela/objective/registry.h"
#include "sequela/ontology/athena_files.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

bool has_checkpoints(const std::string& path) {
  return std::ranges::any_of(fs::directory_iterator(path), [](const auto& entry) {
    return entry.path().filename().string().starts_with("checkpoint-");
  });
}

// A folder of Parquet or CSV files with prediction times.
bool is_label_folder(const std::string& path) {
  try {
    const std::string first = list_label_files(path).front();
    if (first.ends_with(".parquet")) {
      return ParquetReader(first).find_column("prediction_time").has_value();
    }
    return CsvReader(first, kDelimiterOfHeader, CsvQuoting::rfc4180)
        .find_column_of_any_case("prediction_time")
        .has_value();
  } catch (const DataError&) {
    return false;
  }
}

std::string inspect_folder(const std::string& path) {
  auto has = [&](const char* name) { return fs::exists(fs::path(path) / name); };
  if (has("features.parquet")) return inspect_features(path + "/features.parquet");
  if (has("embeddings.parquet") || has("code_embeddings.parquet")) return inspect_encoded(path);
  if (has("compare.json")) return inspect_comparison(path);
  if (is_encoder_folder(path)) return inspect_encoder(path);
  if (has("config.json") && has("model.safetensors")) return inspect_bundle(path);
  for (const Objective* objective : objectives())
    if (has(objective->task_file())) return inspect_prepared(path);
  if (has("state.json") && has("dataset_info.json")) return inspect_batches(path);
  if (has("dictionary.msgpack")) return inspect_dictionary(path + "/dictionary.msgpack");
  if (has("ontology.parquet")) return inspect_ontology(path + "/ontology.parquet");
  if (has("meds_reader.version") || has("data")) return inspect_dataset(path);
  if (has("meds/data")) return inspect_dataset(path + "/meds");
  if (has_checkpoints(path)) return inspect_run(path);
  if (AthenaFiles(path).has(AthenaFiles::kConcept)) return inspect_athena(path);
  if (is_label_folder(path)) return inspect_labels(path);
  throw ConfigError(
      str(path,
          ": not an artifact that Sequela knows. Fix: name a MEDS data set, a folder that "
          "prepare, pretrain, features, encode or compare made, an encoder, or a file in it."));
}

std::string inspect_parquet(const std::string& path) {
  const ParquetReader reader(path);
  if (reader.find_column("embedding")) return inspect_features(path);
  if (reader.find_column("prediction_time")) return inspect_labels(path);
  if (reader.find_column("in_data")) return inspect_ontology(path);
  const bool is_cohort = reader.find_column("dataset_split") || reader.find_column("split");
  if (is_cohort && reader.find_column("subject_id")) return inspect_cohort(path);
  Description description(path + ": Parquet table");
  description.add("rows", reader.num_rows());
  for (const auto& column : reader.columns()) description.add(column.name, column.type_name);
  return description.text();
}

}  // namespace

std::string inspect(const std::string& path) {
  if (is_uri(path)) {
    const bool is_file = path.substr(0, path.find('?')).ends_with(".parquet");
    return is_file ? inspect_parquet(path) : inspect_dataset(path);
  }
  if (!fs::exists(path)) throw FileError(path, "does not exist");
  if (fs::is_directory(path)) return inspect_folder(path);
  if (path.ends_with(".parquet")) return inspect_parquet(path);
  if (path.ends_with(".safetensors")) return inspect_safetensors(path);
  if (path.ends_with(".msgpack")) return inspect_dictionary(path);
  for (const Objective* objective : objectives())
    if (path.ends_with(objective->task_file())) return inspect_task(path);
  for (const char* end : {".csv", ".tsv"}) {
    if (unpacked_ending(path) == end) return inspect_csv(path);
  }
  for (const char* end : {".pt", ".bin", ".index", ".index.json"}) {
    if (path.ends_with(end)) return inspect_weights(path);
  }
  if (path.ends_with(".zip")) return inspect_athena(path);
  throw ConfigError(str(path,
                        ": not an artifact that Sequela knows. Fix: name a folder, or a .parquet, "
                        ".safetensors, .pt, .bin, .msgpack, .csv, .zip or task file."));
}

}  // namespace sequela
