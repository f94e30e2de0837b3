#pragma once

#include <string>
#include <vector>

namespace sequela {

// What is taken of one type: paths below the resource, the first that is there.
struct FhirType {
  const char* type;
  std::string code;  // of a CodeableConcept
  std::vector<std::string> times, ends;
  const char* patient = "$.subject.reference";
  const char* encounter = "$.encounter.reference";
};

// The types whose resources are an event each of one code. FhirPlanner plans Patient, Encounter and
// Observation by themselves.
const std::vector<FhirType>& fhir_types();

}  // namespace sequela
