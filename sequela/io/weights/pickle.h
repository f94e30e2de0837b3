#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sequela/io/safetensors.h"

namespace sequela {

class PickleValue;

// A tensor in a pickle: a view into a storage that lies elsewhere in the file.
struct PickleTensor {
  std::string storage;  // the storage's key
  DType dtype = DType::float32;
  int64_t storage_bytes = 0;  // of the whole storage, as the pickle says
  int64_t offset = 0;         // in elements, from the storage's start
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements
};

struct PickleBytes {
  std::string bytes;
};

// A value of a pickle: None, bool, int, float, str, bytes, list (tuple and set as well), dict in
// its order, tensor. Copies share their content. The accessors throw std::bad_variant_access when
// the value is of another kind: ask is_...() first.
class PickleValue {
 public:
  using List = std::vector<PickleValue>;
  using Dict = std::vector<std::pair<PickleValue, PickleValue>>;
  using Content =
      std::variant<std::monostate, bool, int64_t, double, std::shared_ptr<const std::string>,
                   std::shared_ptr<const PickleBytes>, std::shared_ptr<const List>,
                   std::shared_ptr<const Dict>, std::shared_ptr<const PickleTensor>>;

  PickleValue() = default;
  explicit PickleValue(Content content) : content_(std::move(content)) {}

  bool is_none() const { return content_.index() == 0; }
  bool is_bool() const { return content_.index() == 1; }
  bool is_int() const { return content_.index() == 2; }
  bool is_float() const { return content_.index() == 3; }
  bool is_text() const { return content_.index() == 4; }
  bool is_bytes() const { return content_.index() == 5; }
  bool is_list() const { return content_.index() == 6; }
  bool is_dict() const { return content_.index() == 7; }
  bool is_tensor() const { return content_.index() == 8; }

  bool boolean() const { return std::get<1>(content_); }
  int64_t integer() const { return std::get<2>(content_); }
  double number() const { return std::get<3>(content_); }
  const std::string& text() const { return *std::get<4>(content_); }  // bytes as they stand
  const std::string& bytes() const { return std::get<5>(content_)->bytes; }
  const List& list() const { return *std::get<6>(content_); }
  const Dict& dict() const { return *std::get<7>(content_); }
  const PickleTensor& tensor() const { return *std::get<8>(content_); }

  // The last entry of a dict with this text as key; nullptr if there is none.
  const PickleValue* find(std::string_view key) const;

 private:
  Content content_;
};

// Reads one pickle (protocols 2 to 5) from the start of `bytes`, and says how many of them it took.
// Nothing is executed: besides plain values only torch's tensors, parameters, sizes and dtypes,
// collections.OrderedDict and set are known; whatever else names Python code is refused.
// `path` names the file in errors. Throws FileError.
//
// Time and memory are bounded by a multiple of the bytes: counts are checked before they are
// believed, a list inside itself is refused, and so are values nested deeper than 64 and values
// shared so often that a walk over them would be far longer than the file. At most some hundred
// times the bytes are taken, for plain values far less.
//
// Source: Python's pickletools.py; torch/_weights_only_unpickler.py, torch/_utils.py.
PickleValue read_pickle(std::span<const std::byte> bytes, const std::string& path,
                        size_t* num_bytes_read = nullptr);

// Reads a file that is one pickle, such as Med-BERT's .types (a dict of code to id) and .bencs
// (lists of numbers). Throws FileError.
PickleValue read_pickle_file(const std::string& path);

}  // namespace sequela
