#include "sequela/pipeline/etl.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/io/postgres.h"
#include "sequela/meds/check_dataset.h"
#include "sequela/pipeline/prepare.h"
#include "tests/support/postgres_server.h"
#include "tests/support/shared.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

class Etl : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "cdm");
    std::string persons = "person_id,year_of_birth\n";
    std::string rows =
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n";
    for (int i = 1; i <= 40; ++i) {
      persons += str(i, ",", 1950 + i, "\n");
      for (int k = 0; k < 20; ++k)
        rows +=
            str(i * 100 + k, ",", i, ",", 10 + k % 5 + i % 2 * 5, ",20", 10 + k % 10, "-02-03\n");
    }
    write_file(folder_ / "cdm/person.csv", persons);
    write_file(folder_ / "cdm/condition_occurrence.csv", rows);
  }
  EtlOptions options() const {
    return {.from = "omop", .folder = folder_ / "cdm", .out = folder_ / "meds"};
  }
  TestFolder folder_;
};

// What a ConfigError says.
std::string refusal(const std::function<void()>& run) {
  try {
    run();
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "not refused";
  return "";
}

TEST_F(Etl, TheResultIsMedsThatPrepareReads) {
  const EtlReport report = etl(options());
  EXPECT_EQ(report.converted.shards.num_events, 840);
  const MedsCheck check = check_meds(folder_ / "meds", 2);
  EXPECT_TRUE(check.is_sound());
  EXPECT_EQ(check.num_events, 840);
  EXPECT_TRUE(check.findings.empty()) << check.findings[0].what;
  const PrepareReport prepared = prepare({.meds = folder_ / "meds",
                                          .out = folder_ / "out",
                                          .num_tasks = 4,
                                          .num_bins = 2,
                                          .final_layer_size = 16,
                                          .tokens_per_batch = 64});
  EXPECT_FALSE(prepared.is_up_to_date);
}

TEST_F(Etl, ASecondRunHasNothingToDo) {
  etl(options());
  EXPECT_TRUE(etl(options()).is_up_to_date);
  // A copy elsewhere is the same data; a changed table is not.
  fs::rename(folder_ / "cdm", folder_ / "moved");
  EtlOptions moved = options();
  moved.folder = folder_ / "moved";
  EXPECT_TRUE(etl(moved).is_up_to_date);
  write_file(folder_ / "moved/person.csv", "person_id,year_of_birth\n1,1980\n");
  EXPECT_FALSE(etl(moved).is_up_to_date);
  EXPECT_FALSE(etl({.from = "omop",
                    .folder = folder_ / "moved",
                    .out = folder_ / "meds",
                    .drops_text = true})
                   .is_up_to_date);
}

TEST_F(Etl, AnotherNameOfAColumnOrOfTheDataIsAnotherResult) {
  const auto run = [&](const std::string& data, const std::string& column) {
    write_file(folder_ / "events.yaml",
               "etl: {dataset_name: " + data +
                   "}\nperson:\n  _defaults: {subject_id: $person_id}\n  person:\n    code: A\n"
                   "    time: null\n    " +
                   column + ": $year_of_birth\n");
    return etl({.from = folder_ / "events.yaml",
                .folder = folder_ / "cdm",
                .out = folder_ / "meds"})
        .is_up_to_date;
  };
  EXPECT_FALSE(run("one", "born"));
  EXPECT_TRUE(run("one", "born"));
  EXPECT_FALSE(run("one", "year"));
  EXPECT_FALSE(run("two", "year"));
  EXPECT_NE(read_file(folder_ / "meds/metadata/dataset.json").find("two"), std::string::npos);
}

TEST_F(Etl, TheSecretOfDatesIsNowhere) {
  write_file(folder_ / "key", "0123456789abcdefghij\n");
  EtlOptions shifted = options();
  shifted.shift_dates = folder_ / "key";
  etl(shifted);
  EXPECT_EQ(read_file(folder_ / "meds/manifest.json").find("0123456789abcdefghij"),
            std::string::npos);
  EXPECT_TRUE(etl(shifted).is_up_to_date);
  write_file(folder_ / "key", "another 0123456789abcdefghij\n");
  EXPECT_FALSE(etl(shifted).is_up_to_date);
  write_file(folder_ / "key", "short");
  EXPECT_THROW(etl(shifted), ConfigError);
}

TEST_F(Etl, ExplainShowsTheSql) {
  const std::string sql = explain_etl(options());
  EXPECT_NE(sql.find("-- condition_occurrence: condition"), std::string::npos) << sql;
  EXPECT_NE(sql.find("LEFT JOIN etl_concept"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "meds"));
  EtlOptions of_database = options();
  of_database.from = "postgresql://me:secret@host/database";
  EXPECT_EQ(refusal([&] { explain_etl(of_database); }).find("secret"), std::string::npos);
}

TEST_F(Etl, FaultsAreTold) {
  EtlOptions wrong = options();
  wrong.from = "ompo";
  EXPECT_NE(refusal([&] { etl(wrong); }).find("did you mean 'omop'?"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "meds"));  // nothing is left behind
  wrong = options();
  wrong.folder = folder_ / "nowhere";
  EXPECT_THROW(etl(wrong), DataError);
}

TEST_F(Etl, ReadsOmopFromPostgresql) {
  const std::string programs = PostgresServer::find_programs();
  if (programs.empty())
    GTEST_SKIP() << "no PostgreSQL server is installed: install package postgresql";
  etl(options());
  const PostgresServer server(programs);
  PostgresConnection connection(server.uri(), "--from");
  connection.run("CREATE SCHEMA cdm");
  connection.run("CREATE TABLE cdm.person(person_id bigint, year_of_birth int)");
  connection.run("INSERT INTO cdm.person SELECT i, 1950 + i FROM generate_series(1, 40) AS i");
  connection.run(
      "CREATE TABLE cdm.condition_occurrence(condition_occurrence_id bigint, person_id bigint, "
      "condition_concept_id int, condition_start_date date)");
  connection.run(
      "INSERT INTO cdm.condition_occurrence SELECT i * 100 + k, i, 10 + k % 5 + i % 2 * 5, "
      "make_date(2010 + k "
      "% 10, 2, 3) FROM generate_series(1, 40) AS i, generate_series(0, 19) AS k");
  EtlOptions database = options();
  database.from = server.uri() + "/cdm";
  database.folder = "";
  database.out = folder_ / "from_database";
  etl(database);
  EXPECT_EQ(file_digest(folder_ / "from_database/data/0.parquet"),
            file_digest(folder_ / "meds/data/0.parquet"));
  EXPECT_FALSE(fs::exists(folder_ / "from_database/.etl"));
  EXPECT_TRUE(etl(database).is_up_to_date);
  database.from = server.uri() + "/nothing";
  EXPECT_THROW(etl(database), DataError);

  // A run that fails leaves no copy of the tables.
  connection.run("INSERT INTO cdm.person SELECT NULL, 1950 FROM generate_series(1, 40)");
  database.from = server.uri() + "/cdm";
  EXPECT_THROW(etl(database), DataError);
  EXPECT_FALSE(fs::exists(folder_ / "from_database/.etl/raw"));
}

// MIMIC-IV's demo as it lies there: labs, charts and dictionaries are missing.
TEST(EtlShared, ReadsTheMimicDemo) {
  SEQUELA_NEED_SHARED();
  const TestFolder folder;
  const EtlReport report = etl({.from = "mimic4",
                                .folder = shared_path("data/mimic4_demo_raw"),
                                .out = folder / "meds",
                                .num_threads = 2});
  EXPECT_EQ(report.converted.shards.num_subjects, 100);
  std::map<std::string, int64_t> rows;
  for (const TableLedger& table : report.converted.tables) rows[table.name] = table.num_rows;
  EXPECT_EQ(rows["hosp/admissions"], 275);
  EXPECT_EQ(rows["hosp/prescriptions"], 18'087);
  EXPECT_EQ(rows["icu/ingredientevents"], 25'728);
  EXPECT_NE(std::ranges::find(report.converted.missing, "hosp/labevents"),
            report.converted.missing.end());
  EXPECT_TRUE(check_meds(folder / "meds", 2).is_sound());
}

TEST(EtlShared, ReadsEverySetOfOmop) {
  SEQUELA_NEED_SHARED();
  for (const char* set : {"synthea27_omop", "synthea27_omop_parquet", "gibleed_omop",
                          "synthea1k_omop", "omoplite_100", "synthea109_pair/cdm"}) {
    const TestFolder folder;
    const EtlReport report = etl({.from = "omop",
                                  .folder = shared_path(str("data/", set)),
                                  .out = folder / "meds",
                                  .allows_drops = true,
                                  .num_threads = 2});
    EXPECT_GT(report.converted.shards.num_events, 1000) << set;
    EXPECT_TRUE(check_meds(folder / "meds", 2).is_sound()) << set;
  }
}

TEST(EtlShared, ReadsSyntheaAndMimic3) {
  SEQUELA_NEED_SHARED();
  for (const auto& [source, set, subjects] :
       {std::tuple{"synthea", "synthea_raw27", 27}, {"mimic3", "mimic3_demo_full", 100}}) {
    const TestFolder folder;
    const EtlReport report = etl({.from = source,
                                  .folder = shared_path(str("data/", set)),
                                  .out = folder / "meds",
                                  .num_threads = 2});
    EXPECT_EQ(report.converted.shards.num_subjects, subjects) << set;
    EXPECT_TRUE(check_meds(folder / "meds", 2).is_sound()) << set;
  }
}

}  // namespace
}  // namespace sequela
