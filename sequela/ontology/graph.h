#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace sequela {

// The parents of nodes 0 .. n-1, one after the other: those of node i are
// values[offsets[i]] .. values[offsets[i + 1]), ascending and distinct.
struct ParentLists {
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> values;

  int32_t num_nodes() const { return static_cast<int32_t>(offsets.size()) - 1; }
  std::span<const int32_t> of(int32_t node) const {
    return {values.data() + offsets[node], static_cast<size_t>(offsets[node + 1] - offsets[node])};
  }
};

// The parents' lists of (child, parent) pairs over `num_nodes` nodes; pairs may come in any order
// and repeat.
ParentLists to_parent_lists(int32_t num_nodes,
                            const std::vector<std::pair<int32_t, int32_t>>& edges);

// A way round a cycle: each node's parent is the next, the last one's parent is the first.
using Cycle = std::vector<int32_t>;

// An order of all nodes in which parents come before their children. Walks upwards depth first from
// node 0, 1, ... and along each node's parents in ascending order; an edge that leads back to a
// node of the path walked closes a cycle and is taken out of `lists`. The outcome depends on the
// graph alone. Appends each cycle so broken to `cycles`. Needs no stack in proportion to the depth.
std::vector<int32_t> break_cycles(ParentLists& lists, std::vector<Cycle>& cycles);

// For each node itself and all its ancestors, ascending; `order` as break_cycles gives it.
// ResourceError if that would be more than 2^29 values.
ParentLists close_upwards(const ParentLists& lists, const std::vector<int32_t>& order);

}  // namespace sequela
