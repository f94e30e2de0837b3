#include "sequela/etl/fhir/fhir_types.h"

namespace sequela {

const std::vector<FhirType>& fhir_types() {
  static const std::vector<FhirType> types = {
      {"Condition",
       "$.code",
       {"$.onsetDateTime", "$.onsetPeriod.start", "$.recordedDate"},
       {"$.abatementDateTime", "$.abatementPeriod.end"}},
      {"MedicationRequest", "$.medicationCodeableConcept", {"$.authoredOn"}, {}},
      {"MedicationAdministration",
       "$.medicationCodeableConcept",
       {"$.effectiveDateTime", "$.effectivePeriod.start"},
       {"$.effectivePeriod.end"},
       "$.subject.reference",
       "$.context.reference"},
      {"MedicationStatement",
       "$.medicationCodeableConcept",
       {"$.effectiveDateTime", "$.effectivePeriod.start", "$.dateAsserted"},
       {"$.effectivePeriod.end"},
       "$.subject.reference",
       "$.context.reference"},
      {"Procedure",
       "$.code",
       {"$.performedDateTime", "$.performedPeriod.start"},
       {"$.performedPeriod.end"}},
      {"Immunization",
       "$.vaccineCode",
       {"$.occurrenceDateTime", "$.recorded"},
       {},
       "$.patient.reference"},
      {"AllergyIntolerance",
       "$.code",
       {"$.onsetDateTime", "$.recordedDate"},
       {},
       "$.patient.reference"},
  };
  return types;
}

}  // namespace sequela
