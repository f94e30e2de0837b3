#include "sequela/pipeline/inspect.h"

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"
#include "sequela/io/uri.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string inspect_folder(const std::string& path) {
  auto has = [&](const char* name) { return fs::exists(fs::path(path) / name); };
  if (has("features.parquet")) return inspect_features(path + "/features.parquet");
  if (has("config.json") && has("model.safetensors")) return inspect_bundle(path);
  if (has("motor_task.json")) return inspect_prepared(path);
  if (has("state.json") && has("dataset_info.json")) return inspect_batches(path);
  if (has("dictionary.msgpack")) return inspect_dictionary(path + "/dictionary.msgpack");
  if (has("ontology.parquet")) return inspect_ontology(path + "/ontology.parquet");
  if (has("meds_reader.version") || has("data")) return inspect_dataset(path);
  if (has("meds/data")) return inspect_dataset(path + "/meds");
  throw ConfigError(
      str(path,
          ": not an artifact that Sequela knows. Fix: name a MEDS data set, a folder that "
          "prepare, pretrain or features made, or a file in it."));
}

std::string inspect_parquet(const std::string& path) {
  const ParquetReader reader(path);
  if (reader.find_column("embedding")) return inspect_features(path);
  if (reader.find_column("prediction_time")) return inspect_labels(path);
  if (reader.find_column("parents")) return inspect_ontology(path);
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
  if (path.ends_with("motor_task.json")) return inspect_task(path);
  if (path.ends_with(".csv")) return inspect_split(path);
  throw ConfigError(str(path,
                        ": not an artifact that Sequela knows. Fix: name a folder, or a .parquet, "
                        ".safetensors, .msgpack, motor_task.json or split.csv file."));
}

}  // namespace sequela
