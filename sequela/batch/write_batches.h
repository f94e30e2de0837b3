#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sequela/batch/batch_file.h"
#include "sequela/batch/plan.h"
#include "sequela/batch/target_rule.h"
#include "sequela/core/json.h"
#include "sequela/io/shared_work.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/split.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

struct BatchOptions {
  int32_t tokens_per_batch = 8'192;
  int32_t min_subjects_per_batch = 2;  // a sequence has at most tokens_per_batch / this
  BatchForm form = BatchForm::compact;
  FirstTimestamp first_timestamp = FirstTimestamp::birth;
  double label_fraction = kLabelFraction;  // of a window's tokens, of which labels are kept
  uint64_t seed = 97;                      // of the labels' choice and of the shuffle
  int num_threads = 1;

  int32_t max_length() const { return tokens_per_batch / min_subjects_per_batch; }
  void validate() const;  // ConfigError
};

// What batches are made of. Refers to all of it.
struct BatchSource {
  const EventStore& store;
  const EventTokenizer& tokenizer;
  const AgeStats& age_stats;
  const TargetRule& targets;
  const std::vector<Side>& sides;  // by subject index
};
BatchLayout layout_of(const BatchSource& source);

// What was written and what was left out.
struct BatchReport {
  int64_t num_subjects = 0;            // of the side
  int64_t subjects_without_birth = 0;  // skipped
  int64_t subjects_without_label = 0;  // skipped: nothing to predict
  int64_t num_windows = 0;
  int64_t num_shortened = 0;  // windows that do not begin at the record's begin
  int64_t num_batches = 0;
  int64_t num_tokens = 0;
  int64_t num_labels = 0;
  int64_t batches_without_label = 0;  // not written; nothing can be learned from them
  int64_t num_bytes = 0;

  void add(const BatchReport& other);
};

Json to_json(const BatchReport& report);
BatchReport batch_report_from(const Json& json, const std::string& path);  // FileError

// Writes one side's pretraining batches into `folder`, a file a bucket (docs/design.md, section 6).
// The folder appears when it is complete; until then finished files wait in
// "<folder>.unfinished-<key>", and a later call with the same key (a fingerprint of everything that
// the batches depend on) goes on from there. The same bytes come out for any number of threads and
// interruptions.
enum class Staging { remove, keep };
BatchReport write_batches(const BatchSource& source, Side side, const BatchOptions& options,
                          const std::string& folder, const std::string& key,
                          Staging kind = Staging::remove);

// One process's part of the files, of several that share `work`; returns when all are there, or
// when is_over() says that another process has completed and noted the folder. One of them then
// calls write_batches() with Staging::keep, which only joins the files, and remove_unfinished()
// when no process can be looking for them any more.
void share_batches(const BatchSource& source, Side side, const BatchOptions& options,
                   const std::string& folder, const std::string& key, const SharedWork& work,
                   const std::function<bool()>& is_over);
void remove_unfinished(const std::string& folder);

// Bytes that write_batches will write in femr's form, from a sample of the subjects.
int64_t estimate_femr_bytes(const BatchSource& source, Side side, const BatchOptions& options);

}  // namespace sequela
