// Live events through the constant-state embedder (features/stream_embedder.h), beside what the
// machine allows: reading the weights once per event at its memory bandwidth, and for many patients
// at once its rate of matrix products. Thread count by the last argument; events are all new
// tokens.
//
//   bench_embedder [base|small] [fp32|bf16] [patients[,patients...] [tokens each has before
//                  [threads]]]
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "bench/live_feed.h"
#include "sequela/nn/few_rows.h"
#include "sequela/nn/gemm.h"
#include "sequela/nn/isa.h"

namespace sequela {
namespace {

struct Settings {
  LiveModel model;
  Precision precision;
  std::vector<int64_t> patients;  // how many go through together, case by case
  int64_t tokens;
  int threads;
};

struct Cost {
  double wall_ms, cpu_ms;
};

double clock_ms(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

// The median and the best of several runs.
struct Costs {
  Cost median, best;
};

Costs costs_of(int repeats, const std::function<void()>& work) {
  std::vector<double> wall, cpu;
  for (int i = 0; i < repeats; ++i) {
    const double wall_start = clock_ms(CLOCK_MONOTONIC),
                 cpu_start = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    work();
    wall.push_back(clock_ms(CLOCK_MONOTONIC) - wall_start);
    cpu.push_back(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
  }
  std::ranges::sort(wall);
  std::ranges::sort(cpu);
  return {{wall[repeats / 2], cpu[repeats / 2]}, {wall[0], cpu[0]}};
}

// GB/s of reading this many bytes on one thread.
double read_bandwidth(int64_t bytes) {
  const at::Tensor memory = empty_on_huge_pages({bytes / 8}, at::kLong);
  at::Tensor(memory).fill_(1);
  const int64_t* values = memory.const_data_ptr<int64_t>();
  volatile int64_t sink = 0;
  const Costs costs = costs_of(9, [&] {
    int64_t sum = 0;
    for (int64_t i = 0; i < bytes / 8; ++i) sum += values[i];
    sink = sink + sum;
  });
  return static_cast<double>(bytes) / costs.best.wall_ms / 1e6;
}

// One row against weights of this many bytes in all: the kernel without the model around it.
Costs product_costs(const Settings& settings, int64_t bytes) {
  const at::ScalarType type = settings.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const int64_t outputs =
      bytes / settings.model.hidden / static_cast<int64_t>(c10::elementSize(type));
  const at::Tensor weight = empty_on_huge_pages({outputs, settings.model.hidden}, type);
  at::Tensor(weight).fill_(0.01);
  const at::Tensor x = at::ones({1, settings.model.hidden}), out = at::empty({1, outputs});
  return costs_of(20, [&] { linear_few_rows(x, weight, out); });
}

// GFLOP/s of a large product.
double product_rate(at::ScalarType type) {
  const at::Tensor x = at::randn({2048, 768}).to(type), weight = at::randn({6144, 768}).to(type);
  const at::Tensor out = at::empty({2048, 6144}, type);
  const Costs costs = costs_of(6, [&] { linear_forward(x, weight, out); });
  return 2.0 * 2048 * 768 * 6144 / costs.best.wall_ms / 1e6;
}

void print_single(const char* name, const Costs& costs, double limit_ms) {
  std::printf("  %-32s %8.3f ms median, %8.3f best, %8.3f CPU; limit %.3f ms\n", name,
              costs.median.wall_ms, costs.best.wall_ms, costs.median.cpu_ms, limit_ms);
}

void time_single(Embedder& embedder, const Settings& settings) {
  LiveFeed feed(embedder, 1);
  feed.send(settings.tokens, nullptr);
  std::vector<float> rates(8 * settings.model.tasks);
  const auto weight_bytes = static_cast<double>(embedder.bytes_per_event());
  const double state_bytes = static_cast<double>(embedder.patients().memory_bytes());
  const double head_bytes = (settings.precision == Precision::bf16 ? 2.0 : 4.0) * 512 *
                            static_cast<double>(8 * settings.model.hidden + settings.model.tasks);
  const double bandwidth = read_bandwidth(embedder.bytes_per_event());
  std::printf("  read bandwidth %.1f GB/s; weights %.1f MB, state %.2f MB, head %.1f MB\n",
              bandwidth, weight_bytes / 1e6, state_bytes / 1e6, head_bytes / 1e6);
  const double limit = (weight_bytes + state_bytes) / bandwidth / 1e6;
  print_single("products of its size alone", product_costs(settings, embedder.bytes_per_event()),
               weight_bytes / bandwidth / 1e6);
  const Costs plain = costs_of(40, [&] { feed.send(1, nullptr); });
  print_single("one event", plain, limit);
  const Costs risks = costs_of(20, [&] { feed.send(1, rates.data()); });
  print_single("one event with the risks", risks, limit + head_bytes / bandwidth / 1e6);
  embedder.discharge(0);
}

// One new event of each of so many patients in one call.
void time_batch(Embedder& embedder, const Settings& settings, int64_t num_patients, double peak) {
  LiveFeed feed(embedder, num_patients);
  feed.send(settings.tokens, nullptr);
  const Costs costs = costs_of(10, [&] { feed.send(1, nullptr); });
  for (int64_t p = 0; p < num_patients; ++p) embedder.discharge(p);
  const double bytes_per_weight = settings.precision == Precision::bf16 ? 2 : 4;
  const double gflop = 2e-9 * static_cast<double>(embedder.bytes_per_event()) / bytes_per_weight;
  const auto patients = static_cast<double>(num_patients);
  std::printf(
      "  %3.0f patients, one event each     %8.3f ms median, %8.3f CPU: %.3f ms an event, %.3f "
      "CPU, "
      "%.0f events/s; %.0f of %.0f GFLOP/s\n",
      patients, costs.median.wall_ms, costs.median.cpu_ms, costs.median.wall_ms / patients,
      costs.median.cpu_ms / patients, 1e3 * patients / costs.median.wall_ms,
      gflop * patients * 1e3 / costs.median.wall_ms, peak);
}

void run(const Settings& settings) {
  at::set_num_threads(settings.threads);
  const Ontology ontology = live_ontology();
  EmbedderOptions options;
  options.precision = settings.precision;
  Embedder embedder = live_embedder(settings.model, ontology, options);
  std::printf(
      "%lld layers, hidden %lld, %s, %s, %d threads, %lld tokens before; a patient takes up to "
      "%.2f MB\n",
      static_cast<long long>(settings.model.layers), static_cast<long long>(settings.model.hidden),
      settings.precision == Precision::bf16 ? "bf16" : "fp32", to_text(kernel_isa()).c_str(),
      settings.threads, static_cast<long long>(settings.tokens),
      static_cast<double>(embedder.max_bytes_per_patient()) / 1e6);
  time_single(embedder, settings);
  const at::ScalarType type = settings.precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
  const double peak = product_rate(type);
  for (const int64_t patients : settings.patients) time_batch(embedder, settings, patients, peak);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) {
    return std::string(argc > i ? argv[i] : otherwise);
  };
  sequela::Settings settings{sequela::live_model(argument(1, "small"))};
  settings.precision =
      argument(2, "bf16") == "bf16" ? sequela::Precision::bf16 : sequela::Precision::fp32;
  std::istringstream patients(argument(3, "64"));
  for (std::string number; std::getline(patients, number, ',');)
    settings.patients.push_back(std::stoll(number));
  settings.tokens = std::stoll(argument(4, "500"));
  settings.threads = std::stoi(argument(5, "1"));
  sequela::run(settings);
}
