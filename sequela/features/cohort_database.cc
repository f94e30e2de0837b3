#include <charconv>
#include <memory>

#include "sequela/core/error.h"
#include "sequela/features/cohort.h"
#include "sequela/io/postgres.h"

namespace sequela {
namespace {

const PostgresClient& pq() {
  return postgres_client();
}

// Types, by their numbers in pg_type.
constexpr Oid kBoolOid = 16;
constexpr Oid kFloat4Oid = 700;
constexpr Oid kFloat8Oid = 701;

std::string field(PGresult* result, int row, int column) {
  if (pq().getisnull(result, row, column)) return "";
  const std::string text = pq().getvalue(result, row, column);
  const Oid type = pq().ftype(result, column);
  if (type == kBoolOid) return text == "t" ? "True" : "False";
  if (type == kFloat4Oid || type == kFloat8Oid) {
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return float_text(value);
  }
  return text;
}

}  // namespace

Cohort read_cohort_database(const std::string& uri, const std::string& query,
                            const std::string& label_column) {
  PostgresConnection connection(uri, "--cohort-db");
  const std::string source = connection.name();
  connection.send_for_single_rows(query);
  std::unique_ptr<CohortBuilder> builder;
  int64_t row = 0;
  while (const PostgresResult result = connection.next_result()) {
    const ExecStatusType status = pq().result_status(result.get());
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
      throw FileError(source, "the query failed: " + connection.problem(), "check --cohort-query");
    }
    if (builder == nullptr) {
      std::vector<std::string> columns;
      for (int i = 0; i < pq().nfields(result.get()); ++i)
        columns.push_back(pq().fname(result.get(), i));
      builder = std::make_unique<CohortBuilder>(source, columns, label_column);
    }
    for (int i = 0; i < pq().ntuples(result.get()); ++i, ++row) {
      builder->add_text(
          row, field(result.get(), i, builder->subject_column()),
          field(result.get(), i, builder->split_column()),
          builder->label_column() < 0 ? "" : field(result.get(), i, builder->label_column()));
    }
  }
  if (builder == nullptr) throw FileError(source, "the query returned nothing");
  return builder->finish();
}

}  // namespace sequela
