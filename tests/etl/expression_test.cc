#include "sequela/etl/messy/expression.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/etl/duckdb.h"
#include "sequela/etl/messy/expression_sql.h"

namespace sequela {
namespace {

TypedSql column(const std::string& name) {
  if (name == "i") return {"7::BIGINT", SqlType::integer, ""};
  if (name == "x") return {"2.5::DOUBLE", SqlType::real, ""};
  if (name == "s") return {"'12345'", SqlType::text, ""};
  if (name == "word") return {"'ab c'", SqlType::text, ""};
  if (name == "none") return {"NULL::VARCHAR", SqlType::text, ""};
  if (name == "day") return {"'2020-02-28'", SqlType::text, ""};
  if (name == "a name") return {"'named'", SqlType::text, ""};
  throw ConfigError("no column " + name);
}

// The value as DuckDB prints it, "null", or "failed".
std::string value(const std::string& text) {
  const TypedSql sql = to_sql(parse_expression(text), column);
  DuckDb db({});
  const std::string failed = sql.failed.empty() ? "false" : sql.failed;
  const auto rows = db.texts("SELECT CASE WHEN " + failed + " THEN 'failed' ELSE CAST(" + sql.sql +
                             " AS VARCHAR) END");
  return rows[0][0].value_or("null");
}

// The same as dftly 0.7 and polars 1.44 give.
TEST(MessyExpression, GivesWhatDftlyGives) {
  const std::pair<const char*, const char*> cases[] = {
      {"MEDS_BIRTH", "MEDS_BIRTH"},
      {"$i + 3 * 2", "13"},
      {"($i + 3) * 2", "20"},
      {"$i / 2", "3.5"},
      {"-2 ** 2", "4.0"},
      {"f\"LAB//{$s}//{$none ?? 'UNK'}\"", "LAB//12345//UNK"},
      {"f\"LAB//{$none}\"", "null"},
      {"f\"{{{$i}}}\"", "{7}"},
      {"coalesce($none, $word)", "ab c"},
      {"$none ?? $none ?? 'z'", "z"},
      {"$s[0:3]", "123"},
      {"$s[3:]", "45"},
      {"$s[-2:]", "45"},
      {"$s[1:-1]", "234"},
      {"$s[:-3]", "12"},
      {"len_chars($s)", "5"},
      {"substring($s, 1, 3)", "23"},
      {"f\"{$s[0:3]}.{$s[3:]}\" if len_chars($s) > 3 else $s", "123.45"},
      {"'big' if $i > 10", "null"},
      {"'big' if $i > 10 else 'mid' if $i > 5 else 'small'", "mid"},
      {"$i == 7 and not ($x > 3)", "true"},
      {"$i == \"7\"", "true"},
      {"/^1/ in $s and /^a/ in $word", "true"},
      {"extract /[0-9]{2}/ from $s", "12"},
      {"(extract group 1 of /^([0-9]{3})/ from $s)::int + 1", "124"},
      {"extract /x/ from $s", "null"},
      {"$s::int", "12345"},
      {"$word::int", "failed"},
      {"$word::?int", "null"},
      {"$x::int", "2"},
      {"$word::?float64", "null"},
      {"$day::\"%Y-%m-%d\"", "2020-02-28"},
      {"$day as \"%Y-%m-%d %H:%M\"", "failed"},
      {"$day as ?\"%Y-%m-%d %H:%M\"", "null"},
      {"coalesce($day::?\"%d/%m/%Y\", $day::?\"%Y-%m-%d\")", "2020-02-28"},
      {"($day as \"%Y-%m-%d\") + 2::days", "2020-03-01"},
      {"$day::\"%Y-%m-%d\" @ 1:30 p.m.", "2020-02-28 13:30:00"},
      {"2020-03-01 - ($day as \"%Y-%m-%d\")::date", "172800000000"},
      {"(2020-03-01 - $day::\"%Y-%m-%d\")::total_days", "2"},
      {"$day::\"%Y-%m-%d\" as month_of_year", "2"},
      {"(1990 + $i)::year", "1997-01-01"},
      {"'2003'::int::year::datetime", "2003-01-01 00:00:00"},
      {"max($i, 9, 3)", "9"},
      {"mean($i, 9)", "8.0"},
      {"$`a name`", "named"},
      {"f\"{'x' if $i == 7 else 'y'}/{f'000{$i}'[-3:]}\"", "x/007"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(value(text), wanted) << text;
}

TEST(MessyExpression, HashesToANumberThatIsAlwaysTheSame) {
  EXPECT_EQ(value("hash($word)"), value("hash('ab c')"));
  EXPECT_NE(value("hash($word)"), value("hash($s)"));
  EXPECT_NE(value("hash($word)")[0], '-');
}

TEST(MessyExpression, NamesItsColumns) {
  EXPECT_EQ(columns_of(parse_expression("f\"{$b}{$a ?? $b}\" if $c > 1")),
            (std::vector<std::string>{"b", "a", "c"}));
}

TEST(MessyExpression, TellsWhatIsWrong) {
  for (const char* text : {"", "$", "$a +", "f\"{$a\"", "f\"a}b\"", "($a", "$a[1]", "$a::", "'open",
                           "/re/", "a b", "$a if"}) {
    EXPECT_THROW(parse_expression(text), ConfigError) << text;
  }
  EXPECT_THROW(parse_expression(std::string(1000, '(')), ConfigError);
  EXPECT_THROW(value("$i::intt"), ConfigError);
  EXPECT_THROW(value("lenn($s)"), ConfigError);
}

}  // namespace
}  // namespace sequela
