#include "sequela/batch/loader.h"
#include "sequela/batch/folder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "sequela/batch/batch_file.h"
#include "sequela/batch/half.h"
#include "sequela/core/random.h"
#include "tests/batch/fixture.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

class Loader : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = MotorFixture::open("g60").release(); }
  static void TearDownTestSuite() { delete fixture_; }

  void SetUp() override { options_.tokens_per_batch = 256; }

  std::string write(BatchForm form, int num_threads = 1) {
    options_.form = form;
    options_.num_threads = num_threads;
    const std::string folder =
        test_folder(str("batches_", static_cast<int>(form), "_", num_threads)) + "/train";
    report_ = write_batches(fixture_->source, Side::train, options_, folder, "key");
    return folder;
  }

  static MotorFixture* fixture_;
  BatchOptions options_;
  BatchReport report_;
};

MotorFixture* Loader::fixture_ = nullptr;

void expect_equal(const MotorBatch& a, const MotorBatch& b) {
  EXPECT_TRUE(at::equal(a.inputs.subject_ids_S, b.inputs.subject_ids_S));
  EXPECT_TRUE(at::equal(a.inputs.lengths_S, b.inputs.lengths_S));
  EXPECT_TRUE(at::equal(a.inputs.token_ids_N, b.inputs.token_ids_N));
  EXPECT_TRUE(at::equal(a.inputs.token_weights_N, b.inputs.token_weights_N));
  EXPECT_TRUE(at::equal(a.inputs.token_offsets_T1, b.inputs.token_offsets_T1));
  EXPECT_TRUE(at::equal(a.inputs.ages_days_T, b.inputs.ages_days_T));
  EXPECT_TRUE(at::equal(a.inputs.time_data_T5, b.inputs.time_data_T5));
  EXPECT_TRUE(at::equal(a.inputs.timestamps_T, b.inputs.timestamps_T));
  EXPECT_TRUE(at::equal(a.inputs.label_indices_L, b.inputs.label_indices_L));
  EXPECT_TRUE(at::equal(a.targets.censor_seconds_L, b.targets.censor_seconds_L));
  EXPECT_TRUE(at::equal(a.targets.row_offsets_L1, b.targets.row_offsets_L1));
  EXPECT_TRUE(at::equal(a.targets.task_ids_Z, b.targets.task_ids_Z));
  EXPECT_TRUE(at::equal(a.targets.event_seconds_Z, b.targets.event_seconds_Z));
}

TEST_F(Loader, BothFormsGiveTheSameBatches) {
  const BatchFolder compact = BatchFolder::open(write(BatchForm::compact));
  const BatchFolder femr = BatchFolder::open(write(BatchForm::femr));
  ASSERT_GT(compact.num_batches(), 10);
  ASSERT_EQ(compact.num_batches(), femr.num_batches());
  EXPECT_EQ(compact.num_batches(), report_.num_batches);
  int64_t num_tokens = 0;
  for (int64_t i = 0; i < compact.num_batches(); ++i) {
    expect_equal(compact.read(i), femr.read(i));
    EXPECT_EQ(compact.num_tokens(i), femr.num_tokens(i));
    EXPECT_LE(compact.num_tokens(i), 256);
    num_tokens += compact.num_tokens(i);
  }
  EXPECT_EQ(num_tokens, report_.num_tokens);
}

TEST_F(Loader, ABatchThatIsReadAgainHoldsTheLastOneAlone) {
  for (const BatchForm form : {BatchForm::compact, BatchForm::femr}) {
    const std::string folder = write(form);
    std::string path;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".arrow") path = entry.path();
    }
    const BatchFileReader reader(path);
    ASSERT_GT(reader.num_batches(), 1);
    BatchArrays used, fresh;
    reader.read(1, {}, used);
    reader.read(0, {}, used);
    reader.read(0, {}, fresh);
    EXPECT_EQ(used.subject_ids, fresh.subject_ids);
    EXPECT_EQ(used.lengths, fresh.lengths);
    EXPECT_EQ(used.token_ids, fresh.token_ids);
    EXPECT_EQ(used.token_offsets, fresh.token_offsets);
    EXPECT_EQ(used.label_indices, fresh.label_indices);
    EXPECT_EQ(used.rows.row_offsets, fresh.rows.row_offsets);
    EXPECT_EQ(used.rows.task_ids, fresh.rows.task_ids);
  }
}

TEST_F(Loader, FemrsFormIsAsLargeAsWasSaid) {
  const std::string folder = write(BatchForm::femr);
  double written = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".arrow") written += static_cast<double>(entry.file_size());
  }
  const int64_t said = estimate_femr_bytes(fixture_->source, Side::train, options_);
  EXPECT_NEAR(static_cast<double>(said), written, 0.1 * written);
}

