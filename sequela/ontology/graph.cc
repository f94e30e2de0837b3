#include "sequela/ontology/graph.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

constexpr int32_t kNodesPerCheck = 4'096;
// A whole Athena download has some 200 million pairs of a code and an ancestor.
constexpr size_t kMaxClosure = size_t{1} << 29;

enum class Visit : uint8_t { none, open, closed };

// A node on the path of the walk, and the position of its next edge.
struct Step {
  int32_t node;
  int64_t next;
};

Cycle cycle_of(const std::vector<Step>& path, int32_t first) {
  Cycle cycle;
  auto step = path.end();
  while ((--step)->node != first) {
  }
  for (; step != path.end(); ++step) cycle.push_back(step->node);
  return cycle;
}

// Takes out the edges marked in `is_broken`.
void remove_edges(ParentLists& lists, const std::vector<uint8_t>& is_broken) {
  int64_t kept = 0;
  int64_t edge = 0;
  for (int32_t node = 0; node < lists.num_nodes(); ++node) {
    const int64_t end = lists.offsets[node + 1];
    for (; edge < end; ++edge) {
      if (!is_broken[edge]) lists.values[kept++] = lists.values[edge];
    }
    lists.offsets[node + 1] = kept;
  }
  lists.values.resize(kept);
}

}  // namespace

ParentLists to_parent_lists(int32_t num_nodes,
                            const std::vector<std::pair<int32_t, int32_t>>& edges) {
  ParentLists lists;
  lists.offsets.assign(static_cast<size_t>(num_nodes) + 1, 0);
  for (const auto& [child, parent] : edges) ++lists.offsets[child + 1];
  for (int32_t i = 0; i < num_nodes; ++i) lists.offsets[i + 1] += lists.offsets[i];
  lists.values.resize(edges.size());
  std::vector<int64_t> next(lists.offsets.begin(), lists.offsets.end() - 1);
  for (const auto& [child, parent] : edges) lists.values[next[child]++] = parent;
  int64_t kept = 0;
  int64_t begin = 0;
  for (int32_t i = 0; i < num_nodes; ++i) {
    const auto first = lists.values.begin() + begin;
    const auto last = lists.values.begin() + lists.offsets[i + 1];
    begin = lists.offsets[i + 1];
    std::sort(first, last);
    const auto end = std::unique(first, last);
    kept = std::move(first, end, lists.values.begin() + kept) - lists.values.begin();
    lists.offsets[i + 1] = kept;
  }
  lists.values.resize(kept);
  return lists;
}

std::vector<int32_t> break_cycles(ParentLists& lists, std::vector<Cycle>& cycles) {
  const int32_t num_nodes = lists.num_nodes();
  std::vector<Visit> visits(num_nodes, Visit::none);
  std::vector<uint8_t> is_broken(lists.values.size(), 0);
  std::vector<int32_t> order;
  order.reserve(num_nodes);
  std::vector<Step> path;
  auto enter = [&](int32_t node) {
    visits[node] = Visit::open;
    path.push_back({node, lists.offsets[node]});
  };
  for (int32_t root = 0; root < num_nodes; ++root) {
    if (root % kNodesPerCheck == 0) throw_if_stopped();
    if (visits[root] == Visit::none) enter(root);
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == lists.offsets[step.node + 1]) {
        visits[step.node] = Visit::closed;
        order.push_back(step.node);
        path.pop_back();
        continue;
      }
      const int64_t edge = step.next++;
      const int32_t parent = lists.values[edge];
      if (visits[parent] == Visit::none) {
        enter(parent);
      } else if (visits[parent] == Visit::open) {
        is_broken[edge] = 1;
        cycles.push_back(cycle_of(path, parent));
      }
    }
  }
  if (!cycles.empty()) remove_edges(lists, is_broken);
  return order;
}

ParentLists close_upwards(const ParentLists& lists, const std::vector<int32_t>& order) {
  const int32_t num_nodes = lists.num_nodes();
  std::vector<int32_t> closure;                             // in the order of `order`
  std::vector<int64_t> starts(num_nodes), ends(num_nodes);  // by node, within `closure`
  std::vector<int32_t> seen_by(num_nodes, -1);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i % kNodesPerCheck == 0) throw_if_stopped();
    if (closure.size() > kMaxClosure) {
      throw ResourceError(
          str("ontology: more than ", kMaxClosure, " pairs of a code and an ancestor; ",
              "no vocabulary is so dense. Fix: check the parents in the input files."));
    }
    const int32_t node = order[i];
    starts[node] = static_cast<int64_t>(closure.size());
    closure.push_back(node);
    for (const int32_t parent : lists.of(node)) {
      for (int64_t k = starts[parent]; k < ends[parent]; ++k) {
        const int32_t ancestor = closure[k];
        if (seen_by[ancestor] == node) continue;
        seen_by[ancestor] = node;
        closure.push_back(ancestor);
      }
    }
    ends[node] = static_cast<int64_t>(closure.size());
    std::sort(closure.begin() + starts[node], closure.end());
  }
  ParentLists result;
  result.offsets.resize(static_cast<size_t>(num_nodes) + 1);
  result.values.reserve(closure.size());
  for (int32_t node = 0; node < num_nodes; ++node) {
    result.values.insert(result.values.end(), closure.begin() + starts[node],
                         closure.begin() + ends[node]);
    result.offsets[node + 1] = static_cast<int64_t>(result.values.size());
  }
  return result;
}

}  // namespace sequela
