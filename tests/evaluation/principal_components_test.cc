#include "sequela/evaluation/principal_components.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sequela/core/random.h"

namespace sequela {
namespace {

// Rows that vary by 3 along one direction, by 1 along another, by 0.1 along the rest.
TEST(PlanarMap, FindsTheDirectionsOfLargestVariance) {
  constexpr int64_t kRows = 2000, kColumns = 6;
  DenseMatrix rows{kRows, kColumns, {}};
  std::vector<double> large, middle;
  Random random(2);
  for (int64_t i = 0; i < kRows; ++i) {
    large.push_back(3 * random.normal());
    middle.push_back(random.normal());
    for (int64_t k = 0; k < kColumns; ++k) {
      const double noise = 0.1 * random.normal();
      const double value = k == 4 ? large.back() : k == 1 ? -middle.back() : 0;
      rows.values.push_back(static_cast<float>(5 + value + noise));
    }
  }
  const PlanarMap map = find_planar_map(rows);
  EXPECT_NEAR(map.explained[0], 9 / 10.06, 0.02);
  EXPECT_NEAR(map.explained[1], 1 / 10.06, 0.02);
  double mean_x = 0, product_x = 0, product_y = 0, square_x = 0, square_y = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    mean_x += map.x[i] / kRows;
    product_x += map.x[i] * large[i];
    product_y += map.y[i] * middle[i];
    square_x += map.x[i] * map.x[i];
    square_y += map.y[i] * map.y[i];
  }
  EXPECT_NEAR(mean_x, 0, 1e-6);
  EXPECT_NEAR(product_x / square_x, 1, 0.02);  // the largest entry is positive
  EXPECT_NEAR(std::abs(product_y) / square_y, 1, 0.03);
}

TEST(PlanarMap, RowsThatDoNotVary) {
  const PlanarMap same = find_planar_map({3, 2, {1, 2, 1, 2, 1, 2}});
  EXPECT_EQ(same.x, (std::vector<double>(3)));
  EXPECT_EQ(same.explained[0], 0);
  EXPECT_EQ(find_planar_map({1, 2, {1, 2}}).y, (std::vector<double>(1)));
  // On a line there is no second direction.
  const PlanarMap line = find_planar_map({3, 2, {0, 0, 1, 1, 2, 2}});
  EXPECT_NEAR(line.explained[0], 1, 1e-9);
  EXPECT_NEAR(line.explained[1], 0, 1e-9);
}

}  // namespace
}  // namespace sequela
