#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "sequela/encoders/progression/named_tensors.h"
#include "sequela/encoders/progression/visit_batch.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// Discrete-time survival over visits: the hazard h_t = P(event at visit t | none before).
//
//   B = patients, N = visits, K = kinds of event
//
// Sources: Singer and Willett, Applied Longitudinal Data Analysis (2003); ehr-sequencing's
// DiscreteTimeSurvivalLSTM, its form with time, and CompetingRisksSurvivalLSTM, whose weights'
// names these are.
struct SurvivalConfig {
  int64_t vocab_size = 0;
  int64_t embedding_dim = 128;
  int64_t hidden_dim = 256;
  int64_t num_layers = 1;
  double dropout = 0.1;
  int64_t num_event_kinds = 1;    // 1: hazard_head; more: hazard_heads.<k>, competing risks
  int64_t time_encoding_dim = 0;  // 0: no time features; else time_encoder of 3 features

  void validate() const;  // ConfigError
  std::vector<ParameterShape> parameter_shapes() const;
};

// Hazards float32 [B, N, K] in (0, 1), 0 after a patient's last visit. Mean-pooled visits, LSTM,
// sigmoid(linear(relu(linear))) for each kind. Differentiable.
at::Tensor forward_hazards(const SurvivalConfig& config, const NamedTensors& weights,
                           const VisitBatch& batch, const VisitForwardOptions& options = {});

// The same head on the states of any model: states_BNH -> [B, N]. `prefix` "hazard_head." names
// {0,3}.{weight,bias}.
at::Tensor hazard_head(const at::Tensor& states_BNH, const NamedTensors& weights,
                       const std::string& prefix, double dropout,
                       const VisitForwardOptions& options);

struct SurvivalTargets {
  at::Tensor event_visits_B;  // int64, 0-based visit of the event or of the censoring
  at::Tensor is_event_B;      // not 0 = observed; for competing risks 1 .. K name the kind
  at::Tensor mask_BN;         // not 0 = a visit
};

// Mean over patients of the negative log-likelihood: visits before the event's cost -ln(1 - h), the
// event's visit -ln(h), or nothing if censored. Hazards are held 1e-7 away from 0 and 1.
at::Tensor survival_loss(const at::Tensor& hazards_BN, const SurvivalTargets& targets);

// Competing risks: survival is that of no event of any kind, prod(1 - sum of hazards); the event's
// visit costs -ln of its own kind's hazard. Where the hazards sum to 1 or more the first part has
// no slope: fresh heads should start below, at 1 / (K + 1), say.
at::Tensor competing_risks_loss(const at::Tensor& hazards_BNK, const SurvivalTargets& targets);

// S_t = prod over visits up to t of (1 - h), and H_t = the sum of h.
struct SurvivalCurves {
  at::Tensor survival_BN;
  at::Tensor cumulative_hazard_BN;
};
SurvivalCurves survival_curves(const at::Tensor& hazards_BN);

// Harrell's concordance of risks and times: of the pairs where the earlier time is an event, the
// share in which it has the higher risk; equal risks count half. 0.5 without such a pair. In time
// n log n.
//   risks_B float, e.g. the sum of a patient's hazards; times_B any numeric; is_event_B not 0.
double concordance_index(const at::Tensor& risks_B, const at::Tensor& times_B,
                         const at::Tensor& is_event_B);

}  // namespace sequela
