#include "sequela/run/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/log.h"
#include "sequela/io/file.h"
#include "tests/support/json_schema.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const std::string kSchemaPath = std::string(SEQUELA_SOURCE_DIR) + "/docs/manifest.schema.json";

class ManifestTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "parts");
    write_file(folder_ / "table", "table");
    write_file(folder_ / "parts/a", "a");
    recipe_.command = recipe_.artifact = "label";
    recipe_.set("mode", "documented");
    recipe_.inputs["task"][""] = fingerprint_of_text("task");
    recipe_.inputs["meds"]["data/0.parquet"] = fingerprint_of_text("data");
    recipe_.outputs = {"table", "parts"};
    set_log_sink([this](LogLevel, const std::string& text) { log_ += text + "\n"; });
  }
  void TearDown() override { set_log_sink(nullptr); }

  void record() { Manifest(folder_.path(), fingerprints_).record(recipe_, {{"rows", 3}}); }
  std::string why_stale() { return Manifest(folder_.path(), fingerprints_).why_stale(recipe_); }
  std::string text() const { return read_file(folder_ / "manifest.json"); }

  TestFolder folder_;
  Fingerprints fingerprints_{FingerprintOptions{}};
  RunRecipe recipe_;
  std::string log_;
};

TEST_F(ManifestTest, KnowsWhatItRecorded) {
  EXPECT_EQ(why_stale(), "it is not there");
  record();
  EXPECT_EQ(why_stale(), "");
  const Manifest manifest(folder_.path(), fingerprints_);
  EXPECT_EQ(manifest.report("label"), Json({{"rows", 3}}));
  EXPECT_TRUE(manifest.report("none").empty());
  recipe_.outputs.clear();  // they are not known before the run
  EXPECT_EQ(why_stale(), "");
}

TEST_F(ManifestTest, TellsWhyInWords) {
  record();
  recipe_.set("mode", "exact");
  EXPECT_EQ(why_stale(), "mode changed from documented to exact");
  recipe_.set("mode", "documented");
  write_file(folder_ / "table", "other");
  EXPECT_EQ(why_stale(), "table was changed or damaged since it was made");
  fs::remove(folder_ / "table");
  EXPECT_EQ(why_stale(), "table is not there");
  write_file(folder_ / "table", "table");
  write_file(folder_ / "parts/b", "b");
  EXPECT_EQ(why_stale(), "there is a new file parts/b");
}

TEST_F(ManifestTest, TheLogSaysIt) {
  Manifest first(folder_.path(), fingerprints_);
  EXPECT_FALSE(first.is_up_to_date(recipe_));
  EXPECT_EQ(log_, "");  // nothing is made anew
  record();
  EXPECT_TRUE(Manifest(folder_.path(), fingerprints_).is_up_to_date(recipe_));
  EXPECT_EQ(log_, folder_.path() + " is up to date\n");
  log_.clear();
  recipe_.set("mode", "exact");
  EXPECT_FALSE(Manifest(folder_.path(), fingerprints_).is_up_to_date(recipe_));
  EXPECT_EQ(log_, folder_.path() + ": made anew, since mode changed from documented to exact\n");
}

TEST_F(ManifestTest, AnArtifactThatIsOneFileHasAFingerprint) {
  recipe_.artifact = "table";
  recipe_.outputs = {"table"};
  record();
  const Manifest manifest(folder_.path(), fingerprints_);
  EXPECT_EQ(manifest.fingerprint("table"), fingerprint_of_text("table"));
  EXPECT_EQ(manifest.fingerprint("none"), "");
  fs::remove(folder_ / "table");
  EXPECT_EQ(why_stale(), "it is not there");
}

TEST_F(ManifestTest, AnotherVersionsOutputIsMadeAnew) {
  record();
  Json json = parse_json(text(), "manifest");
  json["artifacts"]["label"]["recipe"]["version"] = "0.0.9";
  write_file(folder_ / "manifest.json", json_text(json));
  EXPECT_EQ(why_stale(), "version 0.0.9 of Sequela made it");
  recipe_.depends_on_version = false;
  EXPECT_EQ(why_stale(), "");
}

