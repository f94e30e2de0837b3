#include "sequela/train/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "sequela/core/error.h"
#include "sequela/train/muon.h"

namespace sequela {
namespace {

// By parameter: its parts if it is Muon's, else none.
std::vector<std::vector<ParameterPart>> matrices_of(const Parameters& parameters,
                                                    const TrainOptions& options,
                                                    const std::vector<ParameterPart>& parts) {
  std::vector<std::vector<ParameterPart>> matrix_parts(parameters.items.size());
  if (options.optimizer != OptimizerKind::muon) return matrix_parts;
  const std::vector<bool> is_muons = muon_parameters(parts, parameters.items.size());
  if (std::ranges::find(is_muons, true) == is_muons.end())
    throw ConfigError("optimizer", "muon", "adamw: this model names no matrices");
  for (const ParameterPart& part : parts) {
    if (is_muons[part.parameter]) matrix_parts[part.parameter].push_back(part);
  }
  return matrix_parts;
}

int64_t num_chunks(int64_t num_values) {
  return (num_values + Sharding::kChunk - 1) / Sharding::kChunk;
}

// The norm of each chunk of a flat tensor, into `norms`.
void chunk_norms(const at::Tensor& flat, at::Tensor norms) {
  const int64_t num_full = flat.numel() / Sharding::kChunk, start = num_full * Sharding::kChunk;
  if (num_full > 0) {
    const at::Tensor rows = flat.narrow(0, 0, start).view({num_full, Sharding::kChunk});
    norms.narrow(0, 0, num_full).copy_(at::linalg_vector_norm(rows, 2, at::IntArrayRef{1}));
  }
  if (start < flat.numel())
    norms.narrow(0, num_full, 1).copy_(flat.narrow(0, start, flat.numel() - start).norm());
}

at::Tensor norm_by_chunks(at::Tensor values) {
  while (values.numel() > Sharding::kChunk) {
    at::Tensor norms = at::empty({num_chunks(values.numel())}, values.options());
    chunk_norms(values, norms);
    values = norms;
  }
  return values.norm();
}

}  // namespace

Optimizer::Optimizer(Parameters& parameters, const TrainOptions& options,
                     const std::vector<ParameterPart>& parts, at::ScalarType product_type,
                     World& world)
    : parameters_(parameters),
      options_(options),
      product_type_(product_type),
      world_(world),
      matrix_parts_(matrices_of(parameters, options, parts)),
      sharding_(parameters, wholes(), world.size()) {
  for (const Piece& piece : sharding_.pieces_of(world.rank())) {
    const Parameter& parameter = parameters_.items[piece.parameter];
    const bool is_all = piece.length == parameter.value.numel();
    const at::Tensor like = is_all ? parameter.value : flat_piece(parameter.value, piece);
    const bool is_matrix = is_muons(piece.parameter);
    Group& group = group_of(parameter);
    (is_matrix ? group.matrices : group.members).push_back(own_.size());
    own_.push_back({piece, at::zeros_like(like), is_matrix ? at::Tensor() : at::zeros_like(like)});
  }
}

// Muon orthogonalises whole matrices.
std::vector<bool> Optimizer::wholes() const {
  std::vector<bool> is_whole;
  for (const auto& parts : matrix_parts_) is_whole.push_back(!parts.empty());
  return is_whole;
}

Optimizer::Group Optimizer::group_values(const Parameter& parameter) const {
  Group values;
  values.weight_decay = parameter.is_decayed ? options_.weight_decay : 0.0;
  for (const ParameterGroup& group : options_.groups) {
    if (parameter.name.find(group.name_part) == std::string::npos) continue;
    values.learning_rate_scale = group.learning_rate_scale;
    break;
  }
  return values;
}

Optimizer::Group& Optimizer::group_of(const Parameter& parameter) {
  const Group wanted = group_values(parameter);
  for (Group& group : groups_) {
    if (group.weight_decay == wanted.weight_decay &&
        group.learning_rate_scale == wanted.learning_rate_scale) {
      return group;
    }
  }
  groups_.push_back(wanted);
  return groups_.back();
}

at::Tensor Optimizer::gradient_norm() const {
  std::vector<int64_t> first_chunks;  // of each parameter
  int64_t num_all = 0;
  for (const Parameter& parameter : parameters_.items) {
    first_chunks.push_back(num_all);
    num_all += num_chunks(parameter.value.numel());
  }
  const at::Tensor norms = at::zeros({num_all}, parameters_.items[0].gradient.options());
  for (const Own& own : own_) {
    const int64_t first = first_chunks[own.piece.parameter] + own.piece.start / Sharding::kChunk;
    chunk_norms(flat_piece(parameters_.items[own.piece.parameter].gradient, own.piece),
                norms.narrow(0, first, num_chunks(own.piece.length)));
  }
  // Each chunk is one rank's; all others have 0 there.
  if (world_.is_alone()) return norm_by_chunks(norms);
  return norm_by_chunks(world_.gather("the gradient's norm", norms).sum(0));
}

void Optimizer::step(double learning_rate, const at::Tensor& norm, double divisor) {
  ++num_steps_;
  last_learning_rate_ = learning_rate;
  // Gradients are divided by the scale inside the updates: max(1, norm / allowed) is the clipping.
  scale_.reset();
  if (options_.max_gradient_norm > 0) {
    const at::Tensor divided = divisor == 1 ? norm : norm / divisor;
    scale_ = ((divided + 1e-6) / options_.max_gradient_norm).clamp_min(1.0);
  }
  if (divisor != 1) {
    scale_ = scale_ ? *scale_ * divisor : at::full({}, divisor, norm.options());
  }
  for (const Group& group : groups_) {
    step_adamw(group, learning_rate * group.learning_rate_scale);
    step_muon(group, learning_rate * group.learning_rate_scale);
  }
  for (const std::vector<Piece>& bucket : sharding_.buckets())
    share_pieces(world_, "the new weights", bucket,
                 [this](size_t i) { return parameters_.items[i].value; });
}

void Optimizer::step_adamw(const Group& group, double learning_rate) {
  if (group.members.empty()) return;
  std::vector<at::Tensor> values, gradients, means, squares;
  for (const size_t member : group.members) {
    const Own& own = own_[member];
    values.push_back(flat_piece(parameters_.items[own.piece.parameter].value, own.piece));
    gradients.push_back(flat_piece(parameters_.items[own.piece.parameter].gradient, own.piece));
    means.push_back(own.mean.view({-1}));
    squares.push_back(own.square.view({-1}));
  }
  const std::vector<at::Tensor> steps(
      values.size(), at::full({}, static_cast<double>(num_steps_), values[0].options()));
  at::_fused_adamw_(values, gradients, means, squares, {}, steps, learning_rate, options_.beta1,
                    options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                    /*maximize=*/false, scale_, /*found_inf=*/std::nullopt);
}

void Optimizer::step_muon(const Group& group, double learning_rate) {
  for (const size_t member : group.matrices) {
    Own& own = own_[member];
    const size_t i = own.piece.parameter;
    const at::Tensor gradient = scaled_gradient(i);
    own.mean.lerp_(gradient, 1 - options_.muon_momentum);
    at::Tensor value = parameters_.items[i].value;
    value.mul_(1 - learning_rate * group.weight_decay);
    value.sub_(muon_change(direction(own.mean, gradient), matrix_parts_[i], product_type_),
               learning_rate * options_.muon_scale);
  }
}

at::Tensor Optimizer::scaled_gradient(size_t i) const {
  const at::Tensor& gradient = parameters_.items[i].gradient;
  return scale_ ? gradient / *scale_ : gradient;
}

// The mean as it would be if the gradient came once more (Nesterov).
at::Tensor Optimizer::direction(const at::Tensor& mean, const at::Tensor& gradient) const {
  return gradient.lerp(mean, options_.muon_momentum);
}

// A moment of a whole parameter, from all ranks.
at::Tensor Optimizer::whole_moment(size_t i, at::Tensor Own::*moment) const {
  const at::Tensor whole = at::empty_like(parameters_.items[i].value);
  for (const Own& own : own_) {
    if (own.piece.parameter == i) flat_piece(whole, own.piece).copy_((own.*moment).view({-1}));
  }
  share_pieces(world_, "the moments", sharding_.pieces_of_parameter(i),
               [&](size_t) { return whole; });
  return whole;
}

Optimizer::LastStep Optimizer::last_step(size_t i) const {
  const Group group = group_values(parameters_.items[i]);
  const double steps = static_cast<double>(num_steps_);
  const double rate = last_learning_rate_ * group.learning_rate_scale;
  const at::Tensor mean = whole_moment(i, &Own::mean);
  LastStep last;
  if (is_muons(i)) {
    last.change = muon_change(direction(mean, scaled_gradient(i)), matrix_parts_[i], product_type_)
                      .mul_(-rate * options_.muon_scale);
  } else {
    last.root_square =
        whole_moment(i, &Own::square).sqrt_().div_(std::sqrt(1 - std::pow(options_.beta2, steps)));
    last.change = mean.div(last.root_square + options_.epsilon)
                      .mul_(-rate / (1 - std::pow(options_.beta1, steps)));
  }
  const double kept = 1 - rate * group.weight_decay;  // of the value, before the change was added
  if (kept != 1) {
    last.change.add_((parameters_.items[i].value - last.change).mul_((kept - 1) / kept));
  }
  return last;
}

}  // namespace sequela
