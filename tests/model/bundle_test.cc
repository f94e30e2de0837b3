// Bundles of femr's tutorial, damaged bundles, and those that we write.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/model_dir.h"
#include "tests/model/fixtures.h"
#include "tests/support/bad_inputs.h"
#include "tests/support/peak_memory.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

// Rows of femr's compute_features by (subject, time).
std::map<std::pair<int64_t, int64_t>, at::Tensor> read_features(const std::string& path,
                                                                const std::string& subject_key) {
  const NpzFile file(path);
  const NpyArray<int64_t> subjects = file.get<int64_t>(subject_key);
  const NpyArray<int64_t> times = file.get<int64_t>("feature_times");
  const at::Tensor features = npz_tensor<float>(file, "features");
  std::map<std::pair<int64_t, int64_t>, at::Tensor> rows;
  for (int64_t i = 0; i < subjects.size(); ++i)
    rows[{subjects.values[i], times.values[i]}] = features[i];
  return rows;
}

// Hidden states at the labels of the batches that femr kept.
void compare_features(const std::string& model_name, const std::string& features_name,
                      const std::string& subject_key, int num_batches) {
  Motor model = open_bundle(tutorial_path("" + model_name), at::kCPU, Precision::fp32);
  const std::string folder = reference_path("motor/features/");
  const auto expected = read_features(folder + features_name, subject_key);
  const bool is_flat = !model.config().encoder.is_hierarchical;
  int num_compared = 0;
  for (int i = 0; i < num_batches; ++i) {
    const NpzFile file(folder + model_name + "_tpb128_batch_" + std::to_string(i) + ".npz");
    const BatchInputs inputs = is_flat ? flat_inputs(file) : hierarchical_inputs(file);
    const NpyArray<int64_t> subjects = file.get<int64_t>(subject_key);
    const at::Tensor hidden = model.encode(inputs);
    for (int64_t l = 0; l < inputs.label_indices_L.size(0); ++l) {
      const int64_t token = inputs.label_indices_L[l].item<int64_t>();
      const auto row =
          expected.find({subjects.values[token], inputs.timestamps_T[token].item<int64_t>()});
      ASSERT_NE(row, expected.end());
      EXPECT_LT(max_difference(hidden[token], row->second), 1e-4);
      ++num_compared;
    }
  }
  EXPECT_GT(num_compared, is_own_reference() ? 15 : 30);
}

class BundleOfFemr : public OnReference {};

TEST_P(BundleOfFemr, HiddenStatesOfFemrsMotorModelEqualFemrs) {
  compare_features("motor_model", "motor_model_tpb128.npz", "subject_ids", 3);
}

TEST_P(BundleOfFemr, HiddenStatesOfTheFlatClmbrModelEqualFemrs) {
  compare_features("clmbr_model", "clmbr_model_tpb128_femr023.npz", "patient_ids", 2);
}

TEST_P(BundleOfFemr, LogitsOfClmbrHaveTheVocabularysSize) {
  Motor model = open_bundle(tutorial_path("clmbr_model"), at::kCPU, Precision::fp32);
  const BatchInputs inputs =
      flat_inputs(NpzFile(reference_path("motor/features/clmbr_model_tpb128_batch_0.npz")));
  EXPECT_EQ(model.logits(inputs).sizes(),
            (std::vector<int64_t>{inputs.label_indices_L.size(0), 64}));
  EXPECT_THROW(model.loss({inputs, {}}, std::nullopt), std::invalid_argument);
}

TEST_P(BundleOfFemr, VersionsOfFemrAreToldApartByTheirWeights) {
  const auto read = [](const std::string& name) {
    const std::string folder = reference_path("motor/" + name);
    return read_model_files(folder + "/config.json", folder + "/weights.safetensors").config;
  };
  EXPECT_TRUE(read("model_main").encoder.has_hawk);
  EXPECT_FALSE(read("model_main_allattn").encoder.has_hawk);
  EXPECT_EQ(read("model_main_allattn").encoder.time_columns, TimeColumns::time_data);
  const ModelConfig oldest = read("model_prehawk");
  EXPECT_EQ(oldest.encoder.time_columns, TimeColumns::normalized_age);
  EXPECT_FALSE(oldest.motor->has_norm);
  EXPECT_FALSE(oldest.motor->has_time_bias);
}

class BadBundle : public testing::TestWithParam<std::string> {};

TEST_P(BadBundle, IsRefusedByNameOfItsFileWithoutMemory) {
  BadInputs inputs;
  const std::string folder = inputs.path(GetParam());
  const int64_t before = forget_peak_memory();
  try {
    read_model_dir(folder);
    FAIL() << "no error";
  } catch (const FileError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(folder), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_LT(peak_memory_kib() - before, 16 * 1024);
}

INSTANTIATE_TEST_SUITE_P(Damaged, BadBundle,
                         testing::Values("21_model_truncated_safetensors",
                                         "22_model_oversized_header",
                                         "23_model_overlapping_offsets",
                                         "26_config_negative_sizes"),
                         [](const auto& info) { return info.param; });

class WrittenBundle : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "sequela_bundle_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(WrittenBundle, ReadsBackAsItWas) {
  const std::string source = tutorial_path("motor_model");
  const ModelDir original = read_model_dir(source);
  write_model_dir(folder_, original.config, original.parameters, original.dictionary_path);
  const ModelDir copy = read_model_dir(folder_);
  EXPECT_EQ(to_config_json(copy.config), to_config_json(original.config));
  ASSERT_EQ(copy.parameters.items.size(), original.parameters.items.size());
  for (const Parameter& item : original.parameters.items) {
    EXPECT_TRUE(at::equal(copy.parameters.get(item.name).value, item.value)) << item.name;
  }
  EXPECT_EQ(read_file(copy.dictionary_path), read_file(original.dictionary_path));
  // femr's own library writes the same bytes for the same weights.
  EXPECT_EQ(read_file(folder_ + "/model.safetensors"), read_file(source + "/model.safetensors"));
}

TEST_F(WrittenBundle, AHeadThatTheConfigDoesNotNameIsLeftOut) {
  ModelDir dir = read_model_dir(tutorial_path("motor_model"));
  dir.config.motor.reset();
  write_model_dir(folder_, dir.config, dir.parameters, dir.dictionary_path);
  EXPECT_EQ(read_model_dir(folder_).parameters.find("task_model.final_layer.weight"), nullptr);
}

TEST_F(WrittenBundle, ConfigAndWeightsThatDisagreeAreRefused) {
  ModelDir dir = read_model_dir(tutorial_path("motor_model"));
  dir.config.encoder.intermediate_size += 1;
  write_model_dir(folder_, dir.config, dir.parameters, dir.dictionary_path);
  EXPECT_THROW(read_model_dir(folder_), FileError);
  dir.config.encoder.intermediate_size -= 1;
  dir.config.encoder.n_layers = 1;  // leaves tensors over
  write_model_dir(folder_, dir.config, dir.parameters, dir.dictionary_path);
  EXPECT_THROW(read_model_dir(folder_), FileError);
  dir.config.encoder.n_layers = 3;  // asks for more
  write_model_dir(folder_, dir.config, dir.parameters, dir.dictionary_path);
  EXPECT_THROW(read_model_dir(folder_), FileError);
}

SEQUELA_ON_REFERENCES(BundleOfFemr);

}  // namespace
}  // namespace sequela
