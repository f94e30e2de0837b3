#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sequela/core/json.h"
#include "tests/etl/etl_folder.h"

namespace sequela {
namespace {

// A line for each resource.
class Fhir : public testing::Test {
 protected:
  void SetUp() override {
    raw_.write(
        "Patient.ndjson",
        R"({"resourceType":"Patient","id":"12","gender":"female","birthDate":"1980-05-17","deceasedDateTime":"2021-01-01T10:00:00+02:00"})"
        "\n"
        R"({"resourceType":"Patient","id":"a-b","gender":"other","birthDate":"1990"})"
        "\n");
  }
  EtlFolder raw_;
};

TEST_F(Fhir, ResourcesBecomeEvents) {
  raw_.write(
      "Encounter.ndjson",
      R"({"resourceType":"Encounter","id":"e1","class":{"code":"IMP"},"subject":{"reference":"Patient/12"},"period":{"start":"2020-01-01T00:00:00Z","end":"2020-01-03T00:00:00Z"}})"
      "\n");
  raw_.write(
      "mixed.ndjson",
      R"({"resourceType":"Condition","id":"c1","code":{"coding":[{"system":"http://snomed.info/sct","code":"386661006","display":"Fever"}]},"subject":{"reference":"urn:uuid:12"},"onsetDateTime":"2020-01-01"})"
      "\n"
      R"({"resourceType":"Condition","id":"c2","verificationStatus":{"coding":[{"code":"entered-in-error"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"1"}]},"subject":{"reference":"Patient/12"},"onsetDateTime":"2020-01-01"})"
      "\n"
      R"({"resourceType":"Observation","id":"o1","code":{"coding":[{"system":"http://loinc.org","code":"2345-7"}]},"subject":{"reference":"Patient/12"},"effectiveDateTime":"2020-01-02T03:04:05Z","valueQuantity":{"value":98.5,"unit":"mg/dL"}})"
      "\n"
      R"({"resourceType":"Observation","id":"o2","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/12"},"effectiveDateTime":"2020-01-02T03:04:05Z","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80}}]})"
      "\n"
      R"({"resourceType":"MedicationRequest","id":"m1","medicationReference":{"reference":"Medication/9"},"subject":{"reference":"Patient/12"},"authoredOn":"2020-01-02T00:00:00Z"})"
      "\n"
      R"({"resourceType":"Medication","id":"9","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"161"}]}})"
      "\n"
      R"({"resourceType":"Claim","id":"x"})"
      "\n");
  raw_.convert("fhir");
  auto events = raw_.events();
  std::erase_if(events, [](const EventKey& event) { return std::get<0>(event) != 12; });
  EXPECT_EQ(events,
            (std::multiset<EventKey>{{12, "1980-05-17 00:00:00", "MEDS_BIRTH", "", ""},
                                     {12, "1980-05-17 00:00:00", "Gender/F", "", ""},
                                     {12, "2021-01-01 08:00:00", "MEDS_DEATH", "", ""},
                                     {12, "2020-01-01 00:00:00", "Visit/IP", "", ""},
                                     {12, "2020-01-01 23:59:59", "SNOMED/386661006", "", ""},
                                     {12, "2020-01-02 03:04:05", "LOINC/2345-7", "98.5", ""},
                                     {12, "2020-01-02 03:04:05", "LOINC/85354-9", "", ""},
                                     {12, "2020-01-02 03:04:05", "LOINC/8480-6", "120", ""},
                                     {12, "2020-01-02 03:04:05", "LOINC/8462-4", "80", ""},
                                     {12, "2020-01-02 00:00:00", "RxNorm/161", "", ""}}));
  const Json report = parse_json(read_file(raw_.meds() + "/etl_report.json"), "report");
  EXPECT_EQ(report.at("unread"), (Json{{"Claim", 1}}));
}

// Nothing is known before it was.
TEST_F(Fhir, YearsAndMonthsAreTheirEnds) {
  std::string conditions;
  for (const char* onset : {"2020", "2020-02", "2020-02-03"}) {
    conditions += str(R"({"resourceType":"Condition","subject":{"reference":"Patient/12"},)",
                      R"("code":{"coding":[{"system":"http://snomed.info/sct","code":"1"}]},)",
                      R"("onsetDateTime":")", onset, "\"}\n");
  }
  raw_.write("Condition.ndjson", conditions);
  raw_.convert("fhir");
  std::multiset<std::string> times;
  for (const EventKey& event : raw_.events())
    if (std::get<2>(event) == "SNOMED/1") times.insert(std::get<1>(event));
  EXPECT_EQ(times, (std::multiset<std::string>{"2020-02-03 23:59:59", "2020-02-29 23:59:59",
                                               "2020-12-31 23:59:59"}));
}

TEST_F(Fhir, IdsThatAreNearlyNumbersStayApart) {
  std::string patients;
  for (const char* id : {"1.4", "1.3", "1", "01", "1e0", "1_0", "10"})
    patients += str(R"({"resourceType":"Patient","birthDate":"1990-01-01","id":")", id, "\"}\n");
  raw_.write("Patient.ndjson", patients);
  raw_.convert("fhir");
  std::set<int64_t> subjects;
  for (const EventKey& event : raw_.events()) subjects.insert(std::get<0>(event));
  EXPECT_EQ(subjects.size(), 7u);
  EXPECT_TRUE(subjects.contains(1));
  EXPECT_TRUE(subjects.contains(10));
}

TEST_F(Fhir, NeedsPatients) {
  std::filesystem::remove(raw_.raw() + "/Patient.ndjson");
  EXPECT_THROW(raw_.plan("fhir"), DataError);
  raw_.write("Claim.ndjson", "{\"resourceType\":\"Claim\"}\n");
  EXPECT_THROW(raw_.plan("fhir"), DataError);
}

}  // namespace
}  // namespace sequela
