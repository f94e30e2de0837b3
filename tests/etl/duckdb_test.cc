#include "sequela/etl/duckdb.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/etl/duckdb_error.h"
#include "sequela/io/file.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

TEST(DuckDb, GivesTypedValuesAndNulls) {
  DuckDb db({});
  int64_t num_rows = 0;
  db.stream(
      "SELECT i, CASE WHEN i % 2 = 0 THEN i * 0.5 END::DOUBLE, repeat('ab', CAST(i % 20 AS "
      "INTEGER)), i % 3 = 0 "
      "FROM range(5000) AS t(i)",
      [&](const DuckChunk& chunk) {
        for (int64_t r = 0; r < chunk.num_rows(); ++r, ++num_rows) {
          ASSERT_EQ(chunk.integer(0, r), num_rows);
          ASSERT_EQ(chunk.is_valid(1, r), num_rows % 2 == 0);
          if (num_rows % 2 == 0) {
            ASSERT_EQ(chunk.real(1, r), static_cast<double>(num_rows) * 0.5);
          }
          ASSERT_EQ(chunk.text(2, r).size(), static_cast<size_t>(2 * (num_rows % 20)));
          ASSERT_EQ(chunk.boolean(3, r), num_rows % 3 == 0);
        }
      });
  EXPECT_EQ(num_rows, 5000);
}

TEST(DuckDb, SortsMoreThanItsMemory) {
  const TestFolder folder;
  DuckDb db(
      {.memory_bytes = int64_t{64} << 20, .num_threads = 2, .temp_folder = folder / "spilled"});
  int64_t before = -1, num_rows = 0;
  db.stream(
      "SELECT (hash(i) % 1000000007)::BIGINT AS h, i, i + 1, i + 2, i + 3 FROM range(4000000) AS "
      "t(i) ORDER BY h",
      [&](const DuckChunk& chunk) {
        for (int64_t r = 0; r < chunk.num_rows(); ++r, ++num_rows) {
          ASSERT_GE(chunk.integer(0, r), before);
          before = chunk.integer(0, r);
        }
      });
  EXPECT_EQ(num_rows, 4'000'000);
}

TEST(DuckDb, CountsTimesInUtc) {
  DuckDb db({});
  EXPECT_EQ(db.texts("SELECT current_setting('TimeZone'), "
                     "CAST(CAST(TIMESTAMPTZ '2020-01-01 10:00:00+02' AS TIMESTAMP) AS VARCHAR)"),
            (std::vector<std::vector<std::optional<std::string>>>{{"UTC", "2020-01-01 08:00:00"}}));
}

TEST(DuckDb, TellsNoValueOfTheData) {
  EXPECT_EQ(without_values("Conversion Error: Could not convert string 'John Doe' to INT32"),
            "Conversion Error: Could not convert string '...' to INT32");
  EXPECT_EQ(without_values("Binder Error: column \"x\" not found\nLINE 1: ..."),
            "Binder Error: column \"x\" not found");
  // A value with quotes and a line end, and values that are not quoted.
  EXPECT_EQ(without_values("Conversion Error: Could not convert string 'O'Brien\nx' to INT64\n\n"
                           "LINE 1: SELECT CAST(x AS BIGINT) FROM (SELECT 'O''Brien"),
            "Conversion Error: Could not convert string '...' to INT64");
  EXPECT_EQ(without_values("Out of Range Error: Overflow in addition of INT64 (12345 + -678)!"),
            "Out of Range Error: Overflow in addition of INT64 (... + -...)!");
  EXPECT_EQ(without_values("Conversion Error: Type DOUBLE with value 8.64e+40 can't be cast"),
            "Conversion Error: Type DOUBLE with value ... can'...");
  DuckDb db({});
  EXPECT_THROW(db.run("SELECT i * 9000000000000000000 FROM range(3) AS t(i)"), DataError);
  try {
    db.run("SELECT CAST('secret' AS INTEGER)");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
  }
}

TEST(DuckDb, TellsWhereACsvIsBroken) {
  const TestFolder folder;
  write_file(folder / "a.csv", "a,b\n1,2\n3,4\n5,private,7\n");
  DuckDb db({});
  try {
    db.run(
        "SELECT * FROM read_csv(" + sql_text(folder / "a.csv") +
        ", auto_detect=false, header=true, delim=',', columns={'a': 'VARCHAR', 'b': 'VARCHAR'})");
    FAIL();
  } catch (const DataError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("line 4"), std::string::npos) << what;
    EXPECT_NE(what.find("3 fields where the header has 2"), std::string::npos) << what;
    EXPECT_EQ(what.find("private"), std::string::npos) << what;
  }
}

TEST(DuckDb, TellsWhereJsonIsBroken) {
  const TestFolder folder;
  write_file(folder / "a.ndjson", "{\"a\": 1}\n{\"a\": private}\n{\"a\": 2}\n");
  DuckDb db({});
  try {
    db.run("SELECT json->>'$.a' FROM read_ndjson_objects(" + sql_text(folder / "a.ndjson") + ")");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().path, folder / "a.ndjson");
    EXPECT_TRUE(error.problem().starts_with("line 2 ")) << error.what();
    EXPECT_EQ(std::string(error.what()).find("private"), std::string::npos) << error.what();
  }
}

TEST(DuckDb, ALongLineOfJsonIsTold) {
  try {
    throw_duckdb_error(
        "Invalid Input Error: \"maximum_object_size\" of 16777216 bytes exceeded while reading "
        "file \"/raw/g.ndjson\" (>33554424 bytes).\n Try increasing \"maximum_object_size\".");
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().path, "/raw/g.ndjson");
    EXPECT_NE(error.problem().find("too long"), std::string::npos) << error.what();
  }
}

TEST(DuckDb, StopsWhenAsked) {
  DuckDb db({.num_threads = 2});
  request_stop(2);
  EXPECT_THROW(db.run("SELECT count(*) FROM range(100000000000) AS t(i) WHERE i % 7 = 3"),
               Interrupted);
  reset_stop();
  EXPECT_EQ(db.integer("SELECT 7::BIGINT"), 7);
}

TEST(DuckDb, AMissingLibraryIsTold) {
  try {
    load_duckdb("libno_such_duckdb.so");
    FAIL();
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("make setup"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace sequela
