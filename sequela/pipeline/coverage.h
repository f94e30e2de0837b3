#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/batch/write_batches.h"
#include "sequela/core/json.h"
#include "sequela/meds/ingest.h"
#include "sequela/ontology/build_ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// Reports of the stages as JSON, as kept in the manifest and joined in coverage.json. They hold
// counts only: nothing of a machine or a time of day.
Json to_json(const IngestReport& report);
Json to_json(const OntologyStats& stats, const OntologyCoverage& coverage);
// Of the data's codes, and of their events, those that have a token of their own or of an ancestor.
Json vocabulary_report(const Ontology& ontology, const Vocabulary& vocabulary);

// The coverage report as lines for a person to read. `coverage` is the content of coverage.json.
std::vector<std::string> coverage_lines(const Json& coverage);

}  // namespace sequela
