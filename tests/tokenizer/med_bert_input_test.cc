#include "sequela/tokenizer/sequence/med_bert_input.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

void expect_equal(const MedBertRows& a, const MedBertRows& b) {
  EXPECT_EQ(a.patient_ids, b.patient_ids);
  EXPECT_EQ(a.visit_offsets, b.visit_offsets);
  EXPECT_EQ(a.offsets, b.offsets);
  EXPECT_EQ(a.stay_days, b.stay_days);
  EXPECT_EQ(a.next_days, b.next_days);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.segments, b.segments);
}

class MedBertOfPackage : public OnReference {};

TEST_P(MedBertOfPackage, RawTableGivesThePackagesRowsAndCodes) {
  CodeVocabulary codes = empty_med_bert_vocabulary();
  const MedBertRows rows =
      read_med_bert_table(bert_path("d_medbert/data_file.tsv"), UnknownCodes::add, &codes);
  expect_equal(rows, read_bencs(bert_path("d_medbert/expected_bencs.json")));
  const auto expected = CodeVocabulary::read_file(bert_path("d_medbert/mb.types"));
  ASSERT_EQ(codes.size(), expected.size());
  for (int32_t id = 0; id < codes.size(); ++id) EXPECT_EQ(codes.code(id), expected.code(id));

  CodeVocabulary known = expected;
  expect_equal(rows, read_med_bert_table(bert_path("d_medbert/data_file.tsv"),
                                         UnknownCodes::leave_out, &known));
}

TEST_P(MedBertOfPackage, PickledRowsAreThoseOfTheJson) {
  const MedBertRows all = read_bencs(bert_path("d_medbert/expected_bencs.json"));
  int64_t num_patients = 0;
  for (const char* part : {"train", "valid", "test"}) {
    const MedBertRows rows = read_bencs(bert_path(std::string("d_medbert/mb.bencs.") + part));
    num_patients += rows.num_patients();
    for (int64_t i = 0; i < rows.num_patients(); ++i) {
      const auto at =
          std::find(all.patient_ids.begin(), all.patient_ids.end(), rows.patient_ids[i]);
      ASSERT_NE(at, all.patient_ids.end());
      const int64_t j = at - all.patient_ids.begin();
      EXPECT_TRUE(
          std::equal(rows.ids.begin() + rows.offsets[i], rows.ids.begin() + rows.offsets[i + 1],
                     all.ids.begin() + all.offsets[j], all.ids.begin() + all.offsets[j + 1]));
    }
  }
  EXPECT_EQ(num_patients, all.num_patients());
}

TEST_P(MedBertOfPackage, ModelInput) {
  const MedBertRows rows = read_bencs(bert_path("d_medbert/expected_bencs.json"));
  const SafetensorsFile file(bert_path("d_medbert/inputs.safetensors"));
  std::vector<int64_t> patients(static_cast<size_t>(rows.num_patients()));
  std::iota(patients.begin(), patients.end(), 0);
  const MedBertBatch batch = build_med_bert_batch(rows, patients, 24, 50);
  const PaddedMedBertBatch padded = to_padded(batch, 24);
  EXPECT_EQ(padded.ids, tensor_values<int64_t>(file, "input_ids"));
  EXPECT_EQ(padded.token_types, tensor_values<int64_t>(file, "token_type_ids"));
  EXPECT_EQ(padded.attention_mask, tensor_values<int64_t>(file, "attention_mask"));

  const std::vector<int64_t> sixth = {5};
  const MedBertBatch tail = build_med_bert_batch(rows, sixth, 3, 50);
  const auto end = rows.ids.begin() + rows.offsets[6];
  EXPECT_EQ(tail.ids, std::vector<int32_t>(end - 3, end));
  EXPECT_EQ(tail.token_types, (std::vector<int32_t>{6, 6, 6}));
  EXPECT_THROW(build_med_bert_batch(rows, sixth, 3, 6), ConfigError);
  EXPECT_THROW(build_med_bert_batch(rows, sixth, 0, 50), ConfigError);
}

TEST(MedBert, BadRowsAreNamed) {
  TestFolder folder;
  const std::string path = folder / "table.tsv";
  const std::string header =
      "patient_id\tvadate\tvddate\tdiag\tpoa\tdiagnosis_priority\tthird_party_ind\n";
  CodeVocabulary codes = empty_med_bert_vocabulary();
  const auto expect_bad = [&](const std::string& row, const std::string& column) {
    write_file(path, header + "1\t2020-01-01\t2020-01-01\tA\t1\t1\t0\n" + row);
    try {
      read_med_bert_table(path, UnknownCodes::add, &codes);
      ADD_FAILURE() << row;
    } catch (const DataError& error) {
      EXPECT_EQ(error.where().row, 1);
      EXPECT_EQ(error.where().column, column);
    }
  };
  expect_bad("x\t2020-01-01\t2020-01-01\tA\t1\t1\t0\n", "patient_id");
  expect_bad("1\t2020-02-30\t2020-01-01\tA\t1\t1\t0\n", "vadate");
  expect_bad("1\t2020-01-01\t\tA\t1\t1\t0\n", "vddate");
  expect_bad("1\t2020-01-01\t2020-01-01\t\t1\t1\t0\n", "diag");

  const std::string json = folder / "rows.json";
  for (const char* text :
       {"{}", "[1]", "[[1, [0], [0, 0], [1], [1]]]", "[[1, [0], [0], [-1], [1]]]",
        "[[1, [0], [0], [9999999999], [1]]]", "[[1, [0], [0], [1, 2], [1]]]"}) {
    write_file(json, text);
    EXPECT_THROW(read_bencs(json), FileError) << text;
  }
}

TEST(MedBert, ACodeCountsOnceInAVisit) {
  TestFolder folder;
  const std::string path = folder / "table.tsv";
  write_file(path,
             "patient_id\tvadate\tvddate\tdiag\tpoa\tdiagnosis_priority\tthird_party_ind\n"
             "7\t2020-01-05\t2020-01-06\tA\tY\t1\t0\n"
             "7\t2020-01-01\t2020-01-02\tB\tY\t10\t0\n"
             "7\t2020-01-01\t2020-01-02\tC\tN\t2\t0\n"
             "7\t2020-01-01\t2020-01-02\tB\tY\t9\t0\n");
  CodeVocabulary codes = empty_med_bert_vocabulary();
  const MedBertRows rows = read_med_bert_table(path, UnknownCodes::add, &codes);
  EXPECT_EQ(rows.ids, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(codes.code(1), "C");
  EXPECT_EQ(rows.segments, (std::vector<int32_t>{1, 1, 2}));
  EXPECT_EQ(rows.next_days, (std::vector<int32_t>{3, 0}));
}

SEQUELA_ON_REFERENCES(MedBertOfPackage);

}  // namespace
}  // namespace sequela
