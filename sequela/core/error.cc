#include "sequela/core/error.h"

namespace sequela {
namespace {

std::string join(const std::string& place, const std::string& problem, const std::string& fix) {
  std::string message = place.empty() ? problem : place + ": " + problem;
  if (!fix.empty()) message += ". Fix: " + fix + ".";
  return message;
}

}  // namespace

std::string Where::text() const {
  std::string text = path;
  auto add = [&](const std::string& part, const char* separator) {
    if (!text.empty()) text += separator;
    text += part;
  };
  if (row_group >= 0) add(str("row group ", row_group), ": ");
  if (row >= 0) add(str("row ", row), row_group >= 0 ? ", " : ": ");
  if (subject_id) {
    const bool is_inside = row >= 0 || row_group >= 0;
    add(is_inside ? str("(subject ", *subject_id, ")") : str("subject ", *subject_id),
        is_inside ? " " : ": ");
  }
  if (!column.empty()) add("column '" + column + "'", ": ");
  return text;
}

DataError::DataError(Where where, std::string problem, std::string fix)
    : Error(join(where.text(), problem, fix)),
      where_(std::move(where)),
      problem_(std::move(problem)),
      fix_(std::move(fix)) {}

DataError DataError::within(const Where& outer) const {
  Where where = where_;
  if (where.path.empty()) where.path = outer.path;
  if (where.row_group < 0) where.row_group = outer.row_group;
  if (where.row < 0) where.row = outer.row;
  if (where.column.empty()) where.column = outer.column;
  if (!where.subject_id) where.subject_id = outer.subject_id;
  return DataError(where, problem_, fix_);
}

FileError::FileError(const std::string& path, const std::string& cause, const std::string& fix)
    : Error(join(path, cause, fix)) {}

ConfigError::ConfigError(const std::string& key, const std::string& value,
                         const std::string& allowed)
    : Error(str(key, ": '", value, "' is not allowed. Fix: give ", allowed, ".")) {}

Interrupted::Interrupted(int signal)
    : Error(str("stopped by signal ", signal, "; run the same command again to go on")),
      signal_(signal) {}

void check_failed(const char* expression, const char* file, int line) {
  throw std::logic_error(
      str("bug in sequela: ", expression, " does not hold at ", file, ":", line));
}

}  // namespace sequela
