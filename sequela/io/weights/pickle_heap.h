#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/io/weights/pickle.h"

namespace sequela {

// What the pickle machine works on. A value is a cell of 16 bytes; what does not fit lies in the
// heap and is known by its number, so that shared values, and lists inside themselves, need no
// ownership.
enum class CellKind : uint8_t {
  none,
  boolean,
  integer,
  number,
  text,   // of texts
  bytes,  // of texts
  list,   // of containers, as are tuple and dict; a set is a list
  tuple,
  dict,     // key, value, key, value
  storage,  // of storages
  tensor,   // of tensors
  global,   // a PickleGlobal
  mark,     // an empty place of the memo
};

enum class PickleGlobal : uint8_t {
  ordered_dict,
  set,
  size,
  rebuild_tensor,
  rebuild_tensor_v2,
  rebuild_tensor_v3,
  rebuild_parameter,
  storage,          // with a DType
  untyped_storage,  // bytes
  dtype,            // with a DType
};

struct Cell {
  CellKind kind = CellKind::none;
  PickleGlobal global = PickleGlobal::ordered_dict;
  DType dtype = DType::float32;
  union {
    int64_t integer = 0;
    double number;
    size_t id;
  };

  static Cell make_id(CellKind kind, size_t id) {
    Cell cell{.kind = kind};
    cell.id = id;
    return cell;
  }
};

// A storage as a persistent id names it; an older file may name a part of one.
struct PickleStorage {
  std::string_view key;
  DType dtype = DType::float32;  // uint8 if untyped
  bool is_untyped = false;
  int64_t size = 0;    // elements
  int64_t offset = 0;  // in elements: where this part starts in the storage

  int64_t num_bytes() const { return size * dtype_size(dtype); }  // checked when it was read
};

struct PickleHeap {
  std::vector<std::string_view> texts;
  std::vector<std::vector<Cell>> containers;
  std::vector<PickleStorage> storages;
  std::vector<PickleTensor> tensors;

  Cell add_text(CellKind kind, std::string_view text) {
    texts.push_back(text);
    return Cell::make_id(kind, texts.size() - 1);
  }
  Cell add_container(CellKind kind, std::vector<Cell> cells = {}) {
    containers.push_back(std::move(cells));
    return Cell::make_id(kind, containers.size() - 1);
  }
};

// One pickle, run to its end: its value, the storages that it names, the bytes that it took. The
// storages' keys lie in those bytes.
struct PickleResult {
  PickleValue value;
  std::vector<PickleStorage> storages;
  size_t num_bytes = 0;
};

PickleResult run_pickle(std::span<const std::byte> bytes, const std::string& path);

// The global `module.name`; throws FileError if it is not on the list of those allowed.
Cell find_pickle_global(std::string_view module, std::string_view name, const std::string& path);

// The result of calling a global with a tuple's values. Throws FileError if they do not fit.
Cell call_pickle_global(PickleHeap* heap, const Cell& global, size_t arguments,
                        const std::string& path);

// The storage that torch's persistent id, a tuple, names.
Cell load_pickle_storage(PickleHeap* heap, const Cell& persistent_id, const std::string& path);

// The value as a tree; checks depth and size (see read_pickle). `num_bytes`: of the pickle.
PickleValue to_pickle_value(const PickleHeap& heap, const Cell& root, size_t num_bytes,
                            const std::string& path);

}  // namespace sequela
