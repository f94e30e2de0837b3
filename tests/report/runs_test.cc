#include "sequela/report/runs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/report/build_page.h"
#include "sequela/report/render.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

class Runs : public testing::Test {
 protected:
  std::string folder(const std::string& name, const std::string& file, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(path);
    write_file(path + "/" + file, text);
    return path;
  }

  const TestFolder place_;
  const std::string folder_ = place_.path();
};

TEST_F(Runs, AreToldByTheirFiles) {
  const std::string metrics = R"({"tasks": [{"task": "t", "methods": [{"method": "m"}]}]})";
  EXPECT_EQ(read_run(folder("a", "evaluation.json", "{}")).kind, RunKind::evaluation);
  EXPECT_EQ(read_run(folder("b", "metrics.json", metrics)).kind, RunKind::evaluation);
  EXPECT_EQ(read_run(folder("c", "metrics.json", R"({"log": []})")).kind, RunKind::training);
  EXPECT_EQ(read_run(folder("d", "coverage.json", "{}")).kind, RunKind::prepared);
  EXPECT_EQ(read_run(folder("e", "compare.json", "{}")).kind, RunKind::comparison);
  EXPECT_EQ(read_run(folder("f", "cohort.json", "{}")).kind, RunKind::cohort);
  EXPECT_EQ(read_run(folder("h", "etl_report.json", "{}")).kind, RunKind::raw_records);
  const FinishedRun run = read_run(folder("g", "manifest.json", R"({"artifacts": {}})") + "/");
  EXPECT_EQ(run.kind, RunKind::bundle);
  EXPECT_EQ(run.name, "g");
}

TEST_F(Runs, ShowTheLedgerOfRawRecords) {
  const std::string ledger = R"({"rows_in": 12, "rows_dropped": 2, "missing_tables": ["note"],
      "unread": {"Device": 3}, "data": {"num_subjects": 4, "num_events": 9, "num_codes": 5,
      "found": {"events before birth": {"count": 1, "examples": ["subject 7"]}}},
      "tables": [{"table": "measurement", "rows_in": 12, "events_out": 9, "rows_dropped": 2,
      "dropped": {"no time": {"count": 2, "examples": ["measurement_id 17"]}},
      "withheld": {"measurement": {"no code": {"count": 1, "examples": ["measurement_id 18"]}}}}]})";
  const Page page = build_page({read_run(folder("meds", "etl_report.json", ledger))}, {});
  EXPECT_EQ(page.title, "Raw records: meds");
  const std::string html = render(page);
  for (const char* text : {"12 rows in, 2 rows dropped; 9 events of 4 subjects, 5 codes.",
                           "Tables not there: note.", "Events by table", "measurement_id 17",
                           "measurement_id 18", "events before birth", "subject 7", "Device"}) {
    EXPECT_NE(html.find(text), std::string::npos) << text;
  }
}

TEST_F(Runs, CommandsAreShownAsOneTypesThem) {
  for (const auto& [command, typed] : {std::pair("pretrain mlm", "pretrain --objective mlm"),
                                       {"pretrain", "pretrain"},
                                       {"etl", "etl"}}) {
    std::filesystem::remove_all(folder_ + "/run");
    const std::string manifest =
        str(R"({"artifacts": {"a": {"recipe": {"command": ")", command, R"(", "version": "1"}}}})");
    const Page page = build_page({read_run(folder("run", "manifest.json", manifest))}, {});
    EXPECT_NE(render(page).find(str("Made by `sequela ", typed, "`, version 1.")),
              std::string::npos)
        << command;
  }
}

TEST_F(Runs, RefusesWhatIsNone) {
  EXPECT_THROW(read_run(folder_ + "/missing"), ConfigError);
  EXPECT_THROW(read_run(folder("x", "other.json", "{}")), ConfigError);
  EXPECT_THROW(read_run(folder("y", "metrics.json", R"({"steps": 1})")), ConfigError);
  EXPECT_THROW(read_run(folder("z", "coverage.json", "{")), FileError);
}

// Files of another version, or damaged: a page without the figures that they do not allow.
TEST_F(Runs, LeavesOutWhatIsNotThere) {
  for (
      const char* text :
      {"{}", "[]", "null", "7", R"({"tasks": 3, "data": [], "methods": {}, "leaks": ""})",
       R"({"tasks": [null, 1, {}, {"methods": [null, {"figures": 3, "curves": [], "subgroups": {}}],
            "differences": [1], "few_shot": {"points": [null]}, "map": {"points": [{}]}}]})",
       R"({"log": [1, {}, {"step": "x"}], "evaluations": [[], {"eval/gain/x": {}}], "warned_at": []})",
       R"({"events": 1, "ontology": {"vocabularies": [1]}, "tokenizer": []})",
       R"({"steps": [1, {"fell_out": [2]}], "labels": [], "results": [{}], "differences": [null]})"}) {
    for (const char* file : {"evaluation.json", "metrics.json", "coverage.json", "compare.json",
                             "cohort.json", "etl_report.json", "manifest.json"}) {
      std::filesystem::remove_all(folder_ + "/run");
      const std::string path = folder("run", file, text);
      std::vector<FinishedRun> runs;
      try {
        runs.push_back(read_run(path));
      } catch (const ConfigError&) {
        continue;  // no run at all
      }
      EXPECT_NE(render(build_page(runs)).find("</html>"), std::string::npos) << file << text;
    }
  }
}

