#pragma once

#include <string>
#include <utility>

#include "sequela/io/arrow_convert.h"
#include "sequela/io/uri.h"

namespace sequela {

// The value of an arrow::Result, or the error at `where` with what mends it.
template <class Result>
auto value_or_throw(Result result, const Where& where, const std::string& fix) {
  if (!result.ok()) throw_arrow_error(result.status(), where, fix);
  return std::move(result).ValueUnsafe();
}

// The same for a path, which may be a URI; user name and password are not shown.
template <class Result>
auto value_or_throw(Result result, const std::string& path) {
  if (result.ok()) return std::move(result).ValueUnsafe();
  const std::string shown = shown_path(path);
  std::string message = result.status().message();
  const size_t at = message.find(path);
  if (at != std::string::npos) message.replace(at, path.size(), shown);
  throw_arrow_error(result.status().WithMessage(message), Where{.path = shown},
                    "see that it is there and can be read");
}

}  // namespace sequela
