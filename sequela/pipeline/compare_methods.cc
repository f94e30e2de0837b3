#include "sequela/pipeline/compare_methods.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/encoders/progression/pretrained_embeddings.h"
#include "sequela/encoders/progression/progression_model.h"
#include "sequela/encoders/progression/progression_training.h"
#include "sequela/pipeline/device.h"
#include "sequela/pipeline/evaluation/methods/feature_methods.h"
#include "sequela/train/trainer.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// The last of the visits begin .. end - 1 that has a code of the vocabulary; -1 if there is none.
int64_t last_known_visit(const PatientVisits& visits, int64_t begin, int64_t end) {
  for (int64_t v = end; v-- > begin;) {
    const std::span<const int32_t> codes = visits.codes_of(v);
    if (std::any_of(codes.begin(), codes.end(), [](int32_t code) { return code != 0; })) return v;
  }
  return -1;
}

// A row's outcome is the stage after its last visit; rows without one teach nothing.
ProgressionData to_progression_data(const CompareData& data, const LabelTask& task,
                                    const std::vector<int64_t>& rows) {
  ProgressionData chosen;
  chosen.visits = select_patients(data.visits, rows);
  const std::vector<int64_t>& offsets = chosen.visits.visit_offsets;
  chosen.stages.assign(chosen.visits.num_visits(), kNoStage);
  for (size_t i = 0; i < rows.size(); ++i) {
    const int64_t last = last_known_visit(chosen.visits, offsets[i], offsets[i + 1]);
    if (last >= 0) chosen.stages[last] = task.outcomes[rows[i]];
  }
  return chosen;
}

ProgressionConfig progression_config(const CompareOptions& options, const at::Tensor& table_WE) {
  ProgressionConfig config;
  config.vocab_size = table_WE.size(0);
  config.code_embed_dim = table_WE.size(1);
  config.visit_embed_dim = options.visit_embed_dim;
  config.hidden_dim = options.hidden_dim;
  config.num_layers = options.num_layers;
  config.num_stages = 2;
  config.dropout = options.dropout;
  config.validate();
  return config;
}

// A progression model that learns from visits, from one of three starts.
class ProgressionMethod : public Method {
 public:
  ProgressionMethod(CompareMethod kind, const CompareOptions& options, const CompareData& data,
                    at::Tensor table_WE)
      : Method(kCompareMethodNames[static_cast<size_t>(kind)], "a progression model of visits"),
        kind_(kind),
        options_(options),
        data_(data),
        table_WE_(std::move(table_WE)),
        device_(to_device(options.device)),
        config_(progression_config(options, table_WE_)) {}

  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override {
    const ProgressionData train_data = to_progression_data(data_, task, rows.train);
    const ProgressionData valid_data = to_progression_data(data_, task, rows.validation);
    Parameters parameters = init_progression_parameters(config_, rows.key);
    if (kind_ != CompareMethod::random) load_pretrained_embeddings(parameters, table_WE_);
    for (Parameter& item : parameters.items) item.value = item.value.to(device_);
    ProgressionTrainingOptions training;
    training.batch_size = options_.batch_size;
    if (kind_ == CompareMethod::frozen) training.frozen = {"code_embeddings"};
    ProgressionTraining model(config_, std::move(parameters), &train_data, &valid_data, training);
    const TrainOptions train_options =
        this->train_options(static_cast<int64_t>(rows.train.size()), rows.key);
    fs::remove_all(train_options.folder);
    {
      const QuietScope quiet;
      train(model, train_options, "compare");
    }
    fs::remove_all(train_options.folder);
    throw_if_stopped();
    const at::Tensor odds = model.predict(select_patients(data_.visits, task.test))
                                .select(1, 1)
                                .to(at::kDouble)
                                .contiguous();
    return {odds.const_data_ptr<double>(), odds.const_data_ptr<double>() + odds.numel()};
  }

 private:
  TrainOptions train_options(int64_t num_rows, uint64_t key) const;

