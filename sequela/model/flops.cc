#include "sequela/model/flops.h"

namespace sequela {
namespace {

constexpr double kLabelledShare = 0.1;  // of tokens

}  // namespace

double training_flops_per_token(const ModelConfig& config) {
  const EncoderConfig& encoder = config.encoder;
  const double hidden = static_cast<double>(encoder.hidden_size);
  const double output = hidden * (hidden + encoder.intermediate_size);
  double products = 0;  // multiply-adds per token of a forward pass
  for (int64_t i = 0; i < encoder.n_layers; ++i) {
    if (encoder.is_hawk_layer(i)) {
      products += hidden * (encoder.ff_columns() + 2 * hidden) + hidden * hidden +
                  2 * hidden * encoder.head_size();
    } else {
      products +=
          hidden * (encoder.ff_columns() + 3 * hidden) + 2 * hidden * encoder.attention_width;
    }
    products += output;
  }
  if (config.motor) {
    const MotorHeadConfig& motor = *config.motor;
    const double width = static_cast<double>(motor.num_bins() * motor.final_layer_size);
    products += kLabelledShare * width * (hidden + static_cast<double>(motor.num_tasks()));
  }
  return 3 * 2 * products;  // backward costs twice the forward pass
}

}  // namespace sequela
