// LSTMBaseline and the pooling of visits against the published class's numbers
// (tests/reference/bert/e_lstm).
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <string>

#include "sequela/core/error.h"
#include "sequela/encoders/progression/lstm_baseline.h"
#include "tests/encoders/progression_fixture.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

struct BaselineCase {
  const char* name;
  VisitPooling pooling;
  bool is_bidirectional;
};

class LstmBaselineOfPeer : public OnReference {};

TEST_P(LstmBaselineOfPeer, EqualsTheReferenceForEveryPooling) {
  const c10::NoGradGuard no_grad;
  const NamedTensors expected = read_fixture("expected_upstream_src");
  const NamedTensors all = read_fixture("weights_upstream_src");
  const VisitBatch batch{expected.at("visit_codes"), expected.at("visit_mask"), {}};
  for (const BaselineCase& test :
       {BaselineCase{"mean", VisitPooling::mean, false},
        BaselineCase{"sum", VisitPooling::sum, true}, BaselineCase{"max", VisitPooling::max, false},
        BaselineCase{"attention", VisitPooling::attention, false}}) {
    const std::string name = std::string("baseline_") + test.name;
    const LstmBaselineConfig config{.vocab_size = 100,
                                    .embedding_dim = 32,
                                    .hidden_dim = 24,
                                    .num_layers = 2,
                                    .is_bidirectional = test.is_bidirectional,
                                    .pooling = test.pooling,
                                    .output_dim = 3};
    const NamedTensors weights = with_prefix(all, name + ".");
    const auto out = forward_lstm_baseline(config, weights, batch);
    EXPECT_LT(max_difference(out.logits_BD, expected.at(name + ".logits")), kOutputTolerance);
    EXPECT_LT(max_difference(out.predictions_BD, expected.at(name + ".predictions")),
              kOutputTolerance);
    EXPECT_LT(max_difference(out.hidden_BNH, expected.at(name + ".hidden")), kOutputTolerance);
    EXPECT_EQ(config.parameter_shapes().size(), weights.size());
    for (const ParameterShape& shape : config.parameter_shapes()) {
      EXPECT_EQ(weights.at(shape.name).sizes(), shape.shape) << shape.name;
    }
  }
}

TEST(VisitPooling, EmptyVisitsAreZeroAndPaddingLearnsNothing) {
  const at::Tensor table = at::randn({5, 4}).requires_grad_(true);
  const at::Tensor codes = at::tensor({1, 2, 0, 0, 0, 0}).view({1, 2, 3});
  const VisitCodes visits = to_visit_codes(codes, codes.ne(0));
  for (const VisitPooling pooling : {VisitPooling::mean, VisitPooling::sum, VisitPooling::max}) {
    const at::Tensor pooled = pool_visits(table, visits, pooling, {}, "");
    EXPECT_EQ(pooled[1].abs().sum().item<float>(), 0);
    pooled.sum().backward();
  }
  EXPECT_EQ(table.grad()[0].abs().sum().item<float>(), 0);
  EXPECT_THROW(parse_visit_pooling("median"), ConfigError);
}

SEQUELA_ON_REFERENCES(LstmBaselineOfPeer);

}  // namespace
}  // namespace sequela
