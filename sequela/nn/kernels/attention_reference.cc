// Plain windowed attention in float32: one loop per query, scores of one query at a time.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sequela/nn/kernels/attention_kernels.h"

namespace sequela {
namespace {

struct Sizes {
  int64_t tokens, heads, head_size;
};

// float32 [H, T, D], contiguous.
at::Tensor by_head(const at::Tensor& x_THD) {
  return x_THD.to(at::kFloat).transpose(0, 1).contiguous();
}

// Rotates each pair by its token's angle, or back with direction -1.
void rotate(at::Tensor& x_HTD, const AttentionInputs& inputs, float direction) {
  if (!inputs.cos_TR.defined()) return;
  const int64_t heads = x_HTD.size(0), tokens = x_HTD.size(1), half = x_HTD.size(2) / 2;
  const float* cosines = inputs.cos_TR.const_data_ptr<float>();
  const float* sines = inputs.sin_TR.const_data_ptr<float>();
  float* x = x_HTD.data_ptr<float>();
  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t i = 0; i < tokens * half; ++i, x += 2) {
      const float cosine = cosines[i], sine = direction * sines[i];
      const float first = x[0], second = x[1];
      x[0] = first * cosine - second * sine;
      x[1] = second * cosine + first * sine;
    }
  }
}

float dot(const float* a, const float* b, int64_t size) {
  float sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

void add_scaled(float* a, const float* b, float factor, int64_t size) {
  for (int64_t i = 0; i < size; ++i) a[i] += factor * b[i];
}

bool is_causal(const AttentionInputs& inputs) {
  return inputs.direction == AttentionDirection::causal;
}

int64_t first_key(const AttentionInputs& inputs, int64_t query) {
  const int64_t start = inputs.sequences->token_starts[query];
  return is_causal(inputs) ? std::max(start, query - inputs.window + 1) : start;
}

// One past the last key.
int64_t end_key(const AttentionInputs& inputs, int64_t query) {
  if (is_causal(inputs)) return query + 1;
  const std::vector<int32_t>& offsets = inputs.sequences->host_offsets;
  return *std::upper_bound(offsets.begin(), offsets.end(), static_cast<int32_t>(query));
}

struct RotatedInputs {
  at::Tensor q, k, v;  // [H, T, D]
  float scale;

  explicit RotatedInputs(const AttentionInputs& inputs)
      : q(by_head(inputs.q_THD)),
        k(by_head(inputs.k_THD)),
        v(by_head(inputs.v_THD)),
        scale(1 / std::sqrt(static_cast<float>(inputs.q_THD.size(2)))) {
    rotate(q, inputs, 1);
    rotate(k, inputs, 1);
  }
};

}  // namespace

void attention_forward_reference(const AttentionInputs& inputs, const at::Tensor& out_THD,
                                 const at::Tensor& logsumexp_HT) {
  const RotatedInputs x(inputs);
  const int64_t tokens = x.q.size(1), size = x.q.size(2);
  at::Tensor out = at::zeros_like(x.q);
  at::parallel_for(0, x.q.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<float> weights(tokens);
    for (int64_t h = begin; h < end; ++h) {
      const float* q = x.q[h].const_data_ptr<float>();
      const float* k = x.k[h].const_data_ptr<float>();
      const float* v = x.v[h].const_data_ptr<float>();
      float* o = out[h].data_ptr<float>();
      float* logsumexp = logsumexp_HT[h].data_ptr<float>();
      for (int64_t i = 0; i < tokens; ++i) {
        const int64_t first = first_key(inputs, i), end = end_key(inputs, i);
        float largest = -INFINITY, sum = 0;
        for (int64_t j = first; j < end; ++j) {
          weights[j] = x.scale * dot(q + i * size, k + j * size, size);
          largest = std::max(largest, weights[j]);
        }
        for (int64_t j = first; j < end; ++j) sum += weights[j] = std::exp(weights[j] - largest);
        for (int64_t j = first; j < end; ++j)
          add_scaled(o + i * size, v + j * size, weights[j] / sum, size);
        logsumexp[i] = largest + std::log(sum);
      }
    }
  });
  out_THD.copy_(out.transpose(0, 1));
}

void attention_backward_reference(const AttentionInputs& inputs, const at::Tensor& out_THD,
                                  const at::Tensor& logsumexp_HT, const at::Tensor& grad_out_THD,
                                  const AttentionGradients& gradients) {
  const RotatedInputs x(inputs);
  const int64_t tokens = x.q.size(1), size = x.q.size(2);
  const at::Tensor out = by_head(out_THD), grad_out = by_head(grad_out_THD);
  at::Tensor grad_q = at::zeros_like(x.q), grad_k = at::zeros_like(x.q),
             grad_v = at::zeros_like(x.q);
  at::parallel_for(0, x.q.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      const float* q = x.q[h].const_data_ptr<float>();
      const float* k = x.k[h].const_data_ptr<float>();
      const float* v = x.v[h].const_data_ptr<float>();
      const float* o = out[h].const_data_ptr<float>();
      const float* go = grad_out[h].const_data_ptr<float>();
      const float* logsumexp = logsumexp_HT[h].const_data_ptr<float>();
      float* gq = grad_q[h].data_ptr<float>();
      float* gk = grad_k[h].data_ptr<float>();
      float* gv = grad_v[h].data_ptr<float>();
      for (int64_t i = 0; i < tokens; ++i) {
        const float delta = dot(o + i * size, go + i * size, size);
        for (int64_t j = first_key(inputs, i), end = end_key(inputs, i); j < end; ++j) {
          const float weight =
              std::exp(x.scale * dot(q + i * size, k + j * size, size) - logsumexp[i]);
          const float grad_score =
              weight * (dot(go + i * size, v + j * size, size) - delta) * x.scale;
          add_scaled(gv + j * size, go + i * size, weight, size);
          add_scaled(gq + i * size, k + j * size, grad_score, size);
          add_scaled(gk + j * size, q + i * size, grad_score, size);
        }
      }
    }
  });
  rotate(grad_q, inputs, -1);
  rotate(grad_k, inputs, -1);
  gradients.q_THD.copy_(grad_q.transpose(0, 1));
  gradients.k_THD.copy_(grad_k.transpose(0, 1));
  gradients.v_THD.copy_(grad_v.transpose(0, 1));
}

}  // namespace sequela
