// The part of Optimizer (optimizer.h) that checkpoints hold.
#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/train/optimizer.h"

namespace sequela {
namespace {

std::string state_name(const char* moment, const std::string& parameter, int64_t start,
                       bool is_all) {
  return is_all ? str(moment, ".", parameter) : str(moment, ".", parameter, "@", start);
}

}  // namespace

Parameters Optimizer::state() const {
  Parameters state;
  for (const Own& own : own_) {
    const Parameter& parameter = parameters_.items[own.piece.parameter];
    const bool is_all = own.piece.length == parameter.value.numel();
    const auto add = [&](const char* moment, const at::Tensor& values) {
      state.items.push_back({state_name(moment, parameter.name, own.piece.start, is_all), values});
    };
    add("exp_avg", own.mean);
    if (own.square.defined()) add("exp_avg_sq", own.square);
  }
  return state;
}

// Copies what a state has of this rank's pieces; the number of values.
int64_t Optimizer::take_over(const Parameters& state, const std::string& path) {
  int64_t num_taken = 0;
  for (const Parameter& item : state.items) {
    const size_t dot = item.name.find('.'), mark = item.name.rfind('@');
    if (dot == std::string::npos) continue;
    const std::string moment = item.name.substr(0, dot);
    if (moment != "exp_avg" && moment != "exp_avg_sq") continue;
    const bool is_piece = mark != std::string::npos;
    const std::string name = item.name.substr(dot + 1, is_piece ? mark - dot - 1 : mark);
    int64_t start = 0;
    if (is_piece) {
      const char* end = item.name.data() + item.name.size();
      if (std::from_chars(item.name.data() + mark + 1, end, start).ptr != end) continue;
    }
    for (Own& own : own_) {
      const Parameter& parameter = parameters_.items[own.piece.parameter];
      at::Tensor& target = moment == "exp_avg_sq" ? own.square : own.mean;
      if (parameter.name != name || !target.defined()) continue;
      const int64_t size = item.value.numel();
      if (is_piece ? start < 0 || start > parameter.value.numel() - size
                   : item.value.sizes() != parameter.value.sizes()) {
        throw FileError(path, str("optimizer state '", item.name, "' has another shape"),
                        "remove this checkpoint");
      }
      const int64_t first = std::max(start, own.piece.start);
      const int64_t length = std::min(start + size, own.piece.start + own.piece.length) - first;
      if (length <= 0) continue;
      target.view({-1})
          .narrow(0, first - own.piece.start, length)
          .copy_(item.value.view({-1}).narrow(0, first - start, length));
      num_taken += length;
    }
  }
  return num_taken;
}

void Optimizer::load(const std::function<std::optional<Parameters>()>& next, int64_t num_steps,
                     const std::string& path) {
  int64_t num_missing = 0;
  for (const Own& own : own_) num_missing += own.piece.length * (own.square.defined() ? 2 : 1);
  while (const std::optional<Parameters> state = next()) num_missing -= take_over(*state, path);
  if (num_missing != 0) {
    throw FileError(path, "a part of the optimizer's state is missing", "remove this checkpoint");
  }
  num_steps_ = num_steps;
}

void Optimizer::load(const Parameters& state, int64_t num_steps, const std::string& path) {
  const Parameters* left = &state;
  load(
      [&]() -> std::optional<Parameters> {
        if (left == nullptr) return std::nullopt;
        return *std::exchange(left, nullptr);
      },
      num_steps, path);
}

}  // namespace sequela