TEST_F(Runs, OlderEvaluationsHaveTheirCurves) {
  const std::string path =
      folder("old", "metrics.json",
             R"({"tasks": [{"task": "t", "num_rows": 9, "methods": [{"method": "m"}]}]})");
  write_file(path + "/curves.json", R"({"curves": [{"task": "t", "method": "m", "thresholds": [
      {"threshold": 0.5, "true_positive_rate": 0.75, "false_positive_rate": 0.25, "precision": 0.625}]}]})");
  const std::string page = render(build_page({read_run(path)}));
  EXPECT_NE(page.find("data-title=\"ROC curve\""), std::string::npos);
  EXPECT_NE(page.find("<td class=\"n\">0.75</td><td class=\"n\">0.625</td>"), std::string::npos);
  EXPECT_EQ(page.find("data-title=\"Decision curve\""), std::string::npos);
}

TEST_F(Runs, AMethodThatTookNoPartIsNamedWithItsReason) {
  const std::string path = folder("e", "evaluation.json", R"({"tasks": [], "methods": [
      {"method": "trees", "title": "Trees", "why_not": {"death": "no library"}},
      {"method": "probe", "title": "Probe"}]})");
  const std::string page = render(build_page({read_run(path)}));
  EXPECT_NE(page.find("Methods left out"), std::string::npos);
  EXPECT_NE(page.find(">Trees</th><td class=\"s\">death</td><td class=\"s\">no library</td>"),
            std::string::npos);
  EXPECT_EQ(page.find(">Probe<"), std::string::npos);
}

TEST_F(Runs, TheChecklistIsFilledAsFarAsTheRunsKnow) {
  const std::string path =
      folder("e", "evaluation.json", R"({"bootstraps": 500, "seed": 7, "tasks": [],
      "data": {"first_time": "1999-01-02", "last_time": "2020-03-04"}})");
  const std::string page = render(build_page({read_run(path)}));
  EXPECT_NE(page.find("Times in the records lie between 1999-01-02 and 2020-03-04."),
            std::string::npos);
  EXPECT_NE(page.find("500 bootstrap resamples of the subjects, seed 7"), std::string::npos);
  EXPECT_NE(page.find("for the authors"), std::string::npos);
  // Nothing of an evaluation, no checklist of one.
  const std::string other = render(build_page({read_run(folder("p", "coverage.json", "{}"))}));
  EXPECT_EQ(other.find("TRIPOD+AI"), std::string::npos);
}

// A side of times to an event says num_positive and num_events, which are the same rows.
TEST_F(Runs, AnEventCountsOnce) {
  const std::string path = folder("e", "evaluation.json", R"({"tasks": [
      {"task": "t", "kind": "time_to_event", "num_rows": 30, "num_events": 5, "sides": {
        "train": {"num_rows": 90, "num_positive": 7, "num_subjects": 90, "num_events": 7}}},
      {"task": "u", "kind": "binary", "num_rows": 20, "num_positive": 4}]})");
  const std::string page = render(build_page({read_run(path)}));
  EXPECT_NE(page.find("t: train 90 rows (7 with the outcome)"), std::string::npos);
  EXPECT_NE(page.find("50 tested predictions, 9 of them positive"), std::string::npos);
}

TEST_F(Runs, TheManifestStandsLast) {
  const std::string path = folder("m", "coverage.json", "{}");
  write_file(path + "/manifest.json", R"({"schema": 1, "artifacts": {"split.csv": {"recipe": {
      "command": "prepare", "version": "9.8.7", "parameters": {"split-seed": "97"},
      "inputs": {"meds": {"data/0.parquet": "0a1b"}}}, "files": {"split.csv": "2c3d"}}}})");
  const Page page = build_page({read_run(path)});
  EXPECT_EQ(page.sections.back().title, "Manifest");
  const std::string html = render(page);
  for (const char* what : {"9.8.7", "split-seed", "meds/data/0.parquet", "0a1b", "2c3d"})
    EXPECT_NE(html.find(what), std::string::npos) << what;
}

}  // namespace
}  // namespace sequela
