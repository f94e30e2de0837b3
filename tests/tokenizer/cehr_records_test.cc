#include "sequela/tokenizer/sequence/cehr_records.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

struct Setting {
  const char* name;
  CehrRecordOptions options;
};

std::vector<Setting> settings() {
  CehrRecordOptions aux, day, week, month, mix;
  aux.with_visit_type = aux.with_demographics = true;
  day.time_tokens = day.inpatient_time_tokens = TimeTokens::day;
  week.time_tokens = TimeTokens::week;
  month.time_tokens = TimeTokens::month;
  mix.time_tokens = TimeTokens::mix;
  return {{"default", {}}, {"aux_demo", aux}, {"day_inpday", day},
          {"week", week},  {"month", month},  {"mix", mix}};
}

template <class Container, class Convert>
Json slice(const Container& column, const CehrRecords& records, int64_t row, Convert convert) {
  Json out = Json::array();
  for (int64_t i = records.offsets[row]; i < records.offsets[row + 1]; ++i) {
    out.push_back(convert(column[i]));
  }
  return out;
}

// A record as cehrbert gives it.
Json to_json(const CehrRecords& records, int64_t row) {
  const auto text = [&](const char* otherwise) {
    return [&records, otherwise](int32_t id) {
      return id < 0 ? std::string(otherwise) : std::string(records.texts.text(id));
    };
  };
  const auto same = [](auto value) { return value; };
  const int64_t size = records.offsets[row + 1] - records.offsets[row];
  Json orders = Json::array();
  for (int64_t i = 1; i <= size; ++i) orders.push_back(i);
  const Json masks = slice(records.value_masks, records, row, same);
  return {{"person_id", records.person_ids[row]},
          {"concept_ids", slice(records.concepts, records, row, text(""))},
          {"visit_segments", slice(records.segments, records, row, same)},
          {"orders", orders},
          {"dates", slice(records.weeks, records, row, same)},
          {"ages", slice(records.ages, records, row, same)},
          {"visit_concept_orders", slice(records.visit_orders, records, row, same)},
          {"concept_value_masks", masks},
          {"concept_values", slice(records.values, records, row, same)},
          {"units", slice(records.units, records, row, text("N/A"))},
          {"mlm_skip_values", masks},
          {"visit_concept_ids", slice(records.visit_types, records, row, text("0"))},
          {"epoch_times", slice(records.times_us, records, row,
                                [](int64_t time) { return static_cast<double>(time) / 1e6; })},
          {"num_of_concepts", size},
          {"num_of_visits", records.num_visits[row]}};
}

class CehrRecordsOfPackage : public OnReference {};

TEST_P(CehrRecordsOfPackage, AllSettingsOfThePackage) {
  const CehrPatients raw = read_cehr_patients(bert_path("b_cehrbert/raw_patients.json"));
  const Json expected = read_json_fixture("b_cehrbert/expected_records.json");
  EXPECT_EQ(settings().size(), expected.size());
  for (const Setting& setting : settings()) {
    const Json& rows = expected.at(setting.name);
    CehrRecords records;
    CehrRecordBuilder builder(raw.texts, setting.options, &records);
    for (const CehrPatient& patient : raw.patients) builder.append(patient);
    ASSERT_EQ(records.num_records(), static_cast<int64_t>(rows.size()));
    for (int64_t row = 0; row < records.num_records(); ++row) {
      const Json ours = to_json(records, row);
      for (const auto& [key, value] : ours.items()) {
        EXPECT_EQ(value, rows[row][key]) << setting.name << " record " << row << " " << key;
      }
    }
  }
}

