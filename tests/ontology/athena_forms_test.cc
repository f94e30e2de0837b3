// The states in which people keep an Athena download.
#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/ontology/athena_files.h"
#include "sequela/ontology/build_ontology.h"
#include "tests/ontology/support.h"
#include "tests/support/packed_files.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

using Rows = std::vector<std::vector<std::string>>;

const std::map<std::string, Rows> kTables = {
    {"CONCEPT.csv",
     {{"concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id",
       "standard_concept", "concept_code", "valid_start_date", "valid_end_date", "invalid_reason"},
      {"1", "Diabetes, the \"second\" kind", "Condition", "ICD10CM", "code", "", "E11.9",
       "19700101", "20991231", ""},
      {"2", "Hypertension", "Condition", "SNOMED", "Finding", "S", "38341003", "19700101",
       "20991231", ""},
      {"3", "Disorder", "Condition", "SNOMED", "Finding", "S", "64572001", "19700101", "20991231",
       ""}}},
    {"CONCEPT_RELATIONSHIP.csv",
     {{"concept_id_1", "concept_id_2", "relationship_id", "valid_start_date", "valid_end_date",
       "invalid_reason"},
      {"1", "2", "Maps to", "19700101", "20991231", ""}}},
    {"CONCEPT_ANCESTOR.csv",
     {{"ancestor_concept_id", "descendant_concept_id", "min_levels_of_separation",
       "max_levels_of_separation"},
      {"3", "2", "1", "1"}}}};

std::string plain(const Rows& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "\t" : "") + row[i];
    text += "\n";
  }
  return text;
}

std::string quoted(const Rows& rows, char delimiter, bool has_quoted_header) {
  std::string text;
  for (const auto& row : rows) {
    const bool is_bare = &row == &rows.front() && !has_quoted_header;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += delimiter;
      if (!is_bare) text += '"';
      for (const char c : row[i]) text += c == '"' ? "\"\"" : std::string(1, c);
      if (!is_bare) text += '"';
    }
    text += "\r\n";
  }
  return text;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

// Codes with parents and names, a line each.
std::string summary(const std::string& athena, const std::string& scratch_folder = "") {
  const OntologyOptions options{.athena = athena, .scratch_folder = scratch_folder};
  const Ontology ontology = build_full_ontology(options, nullptr);
  std::string text;
  const auto names = descriptions_of(ontology);
  for (const auto& [code, parents] : parents_of(ontology)) {
    text += code + " '" + names.at(code) + "' <";
    for (const std::string& parent : parents) text += " " + parent;
    text += "\n";
  }
  return text;
}

const char* const kWanted =
    "ICD10CM/E11.9 'Diabetes, the \"second\" kind' < SNOMED/38341003\n"
    "SNOMED/38341003 'Hypertension' < SNOMED/64572001\n"
    "SNOMED/64572001 'Disorder' <\n";

// Writes the tables below a folder, their names and contents changed.
void write_tables(const std::string& folder, const std::function<std::string(std::string)>& name,
                  const std::function<std::string(const Rows&)>& content) {
  fs::create_directories(folder);
  for (const auto& [table, rows] : kTables) write_text(folder + "/" + name(table), content(rows));
}

std::string same(std::string name) {
  return name;
}
std::string packed_name(const std::string& name) {
  return name + ".gz";
}

TEST(AthenaForms, PlainLowerCasePackedAndNested) {
  const auto packed = [](const Rows& rows) { return gzipped(plain(rows)); };
  TestFolder folder;
  write_tables(folder / "plain", same, plain);
  EXPECT_EQ(summary(folder / "plain"), kWanted);
  write_tables(folder / "lower", lower, plain);
  EXPECT_EQ(summary(folder / "lower"), kWanted);
  write_tables(folder / "gz", packed_name, packed);
  EXPECT_EQ(summary(folder / "gz"), kWanted);
  write_tables(
      folder / "lower_gz", [](const std::string& n) { return lower(n) + ".GZ"; }, packed);
  EXPECT_EQ(summary(folder / "lower_gz"), kWanted);
  write_tables(folder / "nested/vocabulary_download_v5", same, plain);
  EXPECT_EQ(summary(folder / "nested"), kWanted);
  EXPECT_EQ(summary(folder / "nested/"), kWanted);
}

TEST(AthenaForms, QuotedFields) {
  TestFolder folder;
  for (const char delimiter : {'\t', ','}) {
    write_tables(folder / "quoted", same,
                 [&](const Rows& rows) { return quoted(rows, delimiter, true); });
    EXPECT_EQ(summary(folder / "quoted"), kWanted);
  }
  write_tables(folder / "rows", same, [](const Rows& rows) { return quoted(rows, '\t', false); });
  EXPECT_EQ(summary(folder / "rows"), kWanted);
}

TEST(AthenaForms, ColumnNamesInCapitals) {
  TestFolder folder;
  write_tables(folder / "a", same, [](Rows rows) {
    for (std::string& name : rows.front())
      for (char& c : name) c = static_cast<char>(std::toupper(c));
    return plain(rows);
  });
  EXPECT_EQ(summary(folder / "a"), kWanted);
}

std::string zip_of(const std::string& prefix) {
  std::vector<std::pair<std::string, std::string>> members = {{"__MACOSX/CONCEPT.csv", "junk"}};
  for (const auto& [table, rows] : kTables) members.emplace_back(prefix + table, plain(rows));
  members.emplace_back("readme.txt", "hello");
  return zipped(members);
}

TEST(AthenaForms, TheDownloadItself) {
  TestFolder folder, scratch;
  write_text(folder / "athena.zip", zip_of(""));
  EXPECT_EQ(summary(folder / "athena.zip", scratch.path()), kWanted);
  EXPECT_EQ(summary(folder.path()), kWanted);
  write_text(folder / "athena.zip", zip_of("vocabulary_download_v5/"));
  EXPECT_EQ(summary(folder / "athena.zip"), kWanted);
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

std::string refusal(const std::string& athena) {
  try {
    summary(athena);
    return "";
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(AthenaForms, WhatIsMissingOrThereTwiceIsNamed) {
  TestFolder folder;
  write_tables(folder / "a", same, plain);
  fs::remove(folder / "a/CONCEPT_ANCESTOR.csv");
  EXPECT_NE(refusal(folder / "a").find("a/CONCEPT_ANCESTOR.csv: there is no such file"),
            std::string::npos);
  write_tables(folder / "b", same, plain);
  write_text(folder / "b/concept.csv", "");
  EXPECT_NE(refusal(folder / "b").find("the same table lies in "), std::string::npos);
  write_text(folder / "torn.zip", zip_of("").substr(0, 300));
  EXPECT_NE(refusal(folder / "torn.zip").find("torn.zip"), std::string::npos);
  EXPECT_NE(refusal(folder / "none").find("no such folder"), std::string::npos);
}

TEST(AthenaForms, NamesTheFilesThatItReads) {
  TestFolder folder;
  write_tables(folder / "a", same, plain);
  const auto paths = AthenaFiles(folder / "a").paths();
  EXPECT_EQ(paths.size(), 3u);
  EXPECT_EQ(paths.at("CONCEPT.csv"), folder / "a/CONCEPT.csv");
  fs::create_directories(folder / "zipped");
  write_text(folder / "zipped/download.zip", zip_of(""));
  EXPECT_EQ(AthenaFiles(folder / "zipped").paths(),
            (std::map<std::string, std::string>{{"", folder / "zipped/download.zip"}}));
}

}  // namespace
}  // namespace sequela
