#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sequela/batch/folder.h"
#include "sequela/batch/motor_targets.h"
#include "sequela/batch/write_batches.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/task/future_events.h"
#include "sequela/train/checkpoint.h"
#include "sequela/train/motor_training.h"
#include "sequela/train/trainer.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {

inline TrainReport train(Motor& model, const BatchFolder& train_batches,
                         const BatchFolder& valid_batches, const TrainOptions& options,
                         const std::string& run_key) {
  MotorTraining training(model, &train_batches, &valid_batches);
  return train(training, options, run_key);
}

// Training and validation batches of the g60 fixture, with femr's dictionary and task.
struct TrainData {
  TestFolder folder;

  TrainData() {
    const Cohort cohort = g60();
    const std::string fixture = reference_path("motor/g60/");
    const Vocabulary vocabulary = Vocabulary::read(fixture + "tokenizer/dictionary.msgpack");
    const EventTokenizer tokenizer(cohort.store, cohort.ontology, vocabulary);
    const std::vector<std::string> codes = task_codes(fixture + "motor_task.json");
    const TasksOfCodes tasks = tasks_of_codes(cohort.store, cohort.ontology, codes);
    const MotorTargetRule targets(tasks, static_cast<int32_t>(codes.size()));
    const BatchSource source{cohort.store, tokenizer, vocabulary.age_stats, targets, cohort.sides};
    BatchOptions options;
    options.tokens_per_batch = 144;  // some thirty batches
    write_batches(source, Side::train, options, folder / "train", "key");
    write_batches(source, Side::validation, options, folder / "valid", "key");
    write_batches(source, Side::none, options, folder / "empty", "key");
  }

  BatchFolder train() const { return BatchFolder::open(folder / "train"); }
  BatchFolder valid() const { return BatchFolder::open(folder / "valid"); }
  BatchFolder empty() const { return BatchFolder::open(folder / "empty"); }

 private:
  static std::vector<std::string> task_codes(const std::string& path) {
    std::vector<std::string> codes;
    const Json task = parse_json(read_file(path), path);
    for (const Json& row : task.at("pretraining_task_info")) codes.push_back(row.at(0));
    return codes;
  }
};

class TrainTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    at::set_num_threads(1);  // small tensors; other tests may run beside this one
    data_ = std::make_unique<TrainData>();
  }
  static void TearDownTestSuite() { data_.reset(); }

  // A model of two layers, hawk and attention, with weights from the seed.
  static Motor fresh_model(uint64_t seed = 7) {
    ModelConfig config = read_model_config(reference_path("motor/model_main/config.json"));
    config.encoder.n_layers = 2;
    return Motor(config, seed, at::kCPU, Precision::fp32);
  }

  // Eight steps of three batches, evaluated every second one; all checkpoints are kept.
  static TrainOptions small_run(const std::string& folder) {
    TrainOptions options;
    options.folder = folder;
    options.learning_rate = 1e-3;
    options.warmup_steps = 3;
    options.max_steps = 8;
    options.accumulate = 3;
    options.eval_every = 2;
    options.log_every = 3;
    options.patience = 0;
    options.keep_checkpoints = 100;
    return options;
  }

  static TrainReport run(Motor& model, const TrainOptions& options,
                         const std::string& run_key = "key") {
    return train(model, data_->train(), data_->valid(), options, run_key);
  }

  static void expect_same_weights(Motor& a, Motor& b) {
    ASSERT_EQ(a.parameters().items.size(), b.parameters().items.size());
    for (size_t i = 0; i < a.parameters().items.size(); ++i) {
      EXPECT_TRUE(at::equal(a.parameters().items[i].value, b.parameters().items[i].value))
          << a.parameters().items[i].name;
    }
  }

  inline static std::unique_ptr<TrainData> data_;
  TestFolder folder_;
};

// One value of a checkpoint's trainer_state.json.
template <class T>
T state_value(const std::string& checkpoint, const char* name) {
  const std::string path = checkpoint + "/trainer_state.json";
  return parse_json(read_file(path), path).at(name).get<T>();
}

}  // namespace sequela
