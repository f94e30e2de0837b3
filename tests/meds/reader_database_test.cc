#include "sequela/meds/reader/reader_database.h"

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/meds/reader/reader_blocks.h"
#include "tests/meds/support.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

TEST(ReaderDatabase, Version1HasAnotherTableOfIds) {
  TestFolder folder;
  const std::string original = tutorial_path("meds_reader");
  fs::copy(original, folder / "db", fs::copy_options::recursive);
  fs::rename(folder / "db/subject_id", folder / "db/patient_id");
  write_file(folder / "db/meds_reader.version", "1");
  EXPECT_EQ(ingest_and_read(folder / "db"), ingest_and_read(original));
  write_file(folder / "db/meds_reader.version", "3\n");
  EXPECT_THROW(ingest_and_read(folder / "db"), DataError);
}

TEST(ReaderDatabase, TwoSubjectsOfOneIdAreRefused) {
  TestFolder folder;
  fs::copy(tutorial_path("meds_reader"), folder / "db", fs::copy_options::recursive);
  std::string ids = read_file(folder / "db/subject_id");
  std::copy_n(ids.begin(), 8, ids.begin() + 40);
  write_file(folder / "db/subject_id", ids);
  EXPECT_THROW(ingest_and_read(folder / "db"), DataError);
}

// Whatever is broken, the answer is a store or an Error: never a crash, never another exception.
TEST(ReaderDatabase, SurvivesDamageAnywhere) {
  TestFolder folder;
  fs::copy(reference_path("motor/g60/meds_reader"), folder / "db", fs::copy_options::recursive);
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "db")) {
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    const std::string& path = files[random.below(files.size())];
    const std::string content = read_file(path);
    if (content.empty()) continue;
    std::string broken = content;
    if (random.below(4) == 0) {
      broken.resize(random.below(broken.size()));
    } else {
      // The tables at the front decide most, so hit them more often.
      const size_t reach =
          random.below(2) == 0 ? std::min<size_t>(64, broken.size()) : broken.size();
      for (uint64_t i = 0; i <= random.below(4); ++i) {
        broken[random.below(reach)] = static_cast<char>(random.below(256));
      }
    }
    write_file(path, broken);
    try {
      ingest_and_read(folder / "db", {.properties = {"all"}});
    } catch (const Error&) {
    }
    write_file(path, content);
  }
}

TEST(ReaderBlocks, DecodesTimesOfSeveralRounds) {
  // Two nulls; 17 events at the start (two rounds), one event a day and a microsecond later.
  const std::vector<uint8_t> block = {
      0x40, 0x42, 0x0F, 0,  0, 0, 0, 0,  // start: 1,000,000
      6,    0,    0,    0,               // integers: 2, 15, 2, 16 (1 day), 0 (seconds), 16 + 1
      0x55, 0x04,                        // codes 1 1 1 1, 0 1
      2,    15,   2,    16, 17};
  std::vector<int64_t> times;
  decode_times({reinterpret_cast<const char*>(block.data()), block.size()}, 20, &times);
  ASSERT_EQ(times.size(), 20u);
  EXPECT_EQ(times[0], kNoTime);
  EXPECT_EQ(times[1], kNoTime);
  for (int i = 2; i < 19; ++i) EXPECT_EQ(times[i], 1'000'000);
  EXPECT_EQ(times[19], 1'000'000 + kMicrosPerDay + 1);
  EXPECT_THROW(
      decode_times({reinterpret_cast<const char*>(block.data()), block.size()}, 21, &times),
      DataError);
}

TEST(ReaderBlocks, DecodesStringsAndChecksThem) {
  // K = 1 own string of 2 bytes, then numbers 1, 0, 3 (3 = own string 0 as there are 3 shared
  // ones).
  const std::string block("\x05\x00\x00\x00\x00\x00\x01\x02\x01\x00\x03hi", 13);
  StringBlock strings;
  decode_strings(block, 3, 3, &strings);
  EXPECT_EQ(strings.numbers, (std::vector<uint32_t>{1, 0, 3}));
  ASSERT_EQ(strings.own.size(), 1u);
  EXPECT_EQ(strings.own[0], "hi");
  EXPECT_THROW(decode_strings(block, 3, 2, &strings), DataError);  // 3 is past the last string
  EXPECT_THROW(decode_strings(block, 4, 3, &strings), DataError);
  EXPECT_THROW(decode_strings(block.substr(0, 12), 3, 3, &strings), DataError);
}

}  // namespace
}  // namespace sequela
