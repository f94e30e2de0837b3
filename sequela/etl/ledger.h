#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sequela/core/json.h"

namespace sequela {

// How often something happened, and up to three keys of where: names of rows or subjects, never
// values or text.
struct Tally {
  static constexpr size_t kMaxExamples = 3;

  int64_t count = 0;
  std::vector<std::string> examples;

  void add(const std::string& key);  // "" counts, but is no example
  void add(const Tally& other);

 private:
  void add_example(const std::string& key);
};

using Tallies = std::map<std::string, Tally>;  // by reason

// What became of one table's rows.
struct TableLedger {
  std::string name;
  int64_t num_rows = 0;
  Tallies dropped;  // rows that gave no event at all, though some block wanted them
  std::map<std::string, int64_t> events;    // by block
  std::map<std::string, Tallies> withheld;  // by block: events that a row did not give

  int64_t num_dropped() const;
  int64_t num_events() const;
};

// What was found in the finished shards.
struct ShardLedger {
  int64_t num_subjects = 0, num_events = 0;
  Tallies found;  // duplicates, events before birth, ...

  void add(const ShardLedger& other);
};

Json to_json(const TableLedger& ledger);
TableLedger to_table_ledger(const Json& json);
Json to_json(const ShardLedger& ledger);
ShardLedger to_shard_ledger(const Json& json);

// The largest share of a table's rows that may give no event before a run fails.
inline constexpr double kMaxDropped = 0.01;

// A line that says what a table lost, and why; empty if it lost no more than it may.
std::string loss_of(const TableLedger& ledger);

}  // namespace sequela
