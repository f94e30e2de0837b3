#include <algorithm>

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"

namespace sequela {
namespace {

constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxSharing = 16;  // values that a walk meets, per byte of the pickle
constexpr uint64_t kFreeValues = 4096;

// Converts each container and text once, however often it is shared.
class TreeBuilder {
 public:
  TreeBuilder(const PickleHeap& heap, size_t num_bytes, const std::string& path)
      : heap_(heap),
        path_(path),
        max_values_(kMaxSharing * num_bytes + kFreeValues),
        containers_(heap.containers.size()),
        texts_(heap.texts.size()),
        tensors_(heap.tensors.size()) {}

  PickleValue convert(const Cell& cell, int depth) {
    switch (cell.kind) {
      case CellKind::boolean:
        return PickleValue(PickleValue::Content(cell.integer != 0));
      case CellKind::integer:
        return PickleValue(PickleValue::Content(cell.integer));
      case CellKind::number:
        return PickleValue(PickleValue::Content(cell.number));
      case CellKind::text:
      case CellKind::bytes:
        return convert_text(cell);
      case CellKind::list:
      case CellKind::tuple:
      case CellKind::dict:
        return convert_container(cell, depth);
      case CellKind::tensor:
        return convert_tensor(cell.id);
      default:
        return {};  // a type or a storage by itself says nothing
    }
  }

 private:
  // What a walk over a container's value meets.
  struct Converted {
    PickleValue value;
    CellKind kind = CellKind::none;  // none: not yet
    uint64_t num_values = 0;
    int height = 0;
  };

  PickleValue convert_text(const Cell& cell) {
    PickleValue& value = texts_[cell.id];
    if (!value.is_none()) return value;
    std::string text(heap_.texts[cell.id]);
    if (cell.kind == CellKind::text) {
      value = PickleValue(std::make_shared<const std::string>(std::move(text)));
    } else {
      value = PickleValue(std::make_shared<const PickleBytes>(PickleBytes{std::move(text)}));
    }
    return value;
  }

  PickleValue convert_tensor(size_t id) {
    PickleValue& value = tensors_[id];
    if (value.is_none()) {
      value = PickleValue(std::make_shared<const PickleTensor>(heap_.tensors[id]));
    }
    return value;
  }

  PickleValue convert_container(const Cell& cell, int depth) {
    Converted& known = containers_[cell.id];
    if (known.kind == CellKind::none) {
      if (depth >= kMaxDepth) fail_depth();
      known = build(cell, depth);
    }
    if (depth + known.height > kMaxDepth) fail_depth();
    return known.value;
  }

  Converted build(const Cell& cell, int depth) {
    const std::vector<Cell>& cells = heap_.containers[cell.id];
    Converted result{.kind = cell.kind, .num_values = 1, .height = 1};
    std::vector<PickleValue> values;
    values.reserve(cells.size());
    for (const Cell& child : cells) {
      values.push_back(convert(child, depth + 1));
      const bool is_container = values.back().is_list() || values.back().is_dict();
      result.num_values += is_container ? containers_[child.id].num_values : 1;
      if (result.num_values > max_values_) {
        fail_weights(path_, "shares its values too often to be walked over");
      }
      if (is_container) result.height = std::max(result.height, 1 + containers_[child.id].height);
    }
    result.value = cell.kind == CellKind::dict
                       ? make_dict(std::move(values))
                       : PickleValue(std::make_shared<const PickleValue::List>(std::move(values)));
    return result;
  }

  static PickleValue make_dict(std::vector<PickleValue> values) {
    PickleValue::Dict entries;
    entries.reserve(values.size() / 2);
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      entries.emplace_back(std::move(values[i]), std::move(values[i + 1]));
    }
    return PickleValue(std::make_shared<const PickleValue::Dict>(std::move(entries)));
  }

  [[noreturn]] void fail_depth() {
    fail_weights(path_, str("nests its values deeper than ", kMaxDepth, ", or one inside itself"));
  }

  const PickleHeap& heap_;
  const std::string& path_;
  const uint64_t max_values_;
  std::vector<Converted> containers_;
  std::vector<PickleValue> texts_;
  std::vector<PickleValue> tensors_;
};

}  // namespace

PickleValue to_pickle_value(const PickleHeap& heap, const Cell& root, size_t num_bytes,
                            const std::string& path) {
  return TreeBuilder(heap, num_bytes, path).convert(root, 0);
}

}  // namespace sequela
