#include "sequela/etl/ledger.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"

namespace sequela {
namespace {

Json to_json(const Tallies& tallies) {
  Json json = Json::object();
  for (const auto& [reason, tally] : tallies) {
    json[reason] = {{"count", tally.count}, {"examples", tally.examples}};
  }
  return json;
}

Tallies to_tallies(const Json& json) {
  Tallies tallies;
  for (const auto& [reason, tally] : json.items()) {
    tallies[reason] = {tally.at("count"), tally.at("examples")};
  }
  return tallies;
}

void add_all(const Tallies& from, Tallies* to) {
  for (const auto& [reason, tally] : from) (*to)[reason].add(tally);
}

}  // namespace

void Tally::add(const std::string& key) {
  ++count;
  add_example(key);
}

void Tally::add(const Tally& other) {
  count += other.count;
  for (const std::string& key : other.examples) add_example(key);
}

void Tally::add_example(const std::string& key) {
  const bool is_new = std::ranges::find(examples, key) == examples.end();
  if (examples.size() < kMaxExamples && is_new && !key.empty()) examples.push_back(key);
}

int64_t TableLedger::num_dropped() const {
  int64_t sum = 0;
  for (const auto& [reason, tally] : dropped) sum += tally.count;
  return sum;
}

int64_t TableLedger::num_events() const {
  int64_t sum = 0;
  for (const auto& [block, count] : events) sum += count;
  return sum;
}

void ShardLedger::add(const ShardLedger& other) {
  num_subjects += other.num_subjects;
  num_events += other.num_events;
  add_all(other.found, &found);
}

Json to_json(const TableLedger& ledger) {
  Json withheld = Json::object();
  for (const auto& [block, tallies] : ledger.withheld) withheld[block] = to_json(tallies);
  return {{"table", ledger.name},
          {"rows_in", ledger.num_rows},
          {"events_out", ledger.num_events()},
          {"rows_dropped", ledger.num_dropped()},
          {"dropped", to_json(ledger.dropped)},
          {"events", ledger.events},
          {"withheld", withheld}};
}

TableLedger to_table_ledger(const Json& json) {
  TableLedger ledger{
      json.at("table"), json.at("rows_in"), to_tallies(json.at("dropped")), json.at("events"), {}};
  for (const auto& [block, tallies] : json.at("withheld").items()) {
    ledger.withheld[block] = to_tallies(tallies);
  }
  return ledger;
}

Json to_json(const ShardLedger& ledger) {
  return {{"num_subjects", ledger.num_subjects},
          {"num_events", ledger.num_events},
          {"found", to_json(ledger.found)}};
}

ShardLedger to_shard_ledger(const Json& json) {
  return {json.at("num_subjects"), json.at("num_events"), to_tallies(json.at("found"))};
}

std::string loss_of(const TableLedger& ledger) {
  const int64_t dropped = ledger.num_dropped();
  if (static_cast<double>(dropped) <= kMaxDropped * static_cast<double>(ledger.num_rows)) return "";
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.1f %%",
                100.0 * static_cast<double>(dropped) / static_cast<double>(ledger.num_rows));
  std::string text = str(ledger.name, ": ", dropped, " of ", ledger.num_rows, " rows (", percent,
                         ") gave no event");
  const char* before = ": ";
  for (const auto& [reason, tally] : ledger.dropped) {
    text += str(before, reason, " (", tally.count, ")");
    before = ", ";
  }
  return text;
}

}  // namespace sequela
