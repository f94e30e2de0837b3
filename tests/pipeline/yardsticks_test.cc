// What is measured at evaluations, against plain loops over labels, tasks and bins.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/objective/motor/concordance_yardstick.h"
#include "sequela/objective/motor/gain.h"
#include "sequela/task/motor_task.h"
#include "sequela/train/trainer.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// What became of each task after a label: seconds, and whether they end with its event.
struct Outcome {
  double seconds;
  bool is_event;
};

class Yardsticks : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);
    files_ = std::make_unique<TestFolder>();
    PrepareOptions options = small_prepare(*files_ / "files");
    options.val_fraction = 0.3;
    prepare(options);
  }
  static void TearDownTestSuite() { files_.reset(); }
  void SetUp() override {
    task_ = MotorTask::read(*files_ / "files/motor_task.json");
    for (const MotorTask::Entry& entry : task_.tasks) codes_.push_back(entry.code);
  }

  static BatchFolder batches(const char* part) {
    return BatchFolder::open(*files_ / (std::string("files/") + part));
  }
  int64_t num_tasks() const { return static_cast<int64_t>(codes_.size()); }
  int64_t num_bins() const { return task_.num_bins(); }

  // Calls visit(label, task, outcome) for each label of a batch.
  template <class Visit>
  void each_outcome(const MotorBatch& batch, Visit visit) const {
    const auto censor = batch.targets.censor_seconds_L.accessor<float, 1>();
    const auto offsets = batch.targets.row_offsets_L1.accessor<int32_t, 1>();
    for (int64_t l = 0; l < censor.size(0); ++l) {
      std::map<int64_t, double> events;
      for (int32_t i = offsets[l]; i < offsets[l + 1]; ++i) {
        events[batch.targets.task_ids_Z[i].item<int64_t>()] =
            batch.targets.event_seconds_Z[i].item<double>();
      }
      for (int64_t c = 0; c < num_tasks(); ++c) {
        const auto found = events.find(c);
        visit(l, c,
              found == events.end() ? Outcome{censor[l], false} : Outcome{found->second, true});
      }
    }
  }
  double at_risk(double seconds, int64_t bin) const {
    const double start = task_.time_bins[bin], end = task_.time_bins[bin + 1];
    return std::max(0.0, std::min(seconds, end) - start);
  }
  bool is_in(const Outcome& outcome, int64_t bin) const {
    return outcome.is_event && task_.time_bins[bin] <= outcome.seconds &&
           outcome.seconds < task_.time_bins[bin + 1];
  }

  Motor model() const {
    ModelConfig config;
    config.encoder = small_pretrain("", "", "").encoder;
    config.encoder.vocab_size = 1'100;
    MotorHeadConfig head;
    for (const auto& entry : task_.tasks)
      head.tasks.push_back({entry.code, entry.rate, entry.n_censored, entry.n_events, 1});
    head.time_bins = task_.time_bins;
    head.final_layer_size = 16;
    config.motor = head;
    return Motor(config, 5, at::kCPU, Precision::fp32);
  }

  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
  MotorTask task_;
  std::vector<std::string> codes_;
};

double value_of(const Figures& figures, const std::string& name) {
  for (const Figure& figure : figures) {
    if (figure.name == name) return figure.value;
  }
  ADD_FAILURE() << "no figure " << name;
  return std::nan("");
}

TEST_F(Yardsticks, CellSumsEqualAPlainPassForAnyNumberOfThreads) {
  const BatchFolder folder = batches("train_batches");
  std::vector<double> events(num_tasks() * num_bins()), seconds(events.size());
  int64_t num_labels = 0;
  for (int64_t i = 0; i < folder.num_batches(); ++i) {
    const MotorBatch batch = folder.read(i);
    num_labels += batch.targets.censor_seconds_L.size(0);
    each_outcome(batch, [&](int64_t, int64_t c, const Outcome& outcome) {
      for (int64_t k = 0; k < num_bins(); ++k) {
        seconds[c * num_bins() + k] += at_risk(outcome.seconds, k);
        events[c * num_bins() + k] += is_in(outcome, k);
      }
    });
  }
  const CellSums sums = sum_cells(folder, task_.time_bins, num_tasks(), 1);
  EXPECT_EQ(sums.num_labels, num_labels);
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(sums.events[i], events[i]);
    ASSERT_NEAR(sums.at_risk[i] / CellSums::kUnitsPerSecond, seconds[i], num_labels / 100.0);
  }
  const CellSums again = sum_cells(folder, task_.time_bins, num_tasks(), 3);
  EXPECT_EQ(again.at_risk, sums.at_risk);
  EXPECT_EQ(again.events, sums.events);
  EXPECT_EQ(again.num_labels, sums.num_labels);
}

