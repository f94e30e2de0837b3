#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "sequela/model/classifier.h"
#include "sequela/model/encoder_config.h"
#include "sequela/model/motor.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// A model's folder, femr's or ours:
//
//   config.json         what the model is (encoder_config.h)
//   model.safetensors   its weights by femr's names
//   dictionary.msgpack  its tokenizer (read by layer tokenizer)
//
// femr's versions differ under one config: where the weights hold no hawk module, every layer is an
// attention layer; where the MOTOR head has no norm and no task_time_bias, the model is of femr
// 0.2.0 to 0.2.3, whose layers see the normalized age alone.
struct ModelDir {
  ModelConfig config;
  Parameters parameters;
  std::optional<Classifier> classifier;  // of a fine-tuned bundle; on the CPU
  std::string dictionary_path;
};

// Reads and checks a folder: every parameter that the config asks for is there, in its shape, and
// no other (parameters of a head that the config does not name are left out; those of a classifier
// stand apart). Untrusted. Throws FileError.
ModelDir read_model_dir(const std::string& folder);

// The same from files of any names; dictionary_path stays empty.
ModelDir read_model_files(const std::string& config_path, const std::string& weights_path);

// A folder's model, ready to run.
Motor open_bundle(const std::string& folder, at::Device device, Precision precision,
                  const Ways& ways = {});

// Writes config.json and model.safetensors into `folder`, which must exist, and copies the
// dictionary there; femr 0.2.4's FEMRModel.from_pretrained opens it. Throws FileError,
// ResourceError.
void write_model_dir(const std::string& folder, const ModelConfig& config,
                     const Parameters& parameters, const std::string& dictionary_path);

}  // namespace sequela
