#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"
#include "sequela/pipeline/evaluate_methods.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "tests/pipeline/made_up_cohort.h"
#include "tests/pipeline/small_run.h"
#include "tests/support/test_folder.h"

namespace sequela {

// Methods side by side, on made-up subjects of whom codes tell the outcome, and a tiny bundle.
class EvaluateMethods : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    files_ = std::make_unique<TestFolder>();
    // Of the true labels most have one of two codes before them, of the false ones few.
    for (const MadeUpCohort::LabelRow& label : cohort().labels) {
      const uint64_t draw = hash_key(9, label.subject);
      if (draw % 10 < (label.outcome ? 8 : 2)) {
        cohort().add(label.subject, label.time_us - MadeUpCohort::kHour,
                     draw % 3 == 0 ? "ICD10:K1000.0" : "ICD10:K1028.4");
      }
    }
    cohort().write(files_->path());
    std::string train = "subject_id,split_name\n", validation;
    for (int64_t subject = 1; subject <= kNumSubjects; ++subject) {
      const std::string split = MadeUpCohort::split_of(subject);
      if (split == "train") train += std::to_string(subject) + ",train\n";
      if (split == "tuning") validation += std::to_string(subject) + ",test\n";
    }
    write_file(*files_ / "split.csv", train + validation);
    PrepareOptions prepared;
    prepared.meds = *files_ / "meds";
    prepared.out = *files_ / "prepared";
    prepared.split = *files_ / "split.csv";
    prepared.vocab_size = 64;
    prepared.num_numeric = 8;
    prepared.num_tasks = 64;
    prepared.final_layer_size = 16;
    prepared.tokens_per_batch = 512;
    prepare(prepared);
    pretrain(tiny_pretrain(prepared.out, *files_ / "pretrained_output", *files_ / "bundle"));
  }
  static void TearDownTestSuite() { files_.reset(); }

  EvaluateMethodsOptions options(const std::string& name) const {
    EvaluateMethodsOptions options;
    options.meds = *files_ / "meds";
    options.labels = {"onset=" + (*files_ / "labels.parquet")};
    options.out = folder_ / name;
    options.device = "cpu";
    options.num_bootstraps = 50;
    options.shots = {1, 8};
    options.num_draws = 2;
    options.num_threads = 1;
    return options;
  }
  static Json run(const EvaluateMethodsOptions& options) {
    evaluate_methods(options);
    const std::string path = options.out + "/evaluation.json";
    return parse_json(read_file(path), path);
  }
  static std::map<std::string, Json> by_method(const Json& task) {
    std::map<std::string, Json> methods;
    for (const Json& method : task.at("methods")) methods[method.at("method")] = method;
    return methods;
  }
  static double auroc(const Json& method) {
    return method.at("figures").at("auroc").at("value").get<double>();
  }
  static void expect_error(const EvaluateMethodsOptions& options, const std::string& part) {
    try {
      evaluate_methods(options);
      ADD_FAILURE() << "no error: " << part;
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find(part), std::string::npos) << text;
      EXPECT_NE(text.find("Fix: "), std::string::npos) << text;
    }
    EXPECT_FALSE(std::filesystem::exists(options.out + "/evaluation.json"));
  }

  static constexpr int64_t kNumSubjects = 300;
  static MadeUpCohort& cohort() {
    static MadeUpCohort cohort(kNumSubjects);
    return cohort;
  }
  inline static std::unique_ptr<TestFolder> files_;
  TestFolder folder_;
};

}  // namespace sequela
