#include "sequela/tokenizer/sequence/cehr_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sequela/core/error.h"
#include "tests/support/test_folder.h"
#include "tests/tokenizer/encoder_fixtures.h"

namespace sequela {
namespace {

CehrRecords default_records() {
  const CehrPatients raw = read_cehr_patients(bert_path("b_cehrbert/raw_patients.json"));
  CehrRecords records;
  CehrRecordBuilder builder(raw.texts, {}, &records);
  for (const CehrPatient& patient : raw.patients) builder.append(patient);
  return records;
}

struct Fixture {
  CehrTokenizer tokenizer = CehrTokenizer::read(bert_path("b_cehrbert/classifier"));
  CehrTokens tokens;

  Fixture() { tokenizer.append(default_records(), &tokens); }
};

template <class T>
std::vector<double> doubles(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// Our columns by the names that the package gives them.
template <class Columns, class Expect>
void expect_columns(const Columns& columns, const Expect& expect) {
  expect("input_ids", columns.ids);
  expect("ages", columns.ages);
  expect("dates", columns.weeks);
  expect("visit_concept_orders", columns.visit_orders);
  expect("visit_segments", columns.segments);
  expect("concept_values", columns.values);
  expect("concept_value_masks", columns.value_masks);
}

void expect_matrix(const SafetensorsFile& file, const std::string& prefix,
                   const PaddedCehrBatch& batch) {
  const auto expect = [&](const char* name, const auto& ours) {
    EXPECT_EQ(doubles(ours), tensor_values<double>(file, prefix + name)) << prefix << name;
  };
  expect_columns(batch, expect);
  expect("attention_mask", batch.attention_mask);
  const std::vector<int64_t> shape = file.get(prefix + "input_ids").shape;
  EXPECT_EQ(batch.num_rows, shape[0]);
  EXPECT_EQ(batch.length, shape[1]);
}

class CehrBatchOfPackage : public OnReference {};

TEST_P(CehrBatchOfPackage, IdsAndNormalisedValues) {
  const Fixture fixture;
  const CehrTokens& tokens = fixture.tokens;
  const Json expected = read_json_fixture("b_cehrbert/expected_tokenized.json");
  ASSERT_EQ(tokens.num_sequences(), static_cast<int64_t>(expected.size()));
  for (int64_t row = 0; row < tokens.num_sequences(); ++row) {
    const auto expect = [&](const char* name, const auto& column) {
      const auto values = expected[row].at(name).get<std::vector<double>>();
      ASSERT_EQ(static_cast<int64_t>(values.size()), tokens.length(row));
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(static_cast<float>(column[tokens.offsets[row] + i]),
                  static_cast<float>(values[i]))
            << name << " of " << row;
      }
    };
    expect_columns(tokens, expect);
  }
}

TEST_P(CehrBatchOfPackage, PaddedBatchesOfThePackage) {
  const Fixture fixture;
  const SafetensorsFile file(bert_path("b_cehrbert/batches.safetensors"));
  const Json orders = read_json_fixture("b_cehrbert/batches.json");
  CehrBatchOptions options;
  options.max_length = orders["max_length"].get<int64_t>();
  for (const std::string name : {"tail", "tail_long"}) {
    const auto rows = orders[name].get<std::vector<int64_t>>();
    const CehrBatch batch = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
    const int64_t length = file.get(name + ".input_ids").shape[1];
    expect_matrix(file, name + ".",
                  to_padded(batch, fixture.tokenizer.pad(), options.max_length, length));
  }
}

TEST_P(CehrBatchOfPackage, PackedRowOfThePackage) {
  const Fixture fixture;
  const SafetensorsFile file(bert_path("b_cehrbert/batch_packed.safetensors"));
  CehrBatchOptions options;
  options.max_length = 65;
  const std::vector<int64_t> rows = {0, 1, 2, 5};
  const CehrBatch batch = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
  expect_matrix(file, "", to_packed_row(batch, fixture.tokenizer.pad()));
  EXPECT_EQ(batch.person_ids, tensor_values<int64_t>(file, "person_id"));
}

TEST_P(CehrBatchOfPackage, MaskedBatchOfThePackageCouldBeOurs) {
  const Fixture fixture;
  const SafetensorsFile file(bert_path("b_cehrbert/batches.safetensors"));
  CehrBatchOptions options;
  options.max_length = 64;
  const std::vector<int64_t> rows = {0, 1, 2, 5};
  const PaddedCehrBatch plain =
      to_padded(build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options), 0,
                options.max_length, file.get("mlm.labels").shape[1]);
  const auto labels = tensor_values<int64_t>(file, "mlm.labels");
  ASSERT_EQ(labels.size(), plain.ids.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    EXPECT_TRUE(labels[i] == -100 || labels[i] == plain.ids[i]);
  }
}

TEST_P(CehrBatchOfPackage, MaskingHasItsSharesAndDependsOnTheKeyAlone) {
  const Fixture fixture;
  CehrBatchOptions options;
  options.max_length = 512;
  std::vector<int64_t> rows(12);
  for (int64_t i = 0; i < 12; ++i) rows[i] = i;
  int64_t chosen = 0, masked = 0, kept = 0, total = 0;
  for (int64_t epoch = 0; epoch < 200; ++epoch) {
    options.epoch = epoch;
    CehrBatch batch = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
    const std::vector<int32_t> before = batch.ids;
    mask_tokens(fixture.tokenizer, {}, options, &batch);
    for (size_t i = 0; i < before.size(); ++i) {
      const bool is_cls = before[i] == fixture.tokenizer.cls();
      if (batch.labels[i] == -100) {
        EXPECT_EQ(batch.ids[i], before[i]);
      } else {
        EXPECT_FALSE(is_cls);
        EXPECT_EQ(batch.labels[i], before[i]);
        ++chosen;
        masked += batch.ids[i] == fixture.tokenizer.mask();
        kept += batch.ids[i] == before[i];
      }
      total += !is_cls;
    }
  }
  const auto share = [](int64_t a, int64_t b) { return static_cast<double>(a) / b; };
  EXPECT_NEAR(share(chosen, total), 0.15, 0.005);
  EXPECT_NEAR(share(masked, chosen), 0.8 + 0.1 / fixture.tokenizer.vocabulary().size(), 0.01);
  EXPECT_NEAR(share(kept, chosen), 0.1 + 0.1 / fixture.tokenizer.vocabulary().size(), 0.01);

  // One patient alone, or last of many: the same.
  CehrBatch all = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
  mask_tokens(fixture.tokenizer, {}, options, &all);
  CehrBatch one = build_cehr_batch(fixture.tokenizer, fixture.tokens, {&rows[11], 1}, options);
  mask_tokens(fixture.tokenizer, {}, options, &one);
  EXPECT_TRUE(std::equal(one.ids.begin(), one.ids.end(), all.ids.begin() + all.offsets[11]));
}

TEST_P(CehrBatchOfPackage, RandomTruncationBeginsAtVisits) {
  const Fixture fixture;
  CehrBatchOptions options;
  options.max_length = 32;
  const std::vector<int64_t> rows = {8};
  std::set<int32_t> orders;
  for (options.epoch = 0; options.epoch < 50; ++options.epoch) {
    options.truncation = Truncation::random_visit;
    const CehrBatch batch = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
    EXPECT_EQ(batch.length(0), 32);
    EXPECT_EQ(batch.ids[1], fixture.tokenizer.visit_start());
    orders.insert(batch.visit_orders[1]);
    options.truncation = Truncation::random_complete;
    const CehrBatch complete = build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options);
    EXPECT_LE(complete.length(0), 32);
    EXPECT_EQ(complete.ids[1], fixture.tokenizer.visit_start());
    options.truncation = Truncation::random;
    EXPECT_EQ(build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options).length(0), 32);
  }
  EXPECT_GT(orders.size(), 4u);
  options.max_length = 1;
  EXPECT_THROW(build_cehr_batch(fixture.tokenizer, fixture.tokens, rows, options), ConfigError);
}

