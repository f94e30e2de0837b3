// Embeds a data set's labels from records to file with a fresh model, beside a reference matrix
// product timed in the same process: bench_features MEDS PREPARED LABELS [base|small] [bf16|fp32]
// [threads]. PREPARED is what `sequela prepare` made of MEDS.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/reference_gemm.h"
#include "sequela/model/model_dir.h"
#include "sequela/nn/gemm.h"
#include "sequela/pipeline/features.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// A bundle with random weights.
ModelConfig write_bundle(const std::string& folder, const std::string& prepared, bool is_base) {
  const std::string dictionary = prepared + "/tokenizer/dictionary.msgpack";
  const Vocabulary vocabulary = Vocabulary::read(dictionary);
  ModelConfig config;
  config.encoder.vocab_size = static_cast<int64_t>(vocabulary.entries.size());
  config.encoder.n_layers = is_base ? 12 : 4;
  config.encoder.hidden_size = is_base ? 768 : 256;
  config.encoder.intermediate_size = 4 * config.encoder.hidden_size;
  config.encoder.n_heads = config.encoder.hidden_size / 64;
  Motor model(config, 1, at::kCPU, Precision::fp32);
  fs::create_directories(folder);
  write_model_dir(folder, config, model.parameters(), dictionary);
  fs::copy_file(prepared + "/ontology/ontology.parquet", folder + "/ontology.parquet");
  return config;
}

double forward_gflop_per_token(const ModelConfig& config) {
  const Motor model(config, 1, at::kCPU, Precision::fp32);
  return model.flops_per_token() * 1e-9 / 3;  // a training step is three forward passes
}

void run(FeaturesOptions options, const std::string& prepared, bool is_base) {
  const std::string folder = fs::temp_directory_path() / "sequela_bench_features";
  fs::remove_all(folder);
  options.model = folder + "/model";
  options.out = folder + "/out";
  const ModelConfig config = write_bundle(options.model, prepared, is_base);
  const double gflop_per_token = forward_gflop_per_token(config);
  at::set_num_threads(options.num_threads);
  bound_product_caches();
  const at::ScalarType type = *options.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const Cost before = reference_cost(type);
  FeaturesReport report;
  const Cost cost = cost_of([&] { report = compute_features(options); });
  const Cost after = reference_cost(type);
  fs::remove_all(folder);

  const double gflop = gflop_per_token * static_cast<double>(report.embed.num_tokens);
  const double reference = kReferenceGflop / std::min(before.wall, after.wall);
  const double reference_cpu = kReferenceGflop / std::min(before.cpu, after.cpu);
  std::printf(
      "%s %d threads %s: %ld labels of %ld subjects, %ld tokens in %.1f s wall, %.1f s CPU\n",
      is_base ? "base" : "small", options.num_threads, type == at::kBFloat16 ? "bf16" : "fp32",
      report.embed.num_embedded, report.embed.num_subjects, report.embed.num_tokens, cost.wall,
      cost.cpu);
  std::printf(
      "      %.1f subjects/s, %.0f tokens/s; %.0f GFLOP/s, %.0f %% of the reference product's %.0f "
      "by wall, %.0f %% by CPU time\n",
      static_cast<double>(report.embed.num_subjects) / cost.wall,
      static_cast<double>(report.embed.num_tokens) / cost.wall, gflop / cost.wall,
      100 * gflop / cost.wall / reference, reference, 100 * gflop / cost.cpu / reference_cpu);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: bench_features MEDS PREPARED LABELS [base|small] [bf16|fp32] [threads]\n");
    return 2;
  }
  sequela::FeaturesOptions options;
  options.meds = argv[1];
  options.labels = argv[3];
  const bool is_base = argc > 4 && std::string(argv[4]) == "base";
  const bool is_bf16 = argc > 5 && std::string(argv[5]) == "bf16";
  options.precision = is_bf16 ? sequela::Precision::bf16 : sequela::Precision::fp32;
  options.num_threads = argc > 6 ? std::stoi(argv[6]) : 2;
  sequela::run(options, argv[2], is_base);
}
