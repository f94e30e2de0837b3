#include "sequela/etl/privacy.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sequela
