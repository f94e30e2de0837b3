#include "sequela/meds/text_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sequela/meds/store/string_table.h"

namespace sequela {
namespace {

TEST(PythonFloat, TakesWhatPythonTakes) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<const char*, double> cases[] = {{"1", 1},
                                                  {" 2.5\t\n", 2.5},
                                                  {"+3", 3},
                                                  {"-4e2", -400},
                                                  {"1_000.5", 1000.5},
                                                  {".5", 0.5},
                                                  {"5.", 5},
                                                  {"1E-3", 0.001},
                                                  {"1e1_0", 1e10},
                                                  {"inf", kInfinity},
                                                  {"-Infinity", -kInfinity},
                                                  {"1e999", kInfinity},
                                                  {"1e-999", 0},
                                                  {"\xC2\xA0"
                                                   "7\xE3\x80\x80",
                                                   7},
                                                  {"00012", 12},
                                                  {"-0", -0.0}};
  for (const auto& [text, value] : cases) {
    ASSERT_TRUE(parse_python_float(text).has_value()) << text;
    EXPECT_EQ(*parse_python_float(text), value) << text;
  }
  EXPECT_TRUE(std::isnan(*parse_python_float("NaN")));
  EXPECT_TRUE(std::isnan(*parse_python_float("+nan")));
}

TEST(PythonFloat, RefusesWhatPythonRefuses) {
  for (const char* text :
       {"",   " ",    "+",     "-",    ".",    "e5",       "1e",    "1e+",  "1__0", "_1",
        "1_", "1_.5", "1._5",  "0x10", "1,5",  "1 2",      "--1",   "+-1",  "infi", "nan1",
        "1f", "1d",   "1e5.0", "1_e5", "1e_5", "Negative", "12 mg", "1.5.2"}) {
    EXPECT_FALSE(parse_python_float(text).has_value()) << text;
  }
}

TEST(PythonFloat, StripsPythonsWhiteSpaceOnBothSides) {
  for (const std::string space :
       {"\t",     "\n",     "\v",     "\f",     "\r",     "\x1c",   "\x1d",   "\x1e",
        "\x1f",   " ",      "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002",
        "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a",
        "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}) {
    EXPECT_EQ(parse_python_float(space + space + "7" + space + space), 7);
    EXPECT_FALSE(parse_python_float(space).has_value());
  }
  for (const std::string other :
       {"\b", "\x0e", "\x1b", "!", "\x7f", "\u0084", "\u200b", "\u2060", "\ufeff"}) {
    EXPECT_FALSE(parse_python_float(other + "7").has_value());
    EXPECT_FALSE(parse_python_float("7" + other).has_value());
  }
}

TEST(StringTable, NumbersStringsInOrderOfArrival) {
  StringTable table;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(table.add(std::to_string(i)), i);
  }
  EXPECT_EQ(table.size(), 1000);
  EXPECT_EQ(table.find("1000"), -1);
  EXPECT_EQ(table.find("77"), 77);
  const StringView view{table.ends(), table.bytes()};
  EXPECT_TRUE(view.is_sound());
  EXPECT_EQ(view[999], "999");
  EXPECT_FALSE((StringView{table.ends(), table.bytes().substr(1)}).is_sound());
}

}  // namespace
}  // namespace sequela
