#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "tests/etl/etl_folder.h"
#include "tests/support/packed_files.h"
#include "tests/support/shared.h"

namespace sequela {
namespace {

constexpr const char* kConcept =
    "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_"
    "code,valid_start_date,valid_end_date,invalid_reason\n"
    "100,Fever,Condition,SNOMED,Finding,S,386661006,1970-01-01,2099-12-31,\n"
    "101,Finding,Condition,SNOMED,Finding,S,404684003,1970-01-01,2099-12-31,\n"
    "200,\"Fever, unspecified\",Condition,ICD10CM,Code,,R50.9,1970-01-01,2099-12-31,\n"
    "300,Glucose,Measurement,LOINC,Lab,S,2345-7,1970-01-01,2099-12-31,\n"
    "8840,mg/dL,Unit,UCUM,Unit,S,mg/dL,1970-01-01,2099-12-31,\n";
constexpr const char* kPerson =
    "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime,race_"
    "concept_id,ethnicity_concept_id,race_source_value\n"
    "1,8507,1980,5,17,,0,0,other\n"
    "2,8532,1990,,,1990-03-04 05:06:07,8527,38003564,white\n";

class Omop : public testing::Test {
 protected:
  void SetUp() override {
    raw_.write("CONCEPT.csv", kConcept);
    raw_.write("PERSON.csv", kPerson);
    raw_.write("CONCEPT_ANCESTOR.csv",
               "ancestor_concept_id,descendant_concept_id,min_levels_of_separation,max_levels_of_"
               "separation\n101,100,1,1\n100,100,0,0\n");
    raw_.write("CONCEPT_RELATIONSHIP.csv",
               "concept_id_1,concept_id_2,relationship_id,valid_start_date,valid_end_date,invalid_"
               "reason\n200,100,Maps to,1970-01-01,2099-12-31,\n200,300,Maps "
               "to,1970-01-01,2099-12-31,D\n");
  }
  EtlFolder raw_;
};

TEST_F(Omop, PersonsGiveBirthAndWhatTheyAre) {
  raw_.convert("omop");
  EXPECT_EQ(raw_.events(), (std::multiset<EventKey>{
                               {1, "1980-05-17 00:00:00", "MEDS_BIRTH", "", ""},
                               {1, "1980-05-17 00:00:00", "Gender/M", "", ""},
                               {1, "1980-05-17 00:00:00", "SOURCE/race/other", "", ""},
                               {2, "1990-03-04 05:06:07", "MEDS_BIRTH", "", ""},
                               {2, "1990-03-04 05:06:07", "Gender/F", "", ""},
                               {2, "1990-03-04 05:06:07", "Race/5", "", ""},
                               {2, "1990-03-04 05:06:07", "Ethnicity/Not Hispanic", "", ""}}));
}

TEST_F(Omop, AFileWithoutAHeaderIsToldWithoutItsValues) {
  raw_.write("PERSON.csv", "17,8507,1980,5,1980-05-17 10:00:00,Miller\n18,8507,1981,5,,Smith\n");
  try {
    raw_.convert("omop");
    FAIL();
  } catch (const DataError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("PERSON.csv: its first line holds values, not names of columns"),
              std::string::npos)
        << what;
    for (const char* value : {"Miller", "8507", "1980"})
      EXPECT_EQ(what.find(value), std::string::npos) << what;
  }
}

TEST_F(Omop, NamesWithNumbersAreNames) {
  raw_.write("PERSON.csv", "person_id,T1,T2,2019,2020,year_of_birth\n1,a,b,c,d,1980\n");
  raw_.convert("omop");
  EXPECT_EQ(raw_.events().size(), 1u);  // the birth
}

// DuckDB's cast would take the last three for 10, 10 and 2.
TEST_F(Omop, NoTwoPersonsBecomeOne) {
  raw_.write(
      "PERSON.csv",
      "person_id,year_of_birth\n10,1980\n 2 ,1981\n3.0,1982\n1_0,1983\n1e1,1984\n1.6,1985\n");
  const ConvertReport report = raw_.convert("omop", {.allows_drops = true});
  std::multiset<int64_t> subjects;
  for (const EventKey& event : raw_.events()) subjects.insert(std::get<0>(event));
  EXPECT_EQ(subjects, (std::multiset<int64_t>{2, 3, 10}));
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_EQ(report.tables[0].dropped.at("no subject_id").count, 3);
}

TEST_F(Omop, TheSourceConceptGoesBeforeTheStandardOne) {
  raw_.write("PERSON.csv", "person_id,year_of_birth\n1,1980\n");
  raw_.write("condition_occurrence.csv",
             "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
             "condition_start_datetime,condition_source_value,condition_source_concept_id\n"
             "1,1,100,2020-01-01,,R50.9,200\n"  // the source concept; a date is the end of its day
             "2,1,100,2020-01-02,2020-01-02 03:04:05,x,0\n"  // the standard one
             "3,1,100,2020-01-03,,x,999\n"                   // a source concept that CONCEPT lacks
             "4,1,0,2020-01-04,,local 7,0\n"                 // no concept
             "5,1,555,20200105,,x,0\n");  // an unknown concept; a date without dashes
  raw_.convert("omop");
  EXPECT_EQ(raw_.events(),
            (std::multiset<EventKey>{{1, "1980-01-01 00:00:00", "MEDS_BIRTH", "", ""},
                                     {1, "2020-01-01 23:59:59", "ICD10CM/R50.9", "", ""},
                                     {1, "2020-01-02 03:04:05", "SNOMED/386661006", "", ""},
                                     {1, "2020-01-03 23:59:59", "SNOMED/386661006", "", ""},
                                     {1, "2020-01-04 23:59:59", "SOURCE/condition/local 7", "", ""},
                                     {1, "2020-01-05 23:59:59", "OMOP_CONCEPT_ID/555", "", ""}}));
}

TEST_F(Omop, ValuesAreNumbersElseTexts) {
  raw_.write("PERSON.csv", "person_id,year_of_birth\n1,1980\n");
  raw_.write("measurement.csv.gz",
             deflated("measurement_id,person_id,measurement_concept_id,measurement_date,value_as_"
                      "number,value_as_concept_id,unit_concept_id,measurement_source_value,"
                      "measurement_source_concept_id,unit_source_value,value_source_value\n"
                      "1,1,300,2020-01-01,98.5,0,8840,glu,300,,ignored\n"
                      "2,1,300,2020-01-02,,0,0,glu,300,,7.25\n"
                      "3,1,300,2020-01-03,,0,0,glu,300,mg,high\n"
                      "4,1,300,2020-01-04,,4181412,0,glu,300,,\n"
                      "5,1,300,2020-01-05,,4181412,0,glu,0,,\n",
                      31));
  raw_.convert("omop");
  const auto events = raw_.events();
  const auto has = [&](const char* day, const char* number, const char* text) {
    return events.contains({1, std::string(day) + " 23:59:59", "LOINC/2345-7", number, text});
  };
  EXPECT_TRUE(has("2020-01-01", "98.5", ""));
  EXPECT_TRUE(has("2020-01-02", "7.25", ""));
  EXPECT_TRUE(has("2020-01-03", "", "high"));
  EXPECT_TRUE(has("2020-01-04", "", "OMOP_CONCEPT_ID/4181412"));
  EXPECT_TRUE(has("2020-01-05", "", "SOURCE_CODE/glu"));
  ParquetReader reader(raw_.meds() + "/data/0.parquet");
  std::multiset<std::string> units;
  reader.read({*reader.find_column("unit")}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i)
      units.insert(batch.columns[0].is_valid(i) ? std::string(batch.columns[0].text(i)) : "");
  });
  EXPECT_EQ(units, (std::multiset<std::string>{"", "", "", "", "mg", "mg/dL"}));
}

