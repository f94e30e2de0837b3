#pragma once

#include <vector>

#include "tests/cuda_on_cpu/machine.h"

namespace sequela::cuda_on_cpu {

// What `run` returns under each order of the threads.
template <class Run>
auto in_every_order(Run run) {
  std::vector<decltype(run())> results;
  for (const Order order : {Order::ascending, Order::descending, Order::random}) {
    set_order(order, results.size());
    results.push_back(run());
  }
  set_order(Order::ascending);
  return results;
}

}  // namespace sequela::cuda_on_cpu
