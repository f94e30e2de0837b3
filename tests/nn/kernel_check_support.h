#pragma once

// Faults planted into kernels, for the tests of the check with the CPU's and with the CUDA kernels.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "sequela/nn/kernel_check.h"
#include "sequela/nn/kernel_table.h"

namespace sequela {

struct KernelFault {
  Operation operation;
  void (*plant)(KernelTable&);
};

// The check of kernels with the fault names its operation and no other, and the plain way takes its
// place there.
inline void expect_found_and_replaced(KernelTable table, const KernelFault& fault) {
  SCOPED_TRACE(to_text(fault.operation));
  fault.plant(table);
  Ways ways(Kernels::automatic, table);
  const std::vector<KernelResult> results = check_kernels(table, at::kCPU);
  refuse_failed(results, ways);
  for (const KernelResult& result : results) {
    const bool is_faulty = result.operation == fault.operation;
    EXPECT_EQ(result.is_good(), !is_faulty) << result.text();
    EXPECT_TRUE(result.text().starts_with(to_text(result.operation))) << result.text();
    EXPECT_EQ(&ways.table(result.operation, at::empty({1}, result.type), 16),
              is_faulty ? &plain_kernels() : &table);
  }
}

}  // namespace sequela
