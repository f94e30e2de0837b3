#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/meds/check/findings.h"

namespace sequela {

// What a code's events are.
struct CheckedCode {
  std::string unit;
  bool has_several_units = false;
};

struct CheckedShard {
  MedsFindings findings;
  int64_t num_events = 0;
  std::vector<int64_t> subjects;  // in order, distinct
  std::unordered_map<std::string, CheckedCode> codes;
};

// Reads a shard row by row; `name` is what findings call it. What cannot be read is a finding, too.
CheckedShard check_shard(const std::string& path, const std::string& name);

}  // namespace sequela
