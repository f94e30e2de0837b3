#include "sequela/encoders/progression/survival.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/lstm_stack.h"
#include "sequela/encoders/progression/visit_pooling.h"

namespace sequela {
namespace {

constexpr double kMargin = 1e-7;  // of probabilities from 0 and 1 before a logarithm

std::vector<std::string> head_names(const SurvivalConfig& config) {
  if (config.num_event_kinds == 1) return {"hazard_head."};
  std::vector<std::string> names;
  for (int64_t k = 0; k < config.num_event_kinds; ++k)
    names.push_back(str("hazard_heads.", k, "."));
  return names;
}

LstmStack to_stack(const SurvivalConfig& config) {
  return {.prefix = "lstm.",
          .input_size = config.embedding_dim + config.time_encoding_dim,
          .hidden_size = config.hidden_dim,
          .num_layers = config.num_layers,
          .dropout = config.dropout};
}

at::Tensor encode_time(const at::Tensor& features_BNF, const NamedTensors& weights, int64_t size) {
  const at::Tensor hidden =
      at::linear(features_BNF, get_tensor(weights, "time_encoder.0.weight", {size, 3}),
                 get_tensor(weights, "time_encoder.0.bias", {size}))
          .relu();
  return at::linear(hidden, get_tensor(weights, "time_encoder.2.weight", {size, size}),
                    get_tensor(weights, "time_encoder.2.bias", {size}));
}

struct EventMasks {
  at::Tensor before_BN, at_BN;  // float32: visits before the event's, and the event's own
};

EventMasks event_masks(const SurvivalTargets& targets, const at::Tensor& hazards) {
  if (targets.event_visits_B.dim() != 1 || targets.event_visits_B.size(0) != hazards.size(0) ||
      targets.is_event_B.sizes() != targets.event_visits_B.sizes() ||
      targets.mask_BN.sizes() != hazards.sizes().slice(0, 2)) {
    throw std::invalid_argument("survival loss: targets and hazards differ in shape");
  }
  const at::Tensor mask = targets.mask_BN.ne(0);
  const at::Tensor visits =
      at::arange(hazards.size(1), targets.event_visits_B.options()).unsqueeze(0);
  const at::Tensor event = targets.event_visits_B.unsqueeze(1);
  return {visits.lt(event).logical_and(mask).to(at::kFloat),
          visits.eq(event).logical_and(mask).to(at::kFloat)};
}

// Counts by rank, with prefix sums (a Fenwick tree).
class RankCounts {
 public:
  explicit RankCounts(size_t num_ranks) : tree_(num_ranks + 1) {}
  void add(size_t rank) {
    for (size_t i = rank + 1; i < tree_.size(); i += i & -i) ++tree_[i];
  }
  int64_t below(size_t rank) const {  // counts at ranks < rank
    int64_t sum = 0;
    for (size_t i = rank; i > 0; i -= i & -i) sum += tree_[i];
    return sum;
  }

