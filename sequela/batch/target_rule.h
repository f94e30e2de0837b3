#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/batch/plan.h"
#include "sequela/io/arrow_stream.h"
#include "sequela/meds/event_store.h"

namespace sequela {

enum class BatchForm { compact, femr };  // on disk (batch_file.h)

// Makes the targets of one record after another. Holds buffers: one object a thread.
class TargetMaker {
 public:
  virtual ~TargetMaker() = default;

  // Turns to a record. Both must stay as they are until the next call.
  virtual void start(const Subject& subject, const Sequence& sequence) = 0;
  // The record's pretraining window, which ends at its last label; none without a label.
  // `subject`: its index in the store. label_fraction: the share asked for, of an objective that
  // keeps a share of its labels.
  virtual std::optional<Window> plan(int64_t subject, int32_t max_length,
                                     double label_fraction) const = 0;
  // The tokens of a window that have a label, ascending; the window's first event may have none.
  virtual void select(const Window& window, uint64_t seed,
                      std::vector<int32_t>& label_tokens) const = 0;
  // What append() has to know of the label on this token, as one number.
  virtual int64_t note(int32_t token) const = 0;
  // Appends the targets of labels of one window, by their notes. Needs no start().
  virtual void append(const Subject& subject, std::span<const int64_t> notes, BatchForm form,
                      BatchArrays& batch) = 0;
};

// What an objective asks of records: which tokens have a label, and what is to be told there. This
// is all that batches know of an objective. Thread-safe.
class TargetRule {
 public:
  virtual ~TargetRule() = default;
  virtual std::unique_ptr<TargetMaker> make() const = 0;
  // Columns of femr's form: "task.labels". In compact form the arrays stand by these names, without
  // "task.".
  virtual std::vector<LeafField> femr_fields() const = 0;
  virtual int32_t num_tasks() const { return 0; }  // of MOTOR, in compact form
};

}  // namespace sequela