TEST_F(Yardsticks, CellSumsAreKeptUnderTheirKey) {
  const BatchFolder folder = batches("train_batches"), other = batches("val_batches");
  const std::string path = folder_ / "cells.safetensors";
  const auto sums = [&](const std::string& key, const BatchFolder& from) {
    return sum_cells_once(path, key, from, task_.time_bins, num_tasks(), 1).at_risk;
  };
  const std::vector<int64_t> first = sums("a", folder), second = sums("b", other);
  EXPECT_NE(first, second);
  EXPECT_EQ(sums("b", folder), second);  // kept
  EXPECT_EQ(sums("a", folder), first);
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(sums("a", folder), first);
}

TEST(ConstantRates, AreEventsByTimeAndFallBackWhereThereIsNone) {
  CellSums train;
  train.num_bins = 2;
  const int64_t second = static_cast<int64_t>(CellSums::kUnitsPerSecond);
  train.events = {4, 0, 6, 0, 0, 0};
  train.at_risk = {2 * second, 5 * second, 3 * second, 0, 0, 0};
  const std::vector<double> rates = fit_constant_rates(train);
  const std::vector<double> expected = {2, 0.1, 2, 2, 1, 1};  // the last: 10 events in 10 s
  ASSERT_EQ(rates.size(), expected.size());
  for (size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], expected[i], 1e-12) << i;
  const std::vector<double> costs = constant_costs(rates, train);
  EXPECT_NEAR(costs[0], 2 * 2 - 4 * std::log(2.0) + 0.5, 1e-12);
  std::vector<double> nearby = rates;
  nearby[0] *= 1.01;
  EXPECT_GT(constant_costs(nearby, train)[0], costs[0]);
  nearby[0] *= 0.98;
  EXPECT_GT(constant_costs(nearby, train)[0], costs[0]);
}

TEST_F(Yardsticks, TheGainEqualsOneFromDenseLogits) {
  Motor measured = model();
  const BatchFolder train_batches = batches("train_batches"), valid = batches("val_batches");
  const CellSums train = sum_cells(train_batches, task_.time_bins, num_tasks(), 1);
  GainYardstick gain(codes_, train, sum_cells(valid, task_.time_bins, num_tasks(), 1));
  MotorTraining training(measured, nullptr, &valid, {&gain});
  const double loss = evaluate(training);
  EXPECT_EQ(loss, evaluate(measured, valid));  // watching changes nothing
  const Figures figures = training.validation_figures();

  const std::vector<double> rates = fit_constant_rates(train);
  std::vector<double> model_cost(num_tasks()), constant_cost(num_tasks()), events(num_tasks());
  for (int64_t i = 0; i < valid.num_batches(); ++i) {
    const MotorBatch batch = valid.read(i);
    const at::Tensor logits = measured.logits(batch.inputs).to(at::kDouble);
    const auto log2_rate = logits.accessor<double, 3>();
    each_outcome(batch, [&](int64_t l, int64_t c, const Outcome& outcome) {
      for (int64_t k = 0; k < num_bins(); ++k) {
        const double u = at_risk(outcome.seconds, k), rate = rates[c * num_bins() + k];
        const bool is_event = is_in(outcome, k);
        if (u > 0) model_cost[c] += std::exp2(log2_rate[l][k][c]) * u;
        model_cost[c] -= is_event ? M_LN2 * log2_rate[l][k][c] : 0;
        constant_cost[c] += rate * u - (is_event ? std::log(rate) : 0);
        events[c] += is_event;
      }
    });
  }
  double all = 0, all_events = 0;
  std::map<std::string, std::pair<double, double>> by_vocabulary;
  for (int64_t c = 0; c < num_tasks(); ++c) {
    all += constant_cost[c] - model_cost[c];
    all_events += events[c];
    const size_t slash = codes_[c].find('/');
    auto& own = by_vocabulary[slash == std::string::npos ? "none" : codes_[c].substr(0, slash)];
    own.first += constant_cost[c] - model_cost[c];
    own.second += events[c];
  }
  EXPECT_NEAR(value_of(figures, "eval/gain"), all / all_events, 1e-4 * std::abs(all / all_events));
  for (const auto& [name, sums] : by_vocabulary) {
    if (sums.second == 0) continue;
    EXPECT_NEAR(value_of(figures, "eval/gain/vocabulary/" + name), sums.first / sums.second,
                1e-3 * std::abs(sums.first / sums.second))
        << name;
  }
  EXPECT_GT(value_of(figures, "eval/constant_loss"), 0);
}

