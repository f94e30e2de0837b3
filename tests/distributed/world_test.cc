#include "sequela/distributed/world.h"

#include <gtest/gtest.h>

#include "sequela/core/error.h"
#include "tests/support/thread_world.h"

namespace sequela {
namespace {

TEST(Shares, CoverAllInOrderAndDifferByOneAtMost) {
  for (const int64_t num_items : {0, 1, 3, 8, 13}) {
    for (const int num_ranks : {1, 2, 3, 8}) {
      int64_t end = 0, least = num_items, most = 0;
      for (int rank = 0; rank < num_ranks; ++rank) {
        const Share share = share_of(num_items, rank, num_ranks);
        EXPECT_EQ(share.first, end);
        end = share.end;
        least = std::min(least, share.end - share.first);
        most = std::max(most, share.end - share.first);
      }
      EXPECT_EQ(end, num_items);
      EXPECT_LE(most - least, 1);
    }
  }
}

TEST(World, ARankAloneHasWhatItSends) {
  LoneWorld world;
  const at::Tensor own = at::arange(6).view({2, 3});
  EXPECT_TRUE(at::equal(world.gather("x", own), own.unsqueeze(0)));
  const World::Exchange exchange{own, {2}, at::empty_like(own), {2}};
  world.start("x", exchange)->wait();
  EXPECT_TRUE(at::equal(exchange.output, own));
  EXPECT_EQ(world.traffic().bytes_sent, 0);
}

TEST(World, RowsGoToTheirRanks) {
  run_ranks(3, [](World& world) {
    // Rank r sends s + 1 rows of 10 r + s to rank s.
    std::vector<at::Tensor> rows;
    for (int s = 0; s < 3; ++s)
      rows.push_back(at::full({s + 1}, 10 * world.rank() + s, at::kFloat));
    const int64_t own = world.rank() + 1;
    const World::Exchange exchange{at::cat(rows), {1, 2, 3}, at::empty({3 * own}), {own, own, own}};
    world.start("x", exchange)->wait();
    for (int64_t i = 0; i < 3 * own; ++i)
      EXPECT_EQ(exchange.output[i].item<float>(), 10.0f * (i / own) + world.rank());
    EXPECT_EQ(world.traffic().bytes_sent, 4 * (6 - own));
  });
}

TEST(World, TextsOfAnyLengthAreGathered) {
  run_ranks(4, [](World& world) {
    const std::string own(static_cast<size_t>(world.rank()) * 3, 'a');
    EXPECT_EQ(gather_texts(world, "x", own),
              (std::vector<std::string>{"", "aaa", "aaaaaa", "aaaaaaaaa"}));
    EXPECT_EQ(text_of_first(world, "x", world.is_first() ? "first" : "other"), "first");
    EXPECT_FALSE(is_any(world, "x", false));
    EXPECT_TRUE(is_any(world, "x", world.rank() == 2));
  });
}

TEST(World, OneFailureIsEverybodysAndTellsItsCause) {
  run_ranks(3, [](World& world) {
    try {
      succeed_together(world, "x", [&] {
        if (world.rank() == 1) throw FileError("a.parquet", "cannot be read");
      });
      ADD_FAILURE();
    } catch (const Error& error) {
      const bool is_own = dynamic_cast<const FileError*>(&error) != nullptr;
      EXPECT_EQ(is_own, world.rank() == 1);
      EXPECT_NE(std::string(error.what()).find("a.parquet"), std::string::npos);
      EXPECT_EQ(std::string(error.what()).starts_with("rank 1 failed: "), !is_own);
    }
    succeed_together(world, "x", [] {});
  });
}

TEST(World, StandTellsTheLastCall) {
  LoneWorld world;
  EXPECT_EQ(world.stand().num_calls, 0);
  world.gather("the sum", at::zeros({1}));
  world.gather("the end", at::zeros({1}));
  EXPECT_EQ(world.stand().num_calls, 2);
  EXPECT_EQ(world.stand().what, "the end");
  EXPECT_FALSE(world.stand().is_waiting);
}

}  // namespace
}  // namespace sequela
