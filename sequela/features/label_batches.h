#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/features/label_windows.h"
#include "sequela/nn/inputs.h"

namespace sequela {

// Labels' histories as batches that can be read again and in any order, as training on labels does
// (embed() passes over them once). Planned at once, made from the records when they are read: a
// window takes 32 bytes of memory, a label 16.
class LabelBatches {
 public:
  struct Batch {
    BatchInputs inputs;  // label_indices_L: the token of each label, not of each token once
    std::vector<int64_t> labels;  // their indices, parallel to label_indices_L
  };

  // Refers to store and tokenizer. tokens_per_batch: at least 2. states: one a label, filled.
  LabelBatches(const EventStore& store, const EventTokenizer& tokenizer, const AgeStats& age_stats,
               std::span<const Label> labels, int64_t tokens_per_batch, LabelState* states);

  int64_t num_batches() const { return static_cast<int64_t>(first_windows_.size()) - 1; }
  // Thread-safe; one at a time.
  Batch read(int64_t batch) const;

 private:
  struct Point {
    int64_t label = 0;
    int32_t position = 0;  // within its window
  };

  void add_windows(const LabelWindows& subject);

  const EventStore& store_;
  const int64_t tokens_per_batch_;
  BatchBuilder builder_;
  std::vector<Window> windows_;
  std::vector<int64_t> first_points_ = {0};  // of each window in points_; then their number
  std::vector<Point> points_;
  std::vector<int64_t> first_windows_ = {0};  // of each batch in windows_; then their number
  int64_t num_tokens_ = 0;                    // of the batch that is being planned

  mutable std::mutex mutex_;  // over what follows
  mutable SequenceBuilder sequences_;
  mutable Sequence sequence_;
};

}  // namespace sequela
