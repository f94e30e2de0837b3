#include "sequela/pipeline/precision.h"

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/nn/isa.h"

namespace sequela {
namespace {

void log_line(const std::string& name, bool is_fast) {
  std::string line = str("precision ", name, " (", to_text(kernel_isa()), ")");
  if (!is_fast)
    line += str(": no faster than fp32 on this CPU, which has no products of this type");
  log_info(line);
}

}  // namespace

Precision fastest_precision(at::Device device) {
  return device.is_cuda() || has_bf16_products() ? Precision::bf16 : Precision::fp32;
}

Precision embedding_precision(at::Device device) {
  return device.is_cuda() ? Precision::bf16 : Precision::fp32;
}

Precision to_precision(const std::string& text, at::Device device) {
  if (text == "auto") return fastest_precision(device);
  if (text == "bf16") return Precision::bf16;
  if (text == "fp32") return Precision::fp32;
  throw ConfigError("precision", text, "auto, bf16 or fp32");
}

BertPrecision to_bert_precision(const std::string& text) {
  if (text == "auto") return has_bf16_products() ? BertPrecision::bfloat16 : BertPrecision::float32;
  if (text == "fp32") return BertPrecision::float32;
  if (text == "bf16") return BertPrecision::bfloat16;
  if (text == "int8") return BertPrecision::int8;
  throw ConfigError("precision", text, "auto, fp32, bf16 or int8");
}

std::string to_text(Precision precision) {
  return precision == Precision::bf16 ? "bf16" : "fp32";
}

std::string to_text(BertPrecision precision) {
  if (precision == BertPrecision::int8) return "int8";
  return precision == BertPrecision::bfloat16 ? "bf16" : "fp32";
}

void log_precision(Precision precision, at::Device device) {
  if (device.is_cuda())
    return log_info(str("precision ", to_text(precision), " on ", device.str()));
  log_line(to_text(precision), precision == Precision::fp32 || has_bf16_products());
}

void log_precision(BertPrecision precision) {
  const bool is_slow_bf16 = precision == BertPrecision::bfloat16 && !has_bf16_products();
  const bool is_slow_int8 =
      precision == BertPrecision::int8 && int8_products() == Int8Products::portable;
  log_line(to_text(precision), !is_slow_bf16 && !is_slow_int8);
}

}  // namespace sequela
