#include "sequela/meds/predictions.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
#include "sequela/core/time.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/labels.h"

namespace sequela {
namespace {

constexpr const char* kProbability = "predicted_boolean_probability";

// A prediction and where it stood.
struct PlacedPrediction {
  Prediction prediction;
  size_t file = 0;
  int64_t row = 0;
};

class PredictionReader {
 public:
  PredictionReader(const std::string& path, ZoneRule zone_rule)
      : reader_(path),
        time_(reader_, "prediction_time", zone_rule, TimeColumn::Texts::allowed),
        columns_{reader_.require_column("subject_id", {ColumnType::int64}), time_.column(),
                 reader_.require_column(kProbability, {ColumnType::float32, ColumnType::float64})} {
    if (reader_.find_filled_column("boolean_value")) {
      columns_.push_back(reader_.require_column("boolean_value", {ColumnType::boolean}));
    }
  }

  // Appends the file's rows.
  void read(size_t file, std::vector<PlacedPrediction>* rows) {
    reader_.read(columns_, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        try {
          rows->push_back({read_row(batch, i), file, batch.first_row + i});
        } catch (const DataError& error) {
          throw error.within({.path = reader_.path(), .row = batch.first_row + i});
        }
      }
    });
  }
  const TimeNotes& notes() const { return time_.notes(); }

 private:
  Prediction read_row(const RowBatch& batch, int64_t i) {
    for (const auto& [place, name] :
         {std::pair(0, "subject_id"), {1, "prediction_time"}, {2, kProbability}}) {
      if (batch.columns[place].is_valid(i)) continue;
      throw DataError({.column = name}, "null", "give every prediction all three of its columns");
    }
    Prediction prediction{.outcome = kNaN};
    prediction.key.subject_id = batch.columns[0].int64s[i];
    try {
      const int64_t time_us = time_.time_us(batch.columns[1], i);
      prediction.key.prediction_time_us = std::clamp(time_us, kMinTimeUs, kMaxTimeUs);
    } catch (const DataError& error) {
      throw error.within({.column = "prediction_time"});
    }
    prediction.probability = batch.columns[2].number(i);
    if (!(prediction.probability >= 0 && prediction.probability <= 1)) {
      throw DataError({.column = kProbability}, "outside [0, 1]",
                      "write probabilities, not logits or percents");
    }
    if (batch.columns.size() > 3 && batch.columns[3].is_valid(i)) {
      prediction.outcome = batch.columns[3].number(i);
    }
    return prediction;
  }

  ParquetReader reader_;
  TimeColumn time_;
  std::vector<int> columns_;
};

}  // namespace

std::vector<Prediction> read_predictions(const std::string& path, ZoneRule zone_rule) {
  const std::vector<std::string> files = list_label_files(path);
  std::vector<PlacedPrediction> rows;
  TimeNotes notes;
  for (size_t file = 0; file < files.size(); ++file) {
    PredictionReader reader(files[file], zone_rule);
    reader.read(file, &rows);
    notes.add(reader.notes());
  }
  notes.say("predictions", zone_rule);
  std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.prediction.key; });
  std::vector<Prediction> predictions;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].prediction.key == rows[i - 1].prediction.key) {
      throw DataError({.path = files[rows[i].file], .row = rows[i].row},
                      str("the same subject and time as row ", rows[i - 1].row,
                          rows[i].file == rows[i - 1].file ? "" : " of " + files[rows[i - 1].file]),
                      "give one prediction for each subject_id and prediction_time");
    }
    predictions.push_back(rows[i].prediction);
  }
  return predictions;
}

}  // namespace sequela
