#include "sequela/etl/omop/omop_codes.h"

#include "sequela/core/error.h"

namespace sequela {

void add_omop_codes(DuckDb& db, const std::string& folder,
                    const std::optional<SourceTable>& concepts, EtlPlan* plan) {
  if (!concepts) return;
  CodePlan codes{.name = "concept", .files = concepts->files};
  std::string edges = "SELECT NULL::BIGINT AS child, NULL::BIGINT AS parent WHERE false";
  if (const auto ancestors = find_table(db, folder, "concept_ancestor")) {
    codes.files.insert(codes.files.end(), ancestors->files.begin(), ancestors->files.end());
    edges +=
        "\n    UNION SELECT TRY_CAST(descendant_concept_id AS BIGINT), "
        "TRY_CAST(ancestor_concept_id AS BIGINT) FROM " +
        ancestors->scan + " WHERE TRY_CAST(min_levels_of_separation AS BIGINT) = 1";
  }
  if (const auto relations = find_table(db, folder, "concept_relationship")) {
    codes.files.insert(codes.files.end(), relations->files.begin(), relations->files.end());
    edges +=
        "\n    UNION SELECT TRY_CAST(concept_id_1 AS BIGINT), TRY_CAST(concept_id_2 AS BIGINT) "
        "FROM " +
        relations->scan + " WHERE relationship_id IN ('Maps to', 'Is a')";
    if (relations->has("invalid_reason"))
      edges += " AND coalesce(CAST(invalid_reason AS VARCHAR), '') = ''";
  }
  codes.select =
      "WITH RECURSIVE edge AS (\n    " + edges +
      "),\n"
      "  known AS (SELECT child, parent FROM edge WHERE child <> parent\n"
      "    AND child IN (SELECT id FROM etl_concept) AND parent IN (SELECT id FROM etl_concept)),\n"
      "  reached(id) AS (SELECT id FROM etl_concept WHERE code IN (SELECT code FROM etl_codes)\n"
      "    UNION SELECT known.parent FROM reached JOIN known ON known.child = reached.id)\n"
      "SELECT c.code, c.name, p.code FROM reached JOIN etl_concept AS c ON c.id = reached.id\n"
      "LEFT JOIN known ON known.child = reached.id LEFT JOIN etl_concept AS p ON p.id = "
      "known.parent";
  plan->codes.push_back(codes);
}

}  // namespace sequela
