#pragma once

#include "sequela/encoders/bert/visit_encoder.h"
#include "sequela/tokenizer/sequence/cehr_records.h"
#include "sequela/tokenizer/sequence/visits.h"

namespace sequela {

// The values of options as a recipe holds them: by the words that the user gives.
const char* name_of(Pooling pooling);
const char* name_of(VisitRule rule);
const char* name_of(TimeTokens scheme);

}  // namespace sequela
