#include "sequela/meds/predictions.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/nan.h"
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
        keys_(reader_, zone_rule, KeyColumns::Times::required, kFix),
        columns_(keys_.columns()) {
    columns_.push_back(
        reader_.require_column(kProbability, {ColumnType::float32, ColumnType::float64}));
    if (reader_.find_filled_column("boolean_value"))
      columns_.push_back(reader_.require_column("boolean_value", {ColumnType::boolean}));
  }

  // Appends the file's rows.
  void read(size_t file, std::vector<PlacedPrediction>* rows) {
    read_each_row(reader_, columns_, [&](const RowBatch& batch, int64_t i) {
      rows->push_back({read_row(batch, i), file, batch.first_row + i});
    });
  }
  TimeNotes notes() const { return keys_.notes(); }

 private:
  static constexpr const char* kFix = "give every prediction all three of its columns";

  Prediction read_row(const RowBatch& batch, int64_t i) {
    Prediction prediction{.key = keys_.read(batch, i), .outcome = kNaN};
    if (!batch.columns[2].is_valid(i)) throw DataError({.column = kProbability}, "null", kFix);
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
  KeyColumns keys_;
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
