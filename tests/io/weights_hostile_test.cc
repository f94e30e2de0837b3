// Weight files that are broken on purpose, and the seeds of the fuzzers.
#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/weights/tf_bundle.h"
#include "sequela/io/weights/torch_reader.h"
#include "sequela/io/weights/zip_reader.h"
#include "tests/io/torch_programs.h"
#include "tests/support/reference.h"

namespace sequela {
namespace {

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
  const std::string root = reference_path("bert/d_medbert/tf1_checkpoint/model.ckpt-100");
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

}  // namespace
}  // namespace sequela
