// The store's files byte by byte: what is written, and what a reader refuses.
#include "sequela/meds/store/section_file.h"

#include <cstring>
#include <functional>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/meds/store/shard_file.h"
#include "tests/meds/support.h"

namespace sequela {
namespace {

constexpr std::string_view kMagic = "SQTESTED";
constexpr uint32_t kVersion = 3;
constexpr size_t kHeader = 56;  // magic, version, count, size of the file, fingerprint
const Digest kFingerprint = sha256("a", 1);

// Three sections: 10 int64, a text of 5 bytes, none.
void write_three(const std::string& path) {
  SectionWriter writer(path, kMagic, kVersion, 3);
  std::vector<int64_t> numbers(10);
  std::iota(numbers.begin(), numbers.end(), 100);
  writer.reserve(0, 80);
  writer.add_text(1, "texts");
  writer.add<int64_t>(2, {});
  writer.write_at(0, 24, &numbers[3], 56);
  writer.write_at(0, 0, &numbers[0], 24);
  int64_t back[2];
  writer.read_back(0, 56, back, 16);
  EXPECT_EQ(back[0], 107);
  EXPECT_EQ(back[1], 108);
  writer.commit(kFingerprint);
}

// Puts the right check under a header of `count` sections.
void sign(std::string* bytes, size_t count) {
  const size_t size = kHeader + 16 * count;
  const Digest digest = sha256(bytes->data(), size);
  std::copy(digest.begin(), digest.end(), bytes->begin() + static_cast<int64_t>(size));
}

template <class T>
void put(std::string* bytes, size_t place, T value) {
  std::memcpy(bytes->data() + place, &value, sizeof(value));
}

class Sections : public testing::Test {
 protected:
  Sections() {
    write_three(path_);
    content_ = read_file(path_);
  }
  void expect_refused(const std::string& bytes, const std::string& words) {
    write_file(path_, bytes);
    try {
      SectionFile(path_, kMagic, kVersion);
      FAIL() << words;
    } catch (const FileError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }

  TestFolder folder_;
  const std::string path_ = folder_ / "file";
  std::string content_;
};

TEST_F(Sections, AreReadAsTheyWereWritten) {
  const SectionFile file(path_, kMagic, kVersion);
  EXPECT_EQ(file.num_sections(), 3);
  EXPECT_EQ(file.fingerprint(), kFingerprint);
  const auto numbers = file.section<int64_t>(0);
  ASSERT_EQ(numbers.size(), 10u);
  for (int64_t i = 0; i < 10; ++i) EXPECT_EQ(numbers[i], 100 + i);
  EXPECT_EQ(file.text(1), "texts");
  EXPECT_TRUE(file.section<int64_t>(2).empty());
  EXPECT_THROW(file.section<int64_t>(1), FileError);  // five bytes
  EXPECT_THROW(file.section<char>(-1), FileError);
  EXPECT_THROW(file.section<char>(3), FileError);
}

TEST_F(Sections, LieAtMultiplesOf64WithZerosBetween) {
  // The header takes 136 bytes.
  ASSERT_EQ(content_.size(), 384u);
  EXPECT_EQ(content_.substr(320, 5), "texts");
  EXPECT_EQ(content_.find_first_not_of('\0', 325), std::string::npos);
  EXPECT_EQ(content_.substr(272, 48), std::string(48, '\0'));
}

TEST_F(Sections, AreRefusedWithAnyByteOfTheHeaderChanged) {
  for (size_t place = 0; place < kHeader + 48 + 32; ++place) {
    std::string broken = content_;
    broken[place] ^= 4;
    expect_refused(broken, path_);
  }
}

TEST_F(Sections, AreRefusedForTheRightReason) {
  expect_refused("", "not a file of an event store");
  expect_refused(content_.substr(0, 55), "not a file of an event store");
  expect_refused(content_.substr(0, 135), "header is damaged");
  expect_refused(content_.substr(0, 136), "was cut");
  expect_refused(content_.substr(0, 383), "was cut");
  expect_refused(content_ + '\0', "was cut");
  std::string other = content_;
  put(&other, 8, kVersion + 1);
  expect_refused(other, "of version 4, this program reads 3");
}

TEST_F(Sections, BeyondTheFileAreRefused) {
  struct Place {
    uint64_t offset, size;
    bool is_good = false;
  };
  for (const Place& place :
       {Place{384, 0, true}, Place{0, 384, true}, Place{385, 0}, Place{384, 1}, Place{0, 385},
        Place{320, 65}, Place{~uint64_t{0}, 2}, Place{2, ~uint64_t{0}}}) {
    std::string forged = content_;
    put(&forged, kHeader + 16, place.offset);
    put(&forged, kHeader + 24, place.size);
    sign(&forged, 3);
    if (!place.is_good) {
      expect_refused(forged, "header is damaged");
      continue;
    }
    write_file(path_, forged);
    EXPECT_EQ(SectionFile(path_, kMagic, kVersion).text(1).size(), place.size);
  }
  std::string many = content_;
  put(&many, 12, ~uint32_t{0});
  expect_refused(many, "header is damaged");
}

TEST_F(Sections, AreNotWrittenBeyondTheirRoom) {
  SectionWriter writer(folder_ / "other", kMagic, kVersion, 2);
  writer.reserve(0, 8);
  char bytes[9] = {};
  EXPECT_THROW(writer.write_at(0, 0, bytes, 9), std::logic_error);
  EXPECT_THROW(writer.write_at(0, 9, bytes, 0), std::logic_error);
  EXPECT_THROW(writer.write_at(0, 1, bytes, 8), std::logic_error);
  EXPECT_THROW(writer.read_back(0, 0, bytes, 9), std::logic_error);
  EXPECT_THROW(writer.read_back(0, 9, bytes, 0), std::logic_error);
  EXPECT_THROW(writer.reserve(0, 8), std::logic_error);
  writer.write_at(0, 8, bytes, 0);
  writer.write_at(0, 0, bytes, 8);
  EXPECT_THROW(writer.read_back(1, 1, bytes, 1), std::logic_error);
  EXPECT_THROW(SectionWriter(folder_ / "third", "SHORT", kVersion, 1), std::logic_error);
}

TEST_F(Sections, ThatWereNotCommittedLeaveNothing) {
  { SectionWriter(folder_ / "other", kMagic, kVersion, 1).add_text(0, "x"); }
  EXPECT_EQ(read_files(folder_.path()).size(), 1u);
  EXPECT_THROW(SectionWriter(folder_ / "none/other", kMagic, kVersion, 1), FileError);
}

// A shard of four events with one number and one text, all of it to be changed.
struct ForgedShard {
  std::vector<SubjectRow> subjects = {{.id = 1, .num_events = 3},
                                      {.id = 2, .first_event = 3, .num_events = 1}};
  std::vector<int64_t> times_us = {1, 2, 3, 4};
  std::vector<int32_t> codes = {0, 1, 0, 1};
  std::vector<uint64_t> code_ends = {0, 1, 3};
  std::string code_bytes = "abb";
  std::vector<int64_t> code_counts = {2, 2};
  std::vector<ShardCounters> counters = {{}};
  std::vector<float> numbers = {1, 2, 3, 4};
  std::vector<int32_t> texts = {-1, 0, -1, 0};
  std::vector<uint64_t> text_ends = {0, 4};
  std::string text_bytes = "text";

