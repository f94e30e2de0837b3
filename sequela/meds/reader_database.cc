#include "sequela/core/error.h"
#include "sequela/meds/ingest_plan.h"
namespace sequela {
IngestPlan plan_reader_database(const Dataset& dataset, const IngestOptions&) {
  throw DataError({.path = dataset.root}, "not yet");
}
}  // namespace sequela
