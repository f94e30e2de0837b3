#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sequela/io/safetensors.h"
#include "sequela/pipeline/inspect.h"

namespace sequela {

// Lines of "  name   value", names padded to one width, under a title.
class Description {
 public:
  explicit Description(std::string title) : title_(std::move(title)) {}
  void add(const std::string& name, const std::string& value) { lines_.emplace_back(name, value); }
  void add(const std::string& name, int64_t value);  // with thousands separated
  std::string text() const;

 private:
  std::string title_;
  std::vector<std::pair<std::string, std::string>> lines_;
};

// "3.2 days", "45 min": a length of time in its natural unit.
std::string time_text(double seconds);

// One for each kind of artifact; `path` is the file or folder.
std::string inspect_dataset(const std::string& path);
std::string inspect_prepared(const std::string& path);
std::string inspect_ontology(const std::string& path);
std::string inspect_split(const std::string& path);
std::string inspect_dictionary(const std::string& path);
std::string inspect_task(const std::string& path);
std::string inspect_batches(const std::string& path);
std::string inspect_labels(const std::string& path);
std::string inspect_bundle(const std::string& path);    // also a checkpoint
std::string inspect_features(const std::string& path);  // features.parquet
std::string inspect_safetensors(const std::string& path);
std::string inspect_encoder(const std::string& path);     // a folder of the BERT family
std::string inspect_encoded(const std::string& path);     // folder that encode made
std::string inspect_comparison(const std::string& path);  // folder that compare made
std::string inspect_weights(const std::string& path);     // .pt, .bin, a TensorFlow bundle
std::string inspect_athena(const std::string& path);      // folder or zip
std::string inspect_cohort(const std::string& path);
std::string inspect_csv(const std::string& path);  // of a kind that its header tells
std::string inspect_run(const std::string& path);  // checkpoints and final/ of pretrain

// True for a folder whose config.json is not that of a bundle.
bool is_encoder_folder(const std::string& path);

// How many tensors and values, and the shapes of the first ones.
void add_tensors(const std::vector<TensorView>& tensors, Description* description);

}  // namespace sequela