TEST_F(ManifestTest, OlderFormsAreMadeAnewWithoutAWarning) {
  for (const char* older :
       {R"({"version": "0.1.0", "run_key": "ab", "files": {"table": "cd"}})",
        R"({"artifacts": {"split.csv": {"version": "0.1.0", "parameters": {}, "inputs": {}}}})",
        R"({"schema": 99, "artifacts": 3})"}) {
    write_file(folder_ / "manifest.json", older);
    EXPECT_EQ(why_stale(), "an older version of Sequela made it");
    EXPECT_EQ(log_, "");
  }
  Manifest manifest(folder_.path(), fingerprints_);
  RunRecipe first = recipe_;
  first.artifact = "first of several";
  manifest.record(first, Json::object());
  EXPECT_EQ(manifest.why_stale(first), "");
  EXPECT_EQ(manifest.why_stale(recipe_), "an older version of Sequela made it");
  record();
  EXPECT_EQ(why_stale(), "");
}

TEST_F(ManifestTest, ADamagedOneIsNone) {
  record();
  const std::string whole = text();
  for (const std::string& damaged :
       {whole.substr(0, whole.size() / 2), std::string("[]"), std::string("3"), std::string(),
        std::string(R"({"schema": 1})"), std::string(R"({"schema": 1, "artifacts": {"a": 3}})")}) {
    log_.clear();
    write_file(folder_ / "manifest.json", damaged);
    EXPECT_EQ(why_stale(), "it is not there") << damaged;
    EXPECT_NE(log_.find("manifest.json: damaged; everything is made anew"), std::string::npos);
    EXPECT_FALSE(Manifest(folder_.path(), fingerprints_).is_up_to_date(recipe_));
    EXPECT_EQ(log_.find("made anew, since"), std::string::npos);  // it has been said
  }
}

TEST_F(ManifestTest, RemovesTheFilesThatItNames) {
  record();
  write_file(folder_ / "notes", "the user's own");
  Manifest manifest(folder_.path(), fingerprints_);
  manifest.remove_with_files();
  EXPECT_FALSE(fs::exists(folder_ / "table"));
  EXPECT_FALSE(fs::exists(folder_ / "parts/a"));
  EXPECT_FALSE(fs::exists(folder_ / "manifest.json"));
  EXPECT_TRUE(fs::exists(folder_ / "notes"));
}

TEST_F(ManifestTest, RemovesThoseOfTheOlderForm) {
  write_file(folder_ / "manifest.json", R"({"run_key": "ab", "files": {"table": "cd"}})");
  Manifest(folder_.path(), fingerprints_).remove_with_files();
  EXPECT_FALSE(fs::exists(folder_ / "table"));
  EXPECT_TRUE(fs::exists(folder_ / "parts/a"));
}

TEST_F(ManifestTest, NeverRemovesAFileOutsideTheFolder) {
  const std::string outside = folder_ / "outside";
  write_file(outside, "");
  const std::string inner = folder_ / "inner";
  fs::create_directories(inner);
  write_file(inner + "/manifest.json",
             R"({"files": {"../outside": "ef", ")" + outside + R"(": "ab"}})");
  Manifest(inner, fingerprints_).remove_with_files();
  EXPECT_TRUE(fs::exists(outside));
}

TEST_F(ManifestTest, ItsBytesDoNotTellTheOrderOfArtifacts) {
  RunRecipe second = recipe_;
  second.artifact = "another";
  Manifest manifest(folder_.path(), fingerprints_);
  manifest.record(recipe_, Json::object());
  manifest.record(second, Json::object());
  const std::string forward = text();
  fs::remove(folder_ / "manifest.json");
  Manifest other(folder_.path(), fingerprints_);
  other.record(second, Json::object());
  other.record(recipe_, Json::object());
  EXPECT_EQ(text(), forward);
}

TEST_F(ManifestTest, FitsItsSchema) {
  const JsonSchema schema(kSchemaPath);
  recipe_.inputs["labels"][""] = "123:456";
  recipe_.inputs["remote"]["data/0.parquet"] = "rows 3";
  record();
  const Json good = parse_json(text(), "manifest");
  EXPECT_EQ(schema.fault(good), "");
  const auto expect_fault = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    EXPECT_NE(schema.fault(bad), "") << pointer;
  };
  expect_fault("/schema", 2);
  expect_fault("/more", 1);
  expect_fault("/artifacts/label/more", 1);
  expect_fault("/artifacts/label/files/table", "short");
  expect_fault("/artifacts/label/recipe/parameters/mode", 3);
  expect_fault("/artifacts/label/recipe/inputs/task", "yesterday's");
  expect_fault("/artifacts/label/recipe/inputs/meds/x", 3);
  expect_fault("/artifacts/label/recipe/outputs", "table");
  Json bad = good;
  bad["artifacts"]["label"].erase("report");
  EXPECT_NE(schema.fault(bad), "");
}

}  // namespace
}  // namespace sequela
