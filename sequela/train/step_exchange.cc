#include "sequela/train/step_exchange.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"

namespace sequela {
namespace {

constexpr int64_t kHeader = 5;  // losses, events, tokens, seconds, is_stopped
constexpr double kSlow = 1.5;   // times the median

std::string short_seconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", seconds);
  return text;
}

}  // namespace

std::vector<StepPart> exchange_parts(World& world, const StepPart& own, int64_t most_batches) {
  if (world.is_alone()) return {own};
  const at::Tensor mine = at::zeros({kHeader + 2 * most_batches}, at::kDouble);
  double* values = mine.data_ptr<double>();
  values[0] = static_cast<double>(own.losses.size());
  values[1] = static_cast<double>(own.num_events);
  values[2] = static_cast<double>(own.num_tokens);
  values[3] = own.seconds;
  values[4] = own.is_stopped ? 1 : 0;
  for (size_t i = 0; i < own.losses.size(); ++i) {
    values[kHeader + 2 * i] = own.losses[i];
    values[kHeader + 2 * i + 1] = static_cast<double>(own.batches[i]);
  }
  const at::Tensor all = world.gather("the end of a step", mine);
  std::vector<StepPart> parts;
  for (int r = 0; r < world.size(); ++r) {
    const double* row = all.const_data_ptr<double>() + r * mine.numel();
    StepPart& part = parts.emplace_back();
    SEQUELA_CHECK(static_cast<int64_t>(row[0]) <= most_batches);
    for (int64_t i = 0; i < static_cast<int64_t>(row[0]); ++i) {
      part.losses.push_back(row[kHeader + 2 * i]);
      part.batches.push_back(static_cast<int64_t>(row[kHeader + 2 * i + 1]));
    }
    part.num_events = static_cast<int64_t>(row[1]);
    part.num_tokens = static_cast<int64_t>(row[2]);
    part.seconds = row[3];
    part.is_stopped = row[4] != 0;
  }
  return parts;
}

double number_of_first(World& world, const char* what, double own) {
  if (world.is_alone()) return own;
  return world.gather(what, at::scalar_tensor(own, at::kDouble))[0].item<double>();
}

Figures figures_of_first(World& world, const Figures& own) {
  if (world.is_alone()) return own;
  Json rows = Json::array();
  for (const Figure& figure : own)
    rows.push_back({figure.name, std::bit_cast<int64_t>(figure.value), figure.label});
  const std::string text = text_of_first(world, "the figures", json_text(rows));
  Figures figures;
  for (const Json& row : parse_json(text, "figures")) {
    figures.push_back({row[0].get<std::string>(), std::bit_cast<double>(row[1].get<int64_t>()),
                       row[2].get<std::string>()});
  }
  return figures;
}

std::string slow_ranks(const std::vector<double>& seconds_R, int64_t num_steps) {
  std::vector<double> sorted = seconds_R;
  std::ranges::sort(sorted);
  const double median = sorted[sorted.size() / 2 - (sorted.size() % 2 == 0 ? 1 : 0)];
  std::string text;
  for (size_t r = 0; r < seconds_R.size(); ++r) {
    if (!(seconds_R[r] > kSlow * median) || num_steps == 0) continue;
    text += str(text.empty() ? "" : ", ", "rank ", r, " takes ",
                short_seconds(seconds_R[r] / static_cast<double>(num_steps)), " a step");
  }
  if (text.empty()) return text;
  return text + ", the median is " + short_seconds(median / static_cast<double>(num_steps));
}

}  // namespace sequela
