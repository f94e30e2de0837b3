// meds_reader databases with what real ones seldom have: every type, and every kind of damage.
#include <functional>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "tests/meds/reader_bytes.h"
#include "tests/meds/support.h"

namespace sequela {
namespace {

const IngestOptions kAll{.properties = {"all"}};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// The values of property 0, the first event of subject 5 without one.
std::vector<std::string> values_of(ReaderType type, const std::string& first,
                                   const std::string& second) {
  const TestFolder folder;
  MadeDatabase database(folder / "db");
  database.add("extra", type,
               {presence_bits({false, true, true}) + first, presence_bits({true}) + second});
  std::vector<std::string> values;
  for (const PlainEvent& event : ingest_and_read(folder / "db", kAll)) {
    values.push_back(event.values.at(0));
  }
  return values;
}

template <class T>
void expect_numbers(ReaderType type, const std::vector<T>& numbers) {
  std::vector<std::string> expected = {""};
  for (const T number : numbers) {
    const auto value = static_cast<float>(number);
    expected.push_back("number " + std::to_string(__builtin_bit_cast(uint32_t, value)));
  }
  EXPECT_EQ(values_of(type, bytes_of(std::vector<T>(numbers.begin(), numbers.end() - 1)),
                      bytes_of(std::vector<T>{numbers.back()})),
            expected);
}

TEST(MadeDatabases, HoldNumbersOfEveryType) {
  expect_numbers<float>(ReaderType::float32, {-1.5F, 2.25F, 1e30F});
  expect_numbers<double>(ReaderType::float64, {-1.5, 0.1, 1e30});
  expect_numbers<int8_t>(ReaderType::int8, {-128, 127, -1});
  expect_numbers<int16_t>(ReaderType::int16, {-32768, 32767, -2});
  expect_numbers<int32_t>(ReaderType::int32, {-2147483647, 65536, -3});
  expect_numbers<int64_t>(ReaderType::int64, {-(int64_t{1} << 40), int64_t{1} << 33, -4});
  expect_numbers<uint8_t>(ReaderType::uint8, {255, 128, 1});
  expect_numbers<uint16_t>(ReaderType::uint16, {65535, 32768, 2});
  expect_numbers<uint32_t>(ReaderType::uint32, {4294967295U, 1U << 31, 3});
  expect_numbers<uint64_t>(ReaderType::uint64, {~uint64_t{0}, uint64_t{1} << 63, 4});
}

TEST(MadeDatabases, HoldTimesAsTexts) {
  EXPECT_EQ(values_of(ReaderType::timestamp, bytes_of<int64_t>({kMicrosPerDay + 1, 2 * kMaxTimeUs}),
                      bytes_of<int64_t>({-kMicrosPerSecond})),
            (std::vector<std::string>{"", "text 1970-01-02 00:00:00.000001",
                                      "text " + to_text(kMaxTimeUs), "text 1969-12-31 23:59:59"}));
}

TEST(MadeDatabases, HoldCodesTimesAndTextsOfSubjects) {
  const TestFolder folder;
  MadeDatabase database(folder / "db");
  database.add("extra", ReaderType::large_string,
               {presence_bits({true, true, true}) + strings_block({1, 1, 2, 0, 1}, "x"),
                presence_bits({false}) + strings_block({0}, "")},
               {"", "shared"});
  EXPECT_EQ(ingest_and_read(folder / "db", kAll),
            (std::vector<PlainEvent>{{5, 0, 0, "MEDS_BIRTH", {"text x"}},
                                     {5, 0, kMicrosPerDay, "shared", {""}},
                                     {5, 0, kMicrosPerDay, "own", {"text shared"}},
                                     {6, kNoTime, 7, "shared", {""}}}));
}

// What is wrong, and the file that has it.
using Damage = std::function<void(const std::string& db)>;

void expect_refused(const Damage& damage, const std::vector<std::string>& words) {
  const TestFolder folder;
  MadeDatabase database(folder / "db");
  database.add("extra", ReaderType::int16,
               {presence_bits({true, true, false}) + "1122", presence_bits({false})});
  EXPECT_EQ(ingest_and_read(folder / "db", kAll).size(), 4u);
  damage(folder / "db");
  try {
    ingest_and_read(folder / "db", kAll);
    FAIL() << words.front();
  } catch (const DataError& error) {
    for (const std::string& word : words) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }
}

void replace(const std::string& path, size_t place, uint64_t value, int num_bytes) {
  std::string content = read_file(path), bytes;
  append(&bytes, value, num_bytes);
  write_file(path, content.replace(place, bytes.size(), bytes));
}

void write_blocks(const std::string& column, const std::string& first, const std::string& second) {
  write_file(column + "/data", column_data({first, second}));
}

TEST(MadeDatabases, WithDamagedColumnsAreRefused) {
  const auto data = [](const std::string& db) { return db + "/extra/data"; };
  expect_refused([&](const std::string& db) { write_file(data(db), std::string(23, '\0')); },
                 {"extra/data", "offsets are cut"});
  expect_refused([&](const std::string& db) { replace(data(db), 0, 25, 8); },
                 {"extra/data", "do not fit its size"});
  expect_refused([&](const std::string& db) { write_file(data(db), read_file(data(db)) + "x"); },
                 {"extra/data", "do not fit its size"});
  expect_refused([&](const std::string& db) { replace(data(db), 8, 23, 8); },
                 {"extra/data", "offsets decrease"});
  expect_refused([&](const std::string& db) { replace(data(db), 8, 1 << 20, 8); },
                 {"extra/data", "offsets decrease"});
  expect_refused([&](const std::string& db) { replace(data(db), 8, 24 + 3, 8); },
                 {"extra/data", "a block is cut", "subject 5"});
  expect_refused([&](const std::string& db) { replace(data(db), 24, 11, 4); },
                 {"extra/data", "sizes do not agree", "subject 5"});
}

TEST(MadeDatabases, WithDamagedBlocksAreRefused) {
  const std::string three = presence_bits({true, true, true}), one = presence_bits({true});
  expect_refused(
      [&](const std::string& db) {
        write_blocks(db + "/extra", presence_bits({true, true, false}) + "112", one + "11");
      },
      {"extra/data", "not one number per value", "subject 5"});
  expect_refused(
      [&](const std::string& db) { write_blocks(db + "/extra", three + "112233", one + "111"); },
      {"extra/data", "not one number per value", "subject 6"});
  expect_refused(
      [&](const std::string& db) {
        write_blocks(db + "/code",
                     presence_bits({true, true, false}) + strings_block({0, 0, 1}, ""),
                     one + strings_block({0, 1}, ""));
      },
      {"code/data", "null", "subject 5", "give every event a code"});
  expect_refused(
      [&](const std::string& db) {
        write_blocks(db + "/time", times_block(0, {0, 2}), times_block(0, {0, 1}));
      },
      {"time/data", "fewer times than events", "subject 5"});
}

TEST(MadeDatabases, WithDamagedTablesAreRefused) {
  const auto cut = [](const std::string& path) {
    const std::string content = read_file(path);
    write_file(path, content.substr(0, content.size() - 1));
  };
  for (const char* name : {"subject_id", "meds_reader.length", "meds_reader.properties"}) {
    expect_refused([&](const std::string& db) { cut(db + "/" + name); }, {name, "cut"});
    expect_refused([&](const std::string& db) { std::filesystem::remove(db + "/" + name); },
                   {name, "missing"});
  }
  expect_refused([&](const std::string& db) { cut(db + "/code/dictionary"); },
                 {"code/dictionary", "cannot be read"});
  expect_refused([&](const std::string& db) { replace(db + "/code/dictionary", 0, 1 << 20, 8); },
                 {"code/dictionary", "cannot be read"});
  expect_refused([](const std::string& db) { write_file(db + "/meds_reader.length", "1234"); },
                 {"meds_reader.length", "not one length per subject"});
  expect_refused(
      [](const std::string& db) { replace(db + "/meds_reader.length", 4, uint64_t{1} << 31, 4); },
      {"meds_reader.length", "more than 2^31 events"});
}

TEST(MadeDatabases, WithOddPropertiesAreRefused) {
  const auto with = [](const std::string& name, uint64_t type) {
    return [=](const std::string& db) {
      const std::string path = db + "/meds_reader.properties";
      std::string bytes = read_file(path);
      append(&bytes, name.size(), 8);
      bytes += name;
      append(&bytes, type, 8);
      write_file(path, bytes);
    };
  };
  for (const std::string& name : std::vector<std::string>{"", ".", "..", "../x", "a/b", "extra",
                                                          "code", "a..b", std::string("a\0b", 3)}) {
    expect_refused(with(name, 0), {"meds_reader.properties", "not allowed"});
  }
  expect_refused(with("other", static_cast<uint64_t>(kNumReaderTypes)),
                 {"meds_reader.properties", "not allowed"});
  expect_refused(with("other", ~uint64_t{0}), {"meds_reader.properties", "not allowed"});
  expect_refused(with(std::string(4097, 'x'), 0), {"meds_reader.properties", "was cut"});
  expect_refused(
      [&](const std::string& db) {
        for (int i = 0; i < 62; ++i) with("p" + std::to_string(i), 0)(db);
      },
      {"meds_reader.properties", "not allowed"});
}

}  // namespace
}  // namespace sequela
