#pragma once

#include <map>
#include <string>

#include "sequela/pipeline/manifest.h"
#include "sequela/pipeline/prepare.h"

namespace sequela {

// Names of the artifacts, below the output folder.
inline constexpr const char* kEventsName = ".events";
inline constexpr const char* kOntologyName = "ontology/ontology.parquet";
inline constexpr const char* kSplitName = "split.csv";
inline constexpr const char* kDictionaryName = "tokenizer/dictionary.msgpack";
inline constexpr const char* kTaskName = "motor_task.json";
inline constexpr const char* kTrainBatchesName = "train_batches";
inline constexpr const char* kValBatchesName = "val_batches";
inline constexpr const char* kCoverageName = "coverage.json";

// What each artifact of prepare is made of. Fingerprints of the user's files are taken once; those
// of Sequela's own artifacts are asked of the manifest when the recipe is made.
class PrepareRecipes {
 public:
  // Reads the data set's listing and all fingerprints. Refers to both. Throws DataError, FileError.
  PrepareRecipes(const PrepareOptions& options, const Manifest& manifest);

  StageRecipe events() const;
  StageRecipe ontology() const;
  StageRecipe split() const;
  StageRecipe dictionary() const;
  StageRecipe task() const;
  StageRecipe batches(const char* name) const;

  const std::string& codes_parquet() const { return codes_parquet_; }  // empty = none

 private:
  std::string checksum(const char* name) const { return manifest_.checksum(name); }

  const PrepareOptions& options_;
  const Manifest& manifest_;
  std::string codes_parquet_;
  std::string data_;                           // fingerprint of the events' files
  std::string metadata_;                       // of codes.parquet
  std::map<std::string, std::string> athena_;  // of the vocabulary's files
};

}  // namespace sequela
