#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// A safetensors file whose second tensor begins 64 bytes inside the first, with a hole behind it.
inline std::string with_overlapping_tensors(const std::string& file) {
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  auto header = nlohmann::json::parse(file.substr(8, length));
  std::vector<std::pair<int64_t, std::string>> starts;
  for (const auto& [name, tensor] : header.items()) {
    if (name != "__metadata__") starts.emplace_back(tensor["data_offsets"][0], name);
  }
  std::ranges::sort(starts);
  auto& offsets = header[starts.at(1).second]["data_offsets"];
  for (auto& offset : offsets) offset = offset.get<int64_t>() - 64;
  const std::string text = header.dump();
  const uint64_t new_length = text.size();
  std::string result(reinterpret_cast<const char*>(&new_length), sizeof(new_length));
  return result + text + file.substr(8 + length);
}

// Damages a good bundle in `folder` as the name says.
inline void damage_model(const std::string& name, const std::string& folder) {
  const std::string fault = name.substr(3);
  const std::string weights_path = folder + "/model.safetensors";
  const std::string dictionary_path = folder + "/dictionary.msgpack";
  std::string weights = read_file(weights_path);
  if (fault == "model_truncated_safetensors") {
    write_file(weights_path, weights.substr(0, weights.size() / 2));
  } else if (fault == "model_oversized_header") {
    const uint64_t length = uint64_t{1} << 60;
    std::memcpy(weights.data(), &length, sizeof(length));
    write_file(weights_path, weights);
  } else if (fault == "model_overlapping_offsets") {
    write_file(weights_path, with_overlapping_tensors(weights));
  } else if (fault == "dict_truncated") {
    const std::string whole = read_file(dictionary_path);
    write_file(dictionary_path, whole.substr(0, whole.size() * 2 / 3));
  } else if (fault == "dict_nested_bomb") {
    write_file(dictionary_path, "\x81\xa5vocab" + std::string(400'000, '\x91') + '\x01');
  } else {  // config_negative_sizes
    const std::string path = folder + "/config.json";
    auto config = nlohmann::json::parse(read_file(path));
    config["transformer_config"].update(
        {{"hidden_size", -16}, {"n_heads", 0}, {"n_layers", -2}, {"vocab_size", -1}});
    write_file(path, config.dump());
  }
}

}  // namespace sequela
