#include "sequela/io/tfevents.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/crc.h"
#include "sequela/io/file.h"
#include "tests/support/files.h"

namespace sequela {
namespace {

TEST(Crc, KnownChecksums) {
  EXPECT_EQ(crc32(0, "123456789", 9), 0xCBF43926u);
  EXPECT_EQ(crc32c(0, "123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32(crc32(0, "12345", 5), "6789", 4), 0xCBF43926u);
  EXPECT_EQ(crc32c(0, "", 0), 0u);
}

// The events of a file, whose framing is checked.
std::vector<std::string> read_events(const std::string& path) {
  const std::string content = read_file(path);
  const auto number = [&](size_t at) {
    uint32_t value;
    std::memcpy(&value, content.data() + at, sizeof(value));
    return value;
  };
  const auto mask = [](uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; };
  std::vector<std::string> events;
  for (size_t at = 0; at < content.size();) {
    const uint32_t length = number(at);
    EXPECT_EQ(number(at + 8), mask(crc32c(0, content.data() + at, 8)));
    EXPECT_EQ(number(at + 12 + length), mask(crc32c(0, content.data() + at + 12, length)));
    events.push_back(content.substr(at + 12, length));
    at += 16 + length;
  }
  return events;
}

TEST(TfEvents, WritesFramedScalars) {
  const std::string folder = temporary_path("runs/deep");
  EventFileWriter writer(folder);
  writer.add_scalar("train/loss", 0.5, 300);
  writer.flush();
  const std::vector<std::string> events = read_events(writer.path());
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NE(events[0].find("brain.Event:2"), std::string::npos);
  const std::string scalar("\x2a\x13\x0a\x11\x0a\x0atrain/loss\x15\x00\x00\x00\x3f", 21);
  EXPECT_EQ(events[1].substr(9), "\x10\xac\x02" + scalar);
}

TEST(TfEvents, EachWriterHasItsOwnFile) {
  const std::string folder = temporary_path("runs_two");
  const EventFileWriter first(folder);
  const EventFileWriter second(folder);
  EXPECT_NE(first.path(), second.path());
  EXPECT_THROW(EventFileWriter("/proc/no/such"), FileError);
}

}  // namespace
}  // namespace sequela
