#pragma once

#include <string>
#include <vector>

#include "sequela/meds/store/shard_builder.h"
#include "sequela/meds/store/shard_file.h"

namespace sequela {

// A run of a subject's events: row `row` of the table of subjects of a shard.
struct SubjectPart {
  const ShardFile* shard = nullptr;
  int64_t row = 0;

  const SubjectRow& subject() const { return shard->subjects[row]; }
};

// Appends subjects to a builder, their parts (adjacent, of equal id) made into one run in order of
// time. A subject in one part and in order keeps its order. Any other is put into an order that
// does not depend on how it was mixed up: by time, births first, then by code, then as in the
// input.
void gather_subjects(const std::vector<SubjectPart>& parts,
                     const std::vector<PropertyColumn>& properties, ShardBuilder* builder);

// Rewrites the shard file `from`, made without must_be_ordered, as options.path with all in order;
// `from` is removed.
void write_ordered_shard(const std::string& from, const ShardOptions& options,
                         const Digest& fingerprint);

}  // namespace sequela
