#pragma once

#include <string>

#include "sequela/objective/objective.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/run/fingerprints.h"
#include "sequela/run/manifest.h"

namespace sequela {

// Names of the artifacts, below the output folder.
inline constexpr const char* kEventsName = ".events";
inline constexpr const char* kOntologyName = "ontology/ontology.parquet";
inline constexpr const char* kSplitName = "split.csv";
inline constexpr const char* kDictionaryName = "tokenizer/dictionary.msgpack";
inline constexpr const char* kTrainBatchesName = "train_batches";
inline constexpr const char* kValBatchesName = "val_batches";
inline constexpr const char* kCoverageName = "coverage.json";

// What each artifact of prepare is made of. Fingerprints of the user's files are taken once; those
// of Sequela's own artifacts are asked of the manifest when the recipe is made.
class PrepareRecipes {
 public:
  // Reads the data set's listing and takes all fingerprints. Refers to all three. Throws DataError,
  // FileError.
  PrepareRecipes(const PrepareOptions& options, const Manifest& manifest,
                 Fingerprints& fingerprints);

  RunRecipe events() const;
  RunRecipe ontology() const;
  RunRecipe split() const;
  RunRecipe dictionary() const;
  RunRecipe task() const;
  RunRecipe batches(const char* name) const;

  // All options and the user's inputs together, for ranks to compare.
  RunRecipe whole() const;

  const std::string& codes_parquet() const { return codes_parquet_; }  // empty = none

 private:
  RunRecipe start(const char* artifact) const;
  // An artifact of this folder as an input of a later one.
  void add_artifact(const char* name, RunRecipe& recipe) const {
    recipe.inputs[name][""] = manifest_.fingerprint(name);
  }
  // How events are read.
  void add_reading(RunRecipe& recipe) const;

  const PrepareOptions& options_;
  const Objective& objective_;
  const Manifest& manifest_;
  Fingerprints& fingerprints_;
  std::string codes_parquet_;
  InputFingerprints data_;      // the events' files
  InputFingerprints metadata_;  // codes.parquet
  InputFingerprints athena_;
};

}  // namespace sequela
