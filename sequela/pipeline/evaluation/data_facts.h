#pragma once

#include <string>

#include "sequela/core/json.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/evaluation/records.h"
#include "sequela/pipeline/evaluation/subject_parts.h"

namespace sequela {

// evaluation.json's `data`: what the records hold, in counts.
Json data_facts(const EventStore& store, const SubjectParts& parts);

// evaluation.json's `model`: what the bundle is, and what its manifest says of its making; null
// without one.
Json model_facts(const std::string& bundle);

}  // namespace sequela
