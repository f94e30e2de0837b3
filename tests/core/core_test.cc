#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/parallel.h"
#include "sequela/core/random.h"
#include "sequela/core/sha256.h"
#include "sequela/core/time.h"

namespace sequela {
namespace {

TEST(Error, MessageSaysWhatWhereAndHowToMend) {
  const DataError inner({"", -1, 81234, "time"}, "earlier than the row before",
                        "sort by subject_id, time");
  const DataError error = inner.within({"data/train/7.parquet", 3, -1, "", 1029});
  EXPECT_STREQ(
      error.what(),
      "data/train/7.parquet: row group 3, row 81234 (subject 1029): column 'time': earlier "
      "than the row before. Fix: sort by subject_id, time.");
  EXPECT_EQ(error.where().row, 81234);
}

TEST(Error, CheckThrowsLogicError) {
  EXPECT_THROW(SEQUELA_CHECK(1 + 1 == 3), std::logic_error);
}

TEST(Json, ReadsPythonsBareWordsAndWritesThemBack) {
  const Json json =
      parse_json(R"({"bins": [0.0, Infinity, -Infinity, NaN], "s": "NaN \"Infinity\""})", "x");
  EXPECT_EQ(json_number(json["bins"][1], "x"), INFINITY);
  EXPECT_EQ(json_number(json["bins"][2], "x"), -INFINITY);
  EXPECT_TRUE(std::isnan(json_number(json["bins"][3], "x")));
  EXPECT_EQ(json["s"], "NaN \"Infinity\"");
  EXPECT_EQ(json_text(Json{{"x", json_double(INFINITY)}}, -1), R"({"x":Infinity})");
}

TEST(Json, OfARepeatedKeyTheLastValueCountsInTheFirstsPlace) {
  const Json json =
      parse_json(R"({"a": {"x": 1, "x": [2]}, "b": 3, "a": 4, "c": 5, "b": {}})", "x");
  EXPECT_EQ(json_text(json, -1), R"({"a":4,"b":{},"c":5})");
  EXPECT_EQ(
      json_text(parse_json(R"([{"x": 1, "x": [2, {"y": null}], "z": true}, -1, 0.5])", "x"), -1),
      R"([{"x":[2,{"y":null}],"z":true},-1,0.5])");
}

TEST(Json, ReadsAnObjectOfManyKeysInLittleTime) {
  std::string text = "{";
  constexpr int kNumKeys = 300'000;
  for (int i = 0; i < kNumKeys; ++i) text += str(i == 0 ? "" : ",", "\"", i, "\":", i);
  const auto start = std::chrono::steady_clock::now();
  const Json json = parse_json(text + "}", "x");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(json.size(), static_cast<size_t>(kNumKeys));
  EXPECT_EQ(json.back(), kNumKeys - 1);
}

TEST(Json, RefusesDeepNestingAndBrokenText) {
  EXPECT_THROW(parse_json(std::string(100'000, '['), "x"), FileError);
  EXPECT_THROW(parse_json("{\"a\": ", "x"), FileError);
}

TEST(Json, SaysWhereItIsBroken) {
  for (const auto& [text, place] : std::vector<std::pair<std::string, std::string>>{
           {"{\"a\": 1\n,]", "x: not valid JSON at line 2, column 2"},
           {"[Nan]", "x: not valid JSON at line 1, column 2"},
           {"", "x: not valid JSON at line 1, column 1"}}) {
    try {
      parse_json(text, "x");
      FAIL() << text;
    } catch (const FileError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(place)) << error.what();
      EXPECT_EQ(std::string(error.what()).find("syntax"), std::string::npos);
    }
  }
}

TEST(Json, MayBeNested64Deep) {
  const auto nested = [](int depth, const std::string& open, const std::string& close) {
    std::string text, end;
    for (int i = 0; i < depth; ++i) text += open, end += close;
    return text + (open == "[" ? "" : "1") + end;
  };
  EXPECT_NO_THROW(parse_json(nested(64, "[", "]"), "x"));
  EXPECT_NO_THROW(parse_json(nested(64, "{\"[\": ", "}"), "x"));
  EXPECT_THROW(parse_json(nested(65, "[", "]"), "x"), FileError);
  EXPECT_THROW(parse_json(nested(65, "{\"a\": ", "}"), "x"), FileError);
  std::string wide = "[";
  for (int i = 0; i < 100; ++i) wide += "[{}], ";
  EXPECT_EQ(parse_json(wide + "0]", "x").size(), 101u);
}

TEST(Json, KeepsTextsWithQuotesAndBackslashes) {
  const std::string text = R"({"a\\":"\\","b\\\"[":["\"NaN","x\\\"{"],"c":"\\\\"})";
  EXPECT_EQ(json_text(parse_json(text, "x"), -1), text);
  EXPECT_THROW(parse_json(R"("a\)", "x"), FileError);
  EXPECT_THROW(parse_json(R"("a\")", "x"), FileError);
}

TEST(Json, WritesEachBareWordBack) {
  const std::string text = "[NaN,Infinity,-Infinity,NaN,NaN,-Infinity,0.5]";
  EXPECT_EQ(json_text(parse_json(text, "x"), -1), text);
  Json numbers = Json::array();
  for (const double value : std::vector<double>{NAN, INFINITY, -INFINITY, 1.5})
    numbers.push_back(json_double(value));
  EXPECT_EQ(json_text(numbers, -1), "[NaN,Infinity,-Infinity,1.5]");
  EXPECT_EQ(json_number(numbers[3], "x"), 1.5);
  EXPECT_EQ(json_number(Json(7), "x"), 7);
  for (const Json& json : {Json("NaN"), Json(true), Json(nullptr), Json::array()}) {
    EXPECT_THROW(json_number(json, "x"), FileError);
  }
}

TEST(Parallel, VisitsEachIndexOnceAndRethrows) {
  std::vector<int> visits(1000);
  parallel_for(1000, 4, [&](int64_t i, int) { ++visits[i]; });
  EXPECT_EQ(visits, std::vector<int>(1000, 1));
  EXPECT_THROW(parallel_for(100, 3,
                            [](int64_t i, int) {
                              if (i == 7) throw DataError({}, "x");
                            }),
               DataError);
}

TEST(Parallel, GivesNoIndexBeyondTheLast) {
  for (const int num_threads : {1, 2, 5}) {
    std::atomic<int64_t> num_calls{0}, largest{-1};
    parallel_for(7, num_threads, [&](int64_t i, int thread) {
      ++num_calls;
      EXPECT_LT(thread, num_threads);
      for (int64_t seen = largest; seen < i && !largest.compare_exchange_weak(seen, i);) {
      }
    });
    EXPECT_EQ(num_calls, 7) << num_threads;
    EXPECT_EQ(largest, 6) << num_threads;
  }
}

TEST(Random, DependsOnTheKeyAlone) {
  Random a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  double sum = 0, squares = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double x = a.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 20'000, 0, 0.03);
  EXPECT_NEAR(squares / 20'000, 1, 0.05);
}

// The made-up records, the splits and the order of batches hang on these numbers. Those of mix64
// are the first outputs of SplitMix64 for the seeds 0 and 1.
TEST(Random, GivesTheSameNumbersForEver) {
  EXPECT_EQ(mix64(0), 0xE220A8397B1DCDAFull);
  EXPECT_EQ(mix64(1), 0x910A2DEC89025CC1ull);
  EXPECT_EQ(hash_key(1, 2), 0xBCD9DBB49673066Bull);
  EXPECT_EQ(hash_key(1, 2, 3), 0xD0734750FDE362B3ull);
  Random random(7);
  EXPECT_EQ(random.next(), 0xA65305FD338EC8FEull);
  EXPECT_DOUBLE_EQ(random.uniform(), 0.5493743249193239);
  EXPECT_NEAR(random.normal(), -0.7868132215482697, 1e-14);
  EXPECT_NEAR(random.exponential(), 0.2012417060544319, 1e-14);
  EXPECT_EQ(random.below(1'000), 915u);
}

TEST(Sha256, KnownDigest) {
  EXPECT_EQ(to_hex(sha256("abc", 3)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  hash.update("a", 1);
  hash.update("bc", 2);
  EXPECT_EQ(hash.finish(), sha256("abc", 3));
}

TEST(Time, DaysBeforeTheEpochRoundTowardsThePast) {
  EXPECT_EQ(day_of(0), 0);
  EXPECT_EQ(day_of(-1), -1);
  EXPECT_EQ(day_of(-kMicrosPerDay), -1);
  EXPECT_EQ(to_text(int64_t{-1}), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(to_text(kNoTime), "none");
}

}  // namespace
}  // namespace sequela
