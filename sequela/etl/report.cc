#include "sequela/etl/report.h"

#include <nlohmann/json.hpp>

namespace sequela {

Json report_json(const EtlPlan& plan, const ConvertReport& report) {
  int64_t rows = 0, dropped = 0;
  Json tables = Json::array();
  for (const TableLedger& table : report.tables) {
    rows += table.num_rows;
    dropped += table.num_dropped();
    tables.push_back(to_json(table));
  }
  Json json = {{"source", plan.source},
               {"rows_in", rows},
               {"rows_dropped", dropped},
               {"tables", tables},
               {"missing_tables", report.missing}};
  Json& unread = json["unread"] = Json::object();
  for (const auto& [name, count] : plan.unread) unread[name] = count;
  json["data"] = to_json(report.shards);
  json["data"]["num_codes"] = report.num_codes;
  return json;
}

}  // namespace sequela