TEST(CehrBatch, PackedRowsHoldTheirTokens) {
  const std::vector<int64_t> lengths = {10, 20, 300, 5, 7, 60, 60, 1};
  const auto rows = plan_packed_rows(lengths, 66, 64, 7, 0);
  std::set<int64_t> seen;
  for (const auto& row : rows) {
    int64_t used = 0;
    for (const int64_t i : row) {
      used += std::min<int64_t>(lengths[i], 64) + 2;
      seen.insert(i);
    }
    EXPECT_LE(used, 66);
  }
  EXPECT_EQ(seen.size(), lengths.size());
  EXPECT_EQ(plan_packed_rows(lengths, 66, 64, 7, 0), rows);
  EXPECT_NE(plan_packed_rows(lengths, 66, 64, 7, 1), rows);
}

TEST_P(CehrBatchOfPackage, FitsWhatThePackageFits) {
  const CehrRecords records = default_records();
  const auto expected = CehrTokenizer::read(bert_path("b_cehrbert/pretrain_vp1"));
  const CehrTokenizer fitted = fit_cehr_tokenizer(records, {});
  ASSERT_EQ(fitted.vocabulary().size(), expected.vocabulary().size());
  for (int32_t id = 0; id < fitted.vocabulary().size(); ++id) {
    EXPECT_EQ(fitted.vocabulary().code(id), expected.vocabulary().code(id));
  }
}

