#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <barrier>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "sequela/distributed/world.h"

namespace sequela {

// Ranks that are threads of this process. What one sends lies in its own memory until all have
// taken it.
class ThreadWorlds {
 public:
  explicit ThreadWorlds(int size) : slots_(size), all_(size) {}

  class Rank : public World {
   public:
    Rank(ThreadWorlds& worlds, int rank) : worlds_(worlds), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(worlds_.slots_.size()); }

   private:
    class Arrived : public Transfer {
      void wait() override {}
    };

    std::unique_ptr<Transfer> do_start(const Exchange& exchange) override {
      worlds_.slots_[rank_] = exchange;
      worlds_.all_.arrive_and_wait();
      int64_t to = 0;
      for (int r = 0; r < size(); ++r) {
        const Exchange& other = worlds_.slots_[r];
        int64_t from = 0;
        for (int before = 0; before < rank_; ++before) from += other.sends[before];
        EXPECT_EQ(other.sends[rank_], exchange.receives[r]);
        exchange.output.narrow(0, to, exchange.receives[r])
            .copy_(other.input.narrow(0, from, other.sends[rank_]));
        to += exchange.receives[r];
      }
      worlds_.all_.arrive_and_wait();
      return std::make_unique<Arrived>();
    }

    std::unique_ptr<Transfer> do_gather(const at::Tensor& own, const at::Tensor& all) override {
      worlds_.slots_[rank_].input = own;
      worlds_.all_.arrive_and_wait();
      for (int r = 0; r < size(); ++r) {
        EXPECT_EQ(worlds_.slots_[r].input.sizes(), own.sizes());
        all.select(0, r).copy_(worlds_.slots_[r].input);
      }
      worlds_.all_.arrive_and_wait();
      return std::make_unique<Arrived>();
    }

    ThreadWorlds& worlds_;
    const int rank_;
  };

 private:
  std::vector<World::Exchange> slots_;
  std::barrier<> all_;

  friend void run_ranks(int size, const std::function<void(World&)>& body);
};

// Runs `body` on so many ranks at the same time; rethrows what the first of them threw. A rank that
// throws leaves: the others must not wait for it.
inline void run_ranks(int size, const std::function<void(World&)>& body) {
  ThreadWorlds worlds(size);
  std::vector<std::exception_ptr> failures(size);
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        ThreadWorlds::Rank world(worlds, rank);
        try {
          body(world);
        } catch (...) {
          failures[rank] = std::current_exception();
          worlds.all_.arrive_and_drop();
        }
      });
    }
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace sequela