TEST_P(CehrRecordsOfPackage, TimeTokensOfAllSchemes) {
  const Json expected = read_json_fixture("b_cehrbert/expected_att_tokens.json");
  const auto days = expected["days"].get<std::vector<int64_t>>();
  for (const auto& [scheme, tokens] : expected.items()) {
    if (scheme == "days") continue;
    for (size_t i = 0; i < days.size(); ++i) {
      EXPECT_EQ(time_token(parse_time_tokens(scheme, "x"), days[i]), tokens[i].get<std::string>())
          << scheme << " " << days[i];
    }
  }
  EXPECT_EQ(time_token(TimeTokens::none, 3), "");
  EXPECT_THROW(parse_time_tokens("year", "time_tokens"), ConfigError);
}

TEST(CehrRecords, AgesCountBirthdays) {
  constexpr int64_t day = kMicrosPerDay;
  const int64_t birth = 11016 * day;  // 2000-02-29
  EXPECT_EQ(age_years(birth, birth), 0);
  EXPECT_EQ(age_years(birth, birth + 365 * day), 1);  // 2001-02-28 is the birthday's stand-in
  EXPECT_EQ(age_years(birth, birth + 365 * day - 1), 0);
  EXPECT_EQ(age_years(birth, birth + 1460 * day), 3);  // 2004-02-28
  EXPECT_EQ(age_years(birth, birth + 1461 * day), 4);
  EXPECT_EQ(age_years(birth, birth - 1), 0);
  EXPECT_EQ(age_years(birth, birth - 400 * day), -1);
}

TEST(CehrRecords, SpacesAndEmptyPatients) {
  TextTable texts;
  CehrPatient patient;
  patient.id = 5;
  CehrRecords records;
  CehrRecordBuilder builder(texts, {}, &records);
  builder.append(patient);
  EXPECT_EQ(records.offsets, (std::vector<int64_t>{0, 0}));

  patient.visits.push_back({.start_us = 0, .type = texts.add("9202"), .num_events = 3});
  const int32_t code = texts.add(
      " a\t\n\xC2\xA0"
      "b ");
  patient.events = {{.time_us = 0, .code = code},
                    {.time_us = 0, .code = code, .has_number = true, .number = NAN},
                    {.time_us = 0, .code = code, .has_number = true, .number = NAN}};
  builder.append(patient);
  ASSERT_EQ(records.size(), 5);
  EXPECT_EQ(records.texts.text(records.concepts[1]), "_a_b_");
  EXPECT_EQ(records.value_masks, (std::vector<uint8_t>{0, 0, 1, 1, 0}));
}

TEST(CehrRecords, RepeatedEventsOfAVisitGoOnlyOutsideOfStays) {
  TextTable texts;
  CehrPatient patient;
  const int32_t code = texts.add("LAB");
  patient.visits = {{.start_us = 0, .type = texts.add("9202"), .num_events = 4},
                    {.start_us = kMicrosPerDay, .type = texts.add("9201"), .num_events = 4}};
  patient.events = {{.time_us = 0, .code = code, .has_number = true, .number = 1},
                    {.time_us = 0, .code = code, .has_number = true, .number = 2},
                    {.time_us = 0, .code = code, .has_number = true, .number = 1},
                    {.time_us = kNoTime, .code = code}};
  CehrRecords records;
  CehrRecordBuilder(texts, {}, &records).append(patient);
  EXPECT_EQ(records.size(), 4 + 1 + 5);
}

TEST(CehrRecords, BadRawPatients) {
  TestFolder folder;
  const std::string path = folder / "raw.json";
  for (const char* text :
       {"{}", "[3]", R"([{"patient_id": "x"}])", R"([{"patient_id": 1, "birth_datetime": "soon"}])",
        R"([{"patient_id": 1, "birth_datetime": "2000-02-30"}])",
        R"([{"patient_id": 1, "birth_datetime": "2000-01-01", "visits": 3}])",
        R"([{"patient_id": 1, "birth_datetime": "2000-01-01", "visits": [{}]}])"}) {
    write_file(path, text);
    EXPECT_THROW(read_cehr_patients(path), FileError) << text;
  }
}

SEQUELA_ON_REFERENCES(CehrRecordsOfPackage);

}  // namespace
}  // namespace sequela
