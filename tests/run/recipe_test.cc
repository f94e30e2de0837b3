#include "sequela/run/recipe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sequela {
namespace {

RunRecipe small_recipe() {
  RunRecipe recipe;
  recipe.command = recipe.artifact = "features";
  recipe.set("tokens-per-batch", 8'192);
  recipe.set("femr-compatible", false);
  recipe.set("read-out", "last");
  recipe.inputs["ontology"][""] = "a";
  recipe.inputs["meds"] = {{"data/train/7.parquet", "b"}, {"data/train/8.parquet", "c"}};
  return recipe;
}

TEST(RunRecipe, WritesValuesAsTheUserDoes) {
  RunRecipe recipe;
  recipe.set("int", int64_t{-3});
  recipe.set("seed", UINT64_MAX);
  recipe.set("flag", true);
  recipe.set("share", 0.1);
  recipe.set("word", "last");
  recipe.set("words", std::vector<std::string>{"a", "b, c"});
  recipe.set_all({{"kind", "bert"}, {"sizes", {{"hidden", 64}, {"betas", {0.9, 0.5}}}}}, "model.");
  EXPECT_EQ(recipe.parameters,
            (std::map<std::string, std::string>{{"int", "-3"},
                                                {"seed", "18446744073709551615"},
                                                {"flag", "true"},
                                                {"share", "0.1"},
                                                {"word", "last"},
                                                {"words", R"(["a","b, c"])"},
                                                {"model.kind", "bert"},
                                                {"model.sizes.hidden", "64"},
                                                {"model.sizes.betas", "[0.9,0.5]"}}));
}

TEST(RunRecipe, ADigestIsOfWhatDeterminesTheBytes) {
  const RunRecipe recipe = small_recipe();
  RunRecipe other = small_recipe();
  other.outputs = {"features.parquet"};
  EXPECT_EQ(other.digest(), recipe.digest());
  const auto expect_other = [&](auto change) {
    RunRecipe changed = small_recipe();
    change(changed);
    EXPECT_NE(changed.digest(), recipe.digest());
  };
  expect_other([](RunRecipe& r) { r.command = "encode"; });
  expect_other([](RunRecipe& r) { r.parameters["read-out"] = "last+history"; });
  expect_other([](RunRecipe& r) { r.parameters.erase("read-out"); });
  expect_other([](RunRecipe& r) { r.inputs["ontology"][""] = "z"; });
  expect_other([](RunRecipe& r) { r.inputs["meds"].erase("data/train/8.parquet"); });
  expect_other([](RunRecipe& r) { r.depends_on_version = false; });
}

TEST(RunRecipe, ComesBackFromJson) {
  RunRecipe recipe = small_recipe();
  recipe.outputs = {"features.parquet", "skipped.csv"};
  const RunRecipe read = to_run_recipe(to_json(recipe, "1.2.3"));
  EXPECT_EQ(read.command, recipe.command);
  EXPECT_EQ(read.parameters, recipe.parameters);
  EXPECT_EQ(read.inputs, recipe.inputs);
  EXPECT_EQ(read.outputs, recipe.outputs);
}

TEST(RunRecipe, TellsADifferenceInWords) {
  const RunRecipe recorded = small_recipe();
  EXPECT_EQ(difference(recorded, recorded), "");
  const auto told = [&](auto change) {
    RunRecipe wanted = small_recipe();
    change(wanted);
    return difference(recorded, wanted);
  };
  EXPECT_EQ(told([](RunRecipe& r) { r.set("tokens-per-batch", 4'096); }),
            "tokens-per-batch changed from 8192 to 4096");
  EXPECT_EQ(told([](RunRecipe& r) { r.set("precision", "fp32"); }), "precision is new");
  EXPECT_EQ(told([](RunRecipe& r) { r.parameters.erase("read-out"); }), "read-out is gone");
  EXPECT_EQ(told([](RunRecipe& r) { r.set("read-out", std::string(41, 'x')); }),
            "read-out changed from last to xxxxxxxxxxxx...");
  EXPECT_EQ(told([](RunRecipe& r) { r.inputs["ontology"][""] = "z"; }), "the ontology changed");
  EXPECT_EQ(told([](RunRecipe& r) {
              r.inputs["ontology"] = {{"a.csv", "z"}};
            }),
            "the ontology changed");
  EXPECT_EQ(told([](RunRecipe& r) { r.inputs["cohort"][""] = "z"; }), "the cohort is new");
  EXPECT_EQ(told([](RunRecipe& r) { r.inputs.erase("ontology"); }), "the ontology is gone");
  EXPECT_EQ(told([](RunRecipe& r) { r.inputs["meds"]["data/train/7.parquet"] = "z"; }),
            "data/train/7.parquet changed");
  EXPECT_EQ(told([](RunRecipe& r) {
              r.inputs["meds"] = {{"data/train/7.parquet", "z"}, {"data/train/9.parquet", "d"}};
            }),
            "data/train/7.parquet changed, and 2 other files of the meds");
  EXPECT_EQ(told([](RunRecipe& r) { r.command = "encode"; }), "`sequela features` made it");
}

}  // namespace
}  // namespace sequela
