// The estimate of the progression model's memory against what its tensors take.
#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/alloc_cpu.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <vector>

#include "sequela/encoders/progression/progression_memory.h"
#include "sequela/encoders/progression/progression_model.h"
#include "sequela/encoders/progression/progression_training.h"
#include "sequela/train/optimizer.h"
#include "sequela/train/train_options.h"

namespace sequela {
namespace {

// Counts what tensors take. Each block has its size before it.
class CountingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    char* block = static_cast<char*>(c10::alloc_cpu(size + kHeader));
    std::memcpy(block, &size, sizeof(size));
    live += static_cast<int64_t>(size);
    peak = std::max(peak, live);
    return {block + kHeader, block + kHeader, &release, at::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* target, const void* source, size_t size) const override {
    default_copy_data(target, source, size);
  }

  static inline int64_t live = 0, peak = 0;

 private:
  static constexpr size_t kHeader = 64;  // keeps the alignment
  static void release(void* data) {
    char* block = static_cast<char*>(data) - kHeader;
    size_t size = 0;
    std::memcpy(&size, block, sizeof(size));
    live -= static_cast<int64_t>(size);
    c10::free_cpu(block);
  }
};

struct MemoryCase {
  const char* name;
  ProgressionConfig config;
  int64_t num_patients, num_visits, num_codes;
  ProgressionMemoryOptions options;
};

ProgressionData full_data(const MemoryCase& test) {
  ProgressionData data;
  PatientVisits& visits = data.visits;
  for (int64_t i = 0; i < test.num_patients; ++i) {
    for (int64_t v = 0; v < test.num_visits; ++v) {
      for (int64_t c = 0; c < test.num_codes; ++c) {
        visits.codes.push_back(1 + static_cast<int32_t>((i + v + c) % 90));
      }
      visits.code_offsets.push_back(static_cast<int64_t>(visits.codes.size()));
      visits.visit_times_us.push_back(v);
      visits.visit_end_times_us.push_back(v);
      data.stages.push_back(v % 2);
    }
    visits.subject_ids.push_back(i);
    visits.visit_offsets.push_back(static_cast<int64_t>(data.stages.size()));
  }
  return data;
}

void run_training_step(const MemoryCase& test, const ProgressionData& data) {
  ProgressionTrainingOptions options{.batch_size = test.num_patients,
                                     .use_bf16 = test.options.use_bf16,
                                     .use_checkpoint = test.options.use_checkpoint};
  if (test.options.is_embedding_frozen) options.frozen = {"code_embeddings"};
  ProgressionTraining model(test.config, init_progression_parameters(test.config, 1), &data,
                            nullptr, options);
  Optimizer optimizer(model.parameters(), TrainOptions());
  model.start_pass({TrainPart::train, {0}, 1})->next(1.0);
  optimizer.step(1e-3, optimizer.gradient_norm());
}

void run_inference(const MemoryCase& test, const ProgressionData& data) {
  const c10::NoGradGuard no_grad;
  const Parameters parameters = init_progression_parameters(test.config, 1);
  NamedTensors weights;
  for (const Parameter& item : parameters.items) weights[item.name] = item.value;
  std::vector<int64_t> patients(test.num_patients);
  std::iota(patients.begin(), patients.end(), 0);
  forward_progression(test.config, weights, build_visit_batch(data.visits, patients));
}

int64_t measure(const MemoryCase& test) {
  static CountingAllocator* const counter = new CountingAllocator;  // outlives its tensors
  CountingAllocator::live = CountingAllocator::peak = 0;
  const ProgressionData data = full_data(test);
  c10::Allocator* const usual = c10::GetCPUAllocator();
  c10::SetCPUAllocator(counter, 1);
  (test.options.is_training ? run_training_step : run_inference)(test, data);
  c10::SetCPUAllocator(usual, 1);
  return CountingAllocator::peak;
}

TEST(ProgressionMemory, EstimateIsNearWhatARunTakes) {
  const ProgressionConfig small = progression_preset("small", 5'000).config;
  const ProgressionConfig wide = progression_preset("medium", 2'000).config;
  ProgressionConfig narrow = small;
  narrow.code_embed_dim = 32;
  for (const MemoryCase& test :
       {MemoryCase{"small", small, 8, 20, 20, {}},
        {"narrow, checkpoints", narrow, 16, 40, 200, {.use_checkpoint = true}},
        {"small, frozen", small, 8, 20, 20, {.is_embedding_frozen = true}},
        {"small, bf16", small, 8, 20, 20, {.use_bf16 = true}},
        {"few codes", small, 64, 20, 2, {}},
        {"wide", wide, 4, 10, 10, {}},
        {"inference", narrow, 16, 40, 150, {.is_training = false}}}) {
    const ProgressionMemory estimate =
        estimate_memory(test.config,
                        {test.num_patients, test.num_patients * test.num_visits,
                         test.num_patients * test.num_visits * test.num_codes},
                        test.options);
    const auto taken = static_cast<double>(measure(test));
    const double ratio = static_cast<double>(estimate.total()) / taken;
    std::printf("%-20s takes %.1f MB, estimate / taken %.3f\n", test.name, taken / 1e6, ratio);
    EXPECT_GT(ratio, 0.75) << test.name;
    EXPECT_LT(ratio, 1.25) << test.name;
  }
}

}  // namespace
}  // namespace sequela
