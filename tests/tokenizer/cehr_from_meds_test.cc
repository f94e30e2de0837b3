#include "sequela/tokenizer/sequence/cehr_from_meds.h"

#include <gtest/gtest.h>

#include "sequela/tokenizer/sequence/cehr_tokens.h"
#include "tests/support/visit_records.h"
#include "tests/tokenizer/cohort.h"

namespace sequela {
namespace {

struct Stored {
  TestFolder folder;
  std::optional<EventStore> store;

  explicit Stored(const std::string& meds) {
    IngestOptions options;
    options.meds = meds;
    options.folder = folder / "store";
    options.properties = {"all"};
    ingest(options);
    store = EventStore::open(options.folder);
  }
};

std::vector<std::string> concepts_of(const CehrRecords& records, int64_t row) {
  std::vector<std::string> out;
  for (int64_t i = records.offsets[row]; i < records.offsets[row + 1]; ++i) {
    out.emplace_back(records.texts.text(records.concepts[i]));
  }
  return out;
}

TEST(CehrFromMeds, TypesEndsAndValues) {
  TestFolder folder;
  constexpr int64_t kDay = kMicrosPerDay;
  TableColumn times{"time", std::vector<int64_t>{0, 0, 10000 * kDay, 10000 * kDay, 10002 * kDay,
                                                 10004 * kDay, 10030 * kDay}};
  times.is_timestamp = true;
  const TableColumn codes{
      "code",
      std::vector<std::string>{"MEDS_BIRTH", "Gender/F", "ED_REGISTRATION//X",
                               "HOSPITAL_ADMISSION//EW", "LAB", "HOSPITAL_DISCHARGE//HOME", "DX"}};
  const TableColumn visits{"visit_id", std::vector<std::string>{"", "", "v", "v", "v", "v", ""}};
  const TableColumn units{"unit", std::vector<std::string>{"", "", "", "", "mg", "", ""}};
  const TableColumn texts{"text_value",
                          std::vector<std::string>{"", "", "", "", "", "", "yes sir"}};
  TableColumn numbers{"numeric_value", std::vector<float>{0, 0, 0, 0, 1.5, 0, 0}};
  numbers.valid = {0, 0, 0, 0, 1, 0, 0};
  std::filesystem::create_directories(folder / "meds/data");
  write_parquet(
      folder / "meds/data/0.parquet",
      {{"subject_id", std::vector<int64_t>(7, 3)}, times, codes, visits, units, texts, numbers});
  const Stored data(folder / "meds");

  CehrMedsConverter converter(*data.store, {});
  CehrPatient patient;
  ASSERT_TRUE(converter.convert(data.store->subject(0), &patient));
  CehrRecords records;
  CehrRecordOptions options;
  options.with_visit_type = options.with_demographics = true;
  CehrRecordBuilder(converter.texts(), options, &records).append(patient);
  EXPECT_EQ(
      concepts_of(records, 0),
      (std::vector<std::string>{"year:1997", "age:27", "Gender/F", "0", "[VS]", "Visit/IP", "LAB",
                                "HOME", "[VE]", "W3", "[VS]", "0", "DX//option:yes_sir", "[VE]"}));
  EXPECT_EQ(records.values[6], 1.5);
  EXPECT_EQ(records.texts.text(records.units[6]), "mg");
}

TEST(CehrFromMeds, WholeDataSetToTokens) {
  const TestFolder meds;
  write_visit_records(meds.path(), {.num_visits = 60});
  const Stored data(meds.path());
  CehrMedsConverter converter(*data.store, {});
  CehrRecords records;
  CehrRecordBuilder builder(converter.texts(), {}, &records);
  CehrPatient patient;
  int64_t num_patients = 0;
  for (int64_t s = 0; s < data.store->num_subjects(); ++s) {
    if (!converter.convert(data.store->subject(s), &patient)) continue;
    builder.append(patient);
    ++num_patients;
    for (const CehrVisit& visit : patient.visits) {
      EXPECT_LE(visit.start_us, visit.end_us);
      EXPECT_TRUE(converter.texts().text(visit.type).starts_with("Visit/") ||
                  converter.texts().text(visit.type) == "0");
    }
  }
  EXPECT_GE(num_patients, 27);
  const CehrTokenizer tokenizer = fit_cehr_tokenizer(records, {});
  CehrTokens tokens;
  tokenizer.append(records, &tokens);
  ASSERT_EQ(tokens.size(), records.size());
  EXPECT_GT(tokens.size(), 10'000);
  EXPECT_EQ(std::count(tokens.ids.begin(), tokens.ids.end(), tokenizer.unknown()), 0);
  EXPECT_EQ(std::count(tokens.ids.begin(), tokens.ids.end(), tokenizer.visit_start()),
            std::count(tokens.ids.begin(), tokens.ids.end(), tokenizer.visit_end()));
}

}  // namespace
}  // namespace sequela
