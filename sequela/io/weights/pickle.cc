// Layout: a pickle is a program of one-byte instructions for a machine with a stack, a memo and
// marks on the stack; its arguments follow an instruction. See Python's pickletools.py for all of
// them; those of protocols 0 and 1 that no pickler of protocol 2 or later writes are not known
// here, nor are those that make objects of a class.
#include "sequela/io/weights/pickle.h"

#include <bit>

#include "sequela/io/file.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"
#include "sequela/io/weights/pickle_stack.h"

namespace sequela {
namespace {

constexpr int kMaxProtocol = 5;

// Each run_... takes the instructions of its kind and says whether `code` was one.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const std::string& path)
      : reader_(bytes, path), stack_(path) {}

  PickleResult run() {
    if (reader_.value<uint8_t>() != 0x80) reader_.fail("is no pickle of protocol 2 or later");
    if (reader_.value<uint8_t>() > kMaxProtocol) reader_.fail("is a pickle of an unknown protocol");
    for (auto code = reader_.value<uint8_t>(); code != '.'; code = reader_.value<uint8_t>()) {
      const bool is_known = run_number(code) || run_text(code) || run_constant(code) ||
                            run_container(code) || run_extension(code) || run_memo(code) ||
                            run_object(code);
      if (!is_known) reader_.fail(str("holds a pickle instruction not known (", int{code}, ")"));
    }
    if (stack_.has_marks()) stack_.fail_order();
    const size_t num_bytes = reader_.position();
    PickleValue value = to_pickle_value(heap_, stack_.pop(), num_bytes, reader_.path());
    return {std::move(value), std::move(heap_.storages), num_bytes};
  }

 private:
  void push_long(uint64_t size) {
    const std::span<const std::byte> bytes = reader_.take(size);
    if (size > sizeof(int64_t)) {  // kept as it stands: torch's magic number is such a one
      const auto* text = reinterpret_cast<const char*>(bytes.data());
      return stack_.push(heap_.add_text(CellKind::bytes, {text, bytes.size()}));
    }
    const bool is_negative = size > 0 && (bytes.back() & std::byte{0x80}) != std::byte{0};
    int64_t value = is_negative ? -1 : 0;
    if (size > 0) std::memcpy(&value, bytes.data(), size);
    stack_.push_integer(value);
  }

  void push_double() {
    Cell cell{.kind = CellKind::number};
    cell.number = std::bit_cast<double>(__builtin_bswap64(reader_.value<uint64_t>()));
    stack_.push(cell);
  }

  bool run_number(uint8_t code) {
    switch (code) {
      case 'J':
        return stack_.push_integer(reader_.value<int32_t>()), true;
      case 'K':
        return stack_.push_integer(reader_.value<uint8_t>()), true;
      case 'M':
        return stack_.push_integer(reader_.value<uint16_t>()), true;
      case 0x8a:
        return push_long(reader_.value<uint8_t>()), true;
      case 0x8b:
        return push_long(reader_.value<uint32_t>()), true;
      case 'G':
        return push_double(), true;
      default:
        return false;
    }
  }

  bool run_constant(uint8_t code) {
    switch (code) {
      case 'N':
        return stack_.push({}), true;
      case 0x88:
        return stack_.push_bool(true), true;
      case 0x89:
        return stack_.push_bool(false), true;
      case 0x95:
        return reader_.take(sizeof(uint64_t)), true;  // a frame's length: not needed
      default:
        return false;
    }
  }

  // Bytes of a text's length, and its kind; T and U are texts of Python 2.
  bool run_text(uint8_t code) {
    switch (code) {
      case 0x8c:
      case 'U':
        return push_text<uint8_t>(CellKind::text), true;
      case 'X':
      case 'T':
        return push_text<uint32_t>(CellKind::text), true;
      case 0x8d:
        return push_text<uint64_t>(CellKind::text), true;
      case 'C':
        return push_text<uint8_t>(CellKind::bytes), true;
      case 'B':
        return push_text<uint32_t>(CellKind::bytes), true;
      case 0x8e:
        return push_text<uint64_t>(CellKind::bytes), true;
      default:
        return false;
    }
  }

  template <class Length>
  void push_text(CellKind kind) {
    stack_.push(heap_.add_text(kind, reader_.text(reader_.value<Length>())));
  }

  void push_container(CellKind kind, std::vector<Cell> cells = {}) {
    if (kind == CellKind::dict && cells.size() % 2 != 0) stack_.fail_order();
    stack_.push(heap_.add_container(kind, std::move(cells)));
  }

