#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/features/stream_embedder.h"

namespace sequela {

// Models, codes and events for the benchmarks of the constant-state embedder; events are all new
// tokens.

constexpr int32_t kLiveVocabulary = 16'384;
constexpr int32_t kLiveAncestors = 7;

struct LiveModel {
  int64_t layers, hidden, tasks;
};

inline LiveModel live_model(const std::string& size) {
  return size == "base" ? LiveModel{12, 768, 8'192} : LiveModel{4, 256, 1'024};
}

inline ModelConfig live_config(const LiveModel& model) {
  ModelConfig config;
  config.encoder.vocab_size = kLiveVocabulary;
  config.encoder.hidden_size = model.hidden;
  config.encoder.intermediate_size = 4 * model.hidden;
  config.encoder.n_heads = model.hidden / 64;
  config.encoder.n_layers = model.layers;
  config.motor = MotorHeadConfig{};
  for (int64_t i = 0; i < model.tasks; ++i) config.motor->tasks.push_back({str("T/", i), 1e-9});
  for (int i = 0; i < 8; ++i) config.motor->time_bins.push_back(1e7 * i);
  config.motor->time_bins.push_back(INFINITY);
  return config;
}

inline std::string live_code(int64_t i) {
  return str("C/", i % kLiveVocabulary);
}

inline Ontology live_ontology() {
  std::vector<Ontology::Node> nodes;
  for (int32_t i = 0; i < kLiveVocabulary; ++i) {
    nodes.push_back({.code = live_code(i)});
    for (int32_t k = 1; k <= kLiveAncestors && i >= 100; ++k)
      nodes.back().parents.push_back(live_code((i * 13 + k) % 100));
  }
  return Ontology::build(std::move(nodes));
}

inline Vocabulary live_vocabulary() {
  Vocabulary vocabulary;
  for (int32_t i = 0; i < kLiveVocabulary; ++i) {
    vocabulary.entries.push_back(
        {.type = VocabularyEntry::Type::code, .code_string = live_code(i)});
  }
  vocabulary.age_stats = {{1e9, 1e9}, {20, 2}, {1e6, 1e6}, {10, 3}};
  return vocabulary;
}

// Sends each patient one event a day.
class LiveFeed {
 public:
  LiveFeed(Embedder& embedder, int64_t patients) : embedder_(embedder), patients_(patients) {
    for (int32_t i = 0; i < kLiveVocabulary; ++i) codes_.push_back(live_code(i));
    for (int64_t p = 0; p < patients; ++p) embedder.admit(p, 0);
  }

  void send(int64_t days, float* log2_rates) {
    std::vector<LiveEvent> events;
    for (int64_t day = 0; day < days; ++day) {
      ++day_;
      for (int64_t p = 0; p < patients_; ++p) {
        const std::string& code = codes_[100 + (day_ * 37 + p * 101) % (kLiveVocabulary - 100)];
        events.push_back({p, day_ * kMicrosPerDay, code, {}});
      }
    }
    embeddings_.resize(events.size() * embedder_.config().encoder.hidden_size);
    embedder_.add(events, {embeddings_.data(), log2_rates, nullptr});
  }

 private:
  Embedder& embedder_;
  const int64_t patients_;
  std::vector<std::string> codes_;
  std::vector<float> embeddings_;
  int64_t day_ = 0;
};

// Refers to `ontology`.
inline Embedder live_embedder(const LiveModel& size, const Ontology& ontology,
                              const EmbedderOptions& options) {
  const ModelConfig config = live_config(size);
  Motor model(config, 1, at::kCPU, Precision::fp32);
  return Embedder(config, model.parameters(), live_vocabulary(), ontology, options);
}

}  // namespace sequela
