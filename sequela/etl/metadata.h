#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sequela/etl/duckdb.h"
#include "sequela/etl/plan.h"
#include "sequela/etl/spool.h"

namespace sequela {

// Writes metadata/codes.parquet: a row for each code of the data and each code that the plan's
// code tables name beside them, sorted; code, description (several joined by line ends),
// parent_codes. `scratch` is a folder for working files.
int64_t write_codes(DuckDb& db, const EtlPlan& plan,
                    const std::vector<std::unique_ptr<SpoolFile>>& spools,
                    const std::string& scratch, const std::string& path);

// metadata/dataset.json of MEDS 0.4, without a time of making: the same data give the same bytes.
void write_dataset_info(const EtlPlan& plan, const std::vector<PlanColumn>& extras,
                        const std::string& path);

// Shares of the subjects in train, tuning, held_out.
struct SplitShares {
  double train = 0.8, tuning = 0.1;
};

// metadata/subject_splits.parquet. A subject's split depends on its id and the shares alone.
void write_splits(std::vector<int64_t> subject_ids, const SplitShares& shares,
                  const std::string& path);

}  // namespace sequela
