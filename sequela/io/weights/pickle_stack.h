#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"

namespace sequela {

// The pickle machine's stack with its marks, and its memo. What a program may not do, such as take
// a value that is not there, throws FileError.
class PickleStack {
 public:
  explicit PickleStack(const std::string& path) : path_(path) {}

  void push(const Cell& cell) { cells_.push_back(cell); }
  void push_integer(int64_t value) {
    Cell cell{.kind = CellKind::integer};
    cell.integer = value;
    push(cell);
  }
  void push_bool(bool value) {
    Cell cell{.kind = CellKind::boolean};
    cell.integer = value ? 1 : 0;
    push(cell);
  }
  void push_mark() { marks_.push_back(cells_.size()); }
  bool has_marks() const { return !marks_.empty(); }

  const Cell& top() {
    need(1);
    return cells_.back();
  }
  Cell pop() {
    need(1);
    const Cell cell = cells_.back();
    cells_.pop_back();
    return cell;
  }
  std::vector<Cell> pop_last(size_t count) {
    need(count);
    std::vector<Cell> cells(cells_.end() - static_cast<ptrdiff_t>(count), cells_.end());
    cells_.resize(cells_.size() - count);
    return cells;
  }
  std::vector<Cell> pop_to_mark() {
    if (marks_.empty()) fail_order();
    std::vector<Cell> cells = pop_last(cells_.size() - marks_.back());
    marks_.pop_back();
    return cells;
  }

  // Keeps the top. Picklers number what they keep from 0 or 1 on, one at a time; so an index is
  // below `max_index`, the bytes of the program so far.
  void memoise(uint64_t index, uint64_t max_index) {
    if (index > max_index) fail_weights(path_, "is no valid pickle: a memo number too large");
    if (index >= memo_.size()) memo_.resize(index + 1, Cell{.kind = CellKind::mark});
    memo_[index] = top();
  }
  void memoise_next() { memo_.push_back(top()); }
  void recall(uint64_t index) {
    if (index >= memo_.size() || memo_[index].kind == CellKind::mark) fail_order();
    push(memo_[index]);
  }

  [[noreturn]] void fail_order() const {
    fail_weights(path_, "is no valid pickle: a value is missing or of the wrong kind");
  }

 private:
  // Values below the last mark belong to what was begun before it.
  void need(size_t count) const {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (cells_.size() - floor < count) fail_order();
  }

  const std::string& path_;
  std::vector<Cell> cells_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<Cell> memo_;
};

}  // namespace sequela
