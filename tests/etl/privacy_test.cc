#include "sequela/etl/privacy.h"

#include <gtest/gtest.h>

#include "tests/etl/etl_folder.h"

namespace sequela {
namespace {

TEST(Privacy, FindsColumnsThatTellWhoSomebodyIs) {
  EtlPlan plan;
  plan.tables.push_back({.name = "patients"});
  plan.tables[0].blocks.push_back(
      {.name = "a", .code = "'X/' || t.\"LAST\"", .text_value = "t.\"home_address\""});
  plan.tables[0].blocks[0].extras = {{"phone", ValueType::text, "t.\"Phone Number\""},
                                     {"fine", ValueType::text, "t.\"drug_name\""},
                                     {"number", ValueType::integer, "t.\"zip\""}};
  EXPECT_EQ(identifying_columns(plan),
            (std::vector<std::string>{"patients.LAST", "patients.Phone Number",
                                      "patients.home_address"}));
  EXPECT_TRUE(identifying_columns({}).empty());
}

TEST(Privacy, KnowsColumnsThatAJoinBrings) {
  const EtlFolder raw;
  raw.write("orders.csv", "subject_id,drug\n1,a\n");
  raw.write("people.csv", "subject_id,surname\n1,b\n");
  write_file(raw.path("events.yaml"),
             "orders:\n  _table:\n    join:\n      people: {key: subject_id, cols: [surname]}\n"
             "  order:\n    code: f\"{$drug}/{$surname}\"\n    time: null\n");
  EXPECT_EQ(identifying_columns(raw.plan(raw.path("events.yaml"))),
            std::vector<std::string>{"orders.surname"});
}

}  // namespace
}  // namespace sequela
