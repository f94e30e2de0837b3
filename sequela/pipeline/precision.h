#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "sequela/encoders/bert/bert_model.h"
#include "sequela/model/motor.h"

namespace sequela {

// What is fastest on a device: bf16 on a GPU and on CPUs with products of bfloat16, else fp32.
Precision fastest_precision(at::Device device);

// What embeddings are computed with unless told otherwise: bf16 on a GPU, else fp32.
Precision embedding_precision(at::Device device);

// "fp32", "bf16", or "auto" for the fastest. ConfigError for another name.
Precision to_precision(const std::string& text, at::Device device);

// "fp32", "bf16", "int8", or "auto" for the faster of fp32 and bf16 on this CPU. (int8 changes the
// numbers more than that, so that one has to ask for it.)
BertPrecision to_bert_precision(const std::string& text);

std::string to_text(Precision precision);
std::string to_text(BertPrecision precision);

// Logs which precision is used and, where it is no faster than fp32 on this CPU, that.
void log_precision(Precision precision, at::Device device);
void log_precision(BertPrecision precision);

}  // namespace sequela
