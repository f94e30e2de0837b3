// Layout: a pickle is a program of one-byte instructions for a machine with a stack, a memo and
// marks on the stack; its arguments follow an instruction. See Python's pickletools.py for all of
// them; those of protocols 0 and 1 that no pickler of protocol 2 or later writes are not known
// here, nor are those that make objects of a class.
#include "sequela/io/weights/pickle.h"

#include <bit>

#include "sequela/io/file.h"
#include "sequela/io/weights/byte_reader.h"
#include "sequela/io/weights/pickle_heap.h"

namespace sequela {
namespace {

constexpr int kMaxProtocol = 5;

class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, const std::string& path) : reader_(bytes, path) {}

  PickleResult run() {
    if (reader_.value<uint8_t>() != 0x80) {
      reader_.fail("is no pickle of protocol 2 or later");
    }
    if (reader_.value<uint8_t>() > kMaxProtocol) reader_.fail("is a pickle of an unknown protocol");
    while (true) {
      const auto code = reader_.value<uint8_t>();
      if (code == '.') break;
      if (!run_value(code) && !run_container(code) && !run_memo(code) && !run_object(code)) {
        reader_.fail(str("holds an instruction that no data needs (", int{code}, ")"));
      }
    }
    if (!marks_.empty()) fail_order();
    const size_t num_bytes = reader_.position();
    PickleValue value = to_pickle_value(heap_, pop(), num_bytes, reader_.path());
    return {std::move(value), std::move(heap_.storages), num_bytes};
  }

 private:
  [[noreturn]] void fail_order() { reader_.fail("is no valid pickle: a value is missing"); }

  void push(const Cell& cell) { stack_.push_back(cell); }
  void push_integer(int64_t value) {
    Cell cell{.kind = CellKind::integer};
    cell.integer = value;
    push(cell);
  }
  void push_text(CellKind kind, uint64_t size) { push(heap_.add_text(kind, reader_.text(size))); }

