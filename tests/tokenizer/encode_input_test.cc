#include "sequela/tokenizer/sequence/encode_input.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "tests/support/packed_files.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

using Texts = std::vector<std::string>;

// "7: A B | C" a patient.
Texts words(const EncodeInput& input) {
  Texts out;
  const PatientVisits& visits = input.visits;
  for (int64_t p = 0; p < visits.num_patients(); ++p) {
    std::string text = std::to_string(visits.subject_ids[p]) + ":";
    for (int64_t v = visits.visit_offsets[p]; v < visits.visit_offsets[p + 1]; ++v) {
      if (v > visits.visit_offsets[p]) text += " |";
      for (const int32_t code : visits.codes_of(v)) {
        text += " ";
        text += input.has_ids ? std::to_string(code) : std::string(input.code_texts.text(code));
      }
    }
    out.push_back(text);
  }
  return out;
}

EncodeInput read_text(const std::string& name, const std::string& text,
                      const EncodeInputOptions& options = {}) {
  TestFolder folder;
  write_file(folder / name, text);
  return read_encode_input(folder / name, options);
}

void expect_bad(const std::string& name, const std::string& text, int64_t row,
                const std::string& column, const EncodeInputOptions& options = {}) {
  try {
    read_text(name, text, options);
    ADD_FAILURE() << text;
  } catch (const DataError& error) {
    EXPECT_EQ(error.where().row, row) << error.what();
    EXPECT_EQ(error.where().column, column) << error.what();
    EXPECT_NE(error.where().path.find(name), std::string::npos);
  }
}

TEST(EncodeInput, EventRowsOfCsv) {
  const EncodeInput input = read_text("x.csv",
                                      "subject_id,time,code\n"
                                      "7,2020-01-02T10:00:00,B\n"
                                      "9,2020-01-01,X\n"
                                      "7,2020-01-01 23:00,A\n"
                                      "7,2020-01-02,\"C,c\"\n");
  EXPECT_EQ(input.level, EncodeLevel::patients);
  EXPECT_EQ(words(input), (Texts{"7: A | B C,c", "9: X"}));
  EXPECT_TRUE(input.has_subject_ids);
  EXPECT_TRUE(input.has_times);
  EXPECT_FALSE(input.has_ids);
  EXPECT_EQ(input.visits.visit_times_us[1], 18263 * kMicrosPerDay);
}

TEST(EncodeInput, VisitIdsJoinRows) {
  const EncodeInput input = read_text("x.tsv",
                                      "hadm_id\tcode\n"
                                      "v2\tA\nv1\tB\nv2\tC\n");
  EXPECT_EQ(input.level, EncodeLevel::visits);
  EXPECT_EQ(words(input), (Texts{"0: A C | B"}));
  EXPECT_EQ(input.visit_names, (Texts{"v2", "v1"}));
  EXPECT_FALSE(input.has_subject_ids);
  EXPECT_FALSE(input.has_times);
}

// As people export them: OMOP's names in capitals, other separators, packed, from other systems.
TEST(EncodeInput, TablesInEveryForm) {
  const std::string rows =
      "PERSON_ID,VISIT_OCCURRENCE_ID,TIME,CODE\n7,1,2020-01-02,B\n7,2,2020-01-01,A\n";
  std::string semicolons = rows, crlf;
  std::ranges::replace(semicolons, ',', ';');
  for (const char c : rows) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"x.csv", rows},
      {"X.CSV", rows},
      {"x.csv.gz", gzipped(rows)},
      {"x.csv", gzipped(rows)},
      {"x.csv", semicolons},
      {"x.csv", "\xef\xbb\xbf" + crlf},
      {"x.csv", rows.substr(0, rows.size() - 1)},
      {"x.csv", " Person_Id , Visit_Id , time , Code\n7,1,2020-01-02,\"B\"\n7,2,2020-01-01,A\n"}};
  for (const auto& [name, content] : forms)
    EXPECT_EQ(words(read_text(name, content)), Texts{"7: A | B"}) << name << "\n" << content;
  EXPECT_EQ(words(read_text("x.csv", "subject_id,visit_id,code\n7,1,\"A\nB\"\n")),
            Texts{"7: A\nB"});
  EXPECT_EQ(words(read_text("x.jsonl.gz", gzipped("[\"A\"]\n"))), Texts{"0: A"});
  EXPECT_EQ(read_text("x.txt.gz", gzipped("one\ntwo\n")).texts, (Texts{"one", "two"}));
}

