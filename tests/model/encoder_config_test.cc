#include "sequela/model/encoder_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "tests/model/small_model.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override { path_ = testing::TempDir() + str("config_", getpid(), ".json"); }
  void TearDown() override { std::filesystem::remove(path_); }

  ModelConfig read(const std::string& text) const {
    write_file(path_, text);
    return read_model_config(path_);
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  }

  std::string path_;
};

TEST_F(ConfigFile, AbsentFieldsHaveFemrsDefaults) {
  const ModelConfig config = read(R"({"transformer_config": {}})");
  EXPECT_EQ(config.encoder.vocab_size, 32'768);
  EXPECT_EQ(config.encoder.n_layers, 6);
  EXPECT_EQ(config.encoder.hidden_act, "gelu");
  EXPECT_TRUE(config.encoder.use_bias);
  EXPECT_FALSE(config.encoder.is_hierarchical);
  EXPECT_FALSE(config.encoder.use_normed_ages);
  EXPECT_FALSE(config.motor.has_value());
}

TEST_F(ConfigFile, GivesBackWhatWasWritten) {
  ModelConfig config = small_config();
  config.motor->tasks[2] = {"SNOMED/\"q\"", 1.4114539566367878e-08, 364, 675, 46027936.977863304};
  const ModelConfig copy = read(to_config_json(config));
  EXPECT_EQ(to_config_json(copy), to_config_json(config));
  EXPECT_EQ(copy.encoder.attention_width, config.encoder.attention_width);
  EXPECT_EQ(copy.motor->tasks[2].code, config.motor->tasks[2].code);
  EXPECT_EQ(copy.motor->tasks[2].rate, config.motor->tasks[2].rate);
  EXPECT_EQ(copy.motor->tasks[2].mean_time, config.motor->tasks[2].mean_time);
  EXPECT_TRUE(std::isinf(copy.motor->time_bins.back()));
}

TEST_F(ConfigFile, IsByteForByteTheOneThatFemrWrites) {
  const std::string path = tutorial_path("motor_model/config.json");
  EXPECT_EQ(to_config_json(read_model_config(path)), read_file(path));
}

TEST_F(ConfigFile, CountsMayBeWrittenAsRealNumbers) {
  const ModelConfig config =
      read(R"({"transformer_config": {}, "task_config": {"task_type": "motor", "task_kwargs":
    {"pretraining_task_info": [["A", 1e-9, 364.0, 675.0, 2.5]], "time_bins": [0, 5, Infinity], "final_layer_size": 8}}})");
  EXPECT_EQ(config.motor->tasks[0].n_censored, 364);
  EXPECT_EQ(config.motor->tasks[0].n_events, 675);
}

TEST_F(ConfigFile, FaultsAreNamed) {
  const auto names = [&](const std::string& text, const std::string& part) {
    const std::string message = error_of(text);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find(path_), std::string::npos) << message;
  };
  names("[]", "not a JSON object");
  names("{", "JSON");
  names("{}", "transformer_config");
  names(R"({"transformer_config": {"hidden_size": -16}})", "hidden_size");
  names(R"({"transformer_config": {"hidden_size": "768"}})", "hidden_size");
  names(R"({"transformer_config": {"hidden_size": 1e300}})", "hidden_size");
  names(R"({"transformer_config": {"n_heads": 7}})", "hidden_size");
  names(R"({"transformer_config": {"n_layers": 1.5}})", "n_layers");
  names(R"({"transformer_config": {"n_layers": 100000}})", "n_layers");
  names(R"({"transformer_config": {"use_bias": 1}})", "use_bias");
  names(R"({"transformer_config": {"hidden_act": "relu"}})", "hidden_act");
  const std::string motor = R"({"transformer_config": {}, "task_config": {"task_type": "motor")";
  names(motor + "}}", "task_kwargs");
  names(motor + R"(, "task_kwargs": {"pretraining_task_info": 3}}})", "pretraining_task_info");
  names(motor + R"(, "task_kwargs": {"pretraining_task_info": [["A", 0]]}}})", "rate");
  names(motor + R"(, "task_kwargs": {"pretraining_task_info": [["A", 1]], "time_bins": [0, 1]}}})",
        "time_bins");
  names(
      motor +
          R"(, "task_kwargs": {"pretraining_task_info": [["A", 1]], "time_bins": [0, Infinity]}}})",
      "final_layer_size");
}

}  // namespace
}  // namespace sequela
