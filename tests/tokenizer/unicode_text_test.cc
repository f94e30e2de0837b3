#include "sequela/tokenizer/sequence/unicode_text.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sequela
