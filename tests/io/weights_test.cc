#include "sequela/io/weights/weight_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/weights/tf_names.h"
#include "tests/support/npz.h"
#include "tests/support/reference.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

std::vector<float> to_floats(const TensorView& tensor) {
  std::vector<float> values(tensor.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const std::byte* at = tensor.bytes.data() + i * dtype_size(tensor.dtype);
    uint16_t half = 0;
    std::memcpy(&half, at, sizeof(half));
    if (tensor.dtype == DType::float16) values[i] = npz_detail::half_to_float(half);
    if (tensor.dtype == DType::bfloat16) values[i] = std::bit_cast<float>(uint32_t{half} << 16);
    if (tensor.dtype == DType::float32) std::memcpy(&values[i], at, sizeof(float));
  }
  return values;
}

// The name without the prefix of a model with heads, LayerNorm in the present way.
std::string plain_name(std::string name) {
  if (name.starts_with("bert.")) name = name.substr(5);
  if (name.ends_with("LayerNorm.gamma")) return name.substr(0, name.size() - 5) + "weight";
  if (name.ends_with("LayerNorm.beta")) return name.substr(0, name.size() - 4) + "bias";
  return name;
}

// Compares the tensors of `file` that `reference` has too; gives their number.
size_t compare(const WeightFile& file, const WeightFile& reference, float tolerance) {
  size_t num_compared = 0;
  for (const TensorView& tensor : file.tensors()) {
    const TensorView* expected = reference.find(plain_name(tensor.name));
    if (expected == nullptr) continue;
    ++num_compared;
    EXPECT_EQ(tensor.shape, expected->shape) << tensor.name;
    const std::vector<float> got = to_floats(tensor);
    const std::vector<float> wanted = to_floats(*expected);
    const float floor = tolerance > 0 ? 0x1p-24f : 0;  // float16's subnormals
    bool is_equal = got.size() == wanted.size();
    for (size_t i = 0; is_equal && i < got.size(); ++i) {
      is_equal = std::abs(got[i] - wanted[i]) <= tolerance * std::abs(wanted[i]) + floor;
    }
    EXPECT_TRUE(is_equal) << tensor.name;
  }
  return num_compared;
}

class WeightsOfPeers : public OnReference {};

TEST_P(WeightsOfPeers, EveryFormOfAFolderHoldsTheSameTensors) {
  struct Form {
    const char* folder;
    WeightFormat format;
    float tolerance;
    bool has_pooler = true;
  };
  const std::string root = reference_path("bert/a_bert/");
  const WeightFile reference = open_weights(root + "model_st/model.safetensors");
  for (const Form& form :
       {Form{"model_st", WeightFormat::safetensors, 0}, Form{"bare", WeightFormat::safetensors, 0},
        Form{"model_bin", WeightFormat::torch_zip, 0},
        Form{"mlm_st", WeightFormat::safetensors, 0, false},
        Form{"mlm_bin", WeightFormat::torch_zip, 0, false},
        Form{"sharded_st", WeightFormat::safetensors, 0},
        Form{"sharded_bin", WeightFormat::torch_zip, 0},
        Form{"views_bin", WeightFormat::torch_zip, 0},
        Form{"old_gamma_beta_legacy_bin", WeightFormat::torch_legacy, 0},
        Form{"model_float16_st", WeightFormat::safetensors, 0x1p-11f},
        Form{"model_bfloat16_st", WeightFormat::safetensors, 0x1p-8f}}) {
    SCOPED_TRACE(form.folder);
    const WeightFile file = open_weight_folder(root + form.folder);
    EXPECT_EQ(file.format(), form.format);
    const size_t num_expected = reference.tensors().size() - (form.has_pooler ? 0 : 2);
    EXPECT_EQ(compare(file, reference, form.tolerance), num_expected);
  }
}

TEST_P(WeightsOfPeers, OtherFixturesAgreeWithTheirSafetensors) {
  const std::string root = reference_path("bert/e_lstm/");
  const WeightFile reference = open_weights(root + "model.safetensors");
  const WeightFile file = open_weights(root + "model.pt");
  EXPECT_EQ(file.tensors().size(), reference.tensors().size());
  EXPECT_EQ(compare(file, reference, 0), reference.tensors().size());
}

