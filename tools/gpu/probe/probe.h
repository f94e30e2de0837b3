#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "sequela/core/json.h"
#include "sequela/model/motor.h"
#include "sequela/nn/kernel_table.h"

namespace sequela {

// What tools/gpu_check measures of a device. Each function does one thing in a process of its own,
// so that a crash costs that figure alone, and returns what it found.
struct ProbeOptions {
  at::Device device = at::kCPU;
  std::string data;  // folder: config.json (without an encoder's shape), batches.safetensors
  std::string out;   // folder of this probe's files
  std::string size = "tiny";
  Precision precision = Precision::bf16;
  Kernels kernels = Kernels::automatic;
  int64_t steps = 200;
  int64_t joined = 1;  // prepared batches that make one
  bool is_recomputed = false;
  std::string fault;  // an operation whose kernel is made wrong, to see that it is found
};

// The device's name, driver, memory, and rates of products and copies.
Json probe_facts(const ProbeOptions& options);

// The check of each own kernel against the plain way (nn/kernel_check.h): {"results": [...]}.
Json probe_kernels(const ProbeOptions& options);

// Steps of the real trainer: the loss of each, rates, share of the device's rate of products, peak
// memory.
Json probe_training(const ProbeOptions& options);

// Kernels of a step by name (on the CPU torch's operations), by the time they take.
Json probe_profile(const ProbeOptions& options);

// Embeddings of labelled tokens by a MOTOR model, as `sequela features` computes them: rates, and
// how far they are from the CPU's.
Json probe_features(const ProbeOptions& options);

// The same of an encoder of the BERT family at its base size, of visits of 128 codes.
Json probe_encoder(const ProbeOptions& options);

// A model of options.size on what options.data holds, with weights from a fixed seed.
Motor probe_model(const ProbeOptions& options, at::Device device, Precision precision);

// Waits until the device has done all that was asked of it.
void wait_for(at::Device device);

// The most memory that torch had in use on a GPU; on a CPU the process's. Bytes.
int64_t peak_bytes(at::Device device);

}  // namespace sequela
