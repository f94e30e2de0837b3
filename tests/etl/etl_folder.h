#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/etl/convert.h"
#include "sequela/etl/duckdb.h"
#include "sequela/etl/source.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "tests/support/test_folder.h"

namespace sequela {

// (subject, time, code, number, text); an absent number or text is empty, no time is "none".
using EventKey = std::tuple<int64_t, std::string, std::string, std::string, std::string>;

// All events of a MEDS data set.
inline std::multiset<EventKey> read_event_keys(const std::string& meds) {
  std::multiset<EventKey> events;
  for (const std::string& shard : find_dataset(meds).shards) {
    ParquetReader reader(shard);
    std::vector<int> columns;
    for (const char* name : {"subject_id", "time", "code", "numeric_value", "text_value"}) {
      columns.push_back(*reader.find_column(name));
    }
    reader.read(columns, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        const auto& column = batch.columns;
        const bool has_number = column[3].is_valid(i) && !std::isnan(column[3].number(i));
        events.insert({column[0].int64s[i],
                       column[1].is_valid(i) ? to_text(column[1].int64s[i]) : "none",
                       std::string(column[2].text(i)),
                       has_number ? str(static_cast<float>(column[3].number(i))) : "",
                       column[4].is_valid(i) ? std::string(column[4].text(i)) : ""});
      }
    });
  }
  return events;
}

// Raw tables in a folder, and what becomes of them.
class EtlFolder {
 public:
  std::string raw() const { return folder_ / "raw"; }
  std::string meds() const { return folder_ / "meds"; }
  std::string path(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = raw() + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    write_file(path, content);
  }

  EtlPlan plan(const std::string& from) const {
    DuckDb db({.temp_folder = folder_ / "spilled"});
    return plan_source(db, from, raw());
  }
  ConvertReport convert(const std::string& from, ConvertOptions options = {}) const {
    DuckDb db({.num_threads = 2, .temp_folder = folder_ / "spilled"});
    const EtlPlan plan = plan_source(db, from, raw());
    Fingerprints fingerprints({});
    options.out = meds();
    options.folder = raw();
    std::filesystem::create_directories(meds());
    return sequela::convert(db, plan, options, fingerprints);
  }
  std::multiset<EventKey> events() const { return read_event_keys(meds()); }

 private:
  TestFolder folder_;
};

}  // namespace sequela
