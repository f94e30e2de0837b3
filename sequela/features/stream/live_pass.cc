#include "sequela/features/stream/live_pass.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "sequela/batch/half.h"

namespace sequela {
namespace {

template <class T>
at::Tensor view(std::vector<T>& values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())},
                       at::TensorOptions(c10::CppTypeToScalarType<T>::value));
}

}  // namespace

void LivePass::run(std::span<const LiveEvent> events, std::span<PatientState* const> patients_n,
                   EventOutcome* outcomes_n, float* embeddings_nH) {
  read(events, patients_n, outcomes_n);
  const int64_t hidden = hidden_size();
  for (size_t i = 0; i < events.size(); ++i) {  // the events that leave the embedding as it was
    if (row_of_event_n_[i] >= 0) continue;
    const std::vector<float>& embedding_H = patients_n[i]->embedding_H;
    float* out = embeddings_nH + static_cast<int64_t>(i) * hidden;
    if (embedding_H.empty()) {
      std::fill_n(out, hidden, std::numeric_limits<float>::quiet_NaN());
    } else {
      std::ranges::copy(embedding_H, out);
    }
  }
  if (patients_T_.empty()) return;
  fill_rows();
  embed();
  write_rows(model_.forward(rows_), embeddings_nH);
}

// Makes the tokens, patient by patient.
void LivePass::read(std::span<const LiveEvent> events, std::span<PatientState* const> patients_n,
                    EventOutcome* outcomes_n) {
  order_.resize(events.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::ranges::stable_sort(order_, std::less<>(), [&](int64_t i) { return patients_n[i]; });
  tokens_.tokens.clear();
  tokens_.bag.clear();
  patients_T_.clear();
  row_of_event_n_.assign(events.size(), -1);
  for (const int64_t i : order_) {
    PatientState* patient = patients_n[i];
    const EventOutcome outcome = sequence_.add(events[i], patient->sequence, tokens_);
    patients_T_.resize(tokens_.tokens.size(), patient);
    if (!patients_T_.empty() && patients_T_.back() == patient)
      row_of_event_n_[i] = static_cast<int64_t>(patients_T_.size()) - 1;
    if (outcomes_n != nullptr) outcomes_n[i] = outcome;
  }
}

// Makes the model's rows of the tokens, without their embeddings.
void LivePass::fill_rows() {
  ids_.clear();
  weights_.clear();
  for (const BagEntry& entry : tokens_.bag) {
    ids_.push_back(entry.token);
    weights_.push_back(from_half(to_half(entry.weight)));
  }
  offsets_.assign(1, 0);
  ages_.clear();
  time_data_.clear();
  rows_.positions_T.clear();
  rows_.states_T.clear();
  for (size_t t = 0; t < patients_T_.size(); ++t) {
    const LiveToken& token = tokens_.tokens[t];
    offsets_.push_back(static_cast<int32_t>(token.bag_end));
    ages_.push_back(token.age_days);
    for (const uint16_t value : token.time_data) time_data_.push_back(from_half(value));
    rows_.positions_T.push_back(token.position);
    rows_.states_T.push_back(&patients_T_[t]->encoder);
    model_.layout().reserve(patients_T_[t]->encoder, token.position + 1);
  }
  rows_.ages_days_T = view(ages_);
  rows_.time_data_T5 = view(time_data_).view({-1, 5});
}

// Sums of the bags; token 0 goes on from what its patient has of it.
void LivePass::embed() {
  const int64_t hidden = hidden_size(), num_rows = static_cast<int64_t>(patients_T_.size());
  rows_.embedded_TH = embedded_.resize({num_rows, hidden}, at::kFloat, at::kCPU);
  model_.embed(view(ids_), view(weights_), view(offsets_), rows_.embedded_TH);
  for (int64_t t = 0; t < num_rows; ++t) {
    if (!tokens_.tokens[t].is_birth_bag) continue;
    float* row = rows_.embedded_TH.data_ptr<float>() + t * hidden;
    std::vector<float>& bag_H = patients_T_[t]->birth_bag_H;
    bag_H.resize(hidden);
    for (int64_t k = 0; k < hidden; ++k) row[k] = bag_H[k] += row[k];
  }
}

void LivePass::write_rows(const at::Tensor& hidden_TH, float* embeddings_nH) {
  const int64_t hidden = hidden_size();
  const float* rows = hidden_TH.const_data_ptr<float>();
  for (size_t i = 0; i < row_of_event_n_.size(); ++i) {
    if (row_of_event_n_[i] < 0) continue;
    std::copy_n(rows + row_of_event_n_[i] * hidden, hidden,
                embeddings_nH + static_cast<int64_t>(i) * hidden);
  }
  for (size_t t = 0; t < patients_T_.size(); ++t) {  // the last row of each patient stays
    const float* row = rows + static_cast<int64_t>(t) * hidden;
    patients_T_[t]->embedding_H.assign(row, row + hidden);
  }
}

}  // namespace sequela
