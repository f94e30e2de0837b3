#include "sequela/encoders/progression/progression_training.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/shuffle.h"
#include "sequela/core/time.h"
#include "sequela/encoders/progression/progression_model.h"

namespace sequela {
namespace {

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

Range visits_of(const PatientVisits& visits, int64_t patient) {
  return {visits.visit_offsets[patient], visits.visit_offsets[patient + 1]};
}

// Labels of the given patients' visits, as wide as their batch.
at::Tensor build_labels(const ProgressionData& data, std::span<const int64_t> patients,
                        int64_t num_visits) {
  at::Tensor labels =
      at::full({static_cast<int64_t>(patients.size()), num_visits}, kNoStage, at::kLong);
  auto* values = labels.mutable_data_ptr<int64_t>();
  for (size_t b = 0; b < patients.size(); ++b) {
    const Range range = visits_of(data.visits, patients[b]);
    for (int64_t v = range.begin; v < range.end; ++v) {
      values[static_cast<int64_t>(b) * num_visits + v - range.begin] = data.stages[v];
    }
  }
  return labels;
}

// Patients in the order of a pass: shuffled by its key, or as they are.
std::vector<int64_t> order_patients(int64_t num_patients, const PassPlan& plan) {
  std::vector<int64_t> order(num_patients);
  std::iota(order.begin(), order.end(), 0);
  if (plan.part == TrainPart::validation) return order;
  shuffle(order, plan.key);
  return order;
}

VisitBatch moved(VisitBatch batch, at::Device device) {
  batch.codes_BNC = batch.codes_BNC.to(device);
  batch.time_features_BNF = batch.time_features_BNF.to(device);
  return batch;
}

bool is_frozen(const std::string& name, const std::vector<std::string>& frozen) {
  return std::any_of(frozen.begin(), frozen.end(),
                     [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

}  // namespace

VisitBatch build_visit_batch(const PatientVisits& visits, std::span<const int64_t> patients) {
  const auto num_patients = static_cast<int64_t>(patients.size());
  int64_t num_visits = 1, num_codes = 1;
  for (const int64_t patient : patients) {
    const Range range = visits_of(visits, patient);
    num_visits = std::max(num_visits, range.size());
    for (int64_t v = range.begin; v < range.end; ++v) {
      num_codes = std::max<int64_t>(num_codes, static_cast<int64_t>(visits.codes_of(v).size()));
    }
  }
  VisitBatch batch;
  batch.codes_BNC = at::zeros({num_patients, num_visits, num_codes}, at::kLong);
  at::Tensor days = at::zeros({num_patients, num_visits}, at::kDouble);
  at::Tensor counts = at::zeros({num_patients}, at::kLong);
  auto* codes = batch.codes_BNC.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < num_patients; ++b) {
    const Range range = visits_of(visits, patients[b]);
    counts.mutable_data_ptr<int64_t>()[b] = range.size();
    for (int64_t v = range.begin; v < range.end; ++v) {
      const int64_t place = b * num_visits + v - range.begin;
      std::copy(visits.codes_of(v).begin(), visits.codes_of(v).end(), codes + place * num_codes);
      days.mutable_data_ptr<double>()[place] =
          static_cast<double>(visits.visit_times_us[v]) / kMicrosPerDay;
    }
  }
  batch.time_features_BNF = to_time_features(days, counts);
  return batch;
}

class ProgressionTraining::Pass : public BatchPass {
 public:
  Pass(const ProgressionTraining& model, PassPlan plan)
      : model_(model),
        data_(*model.data(plan.part)),
        plan_(std::move(plan)),
        order_(order_patients(data_.num_patients(), plan_)) {}

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (next_ == plan_.batches.size()) return std::nullopt;
    const int64_t batch_index = plan_.batches[next_++];
    const int64_t start = batch_index * model_.options_.batch_size;
    const int64_t size = std::min(model_.options_.batch_size, data_.num_patients() - start);
    const std::span<const int64_t> patients(order_.data() + start, static_cast<size_t>(size));
    const VisitBatch batch = build_visit_batch(data_.visits, patients);
    const at::Device device = model_.device();

    VisitForwardOptions forward;
    forward.use_bf16 = model_.options_.use_bf16;
    forward.use_checkpoint = model_.options_.use_checkpoint;
    forward.is_training = gradient_scale.has_value();
    if (forward.is_training) {
      forward.generator =
          at::detail::createCPUGenerator(hash_key(plan_.key, static_cast<uint64_t>(batch_index)));
    }
    const c10::AutoGradMode grad_mode(gradient_scale.has_value());
    const ProgressionOutput out =
        forward_progression(model_.config_, model_.weights_, moved(batch, device), forward);
    const at::Tensor loss = stage_loss(
        out.stage_logits_BNS, build_labels(data_, patients, batch.codes_BNC.size(1)).to(device));
    if (gradient_scale && loss.requires_grad()) (loss * *gradient_scale).backward();
    return BatchLoss{loss.detach(), batch.codes_BNC.ne(0).sum().item<int64_t>()};
  }

 private:
  const ProgressionTraining& model_;
  const ProgressionData& data_;
  PassPlan plan_;
  std::vector<int64_t> order_;
  size_t next_ = 0;
};

ProgressionTraining::ProgressionTraining(const ProgressionConfig& config, Parameters parameters,
                                         const ProgressionData* train_data,
                                         const ProgressionData* valid_data,
                                         const ProgressionTrainingOptions& options)
    : config_(config), options_(options), train_data_(train_data), valid_data_(valid_data) {
  if (options.batch_size < 1) throw ConfigError("batch size", str(options.batch_size), "1 or more");
  for (Parameter& item : parameters.items) {
    (is_frozen(item.name, options.frozen) ? frozen_ : trained_).items.push_back(std::move(item));
  }
  if (trained_.items.empty())
    throw ConfigError("all weights are frozen: there is nothing to train");
  for (Parameter& item : trained_.items) item.gradient = at::Tensor();
  trained_.zero_gradients();
  for (Parameter& item : trained_.items) {
    at::Tensor leaf = item.value.detach().requires_grad_(true);
    leaf.mutable_grad() = item.gradient;
    weights_[item.name] = leaf;
  }
  for (const Parameter& item : frozen_.items) weights_[item.name] = item.value.detach();
}

int64_t ProgressionTraining::num_batches(TrainPart part) const {
  if (data(part) == nullptr) return 0;
  return (data(part)->num_patients() + options_.batch_size - 1) / options_.batch_size;
}

std::unique_ptr<BatchPass> ProgressionTraining::start_pass(PassPlan plan) {
  return std::make_unique<Pass>(*this, std::move(plan));
}

Parameters ProgressionTraining::all_parameters() const {
  Parameters all;
  for (const Parameters* part : {&trained_, &frozen_}) {
    for (const Parameter& item : part->items) all.items.push_back({item.name, item.value});
  }
  return all;
}

at::Tensor ProgressionTraining::predict(const PatientVisits& visits) const {
  const c10::NoGradGuard no_grad;
  VisitForwardOptions forward;
  forward.use_bf16 = options_.use_bf16;
  std::vector<at::Tensor> parts;
  for (int64_t start = 0; start < visits.num_patients(); start += options_.batch_size) {
    std::vector<int64_t> patients(std::min(options_.batch_size, visits.num_patients() - start));
    std::iota(patients.begin(), patients.end(), start);
    const VisitBatch batch = build_visit_batch(visits, patients);
    const ProgressionOutput out =
        forward_progression(config_, weights_, moved(batch, device()), forward);
    // After the last visit with a code; a patient without one has the first place.
    const at::Tensor places = at::arange(batch.codes_BNC.size(1), at::kLong);
    const at::Tensor last = batch.codes_BNC.ne(0).any(-1).mul(places).amax(1).to(device());
    const at::Tensor logits =
        out.stage_logits_BNS.gather(1, last.view({-1, 1, 1}).expand({-1, 1, config_.num_stages}));
    parts.push_back(logits.squeeze(1).softmax(-1).to(at::kCPU));
  }
  return parts.empty() ? at::empty({0, config_.num_stages}) : at::cat(parts);
}

}  // namespace sequela
