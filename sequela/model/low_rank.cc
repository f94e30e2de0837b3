#include "sequela/model/low_rank.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>

#include "sequela/core/random.h"
#include "sequela/nn/gemm.h"

namespace sequela {
namespace {

bool is_adapted(const Parameter& parameter) {
  return parameter.name.starts_with("transformer.layers.") && parameter.name.ends_with(".weight") &&
         parameter.value.dim() == 2;
}

void draw(uint64_t key, at::Tensor& a_RI) {
  const at::Tensor values = at::empty(a_RI.sizes(), at::kFloat);
  const double bound = 1 / std::sqrt(static_cast<double>(a_RI.size(1)));
  Random random(key);
  auto* value = values.mutable_data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i)
    value[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
  a_RI.copy_(values);
}

uint64_t key_of(uint64_t seed, const std::string& name) {
  for (const unsigned char c : name) seed = hash_key(seed, c);
  return seed;
}

}  // namespace

LowRank::LowRank(Parameters& model, int64_t rank, uint64_t seed) : model_(model) {
  std::vector<ParameterShape> shapes;
  for (size_t i = 0; i < model.items.size(); ++i) {
    const Parameter& item = model.items[i];
    if (!is_adapted(item)) continue;
    matrices_.push_back({i, item.value.clone()});
    shapes.push_back({item.name + ".lora_a", {rank, item.value.size(1)}, true});
    shapes.push_back({item.name + ".lora_b", {item.value.size(0), rank}, true});
  }
  factors_ = Parameters::allocate(shapes, model.flat_values.device());
  for (size_t i = 0; i < factors_.items.size(); i += 2)
    draw(key_of(seed, factors_.items[i].name), factors_.items[i].value);
  factors_.zero_gradients();
  model_.zero_gradients();
}

void LowRank::merge() {
  for (size_t i = 0; i < matrices_.size(); ++i) {
    at::Tensor& value = model_.items[matrices_[i].index].value;
    value.copy_(matrices_[i].start);
    multiply_add(factors_.items[2 * i + 1].value, factors_.items[2 * i].value, value);
  }
}

void LowRank::take_gradients() {
  for (size_t i = 0; i < matrices_.size(); ++i) {
    const at::Tensor& gradient = model_.items[matrices_[i].index].gradient;
    Parameter &a = factors_.items[2 * i], &b = factors_.items[2 * i + 1];
    multiply_add(b.value.t(), gradient, a.gradient);
    multiply_add(gradient, a.value.t(), b.gradient);
  }
  model_.zero_gradients();
}

}  // namespace sequela