  // Values below the last mark belong to what was begun before it.
  void need(size_t count) {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) fail_order();
  }
  Cell pop() {
    need(1);
    const Cell cell = stack_.back();
    stack_.pop_back();
    return cell;
  }
  std::vector<Cell> pop_last(size_t count) {
    need(count);
    std::vector<Cell> cells(stack_.end() - static_cast<ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return cells;
  }
  std::vector<Cell> pop_to_mark() {
    if (marks_.empty()) fail_order();
    std::vector<Cell> cells = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return cells;
  }

  void push_dict(std::vector<Cell> cells) {
    if (cells.size() % 2 != 0) fail_order();
    push(heap_.add_container(CellKind::dict, std::move(cells)));
  }

  // Adds to the list or dict on top of the stack.
  void extend(CellKind kind, const std::vector<Cell>& cells) {
    need(1);
    const Cell& top = stack_.back();
    if (top.kind != kind || (kind == CellKind::dict && cells.size() % 2 != 0)) fail_order();
    std::vector<Cell>& held = heap_.containers[top.id];
    held.insert(held.end(), cells.begin(), cells.end());
  }

  void push_long(uint64_t size) {
    const std::span<const std::byte> bytes = reader_.take(size);
    if (size > sizeof(int64_t)) {  // kept as it stands: torch's magic number is such a one
      const auto* text = reinterpret_cast<const char*>(bytes.data());
      return push(heap_.add_text(CellKind::bytes, {text, bytes.size()}));
    }
    const bool is_negative = size > 0 && (bytes.back() & std::byte{0x80}) != std::byte{0};
    int64_t value = is_negative ? -1 : 0;
    if (size > 0) std::memcpy(&value, bytes.data(), size);
    push_integer(value);
  }

  void push_double() {
    Cell cell{.kind = CellKind::number};
    cell.number = std::bit_cast<double>(__builtin_bswap64(reader_.value<uint64_t>()));
    push(cell);
  }

  void push_bool(bool value) {
    push_integer(value ? 1 : 0);
    stack_.back().kind = CellKind::boolean;
  }

  bool run_value(uint8_t code) {
    switch (code) {
      case 'N':
        push({});
        return true;
      case 0x88:
        push_bool(true);
        return true;
      case 0x89:
        push_bool(false);
        return true;
      case 'J':
        push_integer(reader_.value<int32_t>());
        return true;
      case 'K':
        push_integer(reader_.value<uint8_t>());
        return true;
      case 'M':
        push_integer(reader_.value<uint16_t>());
        return true;
      case 0x8a:
        push_long(reader_.value<uint8_t>());
        return true;
      case 0x8b:
        push_long(reader_.value<uint32_t>());
        return true;
      case 'G':
        push_double();
        return true;
      case 'X':
        push_text(CellKind::text, reader_.value<uint32_t>());
        return true;
      case 0x8c:
        push_text(CellKind::text, reader_.value<uint8_t>());
        return true;
      case 0x8d:
        push_text(CellKind::text, reader_.value<uint64_t>());
        return true;
      case 'T':
        push_text(CellKind::text, reader_.value<uint32_t>());
        return true;  // Python 2's str
      case 'U':
        push_text(CellKind::text, reader_.value<uint8_t>());
        return true;
      case 'B':
        push_text(CellKind::bytes, reader_.value<uint32_t>());
        return true;
      case 'C':
        push_text(CellKind::bytes, reader_.value<uint8_t>());
        return true;
      case 0x8e:
        push_text(CellKind::bytes, reader_.value<uint64_t>());
        return true;
      default:
        return false;
    }
  }

  bool run_container(uint8_t code) {
    switch (code) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case ']':
      case 0x8f:
        push(heap_.add_container(CellKind::list));
        return true;
      case ')':
        push(heap_.add_container(CellKind::tuple));
        return true;
      case '}':
        push_dict({});
        return true;
      case 'l':
      case 0x91:
        push(heap_.add_container(CellKind::list, pop_to_mark()));
        return true;
      case 't':
        push(heap_.add_container(CellKind::tuple, pop_to_mark()));
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push(heap_.add_container(CellKind::tuple, pop_last(code - 0x84u)));
        return true;
      case 'd':
        push_dict(pop_to_mark());
        return true;
      case 'a':
        extend(CellKind::list, pop_last(1));
        return true;
      case 'e':
      case 0x90:
        extend(CellKind::list, pop_to_mark());
        return true;
      case 's':
        extend(CellKind::dict, pop_last(2));
        return true;
      case 'u':
        extend(CellKind::dict, pop_to_mark());
        return true;
      default:
        return false;
    }
  }

  // Picklers number what they memoise from 0 or 1 on, one at a time.
  void memoise(uint64_t index) {
    need(1);
    if (index > reader_.position()) reader_.fail("is no valid pickle: a memo number too large");
    if (index >= memo_.size()) memo_.resize(index + 1, Cell{.kind = CellKind::mark});
    memo_[index] = stack_.back();
  }
  void recall(uint64_t index) {
    if (index >= memo_.size() || memo_[index].kind == CellKind::mark) fail_order();
    push(memo_[index]);
  }

  bool run_memo(uint8_t code) {
    switch (code) {
      case 'q':
        memoise(reader_.value<uint8_t>());
        return true;
      case 'r':
        memoise(reader_.value<uint32_t>());
        return true;
      case 0x94:
        memoise(memo_.size());
        return true;
      case 'h':
        recall(reader_.value<uint8_t>());
        return true;
      case 'j':
        recall(reader_.value<uint32_t>());
        return true;
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        need(1);
        push(Cell(stack_.back()));
        return true;
      case 0x95:
        reader_.value<uint64_t>();
        return true;  // a frame's length says nothing more
      default:
        return false;
    }
  }

  std::string_view pop_text() {
    const Cell cell = pop();
    if (cell.kind != CellKind::text) fail_order();
    return heap_.texts[cell.id];
  }

  bool run_object(uint8_t code) {
    switch (code) {
      case 'c': {
        const std::string_view module = reader_.line();
        push(find_pickle_global(module, reader_.line(), reader_.path()));
        return true;
      }
      case 0x93: {
        const std::string_view name = pop_text();
        push(find_pickle_global(pop_text(), name, reader_.path()));
        return true;
      }
      case 'R': {
        const Cell arguments = pop();
        const Cell callee = pop();
        if (callee.kind != CellKind::global || arguments.kind != CellKind::tuple) fail_order();
        push(call_pickle_global(&heap_, callee, arguments.id, reader_.path()));
        return true;
      }
      case 'b':  // an object's attributes, such as a state dict's _metadata: not needed
        pop();
        need(1);
        return true;
      case 'Q':
        push(load_pickle_storage(&heap_, pop(), reader_.path()));
        return true;
      default:
        return false;
    }
  }

  ByteReader reader_;
  PickleHeap heap_;
  std::vector<Cell> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<Cell> memo_;
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
