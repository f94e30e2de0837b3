#include "sequela/train/train_options.h"

#include <cmath>
#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {
namespace {

void require(bool holds, const char* key, double value, const char* allowed) {
  if (!holds || !std::isfinite(value)) throw ConfigError(key, str(value), allowed);
}

}  // namespace

void TrainOptions::validate() const {
  require(learning_rate > 0, "learning-rate", learning_rate, "a number above 0");
  require(muon_scale > 0, "muon-scale", muon_scale, "a number above 0");
  require(muon_momentum >= 0 && muon_momentum < 1, "muon-momentum", muon_momentum,
          "a number in [0, 1)");
  require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "a number in [0, 1)");
  require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "a number in [0, 1)");
  require(epsilon > 0, "epsilon", epsilon, "a number above 0");
  require(weight_decay >= 0, "weight-decay", weight_decay, "0 or more");
  require(max_gradient_norm >= 0, "max-gradient-norm", max_gradient_norm, "0 or more");
  require(warmup_steps >= 0, "warmup-steps", static_cast<double>(warmup_steps), "0 or more");
  require(epochs >= 1, "epochs", static_cast<double>(epochs), "1 or more");
  require(max_steps >= 0, "max-steps", static_cast<double>(max_steps), "0 or more");
  require(accumulate >= 1, "accumulate", static_cast<double>(accumulate), "1 or more");
  require(lanes >= 1 && lanes <= 1 << 20, "lanes", static_cast<double>(lanes), "1 to 1048576");
  require(eval_every >= 1, "eval-every", static_cast<double>(eval_every), "1 or more");
  require(patience >= 0, "patience", static_cast<double>(patience), "0 or more");
  require(log_every >= 1, "log-every", static_cast<double>(log_every), "1 or more");
  require(keep_checkpoints >= 1, "keep-checkpoints", static_cast<double>(keep_checkpoints),
          "1 or more");
  for (const ParameterGroup& group : groups) {
    require(group.learning_rate_scale > 0, "learning-rate of a group", group.learning_rate_scale,
            "a number above 0");
  }
}

Schedule to_schedule(const std::string& text) {
  for (Schedule schedule : {Schedule::linear, Schedule::cosine, Schedule::constant}) {
    if (text == to_text(schedule)) return schedule;
  }
  throw ConfigError("schedule", text, "linear, cosine or constant");
}

const char* to_text(Schedule schedule) {
  switch (schedule) {
    case Schedule::linear:
      return "linear";
    case Schedule::cosine:
      return "cosine";
    case Schedule::constant:
      return "constant";
  }
  throw std::invalid_argument("to_text: no schedule");
}

LossScale to_loss_scale(const std::string& text) {
  if (text == "mean") return LossScale::mean;
  if (text == "events") return LossScale::events;
  throw ConfigError("loss-scale", text, "mean or events");
}

const char* to_text(LossScale loss_scale) {
  return loss_scale == LossScale::mean ? "mean" : "events";
}

OptimizerKind to_optimizer_kind(const std::string& text) {
  if (text == "adamw") return OptimizerKind::adamw;
  if (text == "muon") return OptimizerKind::muon;
  throw ConfigError("optimizer", text, "adamw or muon");
}

SentAs to_sent_as(const std::string& text) {
  if (text == "fp32") return SentAs::fp32;
  if (text == "bf16") return SentAs::bf16;
  throw ConfigError("gradients-as", text, "fp32 or bf16");
}

const char* to_text(SentAs sent_as) {
  return sent_as == SentAs::fp32 ? "fp32" : "bf16";
}

const char* to_text(OptimizerKind optimizer) {
  return optimizer == OptimizerKind::adamw ? "adamw" : "muon";
}

}  // namespace sequela
