// The artifacts from the batches on: batches, bundle, checkpoint, features, tensors.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/batch/folder.h"
#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/number_text.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/safetensors.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {
namespace {

constexpr size_t kMaxTensors = 12;

std::string shape_text(const TensorView& tensor) {
  std::string text = dtype_name(tensor.dtype);
  for (size_t i = 0; i < tensor.shape.size(); ++i)
    text += str(i == 0 ? " " : " x ", tensor.shape[i]);
  return text;
}

// Fields of a checkpoint's trainer_state.json, if the folder is one.
void add_state(const std::string& folder, Description& description) {
  const std::string path = folder + "/trainer_state.json";
  if (!std::filesystem::exists(path)) return;
  const Json state = parse_json(read_file(path), path);
  for (const char* name : {"step", "epoch", "best_step", "num_tokens"}) {
    if (state.contains(name)) description.add(name, state[name].get<int64_t>());
  }
  if (state.contains("best_loss")) {
    description.add("best loss", str(json_number(state["best_loss"], path)));
  }
}

// The task of a fine-tuned bundle.
void add_classifier(const std::string& folder, Description& description) {
  const std::string path = folder + "/manifest.json";
  if (!std::filesystem::exists(path)) return;
  const Json manifest = parse_json(read_file(path), path);
  const Json::json_pointer report("/artifacts/finetune/report");
  const Json::json_pointer older("/finetune");  // where version 0.1 kept it
  if (!manifest.contains(report) && !manifest.contains(older)) return;
  try {
    const Json& tuned = manifest.at(manifest.contains(report) ? report : older);
    description.add("classifier", str("task '", tuned.at("task").get<std::string>(),
                                      "', prevalence ", tuned.at("prevalence").get<double>()));
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, "the report of finetune lacks task or prevalence");
  }
}

}  // namespace

std::string inspect_batches(const std::string& path) {
  const BatchFolder batches = BatchFolder::open(path);
  Description description(path + ": batches");
  int64_t num_tokens = 0, most = 0;
  for (int64_t i = 0; i < batches.num_batches(); ++i) {
    num_tokens += batches.num_tokens(i);
    most = std::max(most, batches.num_tokens(i));
  }
  description.add("batches", batches.num_batches());
  description.add("tokens", num_tokens);
  description.add("largest batch", with_thousands(most) + " tokens");
  return description.text();
}

std::string inspect_bundle(const std::string& path) {
  const ModelConfig config = read_model_config(path + "/config.json");
  const SafetensorsFile weights(path + "/model.safetensors");
  const bool is_checkpoint = std::filesystem::exists(path + "/trainer_state.json");
  Description description(path + (is_checkpoint ? ": checkpoint" : ": model bundle"));
  int64_t num_parameters = 0;
  bool has_hawk = false;
  for (const TensorView& tensor : weights.tensors()) {
    num_parameters += tensor.size();
    has_hawk = has_hawk || tensor.name.find("hawk_module") != std::string::npos;
  }
  const EncoderConfig& encoder = config.encoder;
  description.add("parameters", num_parameters);
  description.add("layers",
                  str(encoder.n_layers, has_hawk ? ", hawk and attention in turn" : ", attention"));
  description.add("hidden size", encoder.hidden_size);
  description.add("heads", encoder.n_heads);
  description.add("vocabulary",
                  str(with_thousands(encoder.vocab_size),
                      encoder.is_hierarchical ? " tokens, hierarchical" : " tokens, flat"));
  if (config.motor) {
    description.add("head",
                    str("MOTOR, ", with_thousands(static_cast<int64_t>(config.motor->tasks.size())),
                        " tasks x ", config.motor->time_bins.size() - 1, " time bins"));
  } else if (config.clmbr_vocab_size > 0) {
    description.add("head", str("CLMBR, ", with_thousands(config.clmbr_vocab_size), " codes"));
  }
  add_classifier(path, description);
  for (const char* name : {"dictionary.msgpack", "ontology.parquet"}) {
    if (!is_checkpoint && !std::filesystem::exists(path + "/" + name))
      description.add(name, "missing");
  }
  add_state(path, description);
  return description.text();
}

std::string inspect_features(const std::string& path) {
  ParquetReader reader(path);
  const int column = reader.require_column("embedding", {ColumnType::float_list});
  Description description(path + ": embeddings");
  double sum_of_norms = 0;
  int64_t width = 0, num_not_finite = 0;
  reader.read({column}, [&](const RowBatch& batch) {
    const ColumnSlice& slice = batch.columns[0];
    for (int64_t i = 0; i < slice.size; ++i) {
      double square = 0;
      width = slice.list_offsets[i + 1] - slice.list_offsets[i];
      for (int64_t k = slice.list_offsets[i]; k < slice.list_offsets[i + 1]; ++k) {
        square += static_cast<double>(slice.floats[k]) * slice.floats[k];
      }
      num_not_finite += std::isfinite(square) ? 0 : 1;
      sum_of_norms += std::sqrt(square);
    }
  });
  description.add("rows", reader.num_rows());
  description.add("width", width);
  if (reader.num_rows() > 0) {
    description.add("mean norm", str(sum_of_norms / static_cast<double>(reader.num_rows())));
  }
  if (num_not_finite > 0) description.add("rows not finite", num_not_finite);
  const std::string skipped = std::filesystem::path(path).parent_path() / "skipped.csv";
  if (std::filesystem::exists(skipped)) {
    const std::string text = read_file(skipped);
    description.add("skipped labels", std::count(text.begin(), text.end(), '\n') - 1);
  }
  return description.text();
}

void add_tensors(const std::vector<TensorView>& tensors, Description* description) {
  int64_t num_values = 0;
  for (const TensorView& tensor : tensors) num_values += tensor.size();
  description->add("tensors", static_cast<int64_t>(tensors.size()));
  description->add("values", num_values);
  for (size_t i = 0; i < std::min(kMaxTensors, tensors.size()); ++i) {
    description->add(tensors[i].name, shape_text(tensors[i]));
  }
  if (tensors.size() > kMaxTensors) {
    description->add("...", str(tensors.size() - kMaxTensors, " more"));
  }
}

std::string inspect_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  Description description(path + ": tensors");
  add_tensors(file.tensors(), &description);
  return description.text();
}

}  // namespace sequela