TEST_P(WeightsOfPeers, TensorFlowBundleEqualsTheConvertedFolder) {
  const std::string root = reference_path("bert/d_medbert/");
  const WeightFile reference = open_weight_folder(root + "converted");
  const WeightFile bundle = open_weight_folder(root + "tf1_checkpoint");
  EXPECT_EQ(bundle.format(), WeightFormat::tf_bundle);
  size_t num_compared = 0;
  for (const TensorView& tensor : bundle.tensors()) {
    const std::optional<HfName> name = tf_to_hf_name(tensor.name);
    if (!name) continue;
    const TensorView* expected = reference.find(name->name);
    ASSERT_NE(expected, nullptr) << tensor.name << " is " << name->name;
    ++num_compared;
    const std::vector<float> got = to_floats(tensor);
    const std::vector<float> wanted = to_floats(*expected);
    ASSERT_EQ(got.size(), wanted.size()) << name->name;
    if (!name->is_transposed) {
      EXPECT_EQ(tensor.shape, expected->shape);
      EXPECT_EQ(got, wanted) << name->name;
      continue;
    }
    const int64_t rows = tensor.shape[0];
    const int64_t columns = tensor.shape[1];
    EXPECT_EQ(expected->shape, (std::vector<int64_t>{columns, rows}));
    for (int64_t i = 0; i < rows * columns; ++i) {
      ASSERT_EQ(got[i], wanted[i % columns * rows + i / columns]) << name->name;
    }
  }
  // The decoder is tied to the word embeddings and its bias to the head's: not in TensorFlow's.
  size_t num_tied = 0;
  for (const TensorView& tensor : reference.tensors()) {
    num_tied += tensor.name.starts_with("cls.predictions.decoder.") ||
                tensor.name.ends_with("position_ids");
  }
  EXPECT_EQ(num_compared, reference.tensors().size() - num_tied);
}

TEST(Weights, NamesOfTensorFlow) {
  const auto name = [](std::string_view tf_name) {
    return tf_to_hf_name(tf_name).value_or(HfName{"none"}).name;
  };
  EXPECT_EQ(name("bert/encoder/layer_11/attention/self/query/kernel"),
            "bert.encoder.layer.11.attention.self.query.weight");
  EXPECT_EQ(name("bert/embeddings/LayerNorm/gamma"), "bert.embeddings.LayerNorm.weight");
  EXPECT_EQ(name("bert/embeddings/LayerNorm/beta"), "bert.embeddings.LayerNorm.bias");
  EXPECT_EQ(name("bert/embeddings/token_type_embeddings"),
            "bert.embeddings.token_type_embeddings.weight");
  EXPECT_EQ(name("cls/predictions/output_bias"), "cls.predictions.bias");
  EXPECT_EQ(name("cls/seq_relationship/output_weights"), "cls.seq_relationship.weight");
  EXPECT_EQ(name("bert/pooler/dense/kernel/adam_m"), "none");
  EXPECT_EQ(name("global_step"), "none");
  EXPECT_TRUE(tf_to_hf_name("bert/pooler/dense/kernel")->is_transposed);
  EXPECT_FALSE(tf_to_hf_name("cls/seq_relationship/output_weights")->is_transposed);
}

TEST(Weights, SaysWhatItLookedFor) {
  const TestFolder folder;
  try {
    open_weight_folder(folder.path());
    FAIL();
  } catch (const FileError& error) {
    const std::string message = error.what();
    for (const char* name : {"model.safetensors", "pytorch_model.bin", "model.pt", "*.index"}) {
      EXPECT_NE(message.find(name), std::string::npos) << message;
    }
  }
  EXPECT_THROW(open_weight_folder(folder / "none"), FileError);
  EXPECT_THROW(open_weights(folder / "none.bin"), FileError);
  write_file(folder / "empty.bin", "");
  EXPECT_THROW(open_weights(folder / "empty.bin"), FileError);
  write_file(folder / "text.bin", "This is no model.");
  EXPECT_THROW(open_weights(folder / "text.bin"), FileError);
}

TEST(Weights, ShardsStayInTheirFolder) {
  const TestFolder folder;
  const std::string model = reference_path("bert/a_bert/bare/model.safetensors");
  std::filesystem::copy_file(model, folder / "model.safetensors");
  std::filesystem::create_directory(folder / "inner");
  const auto open_with = [&](const std::string& map) {
    write_file(folder / "inner/model.safetensors.index.json", R"({"weight_map":)" + map + "}");
    return open_weights(folder / "inner/model.safetensors.index.json");
  };
  for (const std::string& map : std::initializer_list<std::string>{
           R"({"pooler.dense.bias":"../model.safetensors"})", R"({"a":"/etc/passwd"})",
           R"({"a":".."})", R"({"a":""})", R"({"a":"model.safetensors.index.json"})",
           R"({"a":"none.safetensors"})", R"({"a":1})", "{}", "[]", "null",
           R"({"a":")" + std::string(5000, 'x') + R"("})", std::string(1000000, '[')}) {
    EXPECT_THROW(open_with(map), FileError) << map;
  }
  std::filesystem::copy_file(model, folder / "inner/x.safetensors");
  EXPECT_EQ(open_with(R"({"pooler.dense.bias":"x.safetensors"})").tensors().size(), 1u);
  EXPECT_THROW(open_with(R"({"not.there":"x.safetensors"})"), FileError);
}

SEQUELA_ON_REFERENCES(WeightsOfPeers);

}  // namespace
}  // namespace sequela