  bool run_container(uint8_t code) {
    switch (code) {
      case '(':
        return stack_.push_mark(), true;
      case ']':
      case 0x8f:
        return push_container(CellKind::list), true;
      case ')':
        return push_container(CellKind::tuple), true;
      case '}':
        return push_container(CellKind::dict), true;
      case 'l':
      case 0x91:
        return push_container(CellKind::list, stack_.pop_to_mark()), true;
      case 't':
        return push_container(CellKind::tuple, stack_.pop_to_mark()), true;
      case 'd':
        return push_container(CellKind::dict, stack_.pop_to_mark()), true;
      case 0x85:
      case 0x86:
      case 0x87:
        return push_container(CellKind::tuple, stack_.pop_last(code - 0x84u)), true;
      default:
        return false;
    }
  }

  // Adds to the list or dict on top of the stack.
  void extend(CellKind kind, const std::vector<Cell>& cells) {
    const Cell& top = stack_.top();
    if (top.kind != kind || (kind == CellKind::dict && cells.size() % 2 != 0)) stack_.fail_order();
    std::vector<Cell>& held = heap_.containers[top.id];
    held.insert(held.end(), cells.begin(), cells.end());
  }

  bool run_extension(uint8_t code) {
    switch (code) {
      case 'a':
        return extend(CellKind::list, stack_.pop_last(1)), true;
      case 'e':
      case 0x90:
        return extend(CellKind::list, stack_.pop_to_mark()), true;
      case 's':
        return extend(CellKind::dict, stack_.pop_last(2)), true;
      case 'u':
        return extend(CellKind::dict, stack_.pop_to_mark()), true;
      default:
        return false;
    }
  }

  bool run_memo(uint8_t code) {
    const size_t position = reader_.position();
    switch (code) {
      case 'q':
        return stack_.memoise(reader_.value<uint8_t>(), position), true;
      case 'r':
        return stack_.memoise(reader_.value<uint32_t>(), position), true;
      case 0x94:
        return stack_.memoise_next(), true;
      case 'h':
        return stack_.recall(reader_.value<uint8_t>()), true;
      case 'j':
        return stack_.recall(reader_.value<uint32_t>()), true;
      case '0':
        return stack_.pop(), true;
      case '1':
        return stack_.pop_to_mark(), true;
      case '2':
        return stack_.push(Cell(stack_.top())), true;
      default:
        return false;
    }
  }

  std::string_view pop_text() {
    const Cell cell = stack_.pop();
    if (cell.kind != CellKind::text) stack_.fail_order();
    return heap_.texts[cell.id];
  }

  void push_global(std::string_view module, std::string_view name) {
    stack_.push(find_pickle_global(module, name, reader_.path()));
  }

  void call() {
    const Cell arguments = stack_.pop();
    const Cell callee = stack_.pop();
    if (callee.kind != CellKind::global || arguments.kind != CellKind::tuple) stack_.fail_order();
    stack_.push(call_pickle_global(&heap_, callee, arguments.id, reader_.path()));
  }

  bool run_object(uint8_t code) {
    switch (code) {
      case 'c': {
        const std::string_view module = reader_.line();
        return push_global(module, reader_.line()), true;
      }
      case 0x93: {
        const std::string_view name = pop_text();
        return push_global(pop_text(), name), true;
      }
      case 'R':
        return call(), true;
      case 'b':  // an object's attributes, such as a state dict's _metadata: not needed
        stack_.pop();
        return stack_.top(), true;
      case 'Q': {
        const Cell persistent_id = stack_.pop();
        return stack_.push(load_pickle_storage(&heap_, persistent_id, reader_.path())), true;
      }
      default:
        return false;
    }
  }

  ByteReader reader_;
  PickleHeap heap_;
  PickleStack stack_;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
  const Dict& entries = dict();
  for (size_t i = entries.size(); i > 0; --i) {
    const auto& [name, value] = entries[i - 1];
    if (name.is_text() && name.text() == key) return &value;
  }
  return nullptr;
}

PickleResult run_pickle(std::span<const std::byte> bytes, const std::string& path) {
  return PickleMachine(bytes, path).run();
}

PickleValue read_pickle(std::span<const std::byte> bytes, const std::string& path,
                        size_t* num_bytes_read) {
  PickleResult result = run_pickle(bytes, path);
  if (num_bytes_read != nullptr) *num_bytes_read = result.num_bytes;
  return std::move(result.value);
}

PickleValue read_pickle_file(const std::string& path) {
  const MappedFile file(path);
  size_t num_bytes = 0;
  PickleValue value = read_pickle({file.data(), file.size()}, path, &num_bytes);
  if (num_bytes != file.size()) fail_weights(path, "holds more than one pickle");
  return value;
}

}  // namespace sequela
