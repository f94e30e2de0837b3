#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/io/time_column.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/predictions.h"

namespace sequela {

// Which part of a split a subject, or a single label, is in.
//
// The split is the file given (subject_id and split; with prediction_time it deals single labels),
// or the data set's own subject_splits.parquet, or where there is none 60, 15 and 25 % of the
// subjects by a hash of the seed.
class SubjectParts {
 public:
  SubjectParts(const std::string& meds, const std::string& splits, uint64_t seed,
               ZoneRule zone_rule = ZoneRule::utc);  // DataError

  // Nothing for what the split does not name, or puts elsewhere.
  std::optional<SplitPart> of(const PredictionKey& key) const;
  // Likewise of a subject as a whole; nothing where single labels are dealt.
  std::optional<SplitPart> of_subject(int64_t subject_id) const;
  bool deals_labels() const { return !by_label_.empty(); }
  const std::string& source() const { return source_; }  // of the split, in words

 private:
  void read_dataset_splits(const std::string& path);
  void read_splits(const std::string& path, ZoneRule zone_rule);

  std::string source_;
  bool is_drawn_ = false;  // by the seed
  uint64_t seed_;
  std::unordered_map<int64_t, std::optional<SplitPart>> by_subject_;
  std::map<PredictionKey, std::optional<SplitPart>> by_label_;
};

}  // namespace sequela
