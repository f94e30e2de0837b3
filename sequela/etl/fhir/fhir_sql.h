#pragma once

#include <string>
#include <vector>

namespace sequela {

// Pieces of SQL over a resource `r` of type JSON.

// What is at a path ("$.status") as VARCHAR; `of`: another JSON than the resource.
std::string fhir_text(const std::string& path, const std::string& of = "r");
// The first of these paths that is there, as VARCHAR.
std::string fhir_first_of(const std::vector<std::string>& paths);

// The macros that a plan's SQL calls: fhir_id and fhir_number (of a reference), fhir_time (of a
// text; a day counts from its given second), fhir_system, fhir_code and fhir_display (of a
// CodeableConcept).
std::vector<std::string> fhir_macros();

}  // namespace sequela
