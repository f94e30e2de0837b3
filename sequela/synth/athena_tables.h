#pragma once

#include <string>

#include "sequela/synth/vocabulary.h"

namespace sequela {

// Writes the concepts as the tables of an Athena download (tab-separated, unquoted) into a folder:
// CONCEPT, CONCEPT_RELATIONSHIP, CONCEPT_ANCESTOR (the closed hierarchy), VOCABULARY, DOMAIN,
// CONCEPT_CLASS, RELATIONSHIP. SynthConcept ids start at 2,000,000,001, the range left to local
// concepts.
void write_athena_tables(const SynthVocabulary& vocabulary, const std::string& folder);

}  // namespace sequela
