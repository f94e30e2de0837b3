// Embeddings against femr's compute_features, on its tutorial's data, labels and bundles.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sequela/batch/plan.h"
#include "sequela/batch/sequence.h"
#include "tests/features/tutorial.h"
#include "tests/support/isa.h"
#include "tests/support/npz.h"

namespace sequela {
namespace {

constexpr double kTolerance = 1e-4;

// A prediction point: subject and the time of its token.
using Point = std::pair<int64_t, int64_t>;

struct FemrRows {
  int64_t width = 0;
  std::vector<float> values;
  std::map<Point, std::vector<int64_t>> rows_of;  // femr repeats rows of overlapping windows

  explicit FemrRows(const NpzFile& file) {
    const bool is_old = file.contains("patient_ids");
    const auto ids = file.get<int64_t>(is_old ? "patient_ids" : "subject_ids").values;
    const auto seconds = file.get<int64_t>("feature_times").values;
    NpyArray<float> features = file.get<float>("features");
    width = features.shape[1];
    values = std::move(features.values);
    for (size_t i = 0; i < ids.size(); ++i) {
      rows_of[{ids[i], seconds[i]}].push_back(static_cast<int64_t>(i));
    }
  }

  double difference(int64_t row, const float* embedding) const {
    double worst = 0;
    for (int64_t k = 0; k < width; ++k) {
      worst = std::max<double>(worst, std::abs(values[row * width + k] - embedding[k]));
    }
    return worst;
  }
};

// How often femr gives a point, and in how many of these rows with all the history that fits.
struct Expected {
  int64_t num_rows = 0;
  int64_t num_exact = 0;
};
using ExpectedPoints = std::map<Point, Expected>;

// femr's windows for the tokens of one subject's labels, ascending and distinct: the first starts
// at the record's begin; a label whose token does not fit opens a window that ends at it. A window
// gives a row for each of its labels but one on its first token, whose place the birth bag takes.
void add_windows(const Sequence& sequence, const std::vector<int32_t>& tokens, int32_t max_length,
                 ExpectedPoints& expected) {
  std::vector<std::pair<int32_t, int32_t>> windows = {{0, 0}};  // start, last token
  for (const int32_t token : tokens) {
    if (token - windows.back().first + 1 >= max_length) {
      windows.emplace_back(token - max_length + 1, token);
    } else {
      windows.back().second = token;
    }
  }
  const int32_t first_label = sequence.first_event();
  for (const auto& [start, last] : windows) {
    for (const int32_t token : tokens) {
      if (token - start < first_label || token > last) continue;
      const int64_t seconds = sequence.times_us[token] / kMicrosPerSecond;
      Expected& point = expected[{sequence.subject_id, seconds}];
      ++point.num_rows;
      point.num_exact += token - start == std::min(token, max_length - 1);
    }
  }
}

// All points that femr gives for the labels. It places a subject's labels in the order of time and
// never gets past one before the first event, so that such a subject has no row at all.
ExpectedPoints expected_points(const Tutorial& tutorial, const std::vector<Label>& labels,
                               int32_t max_length) {
  std::map<int64_t, std::set<int64_t>> times_of;
  for (const Label& label : labels) {
    times_of[label.subject_id].insert(label.prediction_time_us);
  }
  SequenceBuilder builder(tutorial.store, tutorial.tokenizer);
  Sequence sequence;
  ExpectedPoints expected;
  for (const auto& [subject_id, times] : times_of) {
    builder.build(tutorial.store.subject(tutorial.store.find_subject(subject_id).value()),
                  sequence);
    if (!token_at(sequence, *times.begin())) continue;
    std::set<int32_t> tokens;
    for (const int64_t time_us : times) tokens.insert(token_at(sequence, time_us).value());
    add_windows(sequence, {tokens.begin(), tokens.end()}, max_length, expected);
  }
  return expected;
}

void expect_parity(Tutorial& tutorial, const std::string& labels_path, int64_t tokens_per_batch,
                   const std::string& fixture) {
  const std::vector<Label> labels = read_labels(labels_path);
  const Embedded ours = tutorial.embed(labels, tokens_per_batch);
  const FemrRows femr(NpzFile(reference_path("motor/features/" + fixture)));
  const auto max_length = static_cast<int32_t>(tokens_per_batch);
  const ExpectedPoints expected = expected_points(tutorial, labels, max_length);
  ASSERT_EQ(ours.width, femr.width);
  ASSERT_EQ(expected.size(), femr.rows_of.size());

  std::set<Point> seen;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (ours.states[i] != LabelState::embedded) continue;
    const Point point{labels[i].subject_id, ours.feature_seconds[i]};
    const auto found = expected.find(point);
    if (found == expected.end()) continue;
    ASSERT_TRUE(femr.rows_of.contains(point)) << point.first << " " << point.second;
    const auto& rows = femr.rows_of.at(point);
    EXPECT_EQ(static_cast<int64_t>(rows.size()), found->second.num_rows);
    const int64_t num_equal = std::ranges::count_if(
        rows, [&](int64_t row) { return femr.difference(row, ours.row(i)) < kTolerance; });
    EXPECT_GE(found->second.num_exact, 1);
    EXPECT_EQ(num_equal, found->second.num_exact) << point.first << " " << point.second;
    seen.insert(point);
  }
  EXPECT_EQ(seen.size(), expected.size());
}

std::string one_label() {
  return tutorial_path("labels.parquet");
}
std::string several_labels() {
  return reference_path("motor/features/labels_multi.parquet");
}

class EmbedParity : public OnReference {};

TEST_P(EmbedParity, MotorEqualsFemr) {
  Tutorial tutorial("motor_model");
  expect_parity(tutorial, one_label(), 1'024, "motor_model_tpb1024.npz");
  for (Isa isa : runnable_isas()) {
    SCOPED_TRACE(to_text(isa));
    const WithIsa with_isa(isa);
    expect_parity(tutorial, one_label(), 128, "motor_model_tpb128.npz");
  }
}

TEST_P(EmbedParity, SeveralLabelsOfASubjectEqualFemr) {
  Tutorial tutorial("motor_model");
  expect_parity(tutorial, several_labels(), 128, "motor_model_multi_tpb128.npz");
}

TEST_P(EmbedParity, ShortWindowsEqualFemr) {
  Tutorial tutorial("motor_model");
  expect_parity(tutorial, several_labels(), 8, "motor_model_multi_tpb8.npz");
}

TEST_P(EmbedParity, FlatClmbrEqualsFemr) {
  Tutorial tutorial("clmbr_model");
  expect_parity(tutorial, one_label(), 128, "clmbr_model_tpb128_femr023.npz");
}

SEQUELA_ON_REFERENCES(EmbedParity);

}  // namespace
}  // namespace sequela
