#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sequela/etl/messy/messy_file.h"
#include "tests/etl/etl_folder.h"

namespace sequela {
namespace {

class Messy : public testing::Test {
 protected:
  // The events that a MESSY text makes of the tables.
  std::multiset<EventKey> events(const std::string& yaml, ConvertOptions options = {}) {
    write_file(raw_.path("events.yaml"), yaml);
    report_ = raw_.convert(raw_.path("events.yaml"), options);
    return raw_.events();
  }
  // What is said of a faulty file.
  std::string fault(const std::string& yaml) {
    write_file(raw_.path("events.yaml"), yaml);
    try {
      raw_.plan(raw_.path("events.yaml"));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  EtlFolder raw_;
  ConvertReport report_;
};

// DuckDB's cast would take 1_0 and 1e1 for 10, and 1.6 for 2.
TEST_F(Messy, NoTwoSubjectsBecomeOne) {
  raw_.write("t.csv", "who\n10\n1_0\n1e1\n");
  raw_.write("u.csv", "who\n2\n1.6\n");
  const auto found = events(
      "_defaults: {subject_id: $who}\nt:\n  e: {code: A, time: null}\nu:\n  e: {code: B, time: "
      "null}\n",
      {.allows_drops = true});
  EXPECT_EQ(found, (std::multiset<EventKey>{{10, "none", "A", "", ""}, {2, "none", "B", "", ""}}));
}

TEST_F(Messy, ReadsTablesAsMedsExtractDoes) {
  raw_.write(
      "hosp/labs.csv",
      "subject_id,itemid,unit,when,value\n1,50,mg/dL,2020-01-01 10:00:00,1.5\n1,51,,2020-01-01 "
      "10:00:00,2\n1,50,mg/dL,2020-01-01 10:00:00,1.5\n2,,x,2020-01-02 00:00:00,3\n");
  raw_.write("hosp/people.csv", "subject_id,born,sex\n1,1980,F\n2,1990,\n");
  const auto found = events(R"yaml(
hosp/people:
  birth:
    code: MEDS_BIRTH
    time: $born::year
  sex:
    code: f"SEX//{$sex}"
    time: null
hosp/labs:
  lab:
    code: f"LAB//{$itemid}//{$unit ?? 'UNK'}"
    time: $when::"%Y-%m-%d %H:%M:%S"
    numeric_value: $value
)yaml",
                            {.allows_drops = true});
  // Two equal rows are one event; a code with a missing part is none.
  EXPECT_EQ(found, (std::multiset<EventKey>{{1, "1980-01-01 00:00:00", "MEDS_BIRTH", "", ""},
                                            {2, "1990-01-01 00:00:00", "MEDS_BIRTH", "", ""},
                                            {1, "none", "SEX//F", "", ""},
                                            {1, "2020-01-01 10:00:00", "LAB//50//mg/dL", "1.5", ""},
                                            {1, "2020-01-01 10:00:00", "LAB//51//UNK", "2", ""}}));
  EXPECT_EQ(report_.tables[1].dropped.at("no code").count, 1);
  EXPECT_EQ(report_.tables[1].dropped.at("no code").examples,
            (std::vector<std::string>{"subject 2"}));
}

TEST_F(Messy, JoinsByKeysWithConstantsAndAggregates) {
  raw_.write("orders.csv", "subject_id,order,at\n1,7,2020-01-01\n2,8,2020-01-02\n");
  raw_.write("items.csv", "order,kind,drug\n7,MAIN,aspirin\n7,BASE,water\n8,BASE,water\n");
  raw_.write("stays.csv", "subject_id,death\n1,2020-03-05\n1,2020-03-01\n2,\n");
  const auto found = events(R"yaml(
orders:
  _table:
    cols:
      kind: "'MAIN'"
      named: $drug ?? 'nothing'
    join:
      items: {left_on: [order, kind], right_on: [order, kind], cols: [drug]}
      stays: {key: subject_id, cols: {death: min}}
  order:
    code: f"DRUG//{$named}"
    time: $at::"%Y-%m-%d"
  death:
    code: MEDS_DEATH
    time: $death::"%Y-%m-%d"
)yaml");
  EXPECT_EQ(found, (std::multiset<EventKey>{{1, "2020-01-01 00:00:00", "DRUG//aspirin", "", ""},
                                            {2, "2020-01-02 00:00:00", "DRUG//nothing", "", ""},
                                            {1, "2020-03-01 00:00:00", "MEDS_DEATH", "", ""}}));
}

TEST_F(Messy, MetadataComeFromTablesAndTheOwnRows) {
  raw_.write("labs.csv", "subject_id,itemid,unit,name\n1,50,mg/dL,Glucose\n1,51,,Sodium\n");
  raw_.write("d_items.csv", "item,label,loinc\n50,Glucose (serum),2345-7\n51,Sodium (serum),\n");
  events(R"yaml(
labs:
  lab:
    code: f"LAB//{$itemid}//{$unit ?? 'UNK'}"
    time: null
    _metadata:
      d_items:
        itemid: {column: item}
        description: $label
        parent_codes: f"LOINC/{$loinc}"
      _self:
        parent_codes: f"NAME/{$name}"
)yaml");
  ParquetReader reader(raw_.meds() + "/metadata/codes.parquet");
  std::map<std::string, std::string> rows;
  reader.read({0, 1, 2}, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      std::string& row = rows[std::string(batch.columns[0].text(i))];
      row = batch.columns[1].text(i);
      const ColumnSlice& parents = batch.columns[2];
      for (int64_t p = parents.list_offsets[i]; p < parents.list_offsets[i + 1]; ++p) {
        row += "|" + std::string(parents.dictionary[parents.indices[p]]);
      }
    }
  });
  EXPECT_EQ(rows, (std::map<std::string, std::string>{
                      {"LAB//50//mg/dL", "Glucose (serum)|LOINC/2345-7|NAME/Glucose"},
                      {"LAB//51//UNK", "Sodium (serum)|NAME/Sodium"}}));
}

TEST_F(Messy, AWholeColumnDecidesItsType) {
  raw_.write("t.csv", "subject_id,number,mixed,flag\n1,007,007,true\n2,8,x8,false\n");
  const auto found =
      events("t:\n  e:\n    code: f\"{$number}/{$mixed}/{$flag}\"\n    time: null\n");
  EXPECT_EQ(found, (std::multiset<EventKey>{{1, "none", "7/007/true", "", ""},
                                            {2, "none", "8/x8/false", "", ""}}));
}

TEST_F(Messy, SubjectsMayBeHashed) {
  raw_.write("a.csv", "mrn\nx-1\n");
  raw_.write("b.csv", "who\nx-1\n");
  const auto found = events(
      "_defaults: {subject_id: hash($mrn)}\na:\n  e: {code: A, time: null}\nb:\n  _defaults: "
      "{subject_id: hash($who)}\n  e: {code: B, time: null}\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(std::get<0>(*found.begin()), std::get<0>(*found.rbegin()));
}

TEST_F(Messy, ATextThatIsNoTimeFailsTheRun) {
  raw_.write("t.csv", "subject_id,at\n1,2020-01-01\n2,yesterday\n");
  const char* const yaml = "t:\n  e:\n    code: X\n    time: $at::\"%Y-%m-%d\"\n";
  try {
    events(yaml);
    FAIL();
  } catch (const DataError& error) {
    const std::string what = error.what();
    EXPECT_NE(
        what.find("t: 1 of 2 rows (50.0 %) gave no event: a value that cannot be converted (1)"),
        std::string::npos)
        << what;
    EXPECT_EQ(what.find("yesterday"), std::string::npos);
  }
  // What was read is kept for the run that accepts the loss.
  EXPECT_EQ(events(yaml, {.allows_drops = true}).size(), 1u);
  EXPECT_EQ(report_.num_tables_kept, 1);
}

TEST_F(Messy, FaultsNameTheLineAndTheNearestColumn) {
  raw_.write("t.csv", "subject_id,charttime,valueuom\n1,2020-01-01,x\n");
  const std::string column = fault("t:\n  e:\n    code: $valueoum\n    time: null\n");
  EXPECT_NE(column.find("events.yaml: line 3: code: the table t has no column 'valueoum'; did you "
                        "mean 'valueuom'?"),
            std::string::npos)
      << column;
  EXPECT_NE(fault("t:\n  e:\n    time: null\n").find("line 2: the event 'e' has no code"),
            std::string::npos);
  EXPECT_NE(fault("t:\n  e:\n    code: A\n").find("has no time"), std::string::npos);
  EXPECT_NE(fault("t:\n  e:\n    code: A\n    time: $charttime\n")
                .find("line 4: time: a date or a time was expected"),
            std::string::npos);
  EXPECT_NE(fault("t:\n  _tabel: {}\n  e: {code: A, time: null}\n").find("did you mean '_table'?"),
            std::string::npos);
  EXPECT_NE(
      fault("t:\n  e:\n    code: f\"{$a\"\n    time: null\n").find("line 3: code: at character"),
      std::string::npos);
}

TEST_F(Messy, MissingTablesAreNamed) {
  raw_.write("t.csv", "subject_id\n1\n");
  events("t:\n  e: {code: A, time: null}\nother:\n  e: {code: B, time: null}\n");
  EXPECT_EQ(report_.missing, (std::vector<std::string>{"other"}));
}

TEST(ShippedSources, AllAreRead) {
  for (const std::string& name : source_names()) {
    if (name == "omop" || name == "fhir") continue;
    const MessyFile file = parse_messy(
        read_file(std::string(SEQUELA_SOURCE_DIR) + "/sequela/etl/sources/" + name + ".yaml"),
        name);
    EXPECT_GT(file.tables.size(), 5u) << name;
  }
}

}  // namespace
}  // namespace sequela
