// {"device": ..., "driver": ..., "build": ...,
//  "results": [{"operation": "norm", "type": "float32", "error": 1e-7, "bound": 1e-4, "fault":
//  ""}]}

#include "sequela/nn/check_cache.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/core/log.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

const char* type_name(at::ScalarType type) {
  return type == at::kFloat ? "float32" : "bfloat16";
}

Json header_of(const CheckedDevice& checked) {
  return {{"device", checked.name}, {"driver", checked.driver}, {"build", checked.build}};
}

std::string path_of(const CheckedDevice& checked, const std::string& folder) {
  const std::string text = json_text(header_of(checked));
  return str(folder, "/kernels-", to_hex(sha256(text.data(), text.size())).substr(0, 16), ".json");
}

Json to_json(const KernelResult& result) {
  return {{"operation", to_text(result.operation)},
          {"type", type_name(result.type)},
          {"error", json_double(result.error)},
          {"bound", json_double(result.bound)},
          {"fault", result.fault}};
}

KernelResult result_of(const Json& json, const std::string& path) {
  const auto named = std::ranges::find_if(kOperations, [&](Operation operation) {
    return to_text(operation) == json.at("operation").get<std::string>();
  });
  const std::string type = json.at("type").get<std::string>();
  if (named == std::end(kOperations) || (type != "float32" && type != "bfloat16"))
    throw FileError(path, "names an operation or type that there is not", "remove it");
  return {*named, type == "float32" ? at::kFloat : at::kBFloat16,
          json_number(json.at("error"), path), json_number(json.at("bound"), path),
          json.at("fault").get<std::string>()};
}

std::optional<std::vector<KernelResult>> read_results(const std::string& path,
                                                      const CheckedDevice& checked) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    const MappedFile file(path);
    Json json = parse_json(std::string(file.text()), path);
    std::vector<KernelResult> results;
    for (const Json& item : json.at("results")) results.push_back(result_of(item, path));
    json.erase("results");
    if (json != header_of(checked) || results.empty()) return std::nullopt;
    return results;
  } catch (const std::exception& error) {  // ours, or the JSON library's for a missing key
    log(LogLevel::debug, str("kernels are checked again: ", error.what()));
    return std::nullopt;
  }
}

void write_results(const std::string& path, const CheckedDevice& checked,
                   const std::vector<KernelResult>& results) {
  Json json = header_of(checked);
  json["results"] = Json::array();
  for (const KernelResult& result : results) json["results"].push_back(to_json(result));
  try {
    fs::create_directories(fs::path(path).parent_path());
    write_file(path, json_text(json) + "\n");
  } catch (const std::exception& error) {
    log(LogLevel::debug, str("the kernels' check is not kept: ", error.what()));
  }
}

}  // namespace

std::vector<KernelResult> check_kernels_once(const KernelTable& own, at::Device device,
                                             const CheckedDevice& checked,
                                             const std::string& folder) {
  if (folder.empty()) return check_kernels(own, device);
  const std::string path = path_of(checked, folder);
  if (const auto known = read_results(path, checked)) return *known;
  std::vector<KernelResult> results = check_kernels(own, device);
  // What a kernel threw may pass: the device may have been out of memory.
  if (std::ranges::all_of(results, &std::string::empty, &KernelResult::fault))
    write_results(path, checked, results);
  return results;
}

}  // namespace sequela
