#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/sequence.h"
#include "sequela/batch/target_rule.h"
#include "sequela/batch/write_batches.h"

namespace sequela {

// Makes the batches of one bucket after another. A subject's tokens are made once: the windows of a
// bucket are staged, some 30 bytes an event, and copied from there into the batches in shuffled
// order; targets, which are much larger, are made batch by batch. Holds buffers that are reused:
// one object a thread.
class BucketWriter {
 public:
  // Refers to both.
  BucketWriter(const BatchSource& source, Side side, const BatchOptions& options);

  struct Written {
    BatchReport report;
    StreamFile file;
  };
  // Writes bucket number `index` to a file that appears when it is complete.
  Written write(const Bucket& bucket, int64_t index, const std::string& path);

  // Stages the windows of the bucket's subjects, by subject. Counts in `report` what was left out.
  void stage(const Bucket& bucket, BatchReport& report);
  // Stages given windows instead.
  void stage(std::span<const Window> windows);
  const std::vector<Window>& windows() const { return windows_; }

  // Fills batch() with staged windows, by their numbers in windows().
  void build(std::span<const int64_t> numbers);
  const BatchArrays& batch() const { return batch_; }

 private:
  void clear_staged();
  void stage_window(const Window& window);
  void append_staged(int64_t number);
  void append_targets(int64_t number);

  const BatchSource& source_;
  const Side side_;
  const BatchOptions& options_;
  SequenceBuilder sequences_;
  BatchBuilder builder_;
  std::unique_ptr<TargetMaker> targets_;
  Sequence sequence_;
  std::vector<int32_t> label_tokens_;

  std::vector<Window> windows_;
  BatchArrays staged_;                 // a sequence a window, without targets
  std::vector<int64_t> token_starts_;  // of each window in staged_, and the end
  std::vector<int64_t> label_starts_;  // likewise
  std::vector<int64_t> label_notes_;   // of all staged labels (target_rule.h)
  BatchArrays batch_;
};

}  // namespace sequela
