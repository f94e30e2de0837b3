#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/event_store.h"

namespace sequela {

// The seed where none is given. It is one, so that a subject is on the same side everywhere.
inline constexpr int64_t kSplitSeed = 97;

// Whether a subject is on the validation side: SHA-256(seed || subject), both int64 big-endian, as
// a big-endian integer mod 65536, is <= fraction * 65536. Equals femr.splits.generate_hash_split.
bool is_validation_subject(int64_t subject_id, int64_t seed, double fraction);

enum class Side : uint8_t { train, validation, none };

// A train / validation split of subjects.
class Split {
 public:
  static Split build(const std::vector<int64_t>& subject_ids, int64_t seed, double fraction);
  // Reads femr's split.csv: header subject_id,split_name; names train and test; in any form
  // that CsvReader reads. A subject in both is a DataError.
  static Split read(const std::string& path);
  // All train rows first, then test, each by ascending subject id. Atomic.
  void write(const std::string& path) const;

  Side side(int64_t subject_id) const;  // none = not in the split
  // side() of every subject of a store, by index.
  std::vector<Side> sides(const EventStore& store) const;
  const std::vector<int64_t>& train() const { return train_; }            // ascending
  const std::vector<int64_t>& validation() const { return validation_; }  // ascending
  int64_t num_train() const { return static_cast<int64_t>(train_.size()); }
  int64_t num_validation() const { return static_cast<int64_t>(validation_.size()); }

 private:
  std::vector<int64_t> train_;       // ascending
  std::vector<int64_t> validation_;  // ascending
};

}  // namespace sequela