TEST(EncodeInput, ParquetColumnsInCapitals) {
  TestFolder folder;
  write_parquet(folder / "x.parquet", {{"PERSON_ID", std::vector<int64_t>{7}},
                                       {"CODES", std::vector<Texts>{{"A", "B"}}}});
  EXPECT_EQ(words(read_encode_input(folder / "x.parquet")), Texts{"7: A B"});
  write_parquet(folder / "x.parquet", {{"code", Texts{"A"}}, {"CODE", Texts{"B"}}});
  EXPECT_EQ(words(read_encode_input(folder / "x.parquet")), Texts{"0: A"})
      << "the very same letters";
  write_parquet(folder / "x.parquet", {{"Code", Texts{"A"}}, {"CODE", Texts{"B"}}});
  EXPECT_THROW(read_encode_input(folder / "x.parquet"), DataError);
}

TEST(EncodeInput, CodesAlone) {
  EXPECT_EQ(words(read_text("x.csv", "code\nA\nB\nA\n")), (Texts{"0: A B A"}));
  const EncodeInput ids = read_text("x.csv", "code\n3\n0\n", {.code_kind = "ids"});
  EXPECT_TRUE(ids.has_ids);
  EXPECT_EQ(words(ids), (Texts{"0: 3 0"}));
  EXPECT_EQ(ids.level, EncodeLevel::codes);
  EXPECT_FALSE(read_text("x.csv", "code\n250\n").has_ids);
}

TEST(EncodeInput, ListsOfCsv) {
  const EncodeInput input = read_text("x.csv", "patient_id,codes\n1,A B\n1,C;D|E\n2,\n");
  EXPECT_EQ(words(input), (Texts{"1: A B | C D E", "2:"}));
  EXPECT_EQ(input.visits.num_visits(), 3);
}

TEST(EncodeInput, Limits) {
  const EncodeInput input = read_text("x.csv", "subject_id,codes\n1,A\n1,B C D\n1,E F\n2,G\n",
                                      {.max_visits = 2, .max_codes = 2});
  EXPECT_EQ(words(input), (Texts{"1: B C | E F", "2: G"}));
  EXPECT_EQ(input.num_visits_dropped, 1);
  EXPECT_EQ(input.num_codes_cut, 1);
}

TEST(EncodeInput, JsonLinesOfEveryKind) {
  EXPECT_EQ(words(read_text("x.jsonl", "\"A\"\n\n\"B\"\n")), (Texts{"0: A B"}));
  EXPECT_EQ(words(read_text("x.jsonl", "[3, 4]\n[]\n[5]\n")), (Texts{"0: 3 4 | | 5"}));
  EXPECT_EQ(words(read_text("x.jsonl", "[[3, 4], []]\n[[5]]\n")), (Texts{"0: 3 4 |", "1: 5"}));
  EXPECT_EQ(words(read_text("x.ndjson",
                            "{\"subject_id\": 4, \"visits\": [[\"A\"], [\"B\", \"C\"]]}\n"
                            "{\"subject_id\": 2, \"visits\": [{\"time\": \"2021-01-01\", "
                            "\"codes\": [\"D\"]}, {\"time\": \"2020-01-01\", \"codes\": []}]}\n")),
            (Texts{"4: A | B C", "2: | D"}));
  EXPECT_EQ(words(read_text("x.jsonl",
                            "{\"subject_id\": 4, \"code\": \"A\", \"visit_id\": 1}\n"
                            "{\"subject_id\": 4, \"code\": \"B\", \"visit_id\": \"1\"}\n")),
            (Texts{"4: A B"}));
  const EncodeInput codes = read_text("x.jsonl", "[3]\n", {.code_kind = "codes"});
  EXPECT_FALSE(codes.has_ids);
  const EncodeInput texts = read_text("x.jsonl", "{\"text\": \"Chest pain\"}\n");
  EXPECT_EQ(texts.level, EncodeLevel::texts);
  EXPECT_EQ(texts.texts, (Texts{"Chest pain"}));
}

