#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/core/time.h"

namespace sequela {

// Events outside [1900, 2300) are hardly records of care.
inline constexpr int64_t kStartOf1900Us = -2'208'988'800 * kMicrosPerSecond;
inline constexpr int64_t kStartOf2300Us = 10'413'792'000 * kMicrosPerSecond;

// Something that a MEDS data set should not have.
struct MedsFinding {
  bool is_fault = false;  // against MEDS' schema: other programs may stop; else worth a look
  std::string what;       // "a subject in two shards"
  int64_t count = 0;
  std::vector<std::string> places;  // up to three, never texts or values
};

struct MedsCheck {
  int64_t num_shards = 0, num_subjects = 0, num_events = 0, num_codes = 0;
  std::vector<MedsFinding> findings;  // faults first, then by name

  bool is_sound() const { return findings.empty() || !findings.front().is_fault; }
};

// Looks a MEDS data set (0.3, 0.4; whoever wrote it) through, all of it, whatever it finds.
//
// Faults: a shard that cannot be read, a column that is missing or of another type, a null subject
// or code, a code that is not UTF-8 or over 64 KiB, a subject that is not in one run of one shard,
// times that go backwards, a static event behind one with a time; codes.parquet with a code twice,
// subject_splits.parquet with a subject twice.
// Worth a look: numbers that are NaN or infinite, subjects without or with several births, events
// before birth, before 1900 or after 2299, codes without a row in codes.parquet, no codes.parquet
// at all, subjects that the splits lack or that only they have, one unit column with several units
// for a code.
MedsCheck check_meds(const std::string& path, int num_threads);

}  // namespace sequela
