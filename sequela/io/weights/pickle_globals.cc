// What torch.save writes of a tensor: a call of torch._utils._rebuild_tensor_v2(storage, offset,
// size, stride, requires_grad, hooks), where the storage is a persistent id ("storage",
// torch.FloatStorage, key, device, elements). A Parameter is _rebuild_parameter(tensor, ...). Types
// without a storage class of their own use UntypedStorage (counted in bytes) and
// _rebuild_tensor_v3, whose seventh argument is the dtype. In the older format a sixth part of the
// persistent id may say (key, offset, elements) of a part of the storage. Source:
// torch/serialization.py, torch/_utils.py.
#include <utility>

#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"

namespace sequela {
namespace {

constexpr size_t kMaxRank = 16;
constexpr size_t kMaxArguments = 16;
constexpr size_t kMaxKeyBytes = 64;

struct TypeName {
  const char* storage;  // nullptr: none of its own
  const char* dtype;
  DType type;
};

constexpr TypeName kTypes[] = {
    {"FloatStorage", "float32", DType::float32},
    {"DoubleStorage", "float64", DType::float64},
    {"HalfStorage", "float16", DType::float16},
    {"BFloat16Storage", "bfloat16", DType::bfloat16},
    {"LongStorage", "int64", DType::int64},
    {"IntStorage", "int32", DType::int32},
    {"ShortStorage", "int16", DType::int16},
    {"CharStorage", "int8", DType::int8},
    {"ByteStorage", "uint8", DType::uint8},
    {"BoolStorage", "bool", DType::boolean},
    {nullptr, "uint16", DType::uint16},
    {nullptr, "uint32", DType::uint32},
    {nullptr, "uint64", DType::uint64},
    {nullptr, "float8_e5m2", DType::float8_e5m2},
    {nullptr, "float8_e4m3fn", DType::float8_e4m3},
};

struct FunctionName {
  const char* module;
  const char* name;
  PickleGlobal global;
};

constexpr FunctionName kFunctions[] = {
    {"collections", "OrderedDict", PickleGlobal::ordered_dict},
    {"builtins", "set", PickleGlobal::set},
    {"__builtin__", "set", PickleGlobal::set},
    {"torch", "Size", PickleGlobal::size},
    {"torch._utils", "_rebuild_tensor", PickleGlobal::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::rebuild_tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", PickleGlobal::rebuild_tensor_v3},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::rebuild_parameter},
    {"torch._utils", "_rebuild_parameter_with_state", PickleGlobal::rebuild_parameter},
    {"torch.storage", "UntypedStorage", PickleGlobal::untyped_storage},
    {"torch", "UntypedStorage", PickleGlobal::untyped_storage},
};

Cell make_global(PickleGlobal global, DType dtype = DType::float32) {
  return Cell{.kind = CellKind::global, .global = global, .dtype = dtype};
}

[[noreturn]] void fail_arguments(const std::string& path) {
  fail_weights(path, "describes a tensor in a way not known");
}

int64_t to_count(const Cell& cell, const std::string& path) {
  if (cell.kind != CellKind::integer || cell.integer < 0) fail_arguments(path);
  return cell.integer;
}

std::vector<int64_t> to_counts(const PickleHeap& heap, const Cell& cell, const std::string& path) {
  if (cell.kind != CellKind::tuple && cell.kind != CellKind::list) fail_arguments(path);
  const std::vector<Cell>& cells = heap.containers[cell.id];
  if (cells.size() > kMaxRank) fail_arguments(path);
  std::vector<int64_t> counts;
  for (const Cell& count : cells) counts.push_back(to_count(count, path));
  return counts;
}

Cell rebuild_tensor(PickleHeap* heap, const Cell& global, const std::vector<Cell>& arguments,
                    const std::string& path) {
  const bool has_dtype = global.global == PickleGlobal::rebuild_tensor_v3;
  if (arguments.size() < (has_dtype ? 7 : 4) || arguments[0].kind != CellKind::storage) {
    fail_arguments(path);
  }
  const PickleStorage& storage = heap->storages[arguments[0].id];
  DType dtype = storage.dtype;
  if (has_dtype) {
    const Cell& given = arguments[6];
    if (given.kind != CellKind::global || given.global != PickleGlobal::dtype) fail_arguments(path);
    dtype = given.dtype;
  }
  // A storage and a tensor of different types share bytes, as with UntypedStorage.
  const int64_t per_element = storage.is_untyped ? dtype_size(dtype) : 1;
  if (!storage.is_untyped && dtype_size(dtype) != dtype_size(storage.dtype)) fail_arguments(path);
  PickleTensor tensor{.storage = std::string(storage.key), .dtype = dtype};
  tensor.storage_bytes = storage.num_bytes();
  tensor.offset = to_count(arguments[1], path);
  tensor.shape = to_counts(*heap, arguments[2], path);
  tensor.strides = to_counts(*heap, arguments[3], path);
  if (tensor.strides.size() != tensor.shape.size() ||
      __builtin_add_overflow(tensor.offset, storage.offset / per_element, &tensor.offset)) {
    fail_arguments(path);
  }
  heap->tensors.push_back(std::move(tensor));
  return Cell::make_id(CellKind::tensor, heap->tensors.size() - 1);
}

// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]); the list is used up.
Cell make_dict(PickleHeap* heap, const std::vector<Cell>& arguments, const std::string& path) {
  if (arguments.empty()) return heap->add_container(CellKind::dict);
  if (arguments[0].kind != CellKind::list) fail_arguments(path);
  std::vector<Cell> cells;
  for (const Cell& pair : std::exchange(heap->containers[arguments[0].id], {})) {
    if (pair.kind != CellKind::list && pair.kind != CellKind::tuple) fail_arguments(path);
    const std::vector<Cell>& key_and_value = heap->containers[pair.id];
    if (key_and_value.size() != 2) fail_arguments(path);
    cells.insert(cells.end(), key_and_value.begin(), key_and_value.end());
  }
  return heap->add_container(CellKind::dict, std::move(cells));
}

// set(list) and Size(tuple): the same values in a container of their own.
Cell copy_sequence(PickleHeap* heap, CellKind kind, const std::vector<Cell>& arguments,
                   const std::string& path) {
  if (arguments.empty()) return heap->add_container(kind);
  if (arguments[0].kind != CellKind::list && arguments[0].kind != CellKind::tuple) {
    fail_arguments(path);
  }
  return Cell::make_id(kind, arguments[0].id);
}

}  // namespace

Cell find_pickle_global(std::string_view module, std::string_view name, const std::string& path) {
  for (const FunctionName& known : kFunctions) {
    if (module == known.module && name == known.name) return make_global(known.global);
  }
  if (module == "torch") {
    for (const TypeName& known : kTypes) {
      if (known.storage != nullptr && name == known.storage) {
        return make_global(PickleGlobal::storage, known.type);
      }
      if (name == known.dtype) return make_global(PickleGlobal::dtype, known.type);
    }
  }
  if (module == "torch" && name.ends_with("Storage")) {
    fail_weights(path, str("holds tensors of a type not known here (", printable(name), ")"));
  }
  throw FileError(
      path,
      str("holds Python code (", printable(module), ".", printable(name), "), which is not run"),
      "re-save the model's tensors alone, with safetensors");
}

Cell call_pickle_global(PickleHeap* heap, const Cell& global, size_t arguments_id,
                        const std::string& path) {
  if (heap->containers[arguments_id].size() > kMaxArguments) fail_arguments(path);
  const std::vector<Cell> arguments = heap->containers[arguments_id];
  switch (global.global) {
    case PickleGlobal::ordered_dict:
      return make_dict(heap, arguments, path);
    case PickleGlobal::set:
      return copy_sequence(heap, CellKind::list, arguments, path);
    case PickleGlobal::size:
      return copy_sequence(heap, CellKind::tuple, arguments, path);
    case PickleGlobal::rebuild_tensor:
    case PickleGlobal::rebuild_tensor_v2:
    case PickleGlobal::rebuild_tensor_v3:
      return rebuild_tensor(heap, global, arguments, path);
    case PickleGlobal::rebuild_parameter:
      if (arguments.empty() || arguments[0].kind != CellKind::tensor) fail_arguments(path);
      return arguments[0];
    case PickleGlobal::storage:
    case PickleGlobal::untyped_storage:
    case PickleGlobal::dtype:
      break;
  }
  fail_arguments(path);
}

Cell load_pickle_storage(PickleHeap* heap, const Cell& persistent_id, const std::string& path) {
  if (persistent_id.kind != CellKind::tuple) fail_arguments(path);
  const std::vector<Cell>& parts = heap->containers[persistent_id.id];
  if (parts.size() < 5 || parts[0].kind != CellKind::text ||
      heap->texts[parts[0].id] != "storage" || parts[1].kind != CellKind::global ||
      parts[2].kind != CellKind::text) {
    fail_arguments(path);
  }
  PickleStorage storage{.key = heap->texts[parts[2].id], .dtype = parts[1].dtype};
  storage.is_untyped = parts[1].global == PickleGlobal::untyped_storage;
  if (storage.is_untyped) {
    storage.dtype = DType::uint8;
  } else if (parts[1].global != PickleGlobal::storage) {
    fail_arguments(path);
  }
  storage.size = to_count(parts[4], path);
  if (storage.key.size() > kMaxKeyBytes || storage.size > INT64_MAX / dtype_size(storage.dtype)) {
    fail_arguments(path);
  }
  if (parts.size() > 5 && parts[5].kind == CellKind::tuple) {
    const std::vector<Cell>& view = heap->containers[parts[5].id];
    if (view.size() != 3) fail_arguments(path);
    storage.offset = to_count(view[1], path);
  }
  heap->storages.push_back(storage);
  return Cell::make_id(CellKind::storage, heap->storages.size() - 1);
}

}  // namespace sequela
