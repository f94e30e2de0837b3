#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

std::string with_thousands(int64_t value);
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

}  // namespace sequela
