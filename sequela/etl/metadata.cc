#include "sequela/etl/metadata.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"
#include "sequela/etl/table_reader.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

struct CodeRow {
  std::set<std::string> descriptions;
  std::set<std::string> parents;
};

// The codes of the data and what goes with them, as the table etl_codes.
void load_codes(DuckDb& db, const std::vector<std::unique_ptr<SpoolFile>>& spools,
                const std::string& scratch) {
  std::set<std::string> all;
  std::vector<int64_t> blocks;
  std::vector<std::string> codes, components;
  std::vector<uint8_t> valid;
  for (const auto& spool : spools) {
    all.insert(spool->codes().begin(), spool->codes().end());
    for (const CodeComponents& row : spool->components()) {
      blocks.push_back(row.block);
      codes.push_back(spool->codes()[row.code]);
      components.push_back(row.components);
      valid.push_back(1);
    }
  }
  for (const std::string& code : all) {
    blocks.push_back(-1);
    codes.push_back(code);
    components.emplace_back();
    valid.push_back(0);
  }
  const std::string path = scratch + "/etl_codes.parquet";
  write_parquet(path, {{.name = "block", .values = blocks},
                       {.name = "code", .values = codes},
                       {.name = "components", .values = components, .valid = valid}});
  db.run("CREATE OR REPLACE TEMP TABLE etl_codes AS SELECT * FROM read_parquet(" + sql_text(path) +
         ")");
}

std::string joined(const std::set<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : "\n") + text;
  return out;
}

}  // namespace

int64_t write_codes(DuckDb& db, const EtlPlan& plan,
                    const std::vector<std::unique_ptr<SpoolFile>>& spools,
                    const std::string& scratch, const std::string& path) {
  load_codes(db, spools, scratch);
  std::map<std::string, CodeRow> rows;
  for (const auto& spool : spools) {
    for (const std::string& code : spool->codes()) rows[code];
  }
  for (const CodePlan& codes : plan.codes) {
    db.stream(codes.select, [&](const DuckChunk& chunk) {
      for (int64_t r = 0; r < chunk.num_rows(); ++r) {
        if (!chunk.is_valid(0, r)) continue;
        CodeRow& row = rows[std::string(chunk.text(0, r))];
        if (chunk.is_valid(1, r)) row.descriptions.emplace(chunk.text(1, r));
        if (chunk.is_valid(2, r)) row.parents.emplace(chunk.text(2, r));
      }
    });
  }
  std::vector<std::string> codes, descriptions;
  std::vector<uint8_t> described;
  std::vector<std::vector<std::string>> parents;
  for (const auto& [code, row] : rows) {
    codes.push_back(code);
    descriptions.push_back(joined(row.descriptions));
    described.push_back(!row.descriptions.empty());
    std::vector<std::string>& list = parents.emplace_back(row.parents.begin(), row.parents.end());
    std::erase(list, code);
  }
  write_parquet(path, {{.name = "code", .values = codes},
                       {.name = "description", .values = descriptions, .valid = described},
                       {.name = "parent_codes", .values = parents}});
  return static_cast<int64_t>(rows.size());
}

void write_dataset_info(const EtlPlan& plan, const std::vector<PlanColumn>& extras,
                        const std::string& path) {
  std::vector<std::string> columns = {plan.block_column};
  for (const PlanColumn& extra : extras) columns.push_back(extra.name);
  const Json info = {{"dataset_name", plan.dataset_name},
                     {"dataset_version", plan.dataset_version},
                     {"etl_name", "sequela etl --from " + plan.source},
                     {"etl_version", SEQUELA_VERSION},
                     {"meds_version", "0.4.1"},
                     {"other_extension_columns", columns}};
  write_file(path, json_text(info) + "\n");
}

void write_splits(std::vector<int64_t> subject_ids, const SplitShares& shares,
                  const std::string& path) {
  std::ranges::sort(subject_ids);
  constexpr int64_t kParts = 1'000'000;
  std::vector<std::string> splits;
  for (const int64_t subject : subject_ids) {
    // Another hash than that of the shards: else a shard would be of few splits.
    const double part = static_cast<double>(shard_of(~subject, kParts)) / kParts;
    splits.emplace_back(part < shares.train                   ? "train"
                        : part < shares.train + shares.tuning ? "tuning"
                                                              : "held_out");
  }
  write_parquet(
      path, {{.name = "subject_id", .values = subject_ids}, {.name = "split", .values = splits}});
}

}  // namespace sequela
