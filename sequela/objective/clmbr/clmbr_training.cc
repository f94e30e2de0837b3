#include "sequela/objective/clmbr/clmbr_training.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "sequela/batch/filler.h"
#include "sequela/batch/loader.h"
#include "sequela/core/error.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/parameter_kinds.h"

namespace sequela {
namespace {

// Nats of each code under the train side's frequencies.
std::vector<double> unigram_costs(const ClmbrTask& task) {
  constexpr double kUnseen = 0.5;
  double total = 0;
  for (const int64_t count : task.counts)
    total += count == 0 ? kUnseen : static_cast<double>(count);
  std::vector<double> costs;
  for (const int64_t count : task.counts)
    costs.push_back(std::log(total / (count == 0 ? kUnseen : static_cast<double>(count))));
  return costs;
}

const at::Tensor& labels_of(const ArraysBatch& batch) {
  const auto found = batch.targets.find("labels");
  if (found == batch.targets.end()) {
    throw DataError({}, "the batches hold no next codes", "prepare them with --objective clmbr");
  }
  return found->second;
}

}  // namespace

class ClmbrTraining::Pass : public BatchPass {
 public:
  Pass(ClmbrTraining& training, PassPlan plan)
      : training_(training),
        part_(plan.part),
        loss_scale_(plan.loss_scale),
        loader_(*training.folder(plan.part), std::move(plan.batches)) {
    if (part_ == TrainPart::validation) training_.sums_ = {};
  }

  std::optional<BatchLoss> next(std::optional<double> gradient_scale) override {
    if (!loader_.next(batch_)) return std::nullopt;
    const int64_t tokens = batch_.inputs.ages_days_T.size(0);
    const NextCodeHead::Labels labels = take_labels();
    const int64_t num_labels = labels.codes_L.size(0);
    fill_up(batch_.inputs);
    if (gradient_scale && loss_scale_ == LossScale::events)
      *gradient_scale *= static_cast<double>(num_labels);
    return BatchLoss{part_ == TrainPart::train ? learn(labels, gradient_scale) : measure(labels),
                     tokens, num_labels};
  }

 private:
  NextCodeHead::Labels take_labels() const {
    const at::Tensor& codes_L = labels_of(batch_);
    const int64_t num_codes = training_.model_.config().clmbr_vocab_size;
    if (codes_L.numel() > 0 && codes_L.max().item<int64_t>() >= num_codes) {
      throw DataError({},
                      str("a batch has a code that is not among the ", num_codes, " of the model"),
                      "prepare the batches and the task together");
    }
    const at::Device device = training_.parameters().items[0].value.device();
    return {batch_.inputs.label_indices_L.to(device, at::kLong), codes_L.to(device, at::kLong)};
  }

  at::Tensor learn(const NextCodeHead::Labels& labels, std::optional<double> gradient_scale) {
    const auto head = [&](const at::Tensor& hidden_TH, const at::Tensor& grad_hidden_TH) {
      return training_.head_.loss(hidden_TH, labels, gradient_scale, grad_hidden_TH);
    };
    const auto wanted = gradient_scale ? Motor::Wanted::gradients : Motor::Wanted::loss;
    return training_.model_.learn(batch_.inputs, wanted, head);
  }

  at::Tensor measure(const NextCodeHead::Labels& labels) {
    NextCodeHead::Evaluation found;
    training_.model_.learn(batch_.inputs, Motor::Wanted::loss,
                           [&](const at::Tensor& hidden_TH, const at::Tensor&) {
                             found = training_.head_.evaluate(hidden_TH, labels);
                             return found.loss;
                           });
    Sums& sums = training_.sums_;
    sums.cost += found.cost;
    sums.num_labels += labels.codes_L.size(0);
    sums.num_first += found.num_first;
    sums.num_in_ten += found.num_in_ten;
    if (training_.unigram_costs_.empty()) return found.loss;
    const at::Tensor& codes_L = labels_of(batch_);
    const auto* codes = codes_L.const_data_ptr<int32_t>();
    for (int64_t l = 0; l < codes_L.size(0); ++l)
      sums.unigram_cost += training_.unigram_costs_[codes[l]];
    return found.loss;
  }

  ClmbrTraining& training_;
  const TrainPart part_;
  const LossScale loss_scale_;
  ArraysLoader loader_;
  ArraysBatch batch_;
};

ClmbrTraining::ClmbrTraining(Motor& model, const BatchFolder* train_batches,
                             const BatchFolder* validation, const ClmbrTask& task)
    : model_(model),
      train_batches_(train_batches),
      validation_batches_(validation),
      unigram_costs_(unigram_costs(task)),
      head_(model) {
  SEQUELA_CHECK(model.config().clmbr_vocab_size == task.vocab_size);
}

std::vector<ParameterPart> ClmbrTraining::parts() const {
  return kinds_of(model_.config(), model_.parameters());
}

Figures ClmbrTraining::validation_figures() {
  if (sums_.num_labels == 0) return {};
  const auto labels = static_cast<double>(sums_.num_labels);
  Figures figures = {{"eval/perplexity", std::exp(sums_.cost / labels), "perplexity"},
                     {"eval/top1", static_cast<double>(sums_.num_first) / labels, "first"},
                     {"eval/top10", static_cast<double>(sums_.num_in_ten) / labels, "among ten"}};
  if (unigram_costs_.empty()) return figures;
  figures.push_back(
      {"eval/gain", (sums_.unigram_cost - sums_.cost) / labels, "gain in nats per code"});
  figures.push_back({"eval/unigram_loss", sums_.unigram_cost / labels, ""});
  return figures;
}

int64_t ClmbrTraining::num_batches(TrainPart part) const {
  return folder(part) == nullptr ? 0 : folder(part)->num_batches();
}

std::unique_ptr<BatchPass> ClmbrTraining::start_pass(PassPlan plan) {
  return std::make_unique<Pass>(*this, std::move(plan));
}

std::string ClmbrTraining::config_json() const {
  return to_config_json(model_.config());
}

// Nearly every token has a label.
double ClmbrTraining::flops_per_token() const {
  const double head = static_cast<double>(model_.config().encoder.hidden_size) *
                      static_cast<double>(model_.config().clmbr_vocab_size);
  return model_.flops_per_token() + 3 * 2 * head;
}

Parameters ClmbrTraining::dump_batch(int64_t batch_index) const {
  const ArraysBatch batch = train_batches_->read_arrays(batch_index);
  Parameters dump = dump_inputs(batch.inputs);
  for (const auto& [name, values] : batch.targets)
    dump.items.push_back({name, values.to(at::kFloat), {}, false});
  return dump;
}

}  // namespace sequela
