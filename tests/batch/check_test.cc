#include "sequela/batch/check.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// Two sequences of two tokens each, five entries, labels on tokens 1 and 3.
BatchArrays sound_batch() {
  BatchArrays batch;
  batch.subject_ids = {7, 8};
  batch.first_tokens = {0, 0};
  batch.lengths = {2, 2};
  batch.token_ids = {0, 1, 2, 3, 4};
  batch.token_weights.assign(5, 0);
  batch.token_offsets = {0, 1, 3, 4, 5};
  batch.ages_days.assign(4, 0);
  batch.time_data.assign(20, 0);
  batch.timestamps.assign(4, 0);
  batch.label_indices = {1, 3};
  batch.rows.censor_seconds = {1, 1};
  batch.rows.row_offsets = {0, 2, 3};
  batch.rows.task_ids = {0, 2, 1};
  batch.rows.event_seconds = {1, 1, 1};
  batch.targets = {{"labels", {0, 4}}};
  return batch;
}

const BatchLimits kLimits{.vocab_size = 5, .num_tasks = 3};

using Damage = std::pair<const char*, std::function<void(BatchArrays&)>>;

std::string fault_of(const BatchArrays& batch) {
  try {
    check_sequences(batch, kLimits, "file");
    check_rows(batch, kLimits, "file");
    check_targets(batch, "file");
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

TEST(BatchCheck, TakesASoundBatch) {
  EXPECT_EQ(fault_of(sound_batch()), "");
}

TEST(BatchCheck, TellsEachKindOfDamage) {
  const std::vector<Damage> kinds = {
      {"its arrays differ in size", [](auto& batch) { batch.subject_ids.pop_back(); }},
      {"its arrays differ in size", [](auto& batch) { batch.first_tokens.push_back(0); }},
      {"its arrays differ in size", [](auto& batch) { batch.time_data.pop_back(); }},
      {"its arrays differ in size", [](auto& batch) { batch.timestamps.pop_back(); }},
      {"its arrays differ in size", [](auto& batch) { batch.token_offsets.push_back(5); }},
      {"its arrays differ in size", [](auto& batch) { batch.token_weights.pop_back(); }},
      {"lengths do not sum",
       [](auto& batch) {
         batch.lengths = {2, 1};
       }},
      {"lengths do not sum",
       [](auto& batch) {
         batch.lengths = {5, -1};
       }},
      {"its bags do not fit",
       [](auto& batch) {
         batch.token_offsets = {0, 3, 1, 4, 5};
       }},
      {"its bags do not fit",
       [](auto& batch) {
         batch.token_offsets = {0, 1, 3, 4, 6};
       }},
      {"its bags do not fit",
       [](auto& batch) {
         batch.token_offsets = {1, 1, 3, 4, 5};
       }},
      {"not in the vocabulary", [](auto& batch) { batch.token_ids[4] = 5; }},
      {"not in the vocabulary", [](auto& batch) { batch.token_ids[0] = -1; }},
      {"labels are out of order",
       [](auto& batch) {
         batch.label_indices = {3, 1};
       }},
      {"labels are out of order",
       [](auto& batch) {
         batch.label_indices = {1, 1};
       }},
      {"labels are out of order",
       [](auto& batch) {
         batch.label_indices = {-1, 1};
       }},
      {"labels are out of order",
       [](auto& batch) {
         batch.label_indices = {1, 4};
       }},
      {"targets do not fit", [](auto& batch) { batch.rows.censor_seconds.pop_back(); }},
      {"targets do not fit",
       [](auto& batch) {
         batch.rows.row_offsets = {0, 2, 4};
       }},
      {"targets do not fit", [](auto& batch) { batch.rows.event_seconds.pop_back(); }},
      {"a task is out of order",
       [](auto& batch) {
         batch.rows.task_ids = {2, 0, 1};
       }},
      {"a task is out of order",
       [](auto& batch) {
         batch.rows.task_ids = {1, 1, 1};
       }},
      {"a task is out of order",
       [](auto& batch) {
         batch.rows.task_ids = {0, 3, 1};
       }},
      {"a task is out of order",
       [](auto& batch) {
         batch.rows.task_ids = {-1, 2, 1};
       }},
      {"it has no targets", [](auto& batch) { batch.targets.clear(); }},
      {"targets do not fit", [](auto& batch) { batch.targets[0].values.pop_back(); }},
      {"a target is below 0", [](auto& batch) { batch.targets[0].values[1] = -1; }},
  };
  for (size_t k = 0; k < kinds.size(); ++k) {
    BatchArrays batch = sound_batch();
    kinds[k].second(batch);
    EXPECT_NE(fault_of(batch).find(kinds[k].first), std::string::npos)
        << "kind " << k << ": " << fault_of(batch);
  }
}

TEST(BatchCheck, NamesTheFileAndWhatMendsIt) {
  BatchArrays batch = sound_batch();
  batch.token_ids[0] = -1;
  EXPECT_NE(fault_of(batch).find("file"), std::string::npos);
  EXPECT_NE(fault_of(batch).find("prepare the batches again"), std::string::npos);
}

TEST(BatchCheck, BoundsAreTheLast) {
  BatchArrays batch = sound_batch();
  batch.label_indices = {0, 3};
  batch.rows.task_ids = {0, 2, 2};
  EXPECT_EQ(fault_of(batch), "");
}

}  // namespace
}  // namespace sequela
