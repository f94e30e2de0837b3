#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequela/core/json.h"

namespace sequela {

enum class RunKind : uint8_t {
  evaluation,
  training,
  prepared,
  comparison,
  cohort,
  raw_records,
  bundle
};

// A finished run, read from its folder.
struct FinishedRun {
  RunKind kind = RunKind::evaluation;
  std::string name;                      // the folder's, without those above it
  std::shared_ptr<const Json> content;   // of the file that makes it a run of its kind; never null
  std::shared_ptr<const Json> manifest;  // a null value where there is none
};

// Reads a run of evaluate, pretrain, finetune, prepare, compare, label or etl, or a bundle (which
// has a manifest alone). A folder that holds none is a ConfigError that says what was looked for.
// FileError for a damaged file.
FinishedRun read_run(const std::string& folder);

}  // namespace sequela
