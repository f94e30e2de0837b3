// Visits and patients per second of a BERT encoder.
//
//   bench_encoders make FOLDER                           a BERT-base folder (vocabulary 20,000,
//   random
//                                                        weights) and inputs.safetensors
//   bench_encoders run FOLDER fp32|bf16|int8 [THREADS] [SECONDS]
//
// `run` prints one line per workload: wall and CPU-second rates beside a reference product timed
// just before, and the smallest cosine to the float32 embeddings; first the time to the first
// embedding and the peak memory there. bench/peer/encoders.py runs other libraries on the same
// files.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>

#include "bench/reference_gemm.h"
#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/encoders/bert/bert_folder.h"
#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/io/safetensors.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

constexpr int64_t kVocabulary = 20'000;

double wall_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int64_t random_code(Random& random) {
  return 1 + static_cast<int64_t>(random.below(kVocabulary - 1));
}

at::Tensor full_visits(int64_t visits, int64_t codes) {
  Random random(static_cast<uint64_t>(codes));
  at::Tensor ids = at::empty({visits, codes}, at::kLong);
  for (int64_t i = 0; i < ids.numel(); ++i) {
    ids.mutable_data_ptr<int64_t>()[i] = random_code(random);
  }
  return ids;
}

// 10 visits a patient of 1 to 40 codes, 7.6 on average (geometric).
at::Tensor ragged_patients(int64_t patients) {
  Random random(99);
  at::Tensor ids = at::zeros({patients, 10, 40}, at::kLong);
  for (int64_t visit = 0; visit < patients * 10; ++visit) {
    int64_t length = 1;
    while (length < 40 && random.uniform() > 1 / 7.6) ++length;
    for (int64_t i = 0; i < length; ++i) {
      ids.mutable_data_ptr<int64_t>()[visit * 40 + i] = random_code(random);
    }
  }
  return ids;
}

void make(const std::string& folder) {
  BertConfig config;
  config.vocab_size = kVocabulary;
  write_bert_folder(folder, config, random_bert_weights(config, 1));
  const std::pair<const char*, at::Tensor> inputs[] = {{"patients", ragged_patients(27)},
                                                       {"visits_128", full_visits(16, 128)},
                                                       {"visits_32", full_visits(64, 32)},
                                                       {"visits_512", full_visits(4, 512)}};
  std::vector<TensorView> views;
  for (const auto& [name, ids] : inputs) {
    views.push_back({.name = name,
                     .dtype = DType::int64,
                     .shape = ids.sizes().vec(),
                     .bytes = {static_cast<const std::byte*>(ids.const_data_ptr()), ids.nbytes()}});
  }
  write_safetensors(folder + "/inputs.safetensors", std::move(views));
}

at::Tensor read_input(const std::string& folder, const std::string& name) {
  const SafetensorsFile file(folder + "/inputs.safetensors");
  const TensorView& view = file.get(name);
  at::Tensor ids = at::empty(view.shape, at::kLong);
  std::copy(view.bytes.begin(), view.bytes.end(), static_cast<std::byte*>(ids.mutable_data_ptr()));
  return ids;
}

BertPrecision parse_precision(const std::string& name) {
  if (name == "fp32") return BertPrecision::float32;
  if (name == "bf16") return BertPrecision::bfloat16;
  if (name == "int8") return BertPrecision::int8;
  throw ConfigError("precision", name, "fp32, bf16 or int8");
}

// The machine's limit now, by CPU time: a layer's widest product, by oneDNN.
double reference_gflops(at::ScalarType type) {
  if (!has_bf16_products()) type = at::kFloat;
  const at::Tensor x = at::randn({2'048, 768}).to(type), weight = at::randn({3'072, 768}).to(type);
  const at::Tensor out = at::empty({2'048, 3'072}, type);
  const Cost cost = best_of(8, [&] { linear_forward(x, weight, out); });
  return 2e-9 * 2'048 * 768 * 3'072 / cost.cpu;
}

at::Tensor encode(const VisitEncoder& encoder, const at::Tensor& ids) {
  return ids.dim() == 3 ? encoder.encode_patient(ids).flatten(0, 1) : encoder.encode_visit(ids);
}

void run_workload(const VisitEncoder& encoder, const VisitEncoder& exact, const std::string& folder,
                  const std::string& name, const std::string& precision, double seconds) {
  const at::Tensor ids = read_input(folder, name);
  const at::Tensor embeddings = encode(encoder, ids);
  const double cosine =
      at::cosine_similarity(embeddings, encode(exact, ids), 1).min().item<double>();
  const double gemm = reference_gflops(precision == "bf16" ? at::kBFloat16 : at::kFloat);
  const double wall = wall_seconds(), cpu = cpu_seconds();
  int64_t done = 0;
  while (wall_seconds() - wall < seconds) {
    encode(encoder, ids);
    done += ids.size(0);
  }
  const auto count = static_cast<double>(done);
  std::printf(
      "sequela %s threads %d %s: %.2f/s wall, %.2f/s CPU, cosine %.6f, reference %.0f GFLOP/s a "
      "core\n",
      precision.c_str(), at::get_num_threads(), name.c_str(), count / (wall_seconds() - wall),
      count / (cpu_seconds() - cpu), cosine, gemm);
}

void run(const std::string& folder, const std::string& precision, int threads, double seconds) {
  at::set_num_threads(threads);
  bound_product_caches();
  const at::NoGradGuard no_graph;
  const double start = wall_seconds();
  const VisitEncoder encoder = VisitEncoder::open(folder, parse_precision(precision));
  const double opened = wall_seconds();
  encode(encoder, full_visits(1, 32));
  std::printf("sequela %s threads %d open: %.0f ms, first embedding %.0f ms, peak %.0f MB\n",
              precision.c_str(), threads, (opened - start) * 1e3, (wall_seconds() - start) * 1e3,
              peak_mb());
  encode(encoder, read_input(folder, "visits_512"));
  std::printf("sequela %s threads %d memory: peak %.0f MB\n", precision.c_str(), threads,
              peak_mb());
  const VisitEncoder exact = VisitEncoder::open(folder);
  for (const char* name : {"visits_32", "visits_128", "visits_512", "patients"}) {
    run_workload(encoder, exact, folder, name, precision, seconds);
  }
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "make") {
    sequela::make(argv[2]);
    return 0;
  }
  if (verb != "run" || argc < 4) {
    std::fprintf(stderr,
                 "usage: bench_encoders make FOLDER | run FOLDER PRECISION [THREADS] [SECONDS]\n");
    return 2;
  }
  sequela::run(argv[2], argv[3], argc > 4 ? std::stoi(argv[4]) : 1,
               argc > 5 ? std::stod(argv[5]) : 3);
  return 0;
}
