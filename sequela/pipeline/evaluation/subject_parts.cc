#include "sequela/pipeline/evaluation/subject_parts.h"

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

constexpr double kTrainShare = 0.60, kTuningShare = 0.15;

}  // namespace

SubjectParts::SubjectParts(const std::string& meds, const std::string& splits, uint64_t seed,
                           ZoneRule zone_rule)
    : seed_(seed) {
  const std::optional<std::string> own = find_dataset(meds).splits_path;
  if (!splits.empty()) {
    read_splits(splits, zone_rule);
  } else if (own) {
    read_dataset_splits(*own);
  } else {
    is_drawn_ = true;
    source_ = "60, 15 and 25 % of the subjects, drawn by the seed";
  }
}

void SubjectParts::read_dataset_splits(const std::string& path) {
  source_ = "the data set's subject_splits.parquet";
  for (const auto& row : read_subject_splits(path))
    by_subject_[row.subject_id] = parse_split_part(row.split);
}

void SubjectParts::read_splits(const std::string& path, ZoneRule zone_rule) {
  ParquetReader reader(path);
  if (!reader.find_filled_column("prediction_time")) {
    read_dataset_splits(path);
    source_ = "the file of --splits, by subject";
    return;
  }
  source_ = "the file of --splits, by label";
  TimeColumn time(reader, "prediction_time", zone_rule, TimeColumn::Texts::allowed);
  reader.read(
      {reader.require_column("subject_id", {ColumnType::int64}), time.column(),
       reader.require_column("split", {ColumnType::string})},
      [&](const RowBatch& batch) {
        for (int64_t i = 0; i < batch.num_rows; ++i) {
          for (const ColumnSlice& column : batch.columns) {
            if (column.is_valid(i)) continue;
            throw DataError({.path = path, .row = batch.first_row + i}, "null",
                            "give every row a subject_id, a prediction_time and a split");
          }
          const PredictionKey key{batch.columns[0].int64s[i], time.time_us(batch.columns[1], i)};
          by_label_[key] = parse_split_part(batch.columns[2].text(i));
        }
      });
}

std::optional<SplitPart> SubjectParts::of(const PredictionKey& key) const {
  if (!deals_labels()) return of_subject(key.subject_id);
  const auto label = by_label_.find(key);
  return label == by_label_.end() ? std::nullopt : label->second;
}

std::optional<SplitPart> SubjectParts::of_subject(int64_t subject_id) const {
  if (is_drawn_) {
    const double place = to_uniform(hash_key(seed_, static_cast<uint64_t>(subject_id)));
    if (place < kTrainShare) return SplitPart::train;
    return place < kTrainShare + kTuningShare ? SplitPart::tuning : SplitPart::held_out;
  }
  const auto subject = by_subject_.find(subject_id);
  return subject == by_subject_.end() ? std::nullopt : subject->second;
}

}  // namespace sequela