TEST_F(Loader, FilesDoNotDependOnThreads) {
  const std::string one = write(BatchForm::compact, 1);
  const std::string two = write(BatchForm::compact, 2);
  const std::string name = "/" + batch_file_name(0, 1);
  EXPECT_EQ(read_file(one + name), read_file(two + name));
  EXPECT_EQ(read_file(one + "/state.json"), read_file(two + "/state.json"));
}

TEST_F(Loader, ReadsAheadInTheGivenOrder) {
  const BatchFolder folder = BatchFolder::open(write(BatchForm::compact));
  const std::vector<int64_t> order = {3, 0, 3, 7};
  BatchLoader loader(folder, order);
  MotorBatch batch;
  for (const int64_t index : order) {
    ASSERT_TRUE(loader.next(batch));
    expect_equal(batch, folder.read(index));
  }
  EXPECT_FALSE(loader.next(batch));
}

TEST_F(Loader, LetsGoOfBatchesNobodyAsksFor) {
  const BatchFolder folder = BatchFolder::open(write(BatchForm::compact));
  BatchLoader loader(folder, {0, 1, 2, 3, 4, 5});
  MotorBatch batch;
  EXPECT_TRUE(loader.next(batch));
}

// Of the labels that could be kept a tenth is (of short records five), within four standard
// deviations, and another seed keeps others.
TEST_F(Loader, SamplesLabelsAsOftenAsAsked) {
  write(BatchForm::compact);
  const int64_t kept = report_.num_labels;
  options_.label_fraction = 1;
  write(BatchForm::compact);
  const auto rows =
      NpzFile(fixture_->folder + "/batches_seeded/lengths.npz").get<int64_t>("unshuffled");
  double expected = 0;
  double variance = 0;
  for (int64_t i = 0; i < rows.shape[0]; ++i) {
    const double length = static_cast<double>(rows.values[i * 4 + 2]);
    const double fraction = static_cast<double>(rows.values[i * 4 + 3]) * 1e-6;
    const double wanted = fraction >= 1 ? 5 : std::max(5.0, std::floor(length / 10));
    expected += wanted;
    variance += wanted * (1 - fraction);
  }
  EXPECT_LT(kept, report_.num_labels / 2);
  EXPECT_NEAR(static_cast<double>(kept), expected, 4 * std::sqrt(variance) + 30);
}

TEST_F(Loader, RefusesBatchesBeyondTheModel) {
  const std::string path = write(BatchForm::compact);
  const BatchFolder small_vocabulary = BatchFolder::open(path, {.vocab_size = 10});
  EXPECT_THROW(small_vocabulary.read(0), FileError);
  const BatchFolder few_tasks = BatchFolder::open(path, {.num_tasks = 10});
  EXPECT_THROW(few_tasks.read(0), FileError);
}

TEST_F(Loader, ReportsMissingFolders) {
  EXPECT_THROW(BatchFolder::open(test_folder("missing") + "/none"), FileError);
  EXPECT_THROW(BatchFolder::open(test_folder("empty")), FileError);
}

// Every damage ends in a FileError or, where it hits padding or plain numbers, goes unseen; never
// in a crash.
TEST_F(Loader, SurvivesDamage) {
  for (const BatchForm form : {BatchForm::compact, BatchForm::femr}) {
    const std::string folder = write(form);
    const std::string path = folder + "/" + batch_file_name(0, 1);
    const std::string whole = read_file(path);
    int64_t num_errors = 0;
    for (int trial = 0; trial < 200; ++trial) {
      std::string damaged = whole;
      const uint64_t at = mix64(trial) % damaged.size();
      if (trial % 4 == 0) {
        damaged.resize(at);
      } else {
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (trial % 8)));
      }
      std::ofstream(path, std::ios::binary) << damaged;
      try {
        const BatchFolder opened = BatchFolder::open(
            folder, {.vocab_size = 512, .num_tasks = fixture_->targets.num_tasks()});
        for (int64_t i = 0; i < opened.num_batches(); ++i) opened.read(i);
      } catch (const FileError&) {
        ++num_errors;
      }
    }
    EXPECT_GT(num_errors, 40);
  }
}

TEST(Half, RoundsOnceAndToEven) {
  EXPECT_EQ(to_half(1), 0x3C00);
  EXPECT_EQ(to_half(-2), 0xC000);
  EXPECT_EQ(to_half(0x1p-24), 1);                     // the smallest
  EXPECT_EQ(to_half(0x1p-25), 0);                     // a tie, to even
  EXPECT_EQ(to_half(0x1.8p-24), 2);                   // a tie, to even
  EXPECT_EQ(to_half(65'504), 0x7BFF);                 // the largest
  EXPECT_EQ(to_half(65'520), 0x7C00);                 // rounds to infinity
  EXPECT_EQ(to_half(1 + 0x1p-11), 0x3C00);            // a tie, to even
  EXPECT_EQ(to_half(1 + 0x1p-11 + 0x1p-40), 0x3C01);  // by way of float32 it would be a tie
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    ASSERT_EQ(to_half(from_half(static_cast<uint16_t>(bits))), bits);
  }
}

}  // namespace
}  // namespace sequela
