#include "sequela/report/evaluation/best.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sequela {
namespace {

Json method(const std::string& name, double auroc) {
  return {{"method", name},
          {"figures", {{"auroc", {{"value", auroc}}}, {"brier", {{"value", 1 - auroc}}}}}};
}

Json difference(const std::string& first, const std::string& second, double auroc, double p) {
  const Json figure = {{"value", auroc}, {"p_value", p / 3}, {"p_holm", p}};
  const Json opposite = {{"value", -auroc}, {"p_value", p / 3}, {"p_holm", p}};
  return {
      {"first", first}, {"second", second}, {"figures", {{"auroc", figure}, {"brier", opposite}}}};
}

Json task(double p_of_the_second) {
  return {{"methods", {method("a", 0.7), method("b", 0.8), method("c", 0.6)}},
          {"differences",
           {difference("a", "b", -0.1, 0.01), difference("b", "c", 0.2, p_of_the_second),
            difference("a", "c", 0.1, 0.9)}}};
}

TEST(BestMethod, IsBetterThanEveryOtherOne) {
  EXPECT_EQ(best_method(task(0.04), "auroc"), "b");
  EXPECT_EQ(best_method(task(0.04), "brier"), "b");  // where lower is better
}

TEST(BestMethod, IsNoneWhereOneDifferenceIsNotClear) {
  EXPECT_EQ(best_method(task(0.05), "auroc"), "");
}

TEST(BestMethod, CorrectsForManyTests) {
  Json of = task(0.06);  // 0.02 before the correction
  EXPECT_EQ(best_method(of, "auroc"), "");
  for (Json& one : of["differences"]) one["figures"]["auroc"].erase("p_holm");
  EXPECT_EQ(best_method(of, "auroc"), "b");  // none was made
}

TEST(BestMethod, IsNoneWithoutAPairOrADirection) {
  Json lacking = task(0.01);
  lacking["differences"].erase(1);
  EXPECT_EQ(best_method(lacking, "auroc"), "");
  EXPECT_EQ(best_method({{"methods", {method("a", 0.7)}}, {"differences", Json::array()}}, "auroc"),
            "");
  EXPECT_EQ(best_method(task(0.01), "calibration_slope"), "");
  EXPECT_EQ(best_method(Json(), "auroc"), "");
}

TEST(BestMethod, PassesOverAMethodWithoutTheFigure) {
  Json of = task(0.01);
  of["methods"].push_back({{"method", "d"}, {"figures", {{"auroc", {{"value", nullptr}}}}}});
  EXPECT_EQ(best_method(of, "auroc"), "b");
}

}  // namespace
}  // namespace sequela
