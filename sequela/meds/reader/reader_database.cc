#include "sequela/meds/reader/reader_database.h"

#include <cstring>
#include <filesystem>
#include <set>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr const char* kFix = "convert the data set again";
constexpr size_t kMaxProperties = 64;
constexpr uint64_t kMaxNameBytes = 4096;

template <class T>
std::vector<T> read_array(const std::string& path) {
  const MappedFile file = map_database_file(path);
  if (file.size() % sizeof(T) != 0) throw DataError({.path = path}, "the file was cut", kFix);
  std::vector<T> values(file.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), file.data(), file.size());
  return values;
}

// "1" or "2", as the file says, perhaps with a line end.
char read_version(const std::string& path) {
  std::string version(map_database_file(path).text());
  while (!version.empty() && (version.back() == '\n' || version.back() == '\r')) version.pop_back();
  if (version != "1" && version != "2") {
    throw DataError({.path = path}, "a version other than 1 and 2",
                    "convert the data set with meds_reader 0.1 or 0.2");
  }
  return version[0];
}

bool is_safe_name(const std::string& name) {
  return !name.empty() && name != "." && name.find("..") == std::string::npos &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

MappedFile map_database_file(const std::string& path) {
  if (!std::filesystem::is_regular_file(path)) {
    throw DataError({.path = path}, "this file of the meds_reader database is missing", kFix);
  }
  return MappedFile(path);
}

int width_of(ReaderType type) {
  switch (type) {
    case ReaderType::int8:
    case ReaderType::uint8:
      return 1;
    case ReaderType::int16:
    case ReaderType::uint16:
      return 2;
    case ReaderType::int32:
    case ReaderType::uint32:
    case ReaderType::float32:
      return 4;
    default:
      return 8;
  }
}

ReaderDatabase::ReaderDatabase(const std::string& folder) : folder_(folder) {
  const char version = read_version(path_of("meds_reader.version"));
  read_properties();
  subject_ids_ = read_array<int64_t>(path_of(version == '1' ? "patient_id" : "subject_id"));
  lengths_ = read_array<uint32_t>(path_of("meds_reader.length"));
  if (lengths_.size() != subject_ids_.size()) {
    throw DataError({.path = path_of("meds_reader.length")}, "not one length per subject", kFix);
  }
  for (const uint32_t length : lengths_) {
    if (length < uint32_t{1} << 31) continue;
    throw DataError({.path = path_of("meds_reader.length")}, "more than 2^31 events of one subject",
                    kFix);
  }
}

void ReaderDatabase::read_properties() {
  const std::string path = path_of("meds_reader.properties");
  const MappedFile file = map_database_file(path);
  std::string_view rest = file.text();
  std::set<std::string> names;
  auto take_number = [&] {
    uint64_t value;
    if (rest.size() < sizeof(value)) throw DataError({.path = path}, "the file was cut", kFix);
    std::memcpy(&value, rest.data(), sizeof(value));
    rest.remove_prefix(sizeof(value));
    return value;
  };
  while (!rest.empty()) {
    const uint64_t length = take_number();
    if (length > kMaxNameBytes || length > rest.size()) {
      throw DataError({.path = path}, "the file was cut", kFix);
    }
    const std::string name(rest.substr(0, length));
    rest.remove_prefix(length);
    const uint64_t type = take_number();
    if (!is_safe_name(name) || type >= kNumReaderTypes || !names.insert(name).second ||
        names.size() > kMaxProperties) {
      throw DataError({.path = path}, "a property's name or type is not allowed", kFix);
    }
    properties_.push_back({name, static_cast<ReaderType>(type)});
  }
}

const ReaderProperty& ReaderDatabase::property(const std::string& name) const {
  for (const ReaderProperty& property : properties_) {
    if (property.name == name) return property;
  }
  throw DataError({.path = folder_, .column = name}, "the database has no such property", kFix);
}

ReaderColumn ReaderDatabase::open_column(const std::string& name) const {
  return ReaderColumn(path_of(name), property(name).type, num_subjects());
}

}  // namespace sequela
