#include "sequela/pipeline/finetuning/label_sides.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/features/cohort.h"
#include "sequela/meds/split.h"
#include "sequela/pipeline/balanced_labels.h"

namespace sequela {
namespace {

void check_value(const Label& label, const std::string& path) {
  if (label.value == 0 || label.value == 1) return;
  throw DataError({.path = path, .column = "boolean_value", .subject_id = label.subject_id},
                  std::isnan(label.value) ? "the label has none" : "neither true nor false",
                  "give every label to learn from a boolean_value");
}

// Moves the share's subjects to the validation side.
void take_share(const LabelSideOptions& options, LabelSides& sides) {
  const auto stays = [&](const Label& label) {
    return !is_validation_subject(label.subject_id, options.split_seed, options.val_fraction);
  };
  const auto first = std::stable_partition(sides.train.begin(), sides.train.end(), stays);
  sides.validation.assign(std::make_move_iterator(first),
                          std::make_move_iterator(sides.train.end()));
  sides.train.erase(first, sides.train.end());
}

LabelSides deal(std::vector<Label> labels, const std::string& splits) {
  if (splits.empty()) return {.train = std::move(labels)};
  const Cohort cohort = read_cohort_file(splits, "");
  LabelSides sides;
  int64_t num_left_out = 0;
  for (Label& label : labels) {
    const auto member = cohort.members.find(label.subject_id);
    if (member == cohort.members.end()) {
      ++num_left_out;
      continue;
    }
    const std::array<std::vector<Label>*, 3> parts = {&sides.train, &sides.validation,
                                                      &sides.held_out};
    parts[static_cast<size_t>(member->second.split)]->push_back(std::move(label));
  }
  if (num_left_out > 0)
    log_warning(str(num_left_out, " labels are left out: ", splits, " has no such subjects"));
  return sides;
}

}  // namespace

LabelSides read_label_sides(const std::string& path, const LabelSideOptions& options) {
  LabelSides sides = deal(read_labels(path, options.zone_rule), options.splits);
  if (sides.validation.empty() && options.val_fraction > 0) take_share(options, sides);
  for (const auto* labels : {&sides.train, &sides.validation}) {
    for (const Label& label : *labels) check_value(label, path);
  }
  return sides;
}

void warn_of_skipped(const RecordBatches& records, const std::string& what) {
  for (int state = 1; state < 4; ++state) {
    const auto skipped = static_cast<LabelState>(state);
    const auto count = std::ranges::count(records.states(), skipped);
    if (count == 0) continue;
    log_warning(str(count, " of ", records.states().size(), " labels ", what,
                    " are left out: ", to_text(skipped)));
  }
}

double check_both_outcomes(const RecordBatches& records, const std::string& path,
                           const std::string& what) {
  std::array<int64_t, 2> counts = {};
  for (size_t i = 0; i < records.labels().size(); ++i) {
    if (records.states()[i] != LabelState::embedded) continue;
    ++counts[is_positive(records.labels()[i])];
  }
  const int64_t sum = counts[0] + counts[1];
  if (counts[0] > 0 && counts[1] > 0)
    return static_cast<double>(counts[1]) / static_cast<double>(sum);
  throw DataError({path},
                  sum == 0 ? str("no label ", what, " has a history in the records")
                           : str("all ", sum, " labels ", what, " have the same outcome"),
                  "give labels of both outcomes, of subjects in the records");
}

}  // namespace sequela
