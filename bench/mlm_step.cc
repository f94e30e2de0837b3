// Steps of masked language modelling with CEHR-BERT at the cehrbert package's default size (hidden
// 128, 6 layers, 8 heads, FFN 2048, vocabulary 20,000), from sequences in memory to changed
// weights; beside it the machine's matrix-product rate. bench/peer/mlm_step.py is the package's
// own.
#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/reference_gemm.h"
#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/nn/gemm.h"
#include "sequela/objective/mlm/mlm_training.h"
#include "sequela/train/optimizer.h"

namespace sequela {
namespace {

constexpr int64_t kVocabulary = 20'000;
constexpr int64_t kBatch = 8;  // sequences
constexpr int kSteps = 3;      // timed, after one that is not

CehrTokenizer make_tokenizer() {
  std::vector<std::string> codes = {"[PAD]",    "[MASK]", "[OOV]", "[CLS]",
                                    "[UNUSED]", "[VS]",   "[VE]"};
  while (static_cast<int64_t>(codes.size()) < kVocabulary) codes.push_back(str("C", codes.size()));
  return CehrTokenizer(CodeVocabulary::from_codes(codes), {});
}

// Sequences of `length` tokens with [CLS], visits of ten.
CehrTokens make_tokens(int64_t num_sequences, int64_t length) {
  CehrTokens tokens;
  Random random(1);
  for (int64_t s = 0; s < num_sequences; ++s) {
    for (int64_t i = 0; i < length - 1; ++i) {
      tokens.ids.push_back(static_cast<int32_t>(7 + random.below(kVocabulary - 7)));
      tokens.ages.push_back(static_cast<int32_t>(40 + i / 50));
      tokens.weeks.push_back(static_cast<int32_t>(2'000 + i));
      tokens.visit_orders.push_back(static_cast<int32_t>(1 + i / 10));
      tokens.segments.push_back(static_cast<uint8_t>(1 + i / 10 % 2));
      tokens.value_masks.push_back(0);
      tokens.values.push_back(-1);
    }
    tokens.person_ids.push_back(s);
    tokens.offsets.push_back(static_cast<int64_t>(tokens.ids.size()));
  }
  return tokens;
}

void time_steps(int64_t length, double dropout, Precision precision) {
  BertConfig config = BertConfig::defaults(BertKind::cehr_bert);
  config.num_hidden_layers = 6;
  config.vocab_size = kVocabulary;
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout;
  const CehrTokenizer tokenizer = make_tokenizer();
  const CehrTokens tokens = make_tokens(kBatch * (kSteps + 1), length);
  MlmTrainingOptions options;
  options.max_length = length;
  options.batch_tokens = kBatch * (length + 2);
  options.precision = precision;
  MlmTraining model(config, random_bert_weights(config, 1), tokenizer, &tokens, nullptr, options);
  TrainOptions train;
  AdamW optimizer(model.parameters(), train);
  PassPlan plan{TrainPart::train, {}, 7};
  for (int64_t i = 0; i < model.num_batches(TrainPart::train); ++i) plan.batches.push_back(i);
  const auto pass = model.start_pass(plan);
  int64_t num_tokens = 0;
  const auto step = [&] {
    num_tokens += pass->next(1.0)->num_tokens;
    optimizer.step(1e-4, optimizer.gradient_norm());
    model.parameters().zero_gradients();
    model.refresh_weights();
  };
  model.parameters().zero_gradients();
  step();
  num_tokens = 0;
  const Cost cost = cost_of([&] {
    for (int i = 0; i < kSteps; ++i) step();
  });
  std::printf("length %4ld  dropout %.1f  %s  %7.0f tokens/s  %7.0f tokens per CPU-second\n",
              length, dropout, precision == Precision::bf16 ? "bf16" : "fp32",
              static_cast<double>(num_tokens) / cost.wall,
              static_cast<double>(num_tokens) / cost.cpu);
  std::fflush(stdout);
}

void run(const std::vector<int64_t>& lengths, const std::vector<double>& dropouts) {
  bound_product_caches();
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const Cost cost = reference_cost(type);
    std::printf("reference GEMM %s: %.0f GFLOP/s, %.0f per CPU-second\n", at::toString(type),
                kReferenceGflop / cost.wall, kReferenceGflop / cost.cpu);
  }
  for (const int64_t length : lengths) {
    for (const double dropout : dropouts) {
      for (const Precision precision : {Precision::fp32, Precision::bf16}) {
        time_steps(length, dropout, precision);
      }
    }
  }
}

}  // namespace
}  // namespace sequela

// bench_mlm_step [THREADS [LENGTH [DROPOUT]]]
int main(int argc, char** argv) {
  at::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  sequela::run(argc > 2 ? std::vector<int64_t>{std::atol(argv[2])} : std::vector<int64_t>{128, 512},
               argc > 3 ? std::vector<double>{std::atof(argv[3])} : std::vector<double>{0.1, 0.0});
}
