#include "sequela/etl/fhir/fhir_sql.h"

#include "sequela/core/error.h"

namespace sequela {

std::vector<std::string> fhir_macros() {
  return {
      // "Patient/12", "urn:uuid:12", "http://host/Patient/12/_history/1" -> 12
      "CREATE OR REPLACE TEMP MACRO fhir_id(r) AS regexp_extract(r, "
      "'([^/:]+)(?:/_history/[^/]*)?$', 1)",
      // An id that a cast would only come near to ("1.4", "1e3", "007") is no number.
      "CREATE OR REPLACE TEMP MACRO fhir_number(r) AS coalesce(\n"
      "  CASE WHEN regexp_full_match(fhir_id(r), '0|-?[1-9][0-9]*') THEN TRY_CAST(fhir_id(r) AS "
      "BIGINT) END,\n"
      "  CAST(md5_number_lower(fhir_id(r)) & 9223372036854775807 AS BIGINT))",
      // The start of a year, month or day, or its last second.
      "CREATE OR REPLACE TEMP MACRO fhir_date(t, length, is_end) AS\n"
      "  CASE WHEN is_end THEN TRY_CAST(t AS TIMESTAMP) + length - INTERVAL 1 SECOND\n"
      "  ELSE TRY_CAST(t AS TIMESTAMP) END",
      "CREATE OR REPLACE TEMP MACRO fhir_time(t, is_end) AS CASE length(t)\n"
      "  WHEN 4 THEN fhir_date(t || '-01-01', INTERVAL 1 YEAR, is_end)\n"
      "  WHEN 7 THEN fhir_date(t || '-01', INTERVAL 1 MONTH, is_end)\n"
      "  WHEN 10 THEN fhir_date(t, INTERVAL 1 DAY, is_end)\n"
      "  ELSE TRY_CAST(t AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END",
      "CREATE OR REPLACE TEMP MACRO fhir_system(s) AS CASE s\n"
      "  WHEN 'http://snomed.info/sct' THEN 'SNOMED' WHEN 'http://loinc.org' THEN 'LOINC'\n"
      "  WHEN 'http://www.nlm.nih.gov/research/umls/rxnorm' THEN 'RxNorm' WHEN "
      "'http://hl7.org/fhir/sid/ndc' THEN 'NDC'\n"
      "  WHEN 'http://hl7.org/fhir/sid/icd-10-cm' THEN 'ICD10CM' WHEN "
      "'http://hl7.org/fhir/sid/icd-10' THEN 'ICD10'\n"
      "  WHEN 'http://hl7.org/fhir/sid/icd-9-cm' THEN 'ICD9CM' WHEN "
      "'http://www.cms.gov/Medicare/Coding/ICD10' THEN 'ICD10PCS'\n"
      "  WHEN 'http://hl7.org/fhir/sid/cvx' THEN 'CVX' WHEN 'http://www.ama-assn.org/go/cpt' THEN "
      "'CPT4'\n"
      "  WHEN 'http://www.whocc.no/atc' THEN 'ATC' WHEN 'http://unitsofmeasure.org' THEN 'UCUM'\n"
      "  ELSE coalesce(nullif(regexp_extract(s, '([^/:]+)/?$', 1), ''), 'FHIR') END",
      "CREATE OR REPLACE TEMP MACRO fhir_code(concept) AS "
      "fhir_system(concept->>'$.coding[0].system') || '/' ||\n"
      "  nullif(concept->>'$.coding[0].code', '')",
      "CREATE OR REPLACE TEMP MACRO fhir_display(concept) AS "
      "coalesce(concept->>'$.coding[0].display', concept->>'$.text')"};
}

std::string fhir_text(const std::string& path, const std::string& of) {
  return str("(", of, "->>'", path, "')");
}

std::string fhir_first_of(const std::vector<std::string>& paths) {
  std::string sql = "coalesce(";
  for (const std::string& path : paths) sql += (sql.back() == '(' ? "" : ", ") + fhir_text(path);
  return sql + ")";
}

}  // namespace sequela
