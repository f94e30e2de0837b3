#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/sequence.h"
#include "sequela/batch/write_batches.h"
#include "sequela/task/future_events.h"

namespace sequela {

// Makes the batches of one bucket after another: plans its windows, shuffles and packs them, then
// builds each batch anew from the store. Holds buffers that are reused: one object a thread.
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

  // Fills batch() with the given windows, labels and targets.
  void build(std::span<const Window> windows);
  const BatchArrays& batch() const { return batch_; }

  // The windows of the bucket's subjects, by subject. Counts in `report` what was left out.
  void plan(const Bucket& bucket, std::vector<Window>& windows, BatchReport& report);

 private:
  void append(const Window& window);

  const BatchSource& source_;
  const Side side_;
  const BatchOptions& options_;
  SequenceBuilder sequences_;
  BatchBuilder builder_;
  FutureEvents future_;
  Sequence sequence_;
  BatchArrays batch_;
  std::vector<Window> windows_;
  std::vector<int32_t> label_tokens_;
  std::vector<int64_t> label_times_us_;
};

}  // namespace sequela
