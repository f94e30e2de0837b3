// Where the time of a step goes, by torch's own profiler.

#include <ATen/ATen.h>
#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/train/gemm_rate.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/recipe.h"
#include "tools/gpu/probe/probe.h"
#include "tools/gpu/probe/tensor_batches.h"

namespace sequela {
namespace {

namespace profiler = torch::autograd::profiler;

constexpr int64_t kWarmSteps = 3, kSteps = 3;
constexpr size_t kNames = 40;  // that are told

// Steps of one batch each, as the trainer takes them.
class Steps {
 public:
  Steps(Motor& model, const MotorBatches& batches)
      : model_(model), training_(model, &batches, nullptr), num_batches_(batches.num_batches()) {
    apply_recipe(Recipe::sequela, options_);
    model.parameters().zero_gradients();
  }

  void run(int64_t count) {
    const at::Device device = model_.parameters().items[0].value.device();
    Optimizer optimizer(model_.parameters(), options_, training_.parts(),
                        product_type(device, model_.precision()));
    PassPlan plan;
    for (int64_t i = 0; i < count; ++i) plan.batches.push_back(i % num_batches_);
    const std::unique_ptr<BatchPass> pass = training_.start_pass(std::move(plan));
    while (pass->next(1.0)) {
      optimizer.step(1e-6, optimizer.gradient_norm());
      model_.parameters().zero_gradients();
      model_.refresh_weights();
    }
  }

 private:
  Motor& model_;
  MotorTraining training_;
  const int64_t num_batches_;
  TrainOptions options_;
};

struct Sum {
  int64_t count = 0;
  double seconds = 0;
};

// By name, of what ran on the device; on the CPU of torch's operations.
std::map<std::string, Sum> sums_of(const profiler::ProfilerResult& result, at::Device device) {
  std::map<std::string, Sum> sums;
  for (const profiler::KinetoEvent& event : result.events()) {
    if (event.deviceType() != device.type()) continue;
    Sum& sum = sums[event.name()];
    ++sum.count;
    sum.seconds += 1e-9 * static_cast<double>(event.durationNs());
  }
  return sums;
}

}  // namespace

Json probe_profile(const ProbeOptions& options) {
  const TensorBatches batches(options.data + "/batches.safetensors", options.joined);
  Motor model = probe_model(options, options.device, options.precision);
  Steps steps(model, batches);
  steps.run(kWarmSteps);
  wait_for(options.device);
  std::set<torch::profiler::impl::ActivityType> activities = {
      torch::profiler::impl::ActivityType::CPU};
  if (options.device.is_cuda()) activities.insert(torch::profiler::impl::ActivityType::CUDA);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  steps.run(kSteps);
  wait_for(options.device);
  const std::map<std::string, Sum> sums = sums_of(*profiler::disableProfiler(), options.device);

  std::vector<std::pair<std::string, Sum>> sorted(sums.begin(), sums.end());
  std::ranges::sort(
      sorted, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  Json names = Json::array();
  double seconds = 0;
  int64_t launches = 0;
  for (const auto& [name, sum] : sorted) {
    seconds += sum.seconds;
    launches += sum.count;
    if (names.size() < kNames) {
      names.push_back({{"name", name}, {"count", sum.count}, {"seconds", sum.seconds}});
    }
  }
  return {
      {"size", options.size}, {"steps", kSteps},      {"tokens_per_batch", batches.num_tokens(0)},
      {"seconds", seconds},   {"launches", launches}, {"names", names}};
}

}  // namespace sequela
