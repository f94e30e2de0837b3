#include "sequela/io/csv.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "tests/support/files.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

std::string csv_file(const std::string& content) {
  const std::string path = temporary_path("table.csv");
  write_file(path, content);
  return path;
}

// All rows as "line:field|field" texts.
std::vector<std::string> rows_of(const std::string& content, char delimiter, CsvQuoting quoting) {
  CsvReader reader(csv_file(content), delimiter, quoting);
  std::vector<std::string> rows;
  reader.for_each_row([&](std::span<const std::string_view> fields, int64_t line) {
    std::string row = std::to_string(line) + ":";
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) row += '|';
      row += fields[i];
    }
    rows.push_back(row);
  });
  return rows;
}

using Rows = std::vector<std::string>;

TEST(Csv, SplitsUnquotedLines) {
  EXPECT_EQ(rows_of("a\tb\n1\t2\n\n\"x\t\"\"\n", '\t', CsvQuoting::none),
            (Rows{"2:1|2", "4:\"x|\"\""}));
  EXPECT_EQ(rows_of("a\tb\r\n1\t\r\n\t2", '\t', CsvQuoting::none), (Rows{"2:1|", "3:|2"}));
  EXPECT_EQ(rows_of("\xef\xbb\xbf"
                    "a\n7\n",
                    ',', CsvQuoting::none),
            (Rows{"2:7"}));
  EXPECT_EQ(rows_of("a,b", ',', CsvQuoting::none), Rows{});
}

TEST(Csv, SplitsQuotedLines) {
  EXPECT_EQ(rows_of("a,b\n\"1,\n2\",\"say \"\"hi\"\"\"\n3,4", ',', CsvQuoting::rfc4180),
            (Rows{"2:1,\n2|say \"hi\"", "4:3|4"}));
  EXPECT_EQ(rows_of("\"a\",\"b\"\r\n\"\",\"x\"\r\n,\r\n", ',', CsvQuoting::rfc4180),
            (Rows{"2:|x", "3:|"}));
  EXPECT_EQ(rows_of("a,b\nx\"y,\"\"\n", ',', CsvQuoting::rfc4180), (Rows{"2:x\"y|"}));
  EXPECT_EQ(rows_of("a,b\n1,\"2\"\r", ',', CsvQuoting::rfc4180), (Rows{"2:1|2"}));
}

TEST(Csv, MayBeReadTwice) {
  CsvReader reader(csv_file("a,b\n1,2\n3,4\n"), ',', CsvQuoting::rfc4180);
  EXPECT_EQ(reader.require_column("b"), 1);
  for (int pass = 0; pass < 2; ++pass) {
    int64_t num_rows = 0;
    reader.for_each_row([&](std::span<const std::string_view>, int64_t) { ++num_rows; });
    EXPECT_EQ(num_rows, 2);
  }
}

TEST(Csv, FaultsNameTheRow) {
  try {
    rows_of("a,b\n1,2\n3\n", ',', CsvQuoting::none);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().row, 1);
    EXPECT_NE(std::string(error.what()).find("line 3"), std::string::npos);
  }
  EXPECT_THROW(rows_of("", ',', CsvQuoting::none), DataError);
  EXPECT_THROW(rows_of("a,b\n\"1,2\n", ',', CsvQuoting::rfc4180), DataError);
  EXPECT_THROW(rows_of("a,b\n\"1\"x,2\n", ',', CsvQuoting::rfc4180), DataError);
  EXPECT_THROW(CsvReader("no/such.csv", ',', CsvQuoting::none), DataError);
  EXPECT_THROW(CsvReader(csv_file("a,b\n"), '\t', CsvQuoting::none).require_column("a"), DataError);
}

TEST(Csv, LongFieldsTakeLinearTime) {
  const std::string field(20'000'000, '"');
  EXPECT_EQ(rows_of("a,b\n" + field + ",x\n", ',', CsvQuoting::none).size(), 1u);
  EXPECT_EQ(rows_of("a,b\n" + field + ",x\n", ',', CsvQuoting::rfc4180).size(), 1u);
}

TEST(Csv, ReadsAthenaTables) {
  int num_files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(reference_path("motor/g60/athena"))) {
    if (entry.path().filename() != "CONCEPT.csv") continue;
    CsvReader reader(entry.path().string(), '\t', CsvQuoting::none);
    const int id = reader.require_column("concept_id");
    int64_t num_rows = 0;
    reader.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
      ASSERT_FALSE(fields[id].empty());
      ++num_rows;
    });
    EXPECT_GT(num_rows, 0);
    ++num_files;
  }
  EXPECT_GT(num_files, 0);
}

TEST(Csv, FindsItsDelimiterInTheHeader) {
  const Rows rows = {"2:1|a, b"};
  EXPECT_EQ(rows_of("id;name\n1;a, b\n", kDelimiterOfHeader, CsvQuoting::rfc4180), rows);
  EXPECT_EQ(rows_of("id|name\n1|a, b\n", kDelimiterOfHeader, CsvQuoting::rfc4180), rows);
  EXPECT_EQ(rows_of("id\tname\n1\ta, b\n", kDelimiterOfHeader, CsvQuoting::rfc4180), rows);
  EXPECT_EQ(rows_of("id,\"na;;me\"\n1,\"a, b\"\n", kDelimiterOfHeader, CsvQuoting::rfc4180), rows);
  EXPECT_EQ(rows_of("id\n7\n", kDelimiterOfHeader, CsvQuoting::rfc4180), Rows{"2:7"});
}

TEST(Csv, AColumnTwiceIsRefusedByName) {
  const CsvReader reader(csv_file("a,b,a\n1,2,3\n"), ',', CsvQuoting::rfc4180);
  EXPECT_EQ(reader.find_column("b"), 1);
  try {
    reader.require_column("a");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().column, "a");
    EXPECT_NE(std::string(error.what()).find("table.csv"), std::string::npos);
  }
}

}  // namespace
}  // namespace sequela
