// Tables broken in the ways of any table, through the commands that take one: a line that says
// what, where and what mends it, and the exit code of data.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/cli/run_command.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/packed_files.h"

namespace sequela {
namespace {

using Command = std::vector<std::string>;

// A table that a command takes: its rows, and how it is given.
struct TableKind {
  std::string name;
  std::vector<std::vector<std::string>> rows;  // the header first; the last column must be there
  std::function<Command(const std::string& path)> command;
};

std::string text_of(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "," : "") + row[i];
    text += "\n";
  }
  return text;
}

std::string utf16(const std::string& text) {
  std::string wide = "\xff\xfe";
  for (const char c : text) wide += {c, '\0'};
  return wide;
}

// Ways to break the text of a table, and words of the answer.
struct Fault {
  const char* name;
  const char* words;
  std::function<std::string(const TableKind&)> content;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"nothing", "empty", [](const TableKind&) { return ""; }},
      {"torn gzip", "cut short",
       [](const TableKind& t) {
         const std::string packed = gzipped(text_of(t.rows));
         return packed.substr(0, packed.size() - 9);
       }},
      {"zstd", "zstd", [](const TableKind&) { return std::string("\x28\xb5\x2f\xfd\0\x58", 6); }},
      {"Parquet by another name", "Parquet", [](const TableKind&) { return "PAR1\x15\x04"; }},
      {"UTF-16", "UTF-16", [](const TableKind& t) { return utf16(text_of(t.rows)); }},
      {"a missing column", "column",
       [](TableKind t) {
         t.rows.front().back() = "something";
         return text_of(t.rows);
       }},
      {"a column twice", "two columns of this name",
       [](TableKind t) {
         for (auto& row : t.rows) row.push_back(row.front());
         return text_of(t.rows);
       }},
      {"a short row", "fields, the header has",
       [](const TableKind& t) { return text_of(t.rows) + "7\n"; }},
      {"an open quote", "a quote is never closed",
       [](const TableKind& t) { return text_of(t.rows) + "\"7,train\n"; }},
      {"no number as id", "integer", [](TableKind t) {
         t.rows.back().front() = "x7";
         return text_of(t.rows);
       }}};
  return all;
}

class BadTable : public testing::Test {
 protected:
  void SetUp() override {
    const std::string good = inputs_.path("good_controls"), out = folder_ / "out";
    const auto features = [=](const Command& more) {
      Command command = {"features", "--meds", good + "/meds", "--model", good + "/model",
                         "--out",    out};
      command.insert(command.end(), more.begin(), more.end());
      return command;
    };
    kinds_ = {{"labels",
               {{"subject_id", "boolean_value", "prediction_time"}, {"3", "true", "2001-01-01"}},
               [=](const std::string& path) {
                 return features({"--labels", path});
               }},
              {"cohort",
               {{"subject_id", "label", "dataset_split"}, {"3", "1", "train"}},
               [=](const std::string& path) {
                 return features({"--labels", good + "/labels.parquet", "--cohort", path});
               }},
              {"split",
               {{"subject_id", "split_name"}, {"3", "train"}},
               [=](const std::string& path) {
                 return Command{"prepare", "--meds", good + "/meds", "--split", path, "--out", out};
               }},
              {"visits", {{"subject_id", "code"}, {"3", "TREE/1"}}, [=](const std::string& path) {
                 return Command{"encode",  "--model", reference_path("bert/a_bert/model_st"),
                                "--input", path,      "--out",
                                out};
               }}};
  }

  void expect_line(const TableKind& kind, const std::string& path, const std::string& words) const {
    const CommandResult result = run_sequela(kind.command(path));
    EXPECT_EQ(result.exit_code, 3) << result.err;
    const size_t at = result.err.rfind("sequela: error: ");
    ASSERT_NE(at, std::string::npos) << result.err;
    const std::string line = result.err.substr(at);
    EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
    EXPECT_NE(line.find(path), std::string::npos) << line;
    EXPECT_NE(line.find(words), std::string::npos) << line;
    EXPECT_NE(line.find("Fix: "), std::string::npos) << line;
  }

  void expect_faults_named(const std::string& name) const {
    const TableKind& kind = *std::ranges::find(kinds_, name, &TableKind::name);
    for (const Fault& fault : faults()) {
      SCOPED_TRACE(fault.name);
      write_file(folder_ / "table.csv", fault.content(kind));
      expect_line(kind, folder_ / "table.csv", fault.words);
    }
  }

  BadInputs inputs_;
  TestFolder folder_;
  std::vector<TableKind> kinds_;
};

TEST_F(BadTable, EveryFaultOfLabelsIsNamed) {
  expect_faults_named("labels");
}
TEST_F(BadTable, EveryFaultOfACohortIsNamed) {
  expect_faults_named("cohort");
}
TEST_F(BadTable, EveryFaultOfASplitIsNamed) {
  expect_faults_named("split");
}
TEST_F(BadTable, EveryFaultOfVisitsIsNamed) {
  expect_faults_named("visits");
}

TEST_F(BadTable, ATornParquetIsNamed) {
  const std::string whole = read_file(inputs_.path("good_controls/labels.parquet"));
  for (const size_t size : {size_t{0}, size_t{3}, whole.size() / 2, whole.size() - 1}) {
    write_file(folder_ / "table.parquet", whole.substr(0, size));
    for (const TableKind& kind : kinds_) {
      SCOPED_TRACE(kind.name + ", " + std::to_string(size));
      if (kind.name != "split") expect_line(kind, folder_ / "table.parquet", "Parquet");
    }
  }
}

TEST_F(BadTable, EveryFaultOfAnAthenaTableIsNamed) {
  const AthenaText good = good_athena();
  const std::string header = good.concepts.substr(0, good.concepts.find('\n') + 1);
  const std::string packed = gzipped(good.concepts);
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"", "no header line"},
      {header, "no concept"},
      {packed.substr(0, packed.size() - 9), "cut short"},
      {std::string("\x28\xb5\x2f\xfd\0\x58", 6), "zstd"},
      {"PAR1\x15\x04", "Parquet"},
      {utf16(good.concepts), "UTF-16"},
      {replace_all(good.concepts, "\tconcept_code\t", "\tother\t"), "column 'concept_code'"},
      {replace_all(good.concepts, "\tdomain_id\t", "\tconcept_id\t"), "two columns of this name"},
      {good.concepts + "161\tshort\n", "row 60"},
      {good.concepts + "\tnone" + std::string(8, '\t') + "\n", "row 60: column 'concept_id'"}};
  const std::string folder = folder_ / "athena", path = folder + "/CONCEPT.csv";
  good.write(folder);
  const TableKind athena = {"athena", {}, [&](const std::string&) {
                              return Command{
                                  "prepare",      "--meds", inputs_.path("good_controls/meds"),
                                  "--athena",     folder,   "--out",
                                  folder_ / "out"};
                            }};
  for (const auto& [content, words] : faults) {
    SCOPED_TRACE(words);
    write_file(path, content);
    expect_line(athena, path, words);
  }
}

}  // namespace
}  // namespace sequela
