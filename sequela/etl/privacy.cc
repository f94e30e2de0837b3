#include "sequela/etl/privacy.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace sequela {
namespace {

// In lower case and without "_".
constexpr std::array kWhole = {"name", "first", "last", "middle", "maiden",   "suffix",
                               "ssn",  "mrn",   "fax",  "zip",    "passport", "drivers"};
constexpr std::array kParts = {
    "firstname", "lastname", "surname",  "givenname",      "familyname", "patientname",
    "fullname",  "address",  "street",   "phone",          "email",      "birthplace",
    "postcode",  "zipcode",  "notetext", "socialsecurity", "licence",    "license"};

bool is_identifying(const std::string& column) {
  std::string name;
  for (const char c : column) {
    if (c != '_' && c != ' ')
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return std::ranges::find(kWhole, name) != kWhole.end() ||
         std::ranges::any_of(
             kParts, [&](const char* part) { return name.find(part) != std::string::npos; });
}

// The names in double quotes of a piece of SQL.
void collect(const std::string& sql, const std::string& table, std::set<std::string>* found) {
  for (size_t open = sql.find('"'); open != std::string::npos;) {
    const size_t close = sql.find('"', open + 1);
    if (close == std::string::npos) return;
    const std::string name = sql.substr(open + 1, close - open - 1);
    if (is_identifying(name)) found->insert(table + "." + name);
    open = sql.find('"', close + 1);
  }
}

}  // namespace

std::vector<std::string> identifying_columns(const EtlPlan& plan) {
  std::set<std::string> found;
  for (const TablePlan& table : plan.tables) {
    for (const PlannedEvent& block : table.blocks) {
      collect(block.code, table.name, &found);
      collect(block.text_value, table.name, &found);
      for (const PlanColumn& extra : block.extras) {
        if (extra.type == ValueType::text) collect(extra.sql, table.name, &found);
      }
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace sequela
