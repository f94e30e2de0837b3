#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "sequela/io/file.h"
#include "tests/support/json_schema.h"

namespace sequela {

// What a folder's manifest says of an artifact. Expects that the manifest fits its schema and that
// the files are as it says.
inline Json artifact_of(const std::string& folder, const std::string& name) {
  const JsonSchema schema(std::string(SEQUELA_SOURCE_DIR) + "/docs/manifest.schema.json");
  const std::string path = folder + "/manifest.json";
  const Json manifest = parse_json(read_file(path), path);
  EXPECT_EQ(schema.fault(manifest), "") << path;
  Json artifact = manifest.at("artifacts").at(name);
  for (const auto& [file, digest] : artifact.at("files").items())
    EXPECT_EQ(digest, file_digest(folder + "/" + file)) << file;
  return artifact;
}

}  // namespace sequela
