// What `encode` and `compare` read and write: encoders, their embeddings, comparisons.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/number_text.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/io/file.h"
#include "sequela/io/weights/weight_file.h"
#include "sequela/pipeline/inspect_parts.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string heads_text(const BertFolder& folder) {
  std::string text;
  if (folder.has_pooler()) text += "pooler";
  if (folder.has_mlm_head()) text += str(text.empty() ? "" : ", ", "masked language modelling");
  return text.empty() ? "none" : text;
}

}  // namespace

bool is_encoder_folder(const std::string& path) {
  const std::string config = path + "/config.json";
  if (!fs::exists(config)) return false;
  const Json json = parse_json(read_file(config), config);
  return json.is_object() && !json.contains("transformer_config");
}

std::string inspect_encoder(const std::string& path) {
  const BertFolder folder = open_bert_folder(path);
  const BertConfig& config = folder.config;
  Description description(
      path + (config.kind == BertKind::cehr_bert ? ": CEHR-BERT encoder" : ": BERT encoder"));
  int64_t num_parameters = 0;
  for (const auto& [name, tensor] : folder.weights) num_parameters += tensor.numel();
  description.add("parameters", num_parameters);
  description.add("layers", config.num_hidden_layers);
  description.add("hidden size", config.hidden_size);
  description.add("heads", config.num_attention_heads);
  description.add("intermediate size", config.intermediate_size);
  description.add("positions", config.max_position_embeddings);
  description.add("rows of the code table", config.vocab_size);
  const std::optional<CodeVocabulary> vocabulary = CodeVocabulary::find(path);
  description.add("vocabulary",
                  vocabulary ? with_thousands(vocabulary->num_codes()) + " codes" : "missing");
  description.add("output heads", heads_text(folder));
  return description.text();
}

std::string inspect_encoded(const std::string& path) {
  std::string text;
  for (const char* name : {"embeddings.parquet", "code_embeddings.parquet"}) {
    const std::string file = path + "/" + name;
    if (fs::exists(file)) text += inspect_features(file);
  }
  return text;
}

std::string inspect_comparison(const std::string& path) {
  return path + ": comparison of an encoder with random starts\n" +
         read_file(path + "/compare.txt");
}

std::string inspect_weights(const std::string& path) {
  const WeightFile file = open_weights(path);
  Description description(path + ": tensors, " + weight_format_name(file.format()));
  add_tensors(file.tensors(), &description);
  return description.text();
}

}  // namespace sequela
