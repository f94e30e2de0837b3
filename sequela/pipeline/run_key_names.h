#pragma once

#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/tokenizer/sequence/cehr_records.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// The values of options as a run's key holds them: by the names that the user gives, so that a key
// does not change when an enumeration does.
const char* name_of(Pooling pooling);
const char* name_of(VisitRule rule);
const char* name_of(TimeTokens scheme);

}  // namespace sequela
