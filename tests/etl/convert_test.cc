#include "sequela/etl/convert.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "sequela/core/iso_time.h"
#include "sequela/core/json.h"
#include "sequela/etl/units.h"
#include "tests/etl/etl_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// Persons with measurements, in as many rows as wanted.
void write_cdm(const EtlFolder& raw, int num_persons, int num_rows) {
  std::string persons = "person_id,year_of_birth\n",
              rows =
                  "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_"
                  "number,unit_source_value\n";
  for (int i = 1; i <= num_persons; ++i) persons += str(i, ",", 1950 + i % 50, "\n");
  for (int i = 0; i < num_rows; ++i) {
    rows += str(i, ",", 1 + i * 7 % num_persons, ",", 300 + i % 9, ",", 2001 + i % 15, "-0",
                1 + i % 9, "-1", i % 10, ",", i % 100, ",", i % 2 == 0 ? "mmHg" : "odd", "\n");
  }
  raw.write("person.csv", persons);
  raw.write("measurement.csv", rows);
}

std::string contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder)] = file_digest(entry.path());
  }
  std::string all;
  for (const auto& [name, digest] : files) all += name + " " + digest + "\n";
  return all;
}

TEST(Convert, GivesTheSameBytesWithAnyNumberOfThreads) {
  EtlFolder raw;
  write_cdm(raw, 50, 20'000);
  raw.convert("omop", {.num_shards = 5, .num_threads = 1});
  const std::string once = contents(raw.meds());
  fs::remove_all(raw.meds());
  raw.convert("omop", {.num_shards = 5, .num_threads = 2});
  EXPECT_EQ(contents(raw.meds()), once);
  EXPECT_EQ(raw.events().size(), 20'050u);
}

TEST(Convert, SubjectsStandInOneShardInOrderOfTime) {
  EtlFolder raw;
  write_cdm(raw, 50, 5'000);
  raw.convert("omop", {.num_shards = 4});
  std::map<int64_t, std::string> shard_of_subject;
  for (const std::string& shard : find_dataset(raw.meds()).shards) {
    ParquetReader reader(shard);
    std::pair<int64_t, int64_t> before = {0, 0};
    reader.read({*reader.find_column("subject_id"), *reader.find_column("time")},
                [&](const RowBatch& batch) {
                  for (int64_t i = 0; i < batch.num_rows; ++i) {
                    const std::pair<int64_t, int64_t> now = {batch.columns[0].int64s[i],
                                                             batch.columns[1].int64s[i]};
                    ASSERT_LE(before, now);
                    ASSERT_TRUE(shard_of_subject.emplace(now.first, shard).first->second == shard);
                    before = now;
                  }
                });
  }
  EXPECT_EQ(shard_of_subject.size(), 50u);
  const auto splits = read_subject_splits(raw.meds() + "/metadata/subject_splits.parquet");
  EXPECT_EQ(splits.size(), 50u);
}

TEST(Convert, GoesOnWhereAnEarlierRunStood) {
  EtlFolder raw;
  write_cdm(raw, 20, 2'000);
  raw.convert("omop", {.num_shards = 3});
  const std::string whole = contents(raw.meds());
  // A run that fails at the loss of rows has read its tables.
  std::ofstream(raw.raw() + "/measurement.csv", std::ios::app) << "x,,300,2020-01-01,1,mm\n";
  std::string rows = read_file(raw.raw() + "/measurement.csv");
  for (int i = 0; i < 100; ++i) rows += "9,,300,2020-01-01,1,mm\n";
  write_file(raw.raw() + "/measurement.csv", rows);
  EXPECT_THROW(raw.convert("omop", {.num_shards = 3}), DataError);
  EXPECT_TRUE(fs::exists(raw.meds() + "/etl_report.json"));
  const ConvertReport report = raw.convert("omop", {.num_shards = 3, .allows_drops = true});
  EXPECT_EQ(report.num_tables_kept, 2);
  EXPECT_EQ(report.tables[1].dropped.at("no subject_id").count, 101);
  EXPECT_FALSE(fs::exists(raw.meds() + "/.etl"));
  EXPECT_EQ(raw.events().size(), 2'020u);
  EXPECT_NE(contents(raw.meds()), whole);  // the report tells the loss
}

TEST(Convert, TheLedgerAddsUp) {
  EtlFolder raw;
  raw.write("person.csv", "person_id,year_of_birth\n1,1980\n2,1990\n");
  raw.write("death.csv", "person_id,death_date\n1,2020-01-01\n2,never\n");
  raw.write("condition_occurrence.csv",
            "condition_occurrence_id,person_id,condition_concept_id,condition_start_date\n"
            "11,1,7,1979-01-01\n12,1,7,1899-01-01\n13,1,7,2020-06-01\n14,1,7,2310-01-01\n15,3,7,"
            "2020-01-01\n16,1,7,\n17,1,0,2020-01-01\n");
  const ConvertReport report = raw.convert("omop", {.allows_drops = true});
  for (const TableLedger& table : report.tables) {
    if (table.name == "condition_occurrence") {
      EXPECT_EQ(table.num_rows, 7);
      EXPECT_EQ(table.num_events(), 5);
      EXPECT_EQ(table.dropped.at("no time").examples,
                (std::vector<std::string>{"condition_occurrence_id 16"}));
      EXPECT_EQ(table.dropped.at("no code").examples,
                (std::vector<std::string>{"condition_occurrence_id 17"}));
    }
    if (table.name == "death") {
      EXPECT_EQ(table.dropped.at("a value that cannot be converted").count, 1);
    }
    EXPECT_EQ(table.num_rows - table.num_dropped() <= table.num_events(), true) << table.name;
  }
  const Tallies& found = report.shards.found;
  EXPECT_EQ(found.at("events before birth").count, 2);
  EXPECT_EQ(found.at("events before 1900").count, 1);
  EXPECT_EQ(found.at("events after 2299").count, 1);
  EXPECT_EQ(found.at("events more than a day after death").count, 2);
  EXPECT_EQ(found.at("subjects without birth").examples, (std::vector<std::string>{"subject 3"}));
  const std::string text = read_file(raw.meds() + "/etl_report.json");
  EXPECT_EQ(text.find("never"), std::string::npos);
  const Json json = parse_json(text, "etl_report.json");
  EXPECT_EQ(json.at("rows_in"), 11);
  EXPECT_EQ(json.at("rows_dropped"), 3);
}

TEST(Convert, OverlappingVisitsAndRepeatedEventsAreFound) {
  EtlFolder raw;
  raw.write("person.csv", "person_id,year_of_birth\n1,1980\n");
  raw.write(
      "visit_occurrence.csv",
      "visit_occurrence_id,person_id,visit_concept_id,visit_start_datetime,visit_end_datetime\n"
      "1,1,9201,2020-01-01 00:00:00,2020-01-09 00:00:00\n2,1,9202,2020-01-05 00:00:00,2020-01-05 "
      "00:00:00\n3,1,9202,2020-02-05 00:00:00,2020-02-05 00:00:00\n");
  raw.write(
      "condition_occurrence.csv",
      "person_id,condition_concept_id,condition_start_date\n1,7,2020-01-01\n1,7,2020-01-01\n");
  const ConvertReport report = raw.convert("omop");
  EXPECT_EQ(report.shards.found.at("visits that begin before the one before has ended").count, 1);
  EXPECT_EQ(report.shards.found.at("events that repeat another in every column").count, 1);
  EXPECT_EQ(raw.events().count({1, "2020-01-01 23:59:59", "OMOP_CONCEPT_ID/7", "", ""}), 2u);
}

TEST(Convert, DatesShiftByWholeWeeksOfASubject) {
  EtlFolder raw;
  write_cdm(raw, 20, 500);
  raw.convert("omop");
  const auto plain = raw.events();
  fs::remove_all(raw.meds());
  raw.convert("omop", {.shards = {.shift_key = "a long secret"}});
  const auto shifted = raw.events();
  std::multiset<EventKey> expected;
  for (auto [subject, time, code, number, text] : plain) {
    const int64_t moved = *parse_iso_time(time) + shift_of("a long secret", subject);
    EXPECT_EQ((*parse_iso_time(time) - moved) % (7 * kMicrosPerDay), 0);
    EXPECT_LT(moved, *parse_iso_time(time));
    expected.insert({subject, to_text(moved), code, number, text});
  }
  EXPECT_EQ(shifted, expected);
  EXPECT_NE(shift_of("a long secret", 1), shift_of("another secret", 1));
}

TEST(Convert, UnitsBecomeUcumAndTextsCanBeLeftOut) {
  EtlFolder raw;
  write_cdm(raw, 5, 100);
  raw.write("observation.csv",
            "observation_id,person_id,observation_concept_id,observation_date,value_as_string\n1,1,"
            "5,2020-01-01,words\n");
  const ConvertReport report =
      raw.convert("omop", {.shards = {.normalizes_units = true, .drops_text = true}});
  EXPECT_EQ(report.shards.found.at("units that are not known").count, 50);
  for (const EventKey& event : raw.events()) EXPECT_EQ(std::get<4>(event), "");
}

TEST(Units, AreUcumBySpelling) {
  EXPECT_EQ(ucum_unit("mmHg"), "mm[Hg]");
  EXPECT_EQ(ucum_unit("MG/DL"), "mg/dL");
  EXPECT_EQ(ucum_unit("mg/dL"), "mg/dL");
  EXPECT_EQ(ucum_unit("K/uL"), "10*3/uL");
  EXPECT_EQ(ucum_unit("bpm"), "/min");
  EXPECT_FALSE(ucum_unit("furlong"));
}

}  // namespace
}  // namespace sequela
