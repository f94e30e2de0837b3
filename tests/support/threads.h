#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <vector>

namespace sequela {

// Expects that `run`, which returns tensors, gives the same bits on one thread, on two and on
// three.
template <class Run>
void expect_same_for_any_threads(Run run) {
  const int before = at::get_num_threads();
  std::vector<at::Tensor> alone;
  for (int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const std::vector<at::Tensor> results = run();
    at::set_num_threads(before);
    if (threads == 1) alone = results;
    for (size_t i = 0; i < results.size(); ++i) {
      EXPECT_TRUE(results[i].equal(alone[i])) << "result " << i << ", " << threads << " threads";
    }
  }
}

}  // namespace sequela
