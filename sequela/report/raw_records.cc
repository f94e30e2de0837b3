#include "sequela/report/raw_records.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

constexpr size_t kShownTables = 25;

// Calls visit(name, member) for each member of an object, if it is one.
template <class Visit>
void each_member(const Json& object, Visit visit) {
  if (!object.is_object()) return;
  for (const auto& [name, member] : object.items()) visit(name, member);
}

// The texts of a list, with commas between them.
std::string joined(const Json& list) {
  std::string text;
  for (const Json& item : list) {
    if (item.is_string()) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  }
  return text;
}

// How often something happened, and where.
std::vector<Cell> tally_row(std::vector<Cell> row, const Json& tally) {
  row.push_back(to_cell(field(tally, "count")));
  row.emplace_back(joined(list_field(tally, "examples")));
  return row;
}

void add_table(std::string caption, PageTable table, Section& section) {
  if (table.rows.empty()) return;
  section.blocks.emplace_back(ShownTable{std::move(caption), std::move(table)});
}

// Those with the most events first.
void add_events_figure(const Json& ledger, Section& section) {
  std::vector<std::pair<int64_t, std::string>> tables;
  for (const Json& table : list_field(ledger, "tables"))
    tables.emplace_back(count_field(table, "events_out"), text_field(table, "table"));
  std::ranges::stable_sort(tables, std::ranges::greater(), &std::pair<int64_t, std::string>::first);
  const bool is_cut = tables.size() > kShownTables;
  PageTable shown{{"Table", "Events"}, {}};
  for (size_t i = 0; i < std::min(kShownTables, tables.size()); ++i)
    shown.rows.push_back({tables[i].second, tables[i].first});
  if (shown.rows.empty()) return;
  section.blocks.emplace_back(ShownFigure{
      "Events by table",
      is_cut ? str("The ", kShownTables, " with the most events, of ", tables.size(), ".") : "",
      {.kind = ChartKind::bars, .category = "Table", .x = "Events"},
      std::move(shown)});
}

void add_tables(const Json& ledger, Section& section) {
  PageTable tables{{"Table", "Rows in", "Events out", "Rows dropped"}, {}};
  PageTable dropped{{"Table", "Why", "Rows", "For example"}, {}};
  PageTable withheld{{"Block", "Why", "Events", "For example"}, {}};
  for (const Json& table : list_field(ledger, "tables")) {
    const std::string name = text_field(table, "table");
    tables.rows.push_back({name, to_cell(field(table, "rows_in")),
                           to_cell(field(table, "events_out")),
                           to_cell(field(table, "rows_dropped"))});
    each_member(field(table, "dropped"), [&](const std::string& why, const Json& tally) {
      dropped.rows.push_back(tally_row({name, why}, tally));
    });
    each_member(field(table, "withheld"), [&](const std::string& block, const Json& tallies) {
      each_member(tallies, [&](const std::string& why, const Json& tally) {
        withheld.rows.push_back(tally_row({block, why}, tally));
      });
    });
  }
  add_table("Rows in, events out", std::move(tables), section);
  add_table("Rows that gave no event, and why", std::move(dropped), section);
  add_table("Events that a row did not give, and why", std::move(withheld), section);
}

}  // namespace

void add_raw_records(const Json& ledger, const std::string& name, Page& page) {
  const Json& data = field(ledger, "data");
  const std::string text = counted(count_field(data, "num_events"), "event", "events") + " of " +
                           counted(count_field(data, "num_subjects"), "subject", "subjects");
  page.summary += (page.summary.empty() ? "" : " · ") + str(name, ": ", text);
  Section section{"Raw records: " + name, {}, {}};
  section.blocks.emplace_back(
      Paragraph{counted(count_field(ledger, "rows_in"), "row", "rows") + " in, " +
                counted(count_field(ledger, "rows_dropped"), "row", "rows") + " dropped; " + text +
                ", " + counted(count_field(data, "num_codes"), "code", "codes") + "."});
  const std::string missing = joined(list_field(ledger, "missing_tables"));
  if (!missing.empty()) section.blocks.emplace_back(Notice{"Tables not there: " + missing + "."});
  add_events_figure(ledger, section);
  add_tables(ledger, section);
  PageTable found{{"Found", "Count", "For example"}, {}}, unread{{"Not read", "Rows"}, {}};
  each_member(field(data, "found"), [&](const std::string& what, const Json& tally) {
    found.rows.push_back(tally_row({what}, tally));
  });
  each_member(field(ledger, "unread"), [&](const std::string& what, const Json& count) {
    unread.rows.push_back({what, to_cell(count)});
  });
  add_table("Found, and kept", std::move(found), section);
  add_table("Not read", std::move(unread), section);
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
