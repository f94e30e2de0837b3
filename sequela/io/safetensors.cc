// Layout: uint64 little-endian n | n bytes of JSON | tensor bytes, back to back.
// JSON: {"__metadata__": {text: text}, name: {"dtype": "F32", "shape": [..], "data_offsets":
// [begin, end]}} Offsets count from the end of the JSON, which is padded with spaces to a multiple
// of 8.
#include "sequela/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "sequela/core/error.h"

namespace sequela {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int kMaxDepth = 3;
constexpr const char* kMetadataKey = "__metadata__";

struct DTypeInfo {
  const char* name;
  int64_t size;
};

// In the order of DType.
constexpr DTypeInfo kTypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                                {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                                {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

[[noreturn]] void fail(const std::string& path, const std::string& cause) {
  throw FileError(path, "not a valid safetensors file: " + cause,
                  "copy or download the file again");
}

// The JSON text of the header.
std::string_view header_text(std::span<const std::byte> bytes, const std::string& path) {
  uint64_t length;
  if (bytes.size() < sizeof(length)) fail(path, "shorter than its 8-byte length field");
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > kMaxHeaderBytes) fail(path, str("a header of ", length, " bytes"));
  if (length > bytes.size() - sizeof(length)) {
    fail(path, str("the header of ", length, " bytes is longer than the file"));
  }
  return {reinterpret_cast<const char*>(bytes.data()) + sizeof(length), length};
}

// Parses strictly: no name twice, no nesting beyond what the format has.
json parse_header(std::string_view text, const std::string& path) {
  if (!text.starts_with('{')) fail(path, "its header is not a JSON object");
  std::vector<std::set<std::string>> keys(kMaxDepth + 1);
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    const bool opens =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) fail(path, "its header is nested too deeply");
    if (event == json::parse_event_t::object_start) keys[depth + 1].clear();
    if (event == json::parse_event_t::key &&
        !keys[depth].insert(value.get_ref<const std::string&>()).second) {
      fail(path, "a name occurs twice in its header");
    }
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception&) {
    fail(path, "its header is not valid JSON");
  }
}

int64_t read_count(const json& value, const std::string& path) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) {
    fail(path, "a shape or an offset that is no whole number");
  }
  return static_cast<int64_t>(value.get<uint64_t>());
}

const json& member(const json& object, const char* key, json::value_t type,
                   const std::string& path) {
  const auto found = object.find(key);
  if (found == object.end() || found->type() != type) {
    fail(path, str("a tensor without a proper '", key, "'"));
  }
  return *found;
}

DType read_dtype(const std::string& name, const std::string& path) {
  for (size_t i = 0; i < std::size(kTypes); ++i) {
    if (name == kTypes[i].name) return static_cast<DType>(i);
  }
  fail(path, "a tensor of an unknown type");
}

// One entry of the header. `data` is what follows the header.
TensorView read_entry(const std::string& name, const json& entry, std::span<const std::byte> data,
                      const std::string& path) {
  if (!entry.is_object()) fail(path, "an entry that is no tensor");
  TensorView tensor{.name = name};
  tensor.dtype =
      read_dtype(member(entry, "dtype", json::value_t::string, path).get<std::string>(), path);
  int64_t num_bytes = dtype_size(tensor.dtype);
  for (const json& length : member(entry, "shape", json::value_t::array, path)) {
    tensor.shape.push_back(read_count(length, path));
    if (__builtin_mul_overflow(num_bytes, tensor.shape.back(), &num_bytes)) {
      fail(path, "a tensor too large to count");
    }
  }
  const json& offsets = member(entry, "data_offsets", json::value_t::array, path);
  if (offsets.size() != 2) fail(path, "a tensor without two offsets");
  const int64_t begin = read_count(offsets[0], path);
  const int64_t end = read_count(offsets[1], path);
  if (begin > end || end > static_cast<int64_t>(data.size())) {
    fail(path, "a tensor reaches beyond the end of the file");
  }
  if (end - begin != num_bytes) fail(path, "a tensor's shape does not agree with its bytes");
  tensor.bytes = data.subspan(begin, num_bytes);
  return tensor;
}

// The tensors must follow one another without hole or overlap, to the end of the file.
void check_packing(const std::vector<TensorView>& tensors, std::span<const std::byte> data,
                   const std::string& path) {
  const std::byte* next = data.data();
  for (const TensorView& tensor : tensors) {
    if (tensor.bytes.data() != next) fail(path, "its tensors overlap or leave a hole");
    next += tensor.bytes.size();
  }
  if (next != data.data() + data.size()) fail(path, "bytes after the last tensor");
}

std::string make_header(const std::vector<TensorView>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  const auto add = [&](const std::string& name, const nlohmann::ordered_json& value) {
    if (text.size() > 1) text += ',';
    text += json(name).dump() + ":" + value.dump();
  };
  if (!metadata.empty()) add(kMetadataKey, metadata);
  size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const size_t end = offset + tensor.bytes.size();
    nlohmann::ordered_json entry;
    entry["dtype"] = dtype_name(tensor.dtype);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {offset, end};
    add(tensor.name, entry);
    offset = end;
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

int64_t dtype_size(DType dtype) {
  return kTypes[static_cast<size_t>(dtype)].size;
}
const char* dtype_name(DType dtype) {
  return kTypes[static_cast<size_t>(dtype)].name;
}

int64_t TensorView::size() const {
  return static_cast<int64_t>(bytes.size()) / dtype_size(dtype);
}

SafetensorsContent parse_safetensors(std::span<const std::byte> bytes, const std::string& path) {
  const std::string_view text = header_text(bytes, path);
  const std::span<const std::byte> data = bytes.subspan(sizeof(uint64_t) + text.size());
  const json header = parse_header(text, path);
  SafetensorsContent content;
  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadataKey) {
      content.tensors.push_back(read_entry(name, entry, data, path));
      continue;
    }
    if (!entry.is_object()) fail(path, "its metadata is no object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) fail(path, "its metadata holds more than text");
      content.metadata[key] = value.get<std::string>();
    }
  }
  std::stable_sort(content.tensors.begin(), content.tensors.end(),
                   [](const TensorView& a, const TensorView& b) {
                     if (a.bytes.data() != b.bytes.data()) return a.bytes.data() < b.bytes.data();
                     return a.bytes.size() < b.bytes.size();
                   });
  check_packing(content.tensors, data, path);
  return content;
}

SafetensorsFile::SafetensorsFile(const std::string& path)
    : file_(path), content_(parse_safetensors({file_.data(), file_.size()}, path)) {
  for (size_t i = 0; i < tensors().size(); ++i) index_[tensors()[i].name] = i;
}

const TensorView* SafetensorsFile::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors()[found->second];
}

const TensorView& SafetensorsFile::get(const std::string& name) const {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) throw FileError(path(), str("holds no tensor '", name, "'"));
  return *tensor;
}

void write_safetensors(const std::string& path, std::vector<TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorView& a, const TensorView& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  for (size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].name == tensors[i - 1].name) {
      throw std::invalid_argument("write_safetensors: a name occurs twice");
    }
  }
  const std::string header = make_header(tensors, metadata);
  const uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof(length));
  file.write(header);
  for (const TensorView& tensor : tensors) file.write(tensor.bytes.data(), tensor.bytes.size());
  file.commit();
}

}  // namespace sequela
