#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sequela {

// How many labels of each outcome EHRSHOT learns from.
inline constexpr int64_t kFewShots[] = {1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 128};

// A draw of `k` of the rows with each outcome (fewer than 2k if one outcome is missing): of each
// outcome `max_k` rows are drawn without replacement, where there are fewer all of them and then
// some again with replacement, and the first k of them taken. So the rows of a smaller k are among
// those of a larger one. `outcomes` is indexed by row; `key` alone decides which rows.
//
// Source: EHRSHOT, arXiv:2307.02028, and how its code (github.com/som-shahlab/ehrshot-benchmark)
// generates shots, by numpy: the rule is the same, the rows are not.
std::vector<int64_t> draw_few_shots(std::span<const int64_t> rows,
                                    std::span<const uint8_t> outcomes, int64_t k, int64_t max_k,
                                    uint64_t key);

}  // namespace sequela
