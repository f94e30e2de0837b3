#include "sequela/core/utf8.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

TEST(Utf8, KnowsWhereEachLengthBeginsAndEnds) {
  for (const char* text :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xEC\xBF\xBF", "\xED\x80\x80",
        "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF3\xBF\xBF\xBF",
        "\xF4\x8F\xBF\xBF", "\xC3\xA9\xE2\x82\xACz"}) {
    EXPECT_TRUE(is_valid_utf8(text));
  }
  for (const char* text :
       {"\xBF", "\xC1\xBF", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF", "\xE1\x7F\x80", "\xE1\x80\x7F",
        "\xE1\x80\xC0", "\xED\xA0\x80", "\xEF\xC0\x80", "\xF0\x8F\xBF\xBF", "\xF1\x80\x80\x7F",
        "\xF1\x80\x7F\x80", "\xF3\xC0\x80\x80", "\xF4\x90\x80\x80", "\xF1\x80\x80", "\xE1\x80"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(Utf8, KnowsGoodFromBad) {
  for (const char* text :
       {"", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"}) {
    EXPECT_TRUE(is_valid_utf8(text));
  }
  for (const char* text : {"\xFF", "\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xE2\x82", "\xC3\x28"}) {
    EXPECT_FALSE(is_valid_utf8(text));
  }
}

TEST(ToValidUtf8, KeepsWhatIsValid) {
  for (const char* text :
       {"", "plain", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF1\x80\x80\x80", "\xF4\x8F\xBF\xBF",
        "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80."}) {
    EXPECT_EQ(to_valid_utf8(text), text);
  }
}

TEST(ToValidUtf8, ReplacesEachByteThatIsNot) {
  const std::string bad = "\xEF\xBF\xBD";
  const std::pair<std::string, std::string> cases[] = {
      {"\x80", bad},
      {"a\xFFz", "a" + bad + "z"},
      {"\xC1\xBF", bad + bad},
      {"\xC3", bad},
      {"\xC3(", bad + "("},
      {"\xC3\xC0", bad + bad},
      {"\xE0\x9F\xBF", bad + bad + bad},
      {"\xE2\x82", bad + bad},
      {"\xE2\x82(", bad + bad + "("},
      {"\xED\xA0\x80", bad + bad + bad},
      {"\xF0\x8F\xBF\xBF", bad + bad + bad + bad},
      {"\xF0\x9F\x98", bad + bad + bad},
      {"\xF4\x90\x80\x80", bad + bad + bad + bad},
      {"\xF5\x80", bad + bad},
      {"\xC3\xA9\x80\xC3\xA9", "\xC3\xA9" + bad + "\xC3\xA9"}};
  for (const auto& [text, valid] : cases) EXPECT_EQ(to_valid_utf8(text), valid);
}

TEST(DecodeUtf8, GivesCodePointsAndAppendsThemAgain) {
  const std::u32string points =
      U"z\x7F\u0080\u07FF\u0800\uD7FF\uE000\uFFFD\uFFFF\U00010000\U0010FFFF";
  std::string text;
  for (const char32_t point : points) append_utf8(point, &text);
  EXPECT_EQ(text, "z\x7F\u0080\u07FF\u0800\uD7FF\uE000\uFFFD\uFFFF\U00010000\U0010FFFF");
  EXPECT_EQ(decode_utf8(text), points);
  EXPECT_EQ(decode_utf8("a\xE2\x82(" + text), U"a\uFFFD\uFFFD(" + points);
}

}  // namespace
}  // namespace sequela
