#include "sequela/io/unpack.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "tests/support/packed_files.h"
#include "tests/support/test_folder.h"

namespace sequela {
namespace {

// Longer than the pieces that are unpacked at a time.
std::string long_text() {
  std::string text;
  for (int64_t i = 0; i < 400'000; ++i) text += std::to_string(i * 7919 % 100'003) + "\n";
  return text;
}

size_t num_files(const std::string& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(Unpack, PlainFilesAreMappedAsTheyAre) {
  TestFolder folder;
  write_file(folder / "a.csv.gz", "not packed at all");
  EXPECT_EQ(map_unpacked(folder / "a.csv.gz").text(), "not packed at all");
  write_file(folder / "empty.csv", "");
  EXPECT_EQ(map_unpacked(folder / "empty.csv").size(), 0u);
  EXPECT_THROW(map_unpacked(folder / "none.csv"), DataError);
}

TEST(Unpack, GzipWhateverTheNameAndLeavesNothing) {
  TestFolder folder;
  const std::string text = long_text();
  write_file(folder / "a", gzipped(text));
  const MappedFile file = map_unpacked(folder / "a", folder.path());
  EXPECT_EQ(file.text(), text);
  EXPECT_EQ(file.path(), folder / "a");
  EXPECT_EQ(num_files(folder.path()), 1u);
}

TEST(Unpack, SeveralGzipMembersAreOneText) {
  TestFolder folder;
  write_file(folder / "a",
             gzipped("one\n") + gzipped("") + gzipped("two\n") + std::string(512, '\0'));
  EXPECT_EQ(map_unpacked(folder / "a").text(), "one\ntwo\n");
}

TEST(Unpack, ATornGzipIsRefused) {
  TestFolder folder;
  const std::string packed = gzipped(long_text());
  for (const size_t size :
       {packed.size() - 1, packed.size() - 9, packed.size() / 2, size_t{20}, size_t{3}}) {
    write_file(folder / "a.gz", packed.substr(0, size));
    EXPECT_THROW(map_unpacked(folder / "a.gz", folder.path()), DataError) << size;
  }
  std::string changed = packed;
  changed[packed.size() / 2] ^= 0x55;
  write_file(folder / "a.gz", changed);
  EXPECT_THROW(map_unpacked(folder / "a.gz", folder.path()), DataError);
  EXPECT_EQ(num_files(folder.path()), 1u);
}

TEST(Unpack, WhatIsNoTextIsNamed) {
  TestFolder folder;
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {"PAR1\x15\x04", "Parquet"},
      {std::string("\x28\xb5\x2f\xfd\0\x58", 6), "zstd"},
      {std::string("\xfd\x37zXZ\0", 6), "xz"},
      {zipped({{"a.csv", "a,b\n"}}), "zip"},
      {std::string("\xff\xfe"
                   "a\0",
                   4),
       "UTF-16"},
      {std::string("\xfe\xff\0a", 4), "UTF-16"}};
  for (const auto& [content, words] : kinds) {
    for (const std::string& written : {content, gzipped(content)}) {
      write_file(folder / "a.csv", written);
      try {
        map_unpacked(folder / "a.csv");
        ADD_FAILURE() << words;
      } catch (const DataError& error) {
        const std::string message = error.what();
        EXPECT_TRUE(message.starts_with(folder / "a.csv: is ")) << message;
        EXPECT_NE(message.find(words), std::string::npos) << message;
        EXPECT_NE(message.find("Fix: "), std::string::npos) << message;
      }
    }
  }
}

TEST(Unpack, EndingsInAnyCase) {
  for (const char* name : {"a/b.csv", "a.b/B.CSV", "b.csv.gz", "B.Csv.GZ"})
    EXPECT_EQ(unpacked_ending(name), ".csv") << name;
  for (const char* name : {"a.csv/b", "b.gz", "b"}) EXPECT_EQ(unpacked_ending(name), "") << name;
}

TEST(Unpack, MembersOfAZip) {
  TestFolder folder;
  const std::string text = long_text();
  write_file(folder / "a.zip",
             zipped({{"x/A.csv", text}, {"b.csv.gz", gzipped("inner")}, {"empty", ""}}));
  const ZipArchive archive(folder / "a.zip");
  ASSERT_EQ(archive.entries().size(), 3u);
  EXPECT_EQ(archive.entries()[0].name, "x/A.csv");
  const MappedFile content = archive.map(archive.entries()[0], folder.path());
  EXPECT_EQ(content.text(), text);
  EXPECT_EQ(content.path(), folder / "a.zip/x/A.csv");
  EXPECT_EQ(archive.map(archive.entries()[1]).text(), "inner");
  EXPECT_EQ(archive.map(archive.entries()[2]).text(), "");
}

TEST(Unpack, ATornZipIsRefused) {
  TestFolder folder;
  const std::string packed = zipped({{"a.csv", long_text()}});
  write_file(folder / "a.zip", packed.substr(0, packed.size() - 30));
  EXPECT_THROW(ZipArchive(folder / "a.zip"), DataError);
  write_file(folder / "a.zip", "no zip");
  EXPECT_THROW(ZipArchive(folder / "a.zip"), DataError);
  std::string changed = packed;
  changed[packed.size() / 2] ^= 0x55;
  write_file(folder / "a.zip", changed);
  const ZipArchive archive(folder / "a.zip");
  EXPECT_THROW(archive.map(archive.entries()[0], folder.path()), DataError);
}

TEST(Unpack, PackedCsv) {
  TestFolder folder;
  write_file(folder / "a.csv.gz", gzipped("a,b\n1,2\n"));
  CsvReader reader(folder / "a.csv.gz", ',', CsvQuoting::rfc4180);
  EXPECT_EQ(reader.require_column("b"), 1);
  int num_rows = 0;
  reader.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
    EXPECT_EQ(fields[1], "2");
    ++num_rows;
  });
  EXPECT_EQ(num_rows, 1);
}

}  // namespace
}  // namespace sequela
