#pragma once

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "sequela/features/embedder.h"
#include "sequela/model/model_dir.h"
#include "sequela/ontology/code_metadata.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"
#include "tests/features/ingested_store.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {

struct Embedded {
  int64_t width = 0;
  std::vector<float> values;  // labels * width; NaN where nothing was written
  std::vector<int64_t> feature_seconds;
  std::vector<LabelState> states;
  EmbedReport report;

  const float* row(size_t label) const { return values.data() + label * width; }
};

// A bundle of the reference's tutorial with its records and ontology.
struct Tutorial {
  TestFolder folder;
  EventStore store;
  Ontology ontology;
  Vocabulary vocabulary;
  EventTokenizer tokenizer;
  Motor model;

  explicit Tutorial(const std::string& bundle)
      : store(ingest_and_open(path("meds"), folder / "store")),
        ontology(read_ontology(store)),
        vocabulary(Vocabulary::read(path(bundle + "/dictionary.msgpack"))),
        tokenizer(store, ontology, vocabulary),
        model(open_bundle(path(bundle), at::kCPU, Precision::fp32)) {}

  Embedded embed(const std::vector<Label>& labels, int64_t tokens_per_batch) {
    EmbedOptions options;
    options.tokens_per_batch = tokens_per_batch;
    Embedded result;
    result.width = model.config().encoder.hidden_size;
    result.values.assign(labels.size() * result.width, std::numeric_limits<float>::quiet_NaN());
    result.feature_seconds.resize(labels.size());
    result.states.resize(labels.size());
    result.report =
        sequela::embed(model, store, tokenizer, vocabulary.age_stats, labels, options,
                       result.values.data(), result.feature_seconds.data(), result.states.data());
    return result;
  }

  static std::string path(const std::string& name) { return tutorial_path(name); }

 private:
  static Ontology read_ontology(const EventStore& store) {
    std::set<std::string> missing(store.codes().begin(), store.codes().end());
    std::vector<Ontology::Node> nodes;
    read_code_metadata(path("ontology.parquet"), [&](const CodeMetadata& row) {
      Ontology::Node& node = nodes.emplace_back();
      node.code = row.code;
      if (row.parents) node.parents.assign(row.parents->begin(), row.parents->end());
      missing.erase(node.code);
    });
    for (const std::string& code : missing) nodes.push_back({.code = code});
    return Ontology::build(std::move(nodes));
  }
};

}  // namespace sequela
