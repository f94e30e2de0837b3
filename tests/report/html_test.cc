#include "sequela/report/html.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sequela {
namespace {

TEST(Html, EscapesAllThatCouldEndATextOrAnAttribute) {
  EXPECT_EQ(to_html("</script><b a='1'>\"&amp;"),
            "&lt;/script&gt;&lt;b a=&#39;1&#39;&gt;&quot;&amp;amp;");
  EXPECT_EQ(to_html("Grüße\n\t→"), "Grüße\n\t→");
}

TEST(Html, ReplacesWhatIsNoText) {
  EXPECT_EQ(to_html(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(to_html("\x1b\x7f"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(to_html("a\xff"
                    "b\xc3"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST(Html, WritesNumbersAsOneReadsThem) {
  EXPECT_EQ(number_text(0.775123456), "0.775123");
  EXPECT_EQ(number_text(0.5), "0.5");
  EXPECT_EQ(number_text(-1234567.0), "-1234567");
  EXPECT_EQ(number_text(123456.7), "123457");
  EXPECT_EQ(number_text(0.00001234567), "0.0000123457");
  EXPECT_EQ(number_text(1.5e-9), "1.50000e-09");
  EXPECT_EQ(number_text(100), "100");
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(std::nan("")), "");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "");
}

// The digests of RFC 6234's test cases, in base64.
TEST(Html, NamesAScriptByItsHash) {
  EXPECT_EQ(script_hash("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  EXPECT_EQ(script_hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

}  // namespace
}  // namespace sequela
