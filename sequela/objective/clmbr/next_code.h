#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sequela/batch/target_rule.h"
#include "sequela/objective/objective.h"

namespace sequela {

// The next code of each token: CLMBR's labels (docs/design.md, section 5.1; femr's CLMBRTask).
//
// An event's code is an entry of the dictionary: its one token, if it has one alone; else its own
// code's, or that of the nearest ancestor that has one (of several as near, the smallest id). An
// event whose code's entry is not among the first `vocab_size` is no label. Immutable; thread-safe.
class NextCodes {
 public:
  // Copies what it needs.
  NextCodes(const ObjectiveRecords& records, int64_t vocab_size);

  int64_t vocab_size() const { return vocab_size_; }
  // The code of a token's event; -1 = none.
  int32_t code_of(const Subject& subject, const Sequence& sequence, int64_t token) const;
  // For each token of a record the code of the next one, -1 = no label. The birth bag has none, as
  // in femr.
  void label_tokens(const Subject& subject, const Sequence& sequence,
                    std::vector<int32_t>& labels) const;

 private:
  int64_t vocab_size_;
  std::vector<int32_t> entry_of_code_;  // by code of the store, -1 = none; hierarchical
};

// As batches take them: every token of a window with a label keeps it; the array is "labels".
class NextCodeRule : public TargetRule {
 public:
  explicit NextCodeRule(NextCodes codes) : codes_(std::move(codes)) {}
  std::unique_ptr<TargetMaker> make() const override;
  std::vector<LeafField> femr_fields() const override;

 private:
  const NextCodes codes_;
};

}  // namespace sequela
