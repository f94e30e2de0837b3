#include "sequela/evaluation/code_vectors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"

namespace sequela {
namespace {

// Sequences of one of two kinds of codes: even ones stand with even ones.
CodeSequences two_kinds(int num_sequences, int32_t num_codes) {
  CodeSequences sequences{.num_codes = num_codes + 1};
  Random random(4);
  for (int s = 0; s < num_sequences; ++s) {
    const auto kind = static_cast<int32_t>(random.below(2));
    for (int i = 0; i < 30; ++i)
      sequences.codes.push_back(2 * static_cast<int32_t>(random.below(num_codes / 2)) + kind);
    sequences.offsets.push_back(static_cast<int64_t>(sequences.codes.size()));
  }
  sequences.codes.back() = num_codes;  // a code that stands once
  return sequences;
}

double cosine(const DenseMatrix& vectors, int a, int b) {
  double product = 0, first = 0, second = 0;
  for (int64_t k = 0; k < vectors.num_columns; ++k) {
    product += vectors.row(a)[k] * vectors.row(b)[k];
    first += vectors.row(a)[k] * vectors.row(a)[k];
    second += vectors.row(b)[k] * vectors.row(b)[k];
  }
  return product / std::sqrt(first * second);
}

TEST(CodeVectors, CodesThatStandTogetherAreAlike) {
  const DenseMatrix vectors =
      fit_code_vectors(two_kinds(400, 20), {.size = 16, .subsampling = 1, .num_tokens = 60'000});
  double same = 0, other = 0;
  int num_same = 0, num_other = 0;
  for (int a = 0; a < 20; ++a) {
    for (int b = 0; b < a; ++b) {
      const bool is_same = a % 2 == b % 2;
      (is_same ? same : other) += cosine(vectors, a, b);
      ++(is_same ? num_same : num_other);
    }
  }
  EXPECT_GT(same / num_same, other / num_other + 0.5);
}

TEST(CodeVectors, ARareCodeHasNone) {
  const DenseMatrix vectors = fit_code_vectors(two_kinds(50, 20), {.size = 8});
  ASSERT_EQ(vectors.num_rows, 21);
  for (const float value : vectors.row(20)) EXPECT_EQ(value, 0);
  EXPECT_NE(vectors.row(0)[0], 0);
}

TEST(CodeVectors, RepeatAndDependOnTheSeed) {
  const CodeSequences sequences = two_kinds(20, 10);
  const DenseMatrix once = fit_code_vectors(sequences, {.size = 4, .seed = 1});
  EXPECT_EQ(once.values, fit_code_vectors(sequences, {.size = 4, .seed = 1}).values);
  EXPECT_NE(once.values, fit_code_vectors(sequences, {.size = 4, .seed = 2}).values);
}

TEST(CodeVectors, NoCodes) {
  const DenseMatrix none = fit_code_vectors({.num_codes = 3}, {.size = 2});
  EXPECT_EQ(none.values, (std::vector<float>(6, 0)));
}

}  // namespace
}  // namespace sequela