TEST_F(Omop, CodesHaveDescriptionsAndParents) {
  raw_.write("condition_occurrence.csv",
             "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
             "condition_source_concept_id\n1,1,100,2020-01-01,200\n");
  raw_.convert("omop");
  ParquetReader reader(raw_.meds() + "/metadata/codes.parquet");
  std::map<std::string, std::pair<std::string, std::vector<std::string>>> codes;
  reader.read({0, 1, 2}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      auto& row = codes[std::string(batch.columns[0].text(i))];
      if (batch.columns[1].is_valid(i)) row.first = batch.columns[1].text(i);
      const ColumnSlice& parents = batch.columns[2];
      for (int64_t p = parents.list_offsets[i]; p < parents.list_offsets[i + 1]; ++p) {
        row.second.emplace_back(parents.dictionary[parents.indices[p]]);
      }
    }
  });
  // The chain up to its end, although no event has those codes; an invalid relation counts for
  // nothing.
  EXPECT_EQ(codes["ICD10CM/R50.9"], (std::pair<std::string, std::vector<std::string>>{
                                        "Fever, unspecified", {"SNOMED/386661006"}}));
  EXPECT_EQ(codes["SNOMED/386661006"].second, (std::vector<std::string>{"SNOMED/404684003"}));
  EXPECT_EQ(codes["SNOMED/404684003"].first, "Finding");
  EXPECT_TRUE(codes.contains("MEDS_BIRTH"));
}

