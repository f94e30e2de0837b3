// Blocks of meds_reader byte by byte: what they hold, and what is refused.
#include "sequela/meds/reader/reader_blocks.h"

#include <gtest/gtest.h>

#include <functional>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "tests/meds/reader_bytes.h"

namespace sequela {
namespace {

std::string problem_of(const std::function<void()>& decode) {
  try {
    decode();
  } catch (const DataError& error) {
    return error.what();
  }
  return "none";
}

TEST(StreamVByte, HoldsIntegersOfEveryLength) {
  const Integers integers = {0,        1,         0xFF,       0x100,      0xFFFF,    0x10000,
                             0xFFFFFF, 0x1000000, 0xFFFFFFFF, 0x12345678, 0x9A3B5C7, 3};
  for (const VByteKind kind : {VByteKind::standard, VByteKind::kind_0124}) {
    for (uint32_t count = 0; count <= integers.size(); ++count) {
      const Integers some(integers.begin(), integers.begin() + count);
      const std::string bytes = packed(kind, some);
      std::string_view block = bytes;
      Integers read;
      decode_stream_vbyte(kind, count, &block, &read);
      EXPECT_EQ(read, some);
      EXPECT_TRUE(block.empty());
      const std::string longer = bytes + "xy";
      block = longer;
      decode_stream_vbyte(kind, count, &block, &read);
      EXPECT_EQ(block, "xy");
    }
    const std::string all = packed(kind, integers);
    for (size_t size = 0; size < all.size(); ++size) {
      std::string_view cut = std::string_view(all).substr(0, size);
      Integers read;
      EXPECT_THROW(decode_stream_vbyte(kind, integers.size(), &cut, &read), DataError) << size;
    }
  }
}

TEST(PresenceBitmaps, TellWhichEventsHaveValues) {
  for (const int64_t num_events : {0, 1, 7, 63, 64, 65, 127, 128, 200}) {
    const size_t num_bytes = (num_events + 63) / 64 * 8;
    std::string bytes(num_bytes, '\0');
    int64_t count = 0;
    for (int64_t i = 0; i < num_events; i += 3, ++count)
      bytes[i / 8] |= static_cast<char>(1 << i % 8);
    bytes += "rest";
    std::string_view block = bytes;
    const PresenceBitmap bitmap(num_events, &block);
    EXPECT_EQ(block, "rest");
    EXPECT_EQ(bitmap.count(), count);
    for (int64_t i = 0; i < num_events; ++i) EXPECT_EQ(bitmap.has(i), i % 3 == 0);

    if (num_events == 0) continue;
    std::string_view cut = std::string_view(bytes).substr(0, num_bytes - 1);
    EXPECT_NE(problem_of([&] { PresenceBitmap(num_events, &cut); }).find("ends too early"),
              std::string::npos);
    if (num_events % 64 == 0) continue;
    bytes[num_events / 8] |= static_cast<char>(1 << num_events % 8);
    block = bytes;
    EXPECT_NE(problem_of([&] { PresenceBitmap(num_events, &block); }).find("beyond the last event"),
              std::string::npos);
  }
}

TEST(ReaderTimes, AreSumsOfDaysSecondsAndMicroseconds) {
  // Nulls, events at the start, then one a day, a second and a microsecond later each.
  const std::string block = times_block(
      -5, {1, 1, 1 << 4 | 1, 0, 1 << 4 | 2, 0, 0, 1 << 4 | 1, 7 << 4, 8 << 4, 9 << 4 | 3});
  std::vector<int64_t> times = {1, 2, 3};  // of the block before
  decode_times(block, 9, &times);
  const int64_t day = -5 + kMicrosPerDay, second = day + kMicrosPerSecond;
  const int64_t last = second + 1 + 7 * kMicrosPerDay + 8 * kMicrosPerSecond + 9;
  EXPECT_EQ(times,
            (std::vector<int64_t>{kNoTime, -5, day, second, second, second + 1, last, last, last}));
  decode_times(times_block(3, {2}), 2, &times);
  EXPECT_EQ(times, (std::vector<int64_t>{kNoTime, kNoTime}));
}

TEST(ReaderTimes, ThatDoNotFitAreRefused) {
  std::vector<int64_t> times;
  const auto decode = [&](const std::string& block, int64_t num_events) {
    return problem_of([&] { decode_times(block, num_events, &times); });
  };
  const std::string good = times_block(0, {1, 2});
  EXPECT_EQ(decode(good, 3), "none");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(decode(good.substr(0, size), 3).find("ends too early"), std::string::npos) << size;
  }
  EXPECT_NE(decode(good + "x", 3).find("bytes after a block"), std::string::npos);
  EXPECT_NE(decode(times_block(0, {}), 3).find("is empty"), std::string::npos);
  EXPECT_NE(decode(good, 2).find("more times than events"), std::string::npos);
  EXPECT_NE(decode(good, 0).find("more times than events"), std::string::npos);
  EXPECT_NE(decode(good, 4).find("fewer times than events"), std::string::npos);
  EXPECT_NE(decode(times_block(0, {0, 16, 16, 16}), 3).find("without events"), std::string::npos);
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  EXPECT_NE(decode(times_block(kLast - 1, {0, 0, 0, 2 << 4 | 1}), 1).find("out of range"),
            std::string::npos);
  EXPECT_EQ(decode(times_block(kLast - 1, {0, 0, 0, 1 << 4 | 1}), 1), "none");
}

TEST(ReaderStrings, AreSharedOrTheSubjectsOwn) {
  StringBlock strings;
  strings.own = {"of the block before"};
  const std::string two = strings_block({2, 3, 0, 0, 4, 5, 5}, "abc");
  decode_strings(two, 4, 4, &strings);
  EXPECT_EQ(strings.own, (std::vector<std::string_view>{"abc", ""}));
  EXPECT_EQ(strings.numbers, (Integers{0, 4, 5, 5}));
  decode_strings(strings_block({0, 1}, ""), 1, 2, &strings);
  EXPECT_TRUE(strings.own.empty());
  EXPECT_EQ(strings.numbers, Integers{1});
}

TEST(ReaderStrings, ThatDoNotFitAreRefused) {
  StringBlock strings;
  const auto decode = [&](const std::string& block, int64_t num_present, uint32_t num_shared) {
    return problem_of([&] { decode_strings(block, num_present, num_shared, &strings); });
  };
  const std::string good = strings_block({1, 2, 0, 3}, "hi");
  EXPECT_EQ(decode(good, 2, 3), "none");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(decode(good.substr(0, size), 2, 3).find("ends too early"), std::string::npos) << size;
  }
  EXPECT_NE(decode(good + "x", 2, 3).find("bytes after a block"), std::string::npos);
  EXPECT_NE(decode(good, 1, 3).find("does not fit its events"), std::string::npos);
  EXPECT_NE(decode(good, 3, 3).find("does not fit its events"), std::string::npos);
  EXPECT_NE(decode(good, 2, 2).find("does not hold"), std::string::npos);
  EXPECT_NE(decode(strings_block({}, ""), 0, 3).find("no room"), std::string::npos);
  EXPECT_NE(decode(strings_block({1}, "a"), 0, 3).find("does not fit its events"),
            std::string::npos);
  EXPECT_NE(decode(strings_block({0xFFFFFFFF}, ""), 0, 3).find("does not fit its events"),
            std::string::npos);
}

}  // namespace
}  // namespace sequela
