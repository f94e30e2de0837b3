#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/io/file.h"

namespace sequela {

// Without spaces and tabs around it.
std::string_view stripped(std::string_view text);

// The place of a name among others by the rule of CsvReader::find_column_of_any_case. `path` is for
// messages.
std::optional<int> find_name_of_any_case(const std::vector<std::string>& names,
                                         const std::string& name, const std::string& path);

enum class CsvQuoting {
  none,     // a quote is a character like any other (Athena)
  rfc4180,  // "a field with , or line end", a quote inside doubled
};

// In place of a delimiter: the one of , ; tab | that the header has most of.
inline constexpr char kDelimiterOfHeader = '\0';

// Reads delimiter-separated text with a header line, in one pass over the mapped file, which gzip
// may have packed (io/unpack.h). Lines end in LF or CR LF; empty lines are passed over; a leading
// byte order mark too. Time is linear in the file's size, however long its lines are. Every row
// must have as many fields as the header. Faults are DataErrors with path and row (0-based, the
// header not counted); they never repeat the text.
class CsvReader {
 public:
  CsvReader(const std::string& path, char delimiter, CsvQuoting quoting);
  CsvReader(MappedFile file, char delimiter, CsvQuoting quoting);

  const std::string& path() const { return file_.path(); }
  const std::vector<std::string>& header() const { return header_; }
  // A name that two columns have is a DataError.
  std::optional<int> find_column(const std::string& name) const;
  int require_column(const std::string& name) const;  // DataError if there is none
  // The name in any case, with spaces around it or without; one in the very same letters comes
  // first. DataError if two columns fit.
  std::optional<int> find_column_of_any_case(const std::string& name) const;

  // Calls visit(fields, line) for each row in order; `line` is the row's first line in the file,
  // from 1. The fields live until visit returns. May be called again.
  using RowVisitor = std::function<void(std::span<const std::string_view> fields, int64_t line)>;
  void for_each_row(const RowVisitor& visit);

 private:
  bool next_row();
  void split_line(std::string_view line);
  void read_quoted_row();
  std::string_view read_quoted_field();
  [[noreturn]] void fail(const std::string& problem, const std::string& fix) const;

  MappedFile file_;
  char delimiter_;
  CsvQuoting quoting_;
  std::vector<std::string> header_;
  size_t body_start_ = 0;
  int64_t header_lines_ = 0;

  std::string_view left_;  // what is still to be read
  int64_t lines_read_ = 0;
  int64_t row_ = -1;
  int64_t row_line_ = 0;  // where the row began
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;  // texts of fields that hold doubled quotes
};

}  // namespace sequela
