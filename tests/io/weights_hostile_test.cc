// Weight files that are broken on purpose.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/torch_file.h"
#include "sequela/io/weights/tf_bundle.h"
#include "sequela/io/weights/torch_reader.h"
#include "sequela/io/weights/weight_file.h"
#include "sequela/io/weights/zip_reader.h"
#include "sequela/io/zip_writer.h"
#include "tests/support/shared.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

std::span<const std::byte> to_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string integer_code(int64_t value) {
  return std::string("\x8a\x08") +
         std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string text_code(const std::string& text) {
  return std::string("\x8c") + static_cast<char>(text.size()) + text;
}

struct TensorSpec {
  std::string name = "a";
  std::string storage_type = "FloatStorage";
  std::string key = "0";
  int64_t storage_size = 6;
  int64_t offset = 0;
  std::vector<int64_t> shape = {2, 3};
  std::vector<int64_t> strides = {3, 1};
};

std::string tensor_code(const TensorSpec& spec) {
  std::string code = text_code(spec.name) + "ctorch._utils\n_rebuild_tensor_v2\n((";
  code += text_code("storage") + "ctorch\n" + spec.storage_type + "\n" + text_code(spec.key);
  code +=
      text_code("cpu") + integer_code(spec.storage_size) + "tQ" + integer_code(spec.offset) + "(";
  for (const int64_t length : spec.shape) code += integer_code(length);
  code += "t(";
  for (const int64_t stride : spec.strides) code += integer_code(stride);
  return code + "t\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::string dict_pickle(const std::string& entries) {
  return std::string("\x80\x02}(") + entries + "u.";
}

std::string make_zip(const TestFolder& folder,
                     const std::vector<std::pair<std::string, std::string>>& files) {
  ZipWriter zip(folder / "made.zip");
  for (const auto& [name, content] : files) {
    zip.begin_entry(name, static_cast<int64_t>(content.size()), 64);
    zip.write(content.data(), content.size());
  }
  zip.finish();
  return read_file(folder / "made.zip");
}

std::string six_floats() {
  const float values[] = {1, 2, 3, 4, 5, 6};
  return {reinterpret_cast<const char*>(values), sizeof(values)};
}

std::string make_legacy(const std::string& pickle, const std::string& key, int64_t size,
                        const std::string& data) {
  std::string text("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  text += "\x80\x02M\xe9\x03.";
  text += "\x80\x02}" + text_code("little_endian") + "\x88s.";
  text += pickle + "\x80\x02]" + text_code(key) + "a.";
  text.append(reinterpret_cast<const char*>(&size), sizeof(size));
  return text + data;
}

std::vector<float> floats_of(const TensorView& tensor) {
  std::vector<float> values(tensor.size());
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

TorchTensors read_spec(const TensorSpec& spec) {
  static std::vector<std::string> kept;  // the views' bytes
  const TestFolder folder;
  kept.push_back(make_zip(
      folder, {{"x/data.pkl", dict_pickle(tensor_code(spec))}, {"x/data/0", six_floats()}}));
  return read_torch_zip(to_bytes(kept.back()), "test.bin");
}

TEST(HostileWeights, ViewsBecomeContiguous) {
  EXPECT_EQ(floats_of(read_spec({}).tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const TorchTensors turned = read_spec({.shape = {3, 2}, .strides = {1, 3}});
  EXPECT_EQ(floats_of(turned.tensors[0]), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  const TorchTensors part = read_spec({.offset = 1, .shape = {2, 1, 2}, .strides = {3, 9, 1}});
  EXPECT_EQ(floats_of(part.tensors[0]), (std::vector<float>{2, 3, 5, 6}));
  const TorchTensors every_second = read_spec({.offset = 1, .shape = {3}, .strides = {2}});
  EXPECT_EQ(floats_of(every_second.tensors[0]), (std::vector<float>{2, 4, 6}));
  const TorchTensors scalar = read_spec({.offset = 5, .shape = {}, .strides = {}});
  EXPECT_EQ(floats_of(scalar.tensors[0]), (std::vector<float>{6}));
  const TorchTensors expanded = read_spec({.shape = {2, 2}, .strides = {0, 1}});
  EXPECT_EQ(floats_of(expanded.tensors[0]), (std::vector<float>{1, 2, 1, 2}));
  EXPECT_EQ(read_spec({.offset = 99, .shape = {0, 3}}).tensors[0].size(), 0);
}

TEST(HostileWeights, TensorsStayInTheirStorage) {
  const int64_t huge = int64_t{1} << 62;
  for (const TensorSpec& spec : {
           TensorSpec{.storage_size = 7},
           TensorSpec{.storage_size = -1},
           TensorSpec{.storage_size = huge},
           TensorSpec{.storage_size = 5},
           TensorSpec{.offset = 1},
           TensorSpec{.offset = -1},
           TensorSpec{.offset = INT64_MAX},
           TensorSpec{.shape = {3, 3}},
           TensorSpec{.shape = {2, -3}},
           TensorSpec{.shape = {huge, huge}, .strides = {0, 0}},
           TensorSpec{.shape = {huge, 1}, .strides = {0, 1}},
           TensorSpec{.shape = {1000000}, .strides = {0}},
           TensorSpec{.strides = {-3, 1}},
           TensorSpec{.strides = {INT64_MAX, 1}},
           TensorSpec{.strides = {4, 1}},
           TensorSpec{.strides = {3}},
           TensorSpec{.shape = std::vector<int64_t>(1000, 1),
           .strides = std::vector<int64_t>(1000, 1)},
           TensorSpec{.storage_type = "DoubleStorage"},
           TensorSpec{.storage_type = "ComplexFloatStorage"},
           TensorSpec{.key = "1"},
           TensorSpec{.key = "../data.pkl"},
           TensorSpec{.key = std::string(100, '0')},
       }) {
    EXPECT_THROW(read_spec(spec), FileError);
  }
}

TEST(HostileWeights, FindsTheWeightsAmongDicts) {
  const TestFolder folder;
  const auto names_of = [&](const std::string& entries) {
    const std::string zip =
        make_zip(folder, {{"x/data.pkl", dict_pickle(entries)}, {"x/data/0", six_floats()}});
    std::string names;
    for (const TensorView& tensor : read_torch_zip(to_bytes(zip), "test.bin").tensors) {
      names += tensor.name + " ";
    }
    return names;
  };
  const std::string a = std::string("}(") + tensor_code({.name = "a"}) + "u";
  const std::string b = std::string("}(") + tensor_code({.name = "b"}) + "u";
  EXPECT_EQ(names_of(text_code("optimizer") + a + text_code("state_dict") + b), "b ");
  EXPECT_EQ(names_of(text_code("epoch") + "K\x03" + text_code("net") + a), "a ");
  EXPECT_EQ(names_of(text_code("model") + "}" + text_code("state_dict") + a + "s"), "a ");
  EXPECT_THROW(names_of(text_code("x") + a + text_code("y") + b), FileError);
  EXPECT_THROW(names_of(text_code("epoch") + "K\x03"), FileError);
  EXPECT_THROW(names_of(tensor_code({}) + tensor_code({})), FileError);
  std::string deep = a;
  for (int i = 0; i < 50; ++i) deep = std::string("}") + text_code("model") + deep + "s";
  EXPECT_EQ(names_of(text_code("model") + deep), "a ");
}

TEST(HostileWeights, TheOlderFormReadsAndRefuses) {
  const std::string pickle = dict_pickle(tensor_code({}));
  const std::string good = make_legacy(pickle, "0", 6, six_floats());
  const TorchTensors content = read_torch_legacy(to_bytes(good), "test.bin");
  EXPECT_EQ(floats_of(content.tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  for (const std::string& bad :
       {make_legacy(pickle, "1", 6, six_floats()), make_legacy(pickle, "0", 7, six_floats()),
        make_legacy(pickle, "0", -6, six_floats()), make_legacy(pickle, "0", 6, "short"),
        make_legacy(dict_pickle(tensor_code({.storage_size = int64_t{1} << 61})), "0",
                    int64_t{1} << 61, six_floats()),
        make_legacy(dict_pickle(tensor_code({}) + tensor_code({.name = "b", .storage_size = 5})),
                    "0", 6, six_floats())}) {
    EXPECT_THROW(read_torch_legacy(to_bytes(bad), "test.bin"), FileError);
  }
}

// Every beginning of a good file, and every file with one byte changed: an error or tensors that
// lie in the file, never more.
template <class Read>
void check_damage(const std::string& good, const Read& read) {
  EXPECT_NO_THROW(read(good));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THROW(read(good.substr(0, size)), FileError) << size;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      try {
        read(bad);
      } catch (const FileError&) {
      }
    }
  }
}

TEST(HostileWeights, EveryDamageToTheZip) {
  const TestFolder folder;
  const std::string zip = make_zip(folder, {{"x/data.pkl", dict_pickle(tensor_code({}))},
                                            {"x/byteorder", "little"},
                                            {"x/data/0", six_floats()}});
  check_damage(zip, [](const std::string& text) { read_torch_zip(to_bytes(text), "test.bin"); });
}

TEST(HostileWeights, EveryDamageToTheOlderForm) {
  const std::string good = make_legacy(dict_pickle(tensor_code({})), "0", 6, six_floats());
  check_damage(good,
               [](const std::string& text) { read_torch_legacy(to_bytes(text), "test.bin"); });
}

TEST(HostileWeights, EveryDamageToABundle) {
  SEQUELA_NEED_SHARED();
  const std::string root = shared_path("parity/bert/d_medbert/tf1_checkpoint/model.ckpt-100");
  const std::string index = read_file(root + ".index");
  const std::string data = read_file(root + ".data-00000-of-00001");
  for (const Checksums checksums : {Checksums::check, Checksums::skip}) {
    const auto read = [&](const std::string& text) {
      for (const TensorView& tensor :
           read_tf_bundle(to_bytes(text), "test.index", checksums,
                          [&](int64_t, int64_t) { return to_bytes(data); })) {
        ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), to_bytes(data).data() + data.size());
      }
    };
    check_damage(index, read);
  }
}

TEST(HostileWeights, ZipsThatLie) {
  const TestFolder folder;
  const std::string good = make_zip(folder, {{"a", "12345"}, {"b", "678"}});
  ASSERT_EQ(read_zip(to_bytes(good), "test.zip").size(), 2u);
  const size_t entry = good.find("PK\x01\x02");
  const size_t end = good.find("PK\x05\x06");
  ASSERT_NE(entry, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const auto with = [&](size_t offset, const std::string& bytes) {
    std::string text = good;
    return text.replace(offset, bytes.size(), bytes);
  };
  const std::string ones(4, '\xff');
  for (const std::string& bad :
       {with(entry + 10, "\x08"),                    // compressed
        with(entry + 8, "\x01"),                     // encrypted
        with(entry + 24, ones),                      // a size in an extra field that is not there
        with(entry + 20, ones + ones),               // both
        with(entry + 42, ones),                      // an offset beyond the end
        with(entry + 28, std::string(2, '\xff')),    // a name beyond the end
        with(end + 10, std::string(2, '\x07')),      // a number of files
        with(end + 12, ones), with(end + 16, ones),  // the directory's place
        with(entry + 46, "b")}) {                    // a name twice
    EXPECT_THROW(read_zip(to_bytes(bad), "test.zip"), FileError);
  }
  std::string bad64 = good;
  bad64.insert(end, std::string("PK\x06\x07", 4) + std::string(4, '\0') + ones + ones +
                        std::string(4, '\0'));
  EXPECT_THROW(read_zip(to_bytes(bad64), "test.zip"), FileError);
}

// The fuzzers start from files that are read whole.
TEST(HostileWeights, TheFuzzersSeedsAreGood) {
  const auto check = [](const std::string& format, const auto& read) {
    size_t num_files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(SEQUELA_SOURCE_DIR "/fuzz/corpus/" + format)) {
      const std::string text = read_file(entry.path());
      EXPECT_NO_THROW(read(to_bytes(text))) << entry.path();
      ++num_files;
    }
    EXPECT_GT(num_files, 1u) << format;
  };
  using Bytes = std::span<const std::byte>;
  check("torch_zip", [](Bytes bytes) { read_torch_zip(bytes, "seed"); });
  check("torch_legacy", [](Bytes bytes) { read_torch_legacy(bytes, "seed"); });
  check("safetensors", [](Bytes bytes) { parse_safetensors(bytes, "seed"); });
  check("pickle", [](Bytes bytes) { read_pickle(bytes, "seed"); });
  check("tf_bundle", [](Bytes bytes) {
    static const std::vector<std::byte> data(256);
    read_tf_bundle(bytes, "seed", Checksums::skip, [](int64_t, int64_t) { return Bytes(data); });
  });
}

TEST(HostileWeights, AWrittenFileIsReadInPlace) {
  const TestFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  TorchFileWriter writer(folder / "pytorch_model.bin", {{"w", std::vector<int64_t>{2, 3}}});
  writer.append(values);
  writer.finish();
  const WeightFile file = open_weight_folder(folder.path());
  EXPECT_EQ(file.format(), WeightFormat::torch_zip);
  EXPECT_EQ(floats_of(file.get("w")), values);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.get("w").bytes.data()) % 64, 0u);
}

}  // namespace
}  // namespace sequela