TEST(EncodeInput, TextLines) {
  const EncodeInput input = read_text("x.txt", "Chest pain\r\n\nBP 142\n");
  EXPECT_EQ(input.texts, (Texts{"Chest pain", "", "BP 142"}));
  EXPECT_EQ(read_text("x.csv", "text\na\nb\n").texts, (Texts{"a", "b"}));
}

TEST(EncodeInput, Parquet) {
  TestFolder folder;
  const std::string path = folder / "x.parquet";
  TableColumn times{"time", std::vector<int64_t>{kMicrosPerDay, 0, 0}};
  times.is_timestamp = true;
  write_parquet(path, {{"subject_id", std::vector<int64_t>{5, 5, 6}},
                       times,
                       {"code", std::vector<std::string>{"B", "A", "B"}}});
  EXPECT_EQ(words(read_encode_input(path)), (Texts{"5: A | B", "6: B"}));

  write_parquet(path, {{"codes", std::vector<std::vector<std::string>>{{"A", "B"}, {}, {"A"}}}});
  const EncodeInput lists = read_encode_input(path);
  EXPECT_EQ(lists.level, EncodeLevel::visits);
  EXPECT_EQ(words(lists), (Texts{"0: A B | | A"}));

  write_parquet(path, {{"visit_id", std::vector<int64_t>{1, 2, 1}},
                       {"code", std::vector<int64_t>{30, 40, 50}}});
  const EncodeInput ids = read_encode_input(path);
  EXPECT_TRUE(ids.has_ids);
  EXPECT_EQ(words(ids), (Texts{"0: 30 50 | 40"}));

  write_parquet(path, {{"text", std::vector<std::string>{"x", "y"}}});
  EXPECT_EQ(read_encode_input(path).texts, (Texts{"x", "y"}));

  write_parquet(path,
                {{"subject_id", std::vector<double>{1}}, {"code", std::vector<std::string>{"A"}}});
  EXPECT_THROW(read_encode_input(path), DataError);
}

TEST(EncodeInput, BadRowsHaveTheirPlace) {
  expect_bad("x.csv", "a,b\n1,2\n", -1, "code");
  expect_bad("x.csv", "code\nA\n\"\"\n", 1, "code");
  expect_bad("x.csv", "subject_id,code\n1,A\nx,B\n", 1, "subject_id");
  expect_bad("x.csv", "time,code\nsoon,A\n", 0, "time");
  expect_bad("x.csv", "code\n-1\n", 0, "code", {.code_kind = "ids"});
  expect_bad("x.csv", "code\nA\n", -1, "nope", {.code_column = "nope"});
  expect_bad("x.jsonl", "[1]\n[\"A\"]\n", 1, "code");
  expect_bad("x.jsonl", "[1]\n{\"code\": 3}\n", 1, "");
  expect_bad("x.jsonl", "{\"code\": \n", 0, "");
  expect_bad("x.jsonl", "[1.5]\n", 0, "code");
  expect_bad("x.jsonl", "[99999999999]\n", 0, "code");
  expect_bad("x.jsonl", "{\"visits\": 3}\n", 0, "visits");
  expect_bad("x.jsonl", "{\"visits\": [{}]}\n", 0, "codes");
  expect_bad("x.jsonl", "{}\n", 0, "code");
  expect_bad("x.jsonl", std::string(40, '[') + std::string(40, ']') + "\n", 0, "");
  expect_bad("x.jsonl", "{\"subject_id\": 1, \"visits\": []}\n{\"visits\": []}\n", -1,
             "subject_id");
  EXPECT_THROW(read_text("x.dat", "A\n"), FileError);
  EXPECT_THROW(read_text("x.csv", "code\nA\n", {.level = "patient"}), ConfigError);
  EXPECT_THROW(read_text("x.csv", "code\nA\n", {.format = "xml"}), ConfigError);
}

}  // namespace
}  // namespace sequela
