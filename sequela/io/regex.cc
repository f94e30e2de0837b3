#include "sequela/io/regex.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>

#include "sequela/core/error.h"

namespace sequela {
namespace {

// Registers Arrow's kernels, once.
void initialize_compute() {
  static const arrow::Status status = arrow::compute::Initialize();
  if (!status.ok()) throw std::logic_error("Arrow's compute kernels: " + status.message());
}

}  // namespace

std::vector<uint8_t> match_regex(const std::string& pattern,
                                 const std::vector<std::string_view>& texts) {
  initialize_compute();
  arrow::StringBuilder builder;
  for (const std::string_view text : texts) {
    if (!builder.Append(text).ok()) throw ResourceError("too many texts for a regular expression");
  }
  const std::shared_ptr<arrow::Array> array = builder.Finish().ValueOrDie();
  const arrow::compute::MatchSubstringOptions options(pattern);
  const auto result = arrow::compute::CallFunction("match_substring_regex", {array}, &options);
  if (!result.ok()) {
    throw ConfigError(str("regular expression: ", result.status().message()));
  }
  const auto matches = std::static_pointer_cast<arrow::BooleanArray>(result->make_array());
  std::vector<uint8_t> is_match(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) is_match[i] = matches->Value(i) ? 1 : 0;
  return is_match;
}

}  // namespace sequela