CehrRecords records_of(int64_t first, int64_t last) {
  const CehrPatients raw = read_cehr_patients(bert_path("b_cehrbert/raw_patients.json"));
  CehrRecords records;
  CehrRecordBuilder builder(raw.texts, {}, &records);
  for (int64_t i = first; i < last; ++i) builder.append(raw.patients[i]);
  return records;
}

// The fixture was fitted in parts of four patients, whose moments were then merged.
TEST_P(CehrBatchOfPackage, LabStatisticsOfThePackage) {
  const auto expected = CehrTokenizer::read(bert_path("b_cehrbert/pretrain_vp1"));
  for (const LabStats& theirs : expected.lab_stats()) {
    double count = 0, sum = 0, squares = 0;
    for (int64_t part = 0; part < 12; part += 4) {
      const CehrTokenizer fitted = fit_cehr_tokenizer(records_of(part, part + 4), {});
      for (const LabStats& ours : fitted.lab_stats()) {
        if (ours.concept_id != theirs.concept_id || ours.unit != theirs.unit) continue;
        const auto n = static_cast<double>(ours.count);
        count += n;
        sum += n * ours.mean;
        squares += n * (ours.std * ours.std + ours.mean * ours.mean);
      }
    }
    const double mean = sum / count;
    EXPECT_EQ(count, static_cast<double>(theirs.count));
    EXPECT_NEAR(mean, theirs.mean, 1e-12);
    EXPECT_NEAR(std::sqrt(squares / count - mean * mean), theirs.std, 1e-9);
  }
}

TEST_P(CehrBatchOfPackage, WritesAFolderThatReadsBack) {
  TestFolder folder;
  const auto original = CehrTokenizer::read(bert_path("b_cehrbert/classifier"));
  original.write(folder.path());
  const auto copy = CehrTokenizer::read(folder.path());
  ASSERT_EQ(copy.vocabulary().size(), original.vocabulary().size());
  for (int32_t id = 0; id < copy.vocabulary().size(); ++id) {
    EXPECT_EQ(copy.vocabulary().code(id), original.vocabulary().code(id));
  }
  ASSERT_EQ(copy.lab_stats().size(), original.lab_stats().size());
  EXPECT_EQ(copy.lab_stats()[0].mean, original.lab_stats()[0].mean);
  const Json ours = parse_json(read_file(folder / "tokenizer.json"), "");
  EXPECT_EQ(nlohmann::json(ours),
            nlohmann::json(read_json_fixture("b_cehrbert/classifier/tokenizer.json")));
}

SEQUELA_ON_REFERENCES(CehrBatchOfPackage);

}  // namespace
}  // namespace sequela
