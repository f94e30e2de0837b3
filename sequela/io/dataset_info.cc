// dataset_info.json and state.json as datasets 4.0 writes them beside its Arrow stream files.
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/sha256.h"
#include "sequela/io/arrow_stream.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr const char* kStateFile = "state.json";
constexpr size_t kMaxStateBytes = size_t{64} << 20;

const char* type_name(LeafType type) {
  switch (type) {
    case LeafType::boolean:
      return "bool";
    case LeafType::uint8:
      return "uint8";
    case LeafType::int16:
      return "int16";
    case LeafType::uint16:
      return "uint16";
    case LeafType::int32:
      return "int32";
    case LeafType::uint32:
      return "uint32";
    case LeafType::int64:
      return "int64";
    case LeafType::float16:
      return "float16";
    case LeafType::float32:
      return "float32";
  }
  throw std::invalid_argument("type_name: no such type");
}

Json list_of(Json feature) {
  Json list;
  list["feature"] = std::move(feature);
  list["_type"] = "List";
  return list;
}

Json to_features(const std::vector<LeafField>& fields) {
  Json features = Json::object();
  for (const LeafField& field : fields) {
    Json value;
    value["dtype"] = type_name(field.type);
    value["_type"] = "Value";
    if (field.inner_size > 0) value = list_of(std::move(value));
    if (field.is_list) value = list_of(std::move(value));
    Json* parent = &features;
    size_t start = 0;
    for (size_t dot; (dot = field.path.find('.', start)) != std::string::npos; start = dot + 1) {
      parent = &(*parent)[field.path.substr(start, dot - start)];
    }
    (*parent)[field.path.substr(start)] = std::move(value);
  }
  return features;
}

Json to_dataset_info(const std::vector<LeafField>& fields, int64_t num_rows, int64_t num_bytes) {
  Json info;
  info["builder_name"] = "generator";
  info["citation"] = "";
  info["config_name"] = "default";
  info["dataset_name"] = "generator";
  info["dataset_size"] = num_bytes;
  info["description"] = "";
  info["download_checksums"] = Json::object();
  info["download_size"] = 0;
  info["features"] = to_features(fields);
  info["homepage"] = "";
  info["license"] = "";
  info["size_in_bytes"] = num_bytes;
  info["splits"]["train"] = {{"name", "train"},
                             {"num_bytes", num_bytes},
                             {"num_examples", num_rows},
                             {"dataset_name", "generator"}};
  info["version"] = {{"version_str", "0.0.0"}, {"major", 0}, {"minor", 0}, {"patch", 0}};
  return info;
}

}  // namespace

std::string features_json(const std::vector<LeafField>& fields) {
  return to_features(fields).dump();
}

void write_dataset_info(const std::string& folder, const std::vector<LeafField>& fields,
                        const std::vector<StreamFile>& files) {
  int64_t num_rows = 0;
  int64_t num_bytes = 0;
  std::string content = features_json(fields);
  Json names = Json::array();
  for (const StreamFile& file : files) {
    num_rows += file.num_rows;
    num_bytes += file.num_bytes;
    content += file.name + file.digest;
    names.push_back({{"filename", file.name}});
  }
  Json state;
  state["_data_files"] = std::move(names);
  state["_fingerprint"] = to_hex(sha256(content.data(), content.size())).substr(0, 16);
  state["_format_columns"] = nullptr;
  state["_format_kwargs"] = Json::object();
  state["_format_type"] = "torch";
  state["_output_all_columns"] = false;
  state["_split"] = "train";
  write_file(folder + "/dataset_info.json",
             json_text(to_dataset_info(fields, num_rows, num_bytes)));
  write_file(folder + "/" + kStateFile, json_text(state));
}

std::vector<std::string> list_stream_files(const std::string& folder) {
  const std::string path = folder + "/" + kStateFile;
  const Json state = parse_json(read_file(path, kMaxStateBytes), path);
  std::vector<std::string> paths;
  try {
    for (const Json& file : state.at("_data_files")) {
      const auto name = file.at("filename").get<std::string>();
      if (name.empty() || name.find('/') != std::string::npos) {
        throw FileError(path, "names a data file outside its folder");
      }
      paths.push_back(folder + "/" + name);
    }
  } catch (const nlohmann::json::exception&) {
    throw FileError(path, "does not list its data files", "write the folder again");
  }
  return paths;
}

}  // namespace sequela
