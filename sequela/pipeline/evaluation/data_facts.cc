#include "sequela/pipeline/evaluation/data_facts.h"

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/store_facts.h"
#include "sequela/run/manifest.h"

namespace sequela {
namespace {

Json splits_json(const EventStore& store, const SubjectParts& parts) {
  if (parts.deals_labels()) return {{"source", parts.source()}};  // a subject may be in all parts
  std::array<int64_t, 3> counts = {};
  for (int64_t index = 0; index < store.num_subjects(); ++index) {
    if (const auto part = parts.of_subject(store.subject_id(index)))
      ++counts[static_cast<size_t>(*part)];
  }
  return {{"source", parts.source()},
          {"train", counts[0]},
          {"tuning", counts[1]},
          {"held_out", counts[2]}};
}

}  // namespace

Json data_facts(const EventStore& store, const SubjectParts& parts) {
  Json facts = store_facts(store);
  facts["splits"] = splits_json(store, parts);
  return facts;
}

Json model_facts(const std::string& bundle) {
  if (bundle.empty()) return {};
  const ModelConfig config = read_model_config(bundle + "/config.json");
  Fingerprints fingerprints({});
  const Manifest manifest(bundle, fingerprints);
  return {{"layers", config.encoder.n_layers},
          {"hidden_size", config.encoder.hidden_size},
          {"vocabulary", config.encoder.vocab_size},
          {"num_tasks", config.motor ? config.motor->num_tasks() : 0},
          {"pretraining", manifest.report("pretrain")}};
}

}  // namespace sequela