  void write(const std::string& path) const {
    SectionWriter writer(path, kShardMagic, kShardVersion, num_shard_sections(2));
    writer.add<SubjectRow>(kSubjects, subjects);
    writer.add<int64_t>(kTimes, times_us);
    writer.add<int32_t>(kCodes, codes);
    writer.add<uint64_t>(kCodeEnds, code_ends);
    writer.add_text(kCodeBytes, code_bytes);
    writer.add<int64_t>(kCodeCounts, code_counts);
    writer.add<ShardCounters>(kCounters, counters);
    writer.add<float>(values_section(0), numbers);
    writer.add<int32_t>(values_section(1), texts);
    writer.add<uint64_t>(text_ends_section(1), text_ends);
    writer.add_text(text_bytes_section(1), text_bytes);
    writer.commit(kFingerprint);
  }
};

const std::vector<PropertyColumn> kProperties = {{"numeric_value"}, {"text_value", true}};

bool is_accepted(const ForgedShard& shard) {
  const TestFolder folder;
  shard.write(folder / "shard");
  try {
    const ShardFile file(folder / "shard", kProperties);
    EXPECT_EQ(file.num_events(), 4);
    return true;
  } catch (const FileError&) {
    return false;
  }
}

TEST(ShardFiles, RefuseSubjectsOutsideTheirColumns) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const auto with = [](int64_t first_event, int64_t num_events) {
    ForgedShard shard;
    shard.subjects[1].first_event = first_event;
    shard.subjects[1].num_events = num_events;
    return is_accepted(shard);
  };
  for (const auto& [first, count] : {std::pair{0, 0}, {0, 4}, {4, 0}, {2, 2}}) {
    EXPECT_TRUE(with(first, count)) << first << " " << count;
  }
  for (const auto& [first, count] : std::initializer_list<std::pair<int64_t, int64_t>>{{-1, 1},
                                                                                       {-1, 0},
                                                                                       {0, -1},
                                                                                       {2, -1},
                                                                                       {5, 0},
                                                                                       {5, -1},
                                                                                       {0, 5},
                                                                                       {2, 3},
                                                                                       {kMax, 1},
                                                                                       {1, kMax}}) {
    EXPECT_FALSE(with(first, count)) << first << " " << count;
  }
}

TEST(ShardFiles, RefuseColumnsThatDoNotAgree) {
  EXPECT_TRUE(is_accepted({}));
  const std::function<void(ForgedShard&)> damages[] = {
      [](ForgedShard& shard) { shard.codes.pop_back(); },
      [](ForgedShard& shard) { shard.codes.push_back(0); },
      [](ForgedShard& shard) { shard.counters.clear(); },
      [](ForgedShard& shard) { shard.counters.push_back({}); },
      [](ForgedShard& shard) { shard.code_counts.pop_back(); },
      [](ForgedShard& shard) { shard.code_counts.push_back(0); },
      [](ForgedShard& shard) { shard.numbers.pop_back(); },
      [](ForgedShard& shard) { shard.texts.pop_back(); },
      [](ForgedShard& shard) {
        shard.code_ends = {0, 1, 4};
      },
      [](ForgedShard& shard) {
        shard.code_ends = {0, 1, 2};
      },
      [](ForgedShard& shard) {
        shard.code_ends = {1, 1, 3};
      },
      [](ForgedShard& shard) {
        shard.code_ends = {0, 4, 3};
      },
      [](ForgedShard& shard) { shard.text_ends = {}; },
      [](ForgedShard& shard) { shard.text_bytes = "texts"; },
  };
  for (size_t i = 0; i < std::size(damages); ++i) {
    ForgedShard shard;
    damages[i](shard);
    EXPECT_FALSE(is_accepted(shard)) << i;
  }
  const TestFolder folder;
  ForgedShard().write(folder / "shard");
  EXPECT_THROW(ShardFile(folder / "shard", {kProperties[0]}), FileError);
  EXPECT_THROW(ShardFile(folder / "shard", {kProperties[0], kProperties[1], kProperties[1]}),
               FileError);
}

}  // namespace
}  // namespace sequela
