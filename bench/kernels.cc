// Times each kernel of layer nn at the base model's sizes, beside a reference matrix product, since
// the machine's own peak wanders. Usage: bench_kernels [tokens [labels]]; threads by
// OMP_NUM_THREADS.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "sequela/nn/attention.h"
#include "sequela/nn/elementwise.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/isa.h"
#include "sequela/nn/recurrence.h"
#include "sequela/nn/time_to_event.h"
#include "sequela/nn/token_embedding.h"

namespace sequela {
namespace {

constexpr int64_t kHidden = 768, kHeads = 12, kFeedForward = 3072, kWindow = 496;
constexpr int64_t kTasks = 8192, kBins = 8, kHeadSize = 512, kVocabulary = 16384, kCodes = 8;
constexpr int kRepeats = 7;

double reference_gflops = 0;

// Wall time, or with one thread CPU time: that is what a shared machine leaves comparable.
double now_ms() {
  timespec now;
  clock_gettime(at::get_num_threads() == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

double best_ms(const std::function<void()>& body) {
  body();
  double best = 1e30;
  for (int i = 0; i < kRepeats; ++i) {
    const double start = now_ms();
    body();
    best = std::min(best, now_ms() - start);
  }
  return best;
}

// flop = 0: no matrix work worth a rate.
void report(const char* name, double flop, const std::function<void()>& body) {
  const double ms = best_ms(body);
  std::printf("  %-28s %9.2f ms", name, ms);
  if (flop > 0)
    std::printf("  %7.0f GFLOP/s  %3.0f %% of reference", flop / ms / 1e6,
                flop / ms / 1e4 / reference_gflops);
  std::printf("\n");
}

at::Tensor random(at::IntArrayRef shape, at::ScalarType type) {
  return at::randn(shape).to(type);
}

void time_gemm(int64_t tokens, at::ScalarType type) {
  const at::Tensor x = random({tokens, kHidden}, type),
                   weight = random({2 * kFeedForward, kHidden}, type);
  at::Tensor out = at::empty({tokens, 2 * kFeedForward}, type);
  const double flop = 2.0 * tokens * kHidden * 2 * kFeedForward;
  reference_gflops = flop / best_ms([&] { linear_forward(x, weight, out); }) / 1e6;
  std::printf("  reference product %lld x 768 x 6144: %.0f GFLOP/s\n",
              static_cast<long long>(tokens), reference_gflops);
}

void time_attention(const PackedSequences& sequences, at::ScalarType type) {
  const int64_t tokens = sequences.num_tokens(), size = kHidden / kHeads;
  const at::Tensor projected = random({tokens, 3 * kHidden}, type);
  auto part = [&](const at::Tensor& x, int64_t i) {
    return x.narrow(1, i * kHidden, kHidden).unflatten(1, {kHeads, size});
  };
  at::Tensor cosine = at::empty({tokens, size / 2}), sine = at::empty_like(cosine);
  fill_rotary_tables(at::rand({tokens}) * 30000, cosine, sine);
  const AttentionInputs inputs{part(projected, 0),
                               part(projected, 1),
                               part(projected, 2),
                               cosine,
                               sine,
                               &sequences,
                               kWindow};
  at::Tensor out = at::empty({tokens, kHeads, size}, at::TensorOptions(type)),
             logsumexp = at::empty({kHeads, tokens});
  const double pairs = static_cast<double>(tokens) * kWindow * kHidden;
  report("attention forward", 4 * pairs, [&] { attention_forward(inputs, out, logsumexp); });
  const at::Tensor grad_out = random({tokens, kHeads, size}, type),
                   grads = at::empty_like(projected);
  report("attention backward", 10 * pairs, [&] {
    attention_backward(inputs, out, logsumexp, grad_out,
                       {part(grads, 0), part(grads, 1), part(grads, 2)});
  });
}

HawkParameters hawk_parameters() {
  const int64_t size = kHidden / kHeads;
  return {at::randn({4, kHidden}) * 0.1,
          at::zeros({kHidden}),
          at::randn({kHeads, size, size}) / 8,
          at::zeros({kHeads, size}),
          at::randn({kHeads, size, size}) / 8,
          at::zeros({kHeads, size}),
          at::randn({kHidden}) - 4};
}

void time_hawk(const PackedSequences& sequences, at::ScalarType type) {
  const int64_t tokens = sequences.num_tokens();
  const at::Tensor projected = random({tokens, 2 * kHidden}, type),
                   grads = at::empty_like(projected);
  const at::Tensor x = projected.narrow(1, 0, kHidden), y = projected.narrow(1, kHidden, kHidden);
  const HawkParameters parameters = hawk_parameters(), gradients = hawk_parameters();
  at::Tensor out = at::empty({tokens, kHidden}, at::TensorOptions(type));
  at::Tensor states = at::empty({num_hawk_chunks(tokens), kHidden});
  report("hawk forward", 0, [&] { hawk_forward(x, y, parameters, sequences, out, states); });
  const at::Tensor grad_out = random({tokens, kHidden}, type);
  report("hawk backward", 0, [&] {
    hawk_backward(x, y, parameters, sequences, states, grad_out, grads.narrow(1, 0, kHidden),
                  grads.narrow(1, kHidden, kHidden), gradients);
  });
}

void time_elementwise(int64_t tokens, at::ScalarType type) {
  const at::Tensor x = at::randn({tokens, kHidden}), branch = random({tokens, kHidden}, type);
  const at::Tensor weight = at::ones({kHidden}), features = at::randn({tokens, 10});
  at::Tensor sum = at::empty_like(x), out = at::empty_like(branch),
             inverse_rms = at::empty({tokens});
  report("add and norm", 0, [&] {
    rms_norm_forward({x, branch, sum, weight, features, out, inverse_rms});
  });
  at::Tensor grad_x = at::randn({tokens, kHidden}), copy = at::empty_like(branch),
             grad_weight = at::zeros({kHidden});
  report("norm backward", 0, [&] {
    rms_norm_backward({branch, sum, inverse_rms, weight, 10, grad_x, false, copy, grad_weight});
  });
  const at::Tensor ff = random({tokens, 2 * kFeedForward}, type), grad_ff = at::empty_like(ff);
  at::Tensor activated = at::empty({tokens, kFeedForward}, at::TensorOptions(type));
  report("swiglu", 0, [&] { swiglu_forward(ff, activated); });
  report("swiglu backward", 0, [&] { swiglu_backward(ff, activated, grad_ff); });
  const at::Tensor part = random({2 * kFeedForward, kHidden}, type),
                   total = at::zeros({2 * kFeedForward, kHidden});
  report("accumulate 6144 x 768", 0, [&] { accumulate(total, part); });
}

void time_embedding(int64_t tokens) {
  const at::Tensor table = at::randn({kVocabulary, kHidden}),
                   grad_table = at::zeros({kVocabulary, kHidden});
  const at::Tensor ids = at::randint(0, kVocabulary, {tokens * kCodes}, at::kInt),
                   weights = at::rand({tokens * kCodes});
  const at::Tensor offsets = (at::arange(tokens + 1, at::kInt) * kCodes).to(at::kInt);
  at::Tensor out = at::empty({tokens, kHidden});
  report("embedding", 0, [&] { embedding_bag_forward(table, ids, weights, offsets, out); });
  report("embedding backward", 0,
         [&] { embedding_bag_backward(out, ids, weights, offsets, grad_table); });
}

void time_loss(int64_t labels, at::ScalarType type) {
  const at::Tensor z = random({labels, kBins, kHeadSize}, type),
                   weight = random({kTasks, kHeadSize}, type) / 30;
  const at::Tensor bias = at::full({kTasks}, -20.0), time_bias = at::zeros({kBins, kTasks});
  at::Tensor edges = at::linspace(0, 8e7, kBins + 1);
  edges[kBins] = INFINITY;
  const int64_t entries = kTasks / 10;
  const at::Tensor tasks =
      (at::arange(entries, at::kInt) * 10).repeat({labels}).to(at::kInt).contiguous();
  const MotorTargets targets{at::rand({labels}) * 1e8,
                             (at::arange(labels + 1, at::kInt) * entries).to(at::kInt), tasks,
                             at::rand({labels * entries}) * 1e8 + 1};
  const TimeToEventGradients gradients{at::empty_like(z), at::zeros({kTasks, kHeadSize}),
                                       at::zeros({kTasks}), at::zeros({kBins, kTasks})};
  const TimeToEventHead head{weight, bias, time_bias, edges};
  const double flop = 2.0 * labels * kBins * kTasks * kHeadSize;
  report("loss", flop, [&] { time_to_event_loss(z, head, targets); });
  report("loss and gradient", 3 * flop,
         [&] { time_to_event_loss(z, head, targets, TimeAtRisk::exact, 1.0, gradients); });
}

void run(int64_t tokens, int64_t labels) {
  bound_product_caches();
  std::printf("%s, %d threads, %lld tokens, %lld labels; best of %d\n",
              to_text(kernel_isa()).c_str(), at::get_num_threads(), static_cast<long long>(tokens),
              static_cast<long long>(labels), kRepeats);
  const int64_t half = std::max<int64_t>(1, tokens / 2);
  const PackedSequences sequences =
      build_packed_sequences(at::tensor({half, tokens - half}, at::kLong), at::kCPU);
  for (at::ScalarType type : {at::kBFloat16, at::kFloat}) {
    std::printf("%s\n", type == at::kFloat ? "float32" : "bfloat16");
    time_gemm(tokens, type);
    time_attention(sequences, type);
    time_hawk(sequences, type);
    time_elementwise(tokens, type);
    time_loss(labels, type);
  }
  time_embedding(tokens);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  sequela::run(argc > 1 ? std::atoll(argv[1]) : 8192, argc > 2 ? std::atoll(argv[2]) : 820);
}
