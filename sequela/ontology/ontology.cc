// ontology.parquet: one row per node, ascending by code. code string, description string (null =
// none), parent_codes list<string> ascending, in_data bool, count int64.
#include "sequela/ontology/ontology.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/io/parquet.h"
#include "sequela/ontology/graph.h"

namespace sequela {
namespace {

constexpr size_t kCyclesNamed = 20;
constexpr size_t kCodesNamed = 8;  // of one cycle

// The index of `code` in the sorted `codes`, or -1.
int32_t index_of(const std::vector<std::string>& codes, std::string_view code) {
  const auto place = std::lower_bound(codes.begin(), codes.end(), code);
  return place != codes.end() && *place == code ? static_cast<int32_t>(place - codes.begin()) : -1;
}

void check_distinct(const std::vector<Ontology::Node>& nodes) {
  for (size_t i = 1; i < nodes.size(); ++i) {
    if (nodes[i].code != nodes[i - 1].code) continue;
    throw DataError({}, str("the code '", nodes[i].code, "' stands there twice"),
                    "keep one row per code");
  }
}

// Makes a node of each parent that is none yet. Needs and keeps the order by code.
void add_missing_parents(std::vector<Ontology::Node>& nodes) {
  auto by_code = [](const Ontology::Node& a, const Ontology::Node& b) { return a.code < b.code; };
  std::vector<std::string> missing;
  for (const auto& node : nodes) {
    for (const auto& parent : node.parents) {
      if (!std::binary_search(nodes.begin(), nodes.end(), Ontology::Node{parent}, by_code)) {
        missing.push_back(parent);
      }
    }
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  const auto middle = static_cast<int64_t>(nodes.size());
  for (auto& code : missing) nodes.push_back({std::move(code)});
  std::inplace_merge(nodes.begin(), nodes.begin() + middle, nodes.end(), by_code);
}

void warn_of_cycles(const std::vector<Cycle>& cycles, const std::vector<std::string>& codes) {
  for (size_t i = 0; i < std::min(cycles.size(), kCyclesNamed); ++i) {
    const Cycle& cycle = cycles[i];
    std::string way;
    for (size_t k = 0; k < std::min(cycle.size(), kCodesNamed); ++k)
      way += codes[cycle[k]] + " -> ";
    if (cycle.size() > kCodesNamed) way += str("(", cycle.size() - kCodesNamed, " more) -> ");
    log_warning(str("ontology: the codes form a cycle ", way, codes[cycle.front()],
                    "; the edge from '", codes[cycle.back()], "' to '", codes[cycle.front()],
                    "' is left out"));
  }
  if (cycles.size() > kCyclesNamed) {
    log_warning(str("ontology: ", cycles.size() - kCyclesNamed, " more cycles were broken"));
  }
}

}  // namespace

Ontology Ontology::build(std::vector<Node> nodes) {
  std::sort(nodes.begin(), nodes.end(),
            [](const Node& a, const Node& b) { return a.code < b.code; });
  check_distinct(nodes);
  add_missing_parents(nodes);
  Ontology ontology;
  for (auto& node : nodes) {
    ontology.codes_.push_back(std::move(node.code));
    ontology.descriptions_.push_back(std::move(node.description));
    ontology.in_data_.push_back(node.in_data ? 1 : 0);
    ontology.counts_.push_back(node.count);
  }
  std::vector<std::pair<int32_t, int32_t>> edges;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& parent : nodes[i].parents) {
      edges.emplace_back(static_cast<int32_t>(i), index_of(ontology.codes_, parent));
    }
  }
  ParentLists lists = to_parent_lists(ontology.num_nodes(), edges);
  std::vector<Cycle> cycles;
  const std::vector<int32_t> order = break_cycles(lists, cycles);
  warn_of_cycles(cycles, ontology.codes_);
  ontology.num_broken_edges_ = static_cast<int64_t>(cycles.size());
  ParentLists closure = close_upwards(lists, order);
  ontology.parents_ = std::move(lists.values);
  ontology.parent_offsets_ = std::move(lists.offsets);
  ontology.closure_ = std::move(closure.values);
  ontology.closure_offsets_ = std::move(closure.offsets);
  return ontology;
}

std::optional<int32_t> Ontology::find(std::string_view code) const {
  const int32_t node = index_of(codes_, code);
  return node < 0 ? std::nullopt : std::optional(node);
}

std::vector<int32_t> Ontology::nodes_of(const std::vector<std::string>& codes) const {
  std::vector<int32_t> nodes;
  nodes.reserve(codes.size());
  for (const auto& code : codes) {
    nodes.push_back(index_of(codes_, code));
    SEQUELA_CHECK(nodes.back() >= 0);
  }
  return nodes;
}

Ontology Ontology::read(const std::string& path) {
  ParquetReader reader(path);
  // The column's name in bundles of version 0.1.
  const char* parents_name = reader.find_column("parents") ? "parents" : "parent_codes";
  const std::vector<int> columns = {reader.require_column("code", {ColumnType::string}),
                                    reader.require_column("description", {ColumnType::string}),
                                    reader.require_column(parents_name, {ColumnType::string_list}),
                                    reader.require_column("in_data", {ColumnType::boolean}),
                                    reader.require_column("count", {ColumnType::int64})};
  std::vector<Node> nodes;
  reader.read(columns, [&](const RowBatch& batch) {
    const auto& [codes, descriptions, parents, in_data, counts] = std::tie(
        batch.columns[0], batch.columns[1], batch.columns[2], batch.columns[3], batch.columns[4]);
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (!codes.is_valid(i)) {
        throw DataError({path, batch.row_group, batch.first_row + i, "code"}, "a null code",
                        "prepare the ontology again");
      }
      Node node{std::string(codes.text(i))};
      if (descriptions.is_valid(i)) node.description = descriptions.text(i);
      if (parents.is_valid(i)) {
        for (int64_t k = parents.list_offsets[i]; k < parents.list_offsets[i + 1]; ++k) {
          node.parents.emplace_back(parents.text(k));
        }
      }
      node.in_data = in_data.is_valid(i) && in_data.booleans[i] != 0;
      node.count = counts.is_valid(i) ? counts.int64s[i] : 0;
      nodes.push_back(std::move(node));
    }
  });
  try {
    return build(std::move(nodes));
  } catch (const DataError& error) {
    throw error.within({path});
  }
}

void Ontology::write(const std::string& path) const {
  std::vector<std::vector<std::string>> parent_codes(codes_.size());
  std::vector<uint8_t> is_described(codes_.size());
  for (int32_t node = 0; node < num_nodes(); ++node) {
    for (const int32_t parent : parents(node)) parent_codes[node].push_back(codes_[parent]);
    is_described[node] = descriptions_[node].empty() ? 0 : 1;
  }
  write_parquet(path, {{"code", codes_},
                       {"description", descriptions_, std::move(is_described)},
                       {"parent_codes", std::move(parent_codes)},
                       {"in_data", in_data_},
                       {"count", counts_}});
}

}  // namespace sequela