  const CompareMethod kind_;
  const CompareOptions& options_;
  const CompareData& data_;
  const at::Tensor table_WE_;
  const at::Device device_;
  const ProgressionConfig config_;
};

TrainOptions ProgressionMethod::train_options(int64_t num_rows, uint64_t key) const {
  TrainOptions train;
  train.folder = options_.out + "/.training";
  train.name = "train";
  train.learning_rate = options_.learning_rate;
  train.beta2 = 0.999;
  train.weight_decay = 0.01;
  train.accumulate = 1;
  const int64_t per_epoch = (num_rows + options_.batch_size - 1) / options_.batch_size;
  train.max_steps = std::max(options_.min_steps, options_.epochs * per_epoch);
  train.epochs = train.max_steps;
  train.warmup_steps = train.max_steps / 20;
  train.eval_every = std::max<int64_t>(1, train.max_steps / 10);
  train.log_every = train.max_steps;
  train.patience = options_.patience;
  train.keep_checkpoints = 1;
  train.seed = key;
  if (kind_ == CompareMethod::fine_tuned) {
    train.groups = {{"code_embeddings", options_.embedding_learning_rate / options_.learning_rate}};
  }
  return train;
}

// Mean embeddings of a history's codes by a table.
std::shared_ptr<Lazy<DenseFeatures>> table_features(const CompareData& data, at::Tensor table_WE) {
  return std::make_shared<Lazy<DenseFeatures>>([&data, table_WE = std::move(table_WE)] {
    DenseFeatures features{mean_embeddings(data.visits, table_WE), {}};
    features.is_known.assign(features.matrix.num_rows, 1);
    return features;
  });
}

// A probe of the table that the progression model of the same draw starts from.
class RandomTableProbe : public Method {
 public:
  RandomTableProbe(const CompareOptions& options, const CompareData& data,
                   const at::Tensor& table_WE)
      : Method(kCompareMethodNames[static_cast<size_t>(CompareMethod::random_probe)],
               "logistic regression on mean random embeddings"),
        data_(data),
        config_(progression_config(options, table_WE)),
        num_threads_(options.num_threads) {}

  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override {
    const at::Tensor table =
        init_progression_parameters(config_, rows.key).get("encoder.code_embeddings.weight").value;
    return DenseProbe(name(), title(), table_features(data_, table), num_threads_)
        .predict(task, rows);
  }

 private:
  const CompareData& data_;
  const ProgressionConfig config_;
  const int num_threads_;
};

}  // namespace

std::vector<ComparedMethod> make_compared_methods(const CompareOptions& options,
                                                  const EvaluationRecords& records,
                                                  const CompareData& data,
                                                  const at::Tensor& table_WE) {
  using Kind = CompareMethod;
  const auto name_of = [](Kind kind) { return kCompareMethodNames[static_cast<size_t>(kind)]; };
  std::vector<ComparedMethod> methods;
  for (const Kind kind : {Kind::fine_tuned, Kind::frozen, Kind::random})
    methods.push_back({kind, std::make_unique<ProgressionMethod>(kind, options, data, table_WE)});
  methods.push_back({Kind::pretrained_probe,
                     std::make_unique<DenseProbe>(
                         name_of(Kind::pretrained_probe), "logistic regression on mean embeddings",
                         table_features(data, table_WE), options.num_threads)});
  methods.push_back(
      {Kind::random_probe, std::make_unique<RandomTableProbe>(options, data, table_WE)});
  if (!options.has_trees) return methods;
  auto counts = std::make_shared<Lazy<SparseMatrix>>(
      [&records, &data] { return count_features(records, data.labels); });
  methods.push_back(
      {Kind::trees, std::make_unique<SparseTrees>(name_of(Kind::trees),
                                                  "boosted trees on counts of codes and ancestors",
                                                  std::move(counts), options.num_threads)});
  return methods;
}

}  // namespace sequela