 private:
  std::vector<int64_t> tree_;
};

}  // namespace

void SurvivalConfig::validate() const {
  for (const auto& [key, value] : {std::pair{"vocab_size", vocab_size},
                                   {"embedding_dim", embedding_dim},
                                   {"hidden_dim", hidden_dim},
                                   {"num_layers", num_layers},
                                   {"num_event_kinds", num_event_kinds}}) {
    if (value < 1) throw ConfigError(key, str(value), "1 or more");
  }
  if (time_encoding_dim < 0)
    throw ConfigError("time_encoding_dim", str(time_encoding_dim), "0 or more");
  if (!(dropout >= 0 && dropout < 1)) {
    throw ConfigError("dropout", str(dropout), "a number in [0, 1)");
  }
}

std::vector<ParameterShape> SurvivalConfig::parameter_shapes() const {
  std::vector<ParameterShape> shapes = {{"embedding.weight", {vocab_size, embedding_dim}, true}};
  if (time_encoding_dim > 0) {
    shapes.push_back({"time_encoder.0.weight", {time_encoding_dim, 3}, true});
    shapes.push_back({"time_encoder.0.bias", {time_encoding_dim}});
    shapes.push_back({"time_encoder.2.weight", {time_encoding_dim, time_encoding_dim}, true});
    shapes.push_back({"time_encoder.2.bias", {time_encoding_dim}});
  }
  add_lstm_shapes(to_stack(*this), &shapes);
  for (const std::string& name : head_names(*this)) {
    shapes.push_back({name + "0.weight", {hidden_dim, hidden_dim}, true});
    shapes.push_back({name + "0.bias", {hidden_dim}});
    shapes.push_back({name + "3.weight", {1, hidden_dim}, true});
    shapes.push_back({name + "3.bias", {1}});
  }
  return shapes;
}

at::Tensor hazard_head(const at::Tensor& states_BNH, const NamedTensors& weights,
                       const std::string& prefix, double dropout,
                       const VisitForwardOptions& options) {
  const at::Tensor& first = get_tensor(weights, prefix + "0.weight");
  const at::Tensor hidden =
      apply_linear(states_BNH, first, get_tensor(weights, prefix + "0.bias"), options).relu();
  return apply_linear(apply_dropout(hidden, dropout, options),
                      get_tensor(weights, prefix + "3.weight"),
                      get_tensor(weights, prefix + "3.bias"), options)
      .squeeze(-1)
      .sigmoid();
}

at::Tensor forward_hazards(const SurvivalConfig& config, const NamedTensors& weights,
                           const VisitBatch& batch, const VisitForwardOptions& options) {
  const at::Tensor mask = checked_mask(batch, config.vocab_size);
  const at::Tensor visit_mask = to_visit_mask(mask);
  const at::Tensor& table =
      get_tensor(weights, "embedding.weight", {config.vocab_size, config.embedding_dim});
  at::Tensor x =
      pool_visits(table, to_visit_codes(batch.codes_BNC, mask), VisitPooling::mean, weights, "")
          .view({mask.size(0), mask.size(1), config.embedding_dim});
  if (config.time_encoding_dim > 0) {
    const at::Tensor features = checked_time_features(batch, 3);
    x = at::cat({x, encode_time(features, weights, config.time_encoding_dim)}, -1);
  }
  const LstmSequences states = run_lstm_on_rows(to_stack(config), x, visit_mask, weights, options);
  std::vector<at::Tensor> hazards;
  for (const std::string& name : head_names(config)) {
    hazards.push_back(hazard_head(states.outputs_BNH, weights, name, config.dropout, options));
  }
  return at::stack(hazards, -1) * visit_mask.unsqueeze(-1);
}

at::Tensor survival_loss(const at::Tensor& hazards_BN, const SurvivalTargets& targets) {
  const EventMasks masks = event_masks(targets, hazards_BN);
  const at::Tensor hazards = hazards_BN.clamp(kMargin, 1 - kMargin);
  const at::Tensor survived = (at::log1p(-hazards) * masks.before_BN).sum(1);
  const at::Tensor happened = (hazards.log() * masks.at_BN).sum(1) * targets.is_event_B.ne(0);
  return -(survived + happened).mean();
}

at::Tensor competing_risks_loss(const at::Tensor& hazards_BNK, const SurvivalTargets& targets) {
  const EventMasks masks = event_masks(targets, hazards_BNK);
  const at::Tensor hazards = hazards_BNK.clamp(kMargin, 1 - kMargin);
  const at::Tensor any = hazards.sum(-1).clamp_max(1 - kMargin);
  const at::Tensor survived = (at::log1p(-any) * masks.before_BN).sum(1);
  const at::Tensor kind = targets.is_event_B.to(at::kLong);
  const at::Tensor own =
      hazards.gather(2, (kind - 1).clamp_min(0).view({-1, 1, 1}).expand({-1, hazards.size(1), 1}));
  const at::Tensor happened = (own.squeeze(-1).log() * masks.at_BN).sum(1) * kind.ne(0);
  return -(survived + happened).mean();
}

SurvivalCurves survival_curves(const at::Tensor& hazards_BN) {
  return {at::log1p(-hazards_BN + kMargin).cumsum(1).exp(), hazards_BN.cumsum(1)};
}

double concordance_index(const at::Tensor& risks_B, const at::Tensor& times_B,
                         const at::Tensor& is_event_B) {
  const at::Tensor risks = risks_B.to(at::kCPU, at::kDouble).contiguous();
  const at::Tensor times = times_B.to(at::kCPU, at::kDouble).contiguous();
  const at::Tensor events = is_event_B.ne(0).to(at::kCPU).contiguous();
  const double* risk = risks.const_data_ptr<double>();
  const double* time = times.const_data_ptr<double>();
  const bool* is_event = events.const_data_ptr<bool>();
  const auto num = static_cast<size_t>(risks.numel());
  std::vector<double> ranks(risk, risk + num);
  std::sort(ranks.begin(), ranks.end());
  const auto rank_of = [&](size_t i) {
    return static_cast<size_t>(std::lower_bound(ranks.begin(), ranks.end(), risk[i]) -
                               ranks.begin());
  };
  std::vector<size_t> order(num);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return time[a] > time[b]; });

  RankCounts later(num);  // risks of all with a later time
  double concordant = 0, total = 0;
  for (size_t start = 0, num_later = 0; start < num;) {
    size_t end = start;
    for (; end < num && time[order[end]] == time[order[start]]; ++end) {
      if (!is_event[order[end]]) continue;
      const size_t rank = rank_of(order[end]);
      const auto above = std::upper_bound(ranks.begin(), ranks.end(), risk[order[end]]);
      const auto lower = static_cast<double>(later.below(rank));
      const auto not_higher = static_cast<double>(later.below(above - ranks.begin()));
      concordant += (lower + not_higher) / 2;
      total += static_cast<double>(num_later);
    }
    for (; start < end; ++start, ++num_later) later.add(rank_of(order[start]));
  }
  return total > 0 ? concordant / total : 0.5;
}

}  // namespace sequela