TEST_F(Omop, NeedsPersons) {
  std::filesystem::remove(raw_.raw() + "/PERSON.csv");
  try {
    raw_.plan("omop");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("no table person"), std::string::npos) << error.what();
  }
}

TEST_F(Omop, TabsAndSloppyHeadersAreRead) {
  raw_.write("PERSON.csv", "person_id\tyear_of_birth\tgender_concept_id\t\n1\t1980\t8507\t\t\n");
  raw_.write("DEATH.csv", "person_id   death_date  death_datetime\n1\t2020-1-5\t\n");
  raw_.convert("omop");
  EXPECT_EQ(raw_.events(),
            (std::multiset<EventKey>{{1, "1980-01-01 00:00:00", "MEDS_BIRTH", "", ""},
                                     {1, "1980-01-01 00:00:00", "Gender/M", "", ""},
                                     {1, "2020-01-05 23:59:59", "MEDS_DEATH", "", ""}}));
}

TEST_F(Omop, ATableThatLiesTwiceIsRefused) {
  raw_.write("person.csv.gz", "");
  EXPECT_THROW(raw_.plan("omop"), DataError);
}

// How many events a data set has that the other lacks, by code.
std::map<std::string, int64_t> missing_in(const std::multiset<EventKey>& events,
                                          const std::multiset<EventKey>& other) {
  std::map<std::string, int64_t> missing;
  for (auto event = events.begin(); event != events.end(); event = events.upper_bound(*event)) {
    const auto more =
        static_cast<int64_t>(events.count(*event)) - static_cast<int64_t>(other.count(*event));
    if (more > 0) missing[std::get<2>(*event)] += more;
  }
  return missing;
}

std::multiset<EventKey> converted(const std::string& folder, const std::string& out) {
  DuckDb db({.num_threads = 2});
  const EtlPlan plan = plan_source(db, "omop", shared_path(folder));
  Fingerprints fingerprints({});
  convert(db, plan, {.out = out, .folder = shared_path(folder), .num_threads = 2}, fingerprints);
  return read_event_keys(out);
}

// Beside meds_etl 0.3.11: all that it has, and what it loses (docs/etl-differences.md).
TEST(OmopShared, HasAllThatMedsEtlHasOfSynthea27) {
  SEQUELA_NEED_SHARED();
  const TestFolder folder;
  const auto ours = converted("data/synthea27_omop", folder / "csv");
  const auto theirs = read_event_keys(shared_path("data/synthea27_meds"));
  EXPECT_EQ(missing_in(theirs, ours), (std::map<std::string, int64_t>{}));
  int64_t more = 0;
  for (const auto& [code, count] : missing_in(ours, theirs)) {
    EXPECT_TRUE(code.starts_with("Gender/") || code.starts_with("Race/") ||
                code.starts_with("SOURCE/race/"))
        << code;
    more += count;
  }
  EXPECT_EQ(more, 56);  // 28 genders, 24 races, 4 races that only the source value tells
  EXPECT_EQ(converted("data/synthea27_omop_parquet", folder / "parquet"), ours);
}

TEST(OmopShared, HasAllThatMedsEtlHasOfGiBleed) {
  SEQUELA_NEED_SHARED();
  const TestFolder folder;
  const auto ours = converted("data/gibleed_omop", folder / "meds");
  const auto theirs = read_event_keys(shared_path("data/gibleed_meds"));
  EXPECT_EQ(missing_in(theirs, ours), (std::map<std::string, int64_t>{}));
  std::map<std::string, int64_t> more;
  for (const auto& [code, count] : missing_in(ours, theirs))
    more[code.substr(0, code.find('/'))] += count;
  // 62 rows whose source concept is unknown; race and ethnicity by fixed ids or source values.
  EXPECT_EQ(
      more,
      (std::map<std::string, int64_t>{
          {"Ethnicity", 435}, {"Race", 2243}, {"RxNorm", 35}, {"SNOMED", 27}, {"SOURCE", 2710}}));
}

}  // namespace
}  // namespace sequela
