// Windows and batches against femr's own, per subject and bit for bit where no chance acts.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "sequela/batch/bucket_writer.h"
#include "sequela/batch/compact_batch.h"
#include "sequela/batch/half.h"
#include "tests/batch/fixture.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

using Case = std::tuple<Reference, std::string>;

class BatchParity : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!is_own_reference()) SEQUELA_NEED_SHARED();
    fixture_ = MotorFixture::open(std::get<1>(GetParam()));
    const std::string path = fixture_->folder + "/info.json";
    options_.tokens_per_batch =
        parse_json(read_file(path), path).at("tokens_per_batch").get<int32_t>();
    options_.first_timestamp = FirstTimestamp::last_event;
  }

  std::vector<Window> plan(double label_fraction) {
    options_.label_fraction = label_fraction;
    BucketWriter writer(fixture_->source, Side::train, options_);
    BatchReport report;
    writer.stage({0, fixture_->store.num_subjects(), 0}, report);
    return writer.windows();
  }

  NpyArray<int64_t> lengths(const std::string& kind, const std::string& order) const {
    return NpzFile(fixture_->folder + "/" + kind + "/lengths.npz").get<int64_t>(order);
  }

  void expect_windows(const std::string& kind, double label_fraction) {
    const auto windows = plan(label_fraction);
    const auto expected = lengths(kind, "unshuffled");
    ASSERT_EQ(static_cast<int64_t>(windows.size()), expected.shape[0]);
    for (size_t i = 0; i < windows.size(); ++i) {
      const int64_t* row = &expected.values[i * 4];
      EXPECT_EQ(fixture_->store.subject_id(windows[i].subject), row[0]);
      EXPECT_EQ(windows[i].first_token, row[1]);
      EXPECT_EQ(windows[i].length, row[2]);
      EXPECT_EQ(static_cast<int64_t>(windows[i].label_fraction * 1e6), row[3]);
    }
  }

  // The windows in femr's order, with all labels.
  std::vector<Window> femr_order() const {
    const auto rows = lengths("batches_all_labels", "shuffled");
    std::vector<Window> windows;
    for (int64_t i = 0; i < rows.shape[0]; ++i) {
      const int64_t* row = &rows.values[i * 4];
      windows.push_back({fixture_->store.find_subject(row[0]).value(), static_cast<int32_t>(row[1]),
                         static_cast<int32_t>(row[2]), 1});
    }
    return windows;
  }

  static std::vector<int32_t> lengths_of(const std::vector<Window>& windows) {
    std::vector<int32_t> lengths;
    for (const Window& window : windows) lengths.push_back(window.length);
    return lengths;
  }

  WithReference with_reference_{std::get<0>(GetParam())};
  std::unique_ptr<MotorFixture> fixture_;
  BatchOptions options_;
};

using Entry = std::pair<int64_t, float>;

// CSR rows or bags as sorted lists of (index, value).
template <class Offsets, class Indices, class Values>
std::vector<std::vector<Entry>> sorted_rows(const Offsets& offsets, const Indices& indices,
                                            const Values& values) {
  std::vector<std::vector<Entry>> rows;
  for (size_t r = 0; r + 1 < offsets.size(); ++r) {
    auto& row = rows.emplace_back();
    for (auto k = offsets[r]; k < offsets[r + 1]; ++k) row.emplace_back(indices[k], values[k]);
    std::ranges::sort(row);
  }
  return rows;
}

std::vector<float> widened(const std::vector<uint16_t>& halves) {
  std::vector<float> values;
  for (const uint16_t half : halves) values.push_back(from_half(half));
  return values;
}

template <class T, class U>
void expect_same(const std::vector<T>& found, const std::vector<U>& expected, const char* name) {
  ASSERT_EQ(found.size(), expected.size()) << name;
  for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i]) << name << " " << i;
}

void expect_batch(const BatchArrays& found, const NpzFile& expected) {
  const auto ints = [&](const std::string& name) { return expected.get<int64_t>(name).values; };
  const auto floats = [&](const std::string& name) { return expected.get<float>(name).values; };
  expect_same(found.first_tokens, ints("offsets"), "offsets");
  expect_same(found.lengths, ints("transformer.subject_lengths"), "lengths");
  expect_same(found.ages_days, floats("transformer.ages"), "ages");
  expect_same(found.timestamps, ints("transformer.timestamps"), "timestamps");
  expect_same(widened(found.time_data), floats("transformer.time_data"), "time_data");
  expect_same(found.label_indices, ints("transformer.label_indices"), "label_indices");
  expect_same(found.token_offsets, ints("transformer.token_indices"), "token_indices");
  EXPECT_EQ(sorted_rows(found.token_offsets, found.token_ids, widened(found.token_weights)),
            sorted_rows(ints("transformer.token_indices"), ints("transformer.hierarchical_tokens"),
                        floats("transformer.hierarchical_weights")));
  expect_same(found.rows.censor_seconds, floats("task.censor_time"), "censor_time");
  EXPECT_EQ(sorted_rows(found.rows.row_offsets, found.rows.task_ids, found.rows.event_seconds),
            sorted_rows(ints("task.time_sparse.indptr"), ints("task.time_sparse.indices"),
                        floats("task.time_sparse.data")));
}

TEST_P(BatchParity, WindowsEqualFemrs) {
  expect_windows("batches_all_labels", 1);
  expect_windows("batches_seeded", kLabelFraction);
}

TEST_P(BatchParity, PackingEqualsFemrs) {
  const std::vector<Window> windows = femr_order();
  const auto ends = pack(lengths_of(windows), options_.tokens_per_batch);
  const std::string path = fixture_->folder + "/batches_all_labels/index.json";
  const Json index = parse_json(read_file(path), path);
  int64_t start = 0;
  for (size_t i = 0; i < index.size(); ++i) {
    EXPECT_EQ(ends[i] - start, static_cast<int64_t>(index[i].at("lengths").size()));
    start = ends[i];
  }
}

TEST_P(BatchParity, BatchesEqualFemrs) {
  const std::vector<Window> windows = femr_order();
  const auto ends = pack(lengths_of(windows), options_.tokens_per_batch);
  for (const BatchForm form : {BatchForm::femr, BatchForm::compact}) {
    options_.form = form;
    BucketWriter writer(fixture_->source, Side::train, options_);
    writer.stage(windows);
    std::vector<int64_t> numbers(windows.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    int64_t start = 0;
    for (int i = 0; i < 5; ++i) {
      const std::string path = str(fixture_->folder, "/batches_all_labels/batch_", i, ".npz");
      SCOPED_TRACE(path);
      writer.build(std::span(numbers).subspan(start, ends[i] - start));
      start = ends[i];
      if (form == BatchForm::femr) {
        expect_batch(writer.batch(), NpzFile(path));
        continue;
      }
      CompactEncoder encoder;
      BatchArrays decoded;
      decode_compact(encoder.encode(writer.batch(), fixture_->targets.num_tasks()), {}, "batch",
                     decoded);
      expect_batch(decoded, NpzFile(path));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Femr, BatchParity,
                         ::testing::Combine(::testing::Values(Reference::repository,
                                                              Reference::shared),
                                            ::testing::Values("g60", "tutorial")),
                         name_on_reference<::testing::TestParamInfo<Case>>);

}  // namespace
}  // namespace sequela
