#include "sequela/cli/old_names.h"

#include <gtest/gtest.h>

namespace sequela {
namespace {

TEST(OldNames, AreReplacedAndSaid) {
  const RenamedArguments renamed =
      rename_arguments({"encode", "--tokens-per-pass", "7", "--out=--tokens-per-pass"});
  EXPECT_EQ(renamed.arguments, (std::vector<std::string>{"encode", "--tokens-per-batch", "7",
                                                         "--out=--tokens-per-pass"}));
  EXPECT_EQ(renamed.notes, std::vector<std::string>{
                               "--tokens-per-pass is an old name; it is --tokens-per-batch now"});
  EXPECT_EQ(rename_arguments({"compare", "--num-layers=2"}).arguments.at(1), "--layers=2");
  EXPECT_TRUE(rename_arguments({"prepare", "--num-layers", "2"}).notes.empty());
  EXPECT_TRUE(rename_arguments({}).arguments.empty());
}

}  // namespace
}  // namespace sequela
