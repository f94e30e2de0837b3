#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

// A directed acyclic graph of codes (docs/design.md, section 3). Nodes are numbered by their code,
// sorted bytewise.
class Ontology {
 public:
  // A node as ontology.parquet has it (code, description, parent_codes, in_data, count).
  struct Node {
    std::string code;
    std::string description;  // empty = none
    std::vector<std::string> parents;
    bool in_data = false;
    int64_t count = 0;
  };

  Ontology() = default;
  // Sorts the nodes, links parents (a parent that is no node becomes one, a parent named twice
  // counts once), breaks cycles (graph.h; each broken edge is logged as a warning) and closes the
  // graph. The result does not depend on the order of nodes or parents. Two nodes of one code are a
  // DataError.
  static Ontology build(std::vector<Node> nodes);
  static Ontology read(const std::string& path);  // DataError / FileError
  void write(const std::string& path) const;      // atomic

  int32_t num_nodes() const { return static_cast<int32_t>(codes_.size()); }
  int64_t num_edges() const { return static_cast<int64_t>(parents_.size()); }
  const std::string& code(int32_t node) const { return codes_[node]; }
  const std::string& description(int32_t node) const { return descriptions_[node]; }
  bool in_data(int32_t node) const { return in_data_[node] != 0; }
  int64_t count(int32_t node) const { return counts_[node]; }
  std::optional<int32_t> find(std::string_view code) const;

  // Ascending, without the node itself.
  std::span<const int32_t> parents(int32_t node) const {
    return slice(parents_, parent_offsets_, node);
  }
  // The node itself and all its ancestors, ascending.
  std::span<const int32_t> all_parents(int32_t node) const {
    return slice(closure_, closure_offsets_, node);
  }
  // The node of each code of a data set (all codes of the data are nodes after prune_to_data()); a
  // code without a node is a std::logic_error.
  std::vector<int32_t> nodes_of(const std::vector<std::string>& codes) const;
  // Edges that build() took out because they closed a cycle; 0 for what read() gives.
  int64_t num_broken_edges() const { return num_broken_edges_; }

 private:
  static std::span<const int32_t> slice(const std::vector<int32_t>& values,
                                        const std::vector<int64_t>& offsets, int32_t node) {
    return {values.data() + offsets[node], static_cast<size_t>(offsets[node + 1] - offsets[node])};
  }

  std::vector<std::string> codes_;
  std::vector<std::string> descriptions_;
  std::vector<uint8_t> in_data_;
  std::vector<int64_t> counts_;
  std::vector<int32_t> parents_;
  std::vector<int64_t> parent_offsets_ = {0};
  std::vector<int32_t> closure_;
  std::vector<int64_t> closure_offsets_ = {0};
  int64_t num_broken_edges_ = 0;
};

}  // namespace sequela
