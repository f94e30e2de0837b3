#include "sequela/ontology/utf8.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

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

}  // namespace
}  // namespace sequela
