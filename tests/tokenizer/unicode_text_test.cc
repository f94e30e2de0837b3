#include "sequela/tokenizer/sequence/unicode_text.h"

#include <gtest/gtest.h>

#include "sequela/core/sha256.h"

namespace sequela {
namespace {

// Every character was compared with tokenizers' own classes once; these are the odd ones.
TEST(UnicodeText, ClassesAreThoseOfUnicode8) {
  EXPECT_TRUE(is_split_punctuation(U'$'));
  EXPECT_TRUE(is_split_punctuation(U'\u2019'));
  EXPECT_TRUE(is_split_punctuation(0x166D));
  EXPECT_FALSE(is_split_punctuation(0x2E52));  // came with Unicode 14
  EXPECT_FALSE(is_split_punctuation(U'\u00B0'));
  EXPECT_TRUE(is_nonspacing_mark(0x301));
  EXPECT_TRUE(is_nonspacing_mark(0x1734));
  EXPECT_FALSE(is_nonspacing_mark(0x1885));
  EXPECT_FALSE(is_nonspacing_mark(0x898));
  EXPECT_TRUE(is_dropped_control(0x200B));
  EXPECT_TRUE(is_dropped_control(0xE000));
  EXPECT_FALSE(is_dropped_control(0x378));  // unassigned
  EXPECT_FALSE(is_dropped_control(U'\n'));
  EXPECT_TRUE(is_cjk_ideograph(0x4E00));
  EXPECT_FALSE(is_cjk_ideograph(0x2B820));  // where tokenizers has a gap
  EXPECT_TRUE(is_white_space(0x3000));
}

TEST(UnicodeText, DecompositionAndCase) {
  std::u32string out;
  append_decomposed(U'\u00E9', &out);
  append_decomposed(0xD55C, &out);
  EXPECT_EQ(out, (std::u32string{U'e', 0x301, 0x1112, 0x1161, 0x11AB}));
  out.clear();
  append_lower_case(0x130, &out);
  append_lower_case(0x3A3, &out);
  EXPECT_EQ(out, (std::u32string{U'i', 0x307, 0x3C3}));
}

// Of every code point. The digest is that of ICU 72's answers (Unicode 15.0).
TEST(UnicodeText, AllAnswersAreThoseOfIcu) {
  std::u32string answers;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    answers += is_dropped_control(c) + 2 * is_white_space(c) + 4 * is_split_punctuation(c) +
               8 * is_nonspacing_mark(c) + 16 * is_cjk_ideograph(c);
    append_decomposed(c, &answers);
    append_lower_case(c, &answers);
  }
  EXPECT_EQ(to_hex(sha256(answers.data(), answers.size() * sizeof(char32_t))),
            "e00ea4919f26902fd6c15952b5812851209fdc2bbbc449a8d9f8817d2f4b4304");
}

}  // namespace
}  // namespace sequela
