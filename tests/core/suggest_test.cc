#include "sequela/core/suggest.h"

#include <gtest/gtest.h>

#include <tuple>

#include "sequela/core/error.h"

namespace sequela {
namespace {

const std::vector<std::string> kCommands = {"synth",  "prepare", "pretrain", "features",
                                            "encode", "compare", "inspect",  "demo"};

TEST(Suggest, FindsWhatWasMeant) {
  for (const auto& [given, meant] :
       std::vector<std::pair<const char*, const char*>>{{"trian", "pretrain"},
                                                        {"train", "pretrain"},
                                                        {"pretian", "pretrain"},
                                                        {"prepar", "prepare"},
                                                        {"fetures", "features"},
                                                        {"featurs", "features"},
                                                        {"comapre", "compare"},
                                                        {"inspct", "inspect"},
                                                        {"dmeo", "demo"},
                                                        {"encoder", "encode"},
                                                        {"synthesize", "synth"},
                                                        {"pretraining", "pretrain"}}) {
    EXPECT_EQ(closest_name(given, kCommands), meant) << given;
  }
  for (const char* given : {"xyzzy", "", "x", "banana", "de"}) {
    EXPECT_EQ(closest_name(given, kCommands), "") << given;
  }
  EXPECT_EQ(did_you_mean("--vocabsize", {"--vocab-size", "--val-fraction"}),
            "; did you mean '--vocab-size'?");
  EXPECT_EQ(did_you_mean("--nonsense", {"--vocab-size"}), "");
}

TEST(Suggest, CountsFaultsByTheLengthOfTheName) {
  const std::vector<std::tuple<const char*, const char*, bool>> cases = {
      {"dya", "day", true},          // a swap is one fault
      {"dxz", "day", false},         // two in three letters
      {"abcdef", "abcdxy", true},    // two in six
      {"abcdef", "abcxyz", false},   // three in six
      {"abcxyz", "abc", false},      // a start of three letters says little
      {"abcdxyzuvw", "abcd", true},  // one of four does
      {"size", "max-size", true},    // a part of a longer name
      {"siez", "max-size", true},    // with a fault
      {"abc", "x-abc-y", false},     // of three letters, no part
      {"ab", "ba", true},           {"a", "b", false}};
  for (const auto& [given, known, is_close] : cases) {
    EXPECT_EQ(closest_name(given, {known}), is_close ? known : "") << given;
  }
  EXPECT_EQ(closest_name("siez", {"max-size", "size"}), "size");
  EXPECT_EQ(closest_name("hours", {"day", "hours", "hour"}), "hours");
}

TEST(Suggest, ReadsTheValuesThatAnErrorLists) {
  EXPECT_EQ(with_suggestion(ConfigError("visits", "dya", "hybrid, encounter, day or hours").what()),
            "visits: 'dya' is not allowed; did you mean 'day'? Fix: give hybrid, encounter, day or "
            "hours.");
  EXPECT_EQ(with_suggestion(ConfigError("precision", "fp23", "fp32, bf16 or int8").what()),
            "precision: 'fp23' is not allowed; did you mean 'fp32'? Fix: give fp32, bf16 or int8.");
  for (const std::string& message :
       {std::string(ConfigError("memory", "1Q", "a size of at least 256M").what()),
        std::string("--meds is missing. Fix: give it.")}) {
    EXPECT_EQ(with_suggestion(message), message);
  }
}

}  // namespace
}  // namespace sequela
