#pragma once

// Eighty made-up subjects with labels, a tiny bundle pretrained on them, and its fine-tuning.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sequela/core/random.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"
#include "sequela/pipeline/finetune.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/bad_meds.h"
#include "tests/support/test_folder.h"

namespace sequela {

inline void write_labels(const std::string& path, const std::vector<Label>& labels) {
  std::vector<int64_t> subjects, times;
  std::vector<uint8_t> values, is_known;
  for (const Label& label : labels) {
    subjects.push_back(label.subject_id);
    times.push_back(label.prediction_time_us);
    values.push_back(label.value > 0);
    is_known.push_back(!std::isnan(label.value));
  }
  write_parquet(path, {{.name = "subject_id", .values = subjects},
                       {.name = "prediction_time", .values = times, .is_timestamp = true},
                       {.name = "boolean_value", .values = values, .valid = is_known}});
}

// Births in 1960 and thirty events ten days apart, of twenty codes.
inline MedsRows finetune_records() {
  MedsRows rows;
  for (int64_t subject = 1; subject <= 80; ++subject) {
    rows.add(subject, year_us(1960), "MEDS_BIRTH");
    for (int64_t i = 0; i < 30; ++i) {
      const uint64_t draw = hash_key(1, subject, i);
      rows.add(subject, year_us(2000) + (10 * i + subject % 7) * kMicrosPerDay,
               "CODE/" + std::to_string(draw % 20));
    }
  }
  return rows;
}

class FinetuneTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    write_rows(*files_ / "meds", finetune_records());
    PrepareOptions prepared;
    prepared.meds = *files_ / "meds";
    prepared.out = *files_ / "prepared";
    prepared.vocab_size = 64;
    prepared.num_numeric = 8;
    prepared.num_tasks = 8;
    prepared.final_layer_size = 16;
    prepared.tokens_per_batch = 512;
    prepare(prepared);
    PretrainOptions options =
        tiny_pretrain(prepared.out, *files_ / "pretrained_output", *files_ / "pretrained");
    options.train.max_steps = 4;
    options.train.learning_rate = 1e-3;
    pretrain(options);
  }
  static void TearDownTestSuite() { files_.reset(); }

  // Labels of subjects [first, last], three each; outcomes by a keyed hash.
  static std::vector<Label> labels(int64_t first, int64_t last) {
    std::vector<Label> all;
    for (int64_t subject = first; subject <= last; ++subject) {
      for (const int64_t day : {95, 180, 301}) {
        all.push_back({subject, year_us(2000) + day * kMicrosPerDay,
                       static_cast<double>(hash_key(2, subject, day) % 2)});
      }
    }
    return all;
  }

  std::string label_file(const std::string& name, const std::vector<Label>& labels) const {
    write_labels(folder_ / name, labels);
    return folder_ / name;
  }

  // Learns from subjects 1 to 50 and predicts the others.
  FinetuneOptions small_run(const std::string& name) const {
    FinetuneOptions options;
    options.meds = *files_ / "meds";
    options.model = *files_ / "pretrained";
    options.labels = label_file("train.parquet", labels(1, 50));
    options.predict = label_file("others.parquet", labels(51, 80));
    options.predictions = folder_ / (name + ".parquet");
    options.out = folder_ / name;
    options.train.learning_rate = 1e-3;
    options.train.epochs = 3;
    options.tokens_per_batch = 256;
    options.device = "cpu";
    return options;
  }

  struct Row {
    int64_t subject_id, time_us;
    bool is_known, value, predicted;
    double probability;
  };
  static std::vector<Row> read_predictions(const std::string& path) {
    ParquetReader reader(path);
    const std::vector<int> columns = {
        reader.require_column("subject_id", {ColumnType::int64}),
        reader.require_column("prediction_time", {ColumnType::timestamp}),
        reader.require_column("boolean_value", {ColumnType::boolean}),
        reader.require_column("predicted_boolean_value", {ColumnType::boolean}),
        reader.require_column("predicted_boolean_probability", {ColumnType::float64})};
    std::vector<Row> rows;
    reader.read(columns, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        rows.push_back({batch.columns[0].int64s[i], batch.columns[1].int64s[i],
                        batch.columns[2].is_valid(i), batch.columns[2].booleans[i] != 0,
                        batch.columns[3].booleans[i] != 0, batch.columns[4].doubles[i]});
      }
    });
    return rows;
  }

  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

}  // namespace sequela