TEST_F(Yardsticks, ThirdsAreByEventsOfTheTrainingSide) {
  CellSums sums;
  sums.num_bins = 1;
  sums.num_labels = 1;
  sums.events = {1, 9, 5, 7, 3, 2};
  sums.at_risk.assign(6, 64);
  GainYardstick gain({"A/1", "A/2", "B/1", "B/2", "plain", "C/1"}, sums, sums);
  gain.start();
  const std::vector<double> costs = constant_costs(fit_constant_rates(sums), sums);
  at::Tensor cost_C = at::tensor(costs, at::kDouble);
  cost_C[1] -= 16;  // tasks 1 and 3 are the frequent ones, of 16 events
  cost_C[0] += 3;   // tasks 5 and 0 the rare ones, of 3
  gain.add({}, cost_C, {});
  const Figures figures = gain.finish();
  EXPECT_NEAR(value_of(figures, "eval/gain/frequent"), 1, 1e-12);
  EXPECT_NEAR(value_of(figures, "eval/gain/middle"), 0, 1e-12);
  EXPECT_NEAR(value_of(figures, "eval/gain/rare"), -1, 1e-12);
  EXPECT_NEAR(value_of(figures, "eval/gain/vocabulary/A"), 1.3, 1e-12);
  EXPECT_NEAR(value_of(figures, "eval/gain/vocabulary/none"), 0, 1e-12);
}

TEST_F(Yardsticks, TheConcordanceIsThatOfTheModelsOwnHazards) {
  Motor measured = model();
  const BatchFolder valid = batches("val_batches");
  const CellSums sums = sum_cells(valid, task_.time_bins, num_tasks(), 1);
  ConcordanceYardstick concordance(codes_, task_.time_bins, sums, sums.num_labels, 2);
  MotorTraining training(measured, nullptr, &valid, {&concordance});
  evaluate(training);
  const Figures figures = training.validation_figures();

  const int64_t task = concordance.tasks()[3].item<int64_t>();
  std::vector<Outcome> outcomes;
  std::vector<at::Tensor> rates;  // [bins] of the task
  for (int64_t i = 0; i < valid.num_batches(); ++i) {
    const MotorBatch batch = valid.read(i);
    const at::Tensor logits = measured.logits(batch.inputs);
    each_outcome(batch, [&](int64_t l, int64_t c, const Outcome& outcome) {
      if (c != task) return;
      outcomes.push_back(outcome);
      rates.push_back(logits.select(0, l).select(1, c).contiguous());
    });
  }
  double concordant = 0, pairs = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    for (int64_t k = 0; k < num_bins() && outcomes[i].is_event; ++k) {
      if (!is_in(outcomes[i], k)) continue;
      for (size_t j = 0; j < outcomes.size(); ++j) {
        const bool ends_together = outcomes[j].seconds == outcomes[i].seconds;
        if (outcomes[j].seconds < outcomes[i].seconds) continue;
        if (ends_together && outcomes[j].is_event) continue;
        const float own = rates[i].data_ptr<float>()[k], other = rates[j].data_ptr<float>()[k];
        concordant += own > other ? 1 : own == other ? 0.5 : 0;
        ++pairs;
      }
    }
  }
  ASSERT_GT(pairs, 0);
  EXPECT_NEAR(value_of(figures, "eval/concordance/" + codes_[task]), concordant / pairs, 1e-4);
  EXPECT_GT(value_of(figures, "eval/concordance"), 0);
}

}  // namespace
}  // namespace sequela
