#include "sequela/io/csv.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/io/unpack.h"

namespace sequela {
namespace {

constexpr int64_t kRowsBetweenStopChecks = 1 << 16;

// Outside quotes, of the first line.
char find_delimiter(std::string_view text) {
  constexpr std::string_view kDelimiters = ",;\t|";
  size_t counts[kDelimiters.size()] = {};
  bool is_quoted = false;
  for (const char c : text) {
    if (c == '\n' && !is_quoted) break;
    if (c == '"') is_quoted = !is_quoted;
    const size_t kind = kDelimiters.find(c);
    if (kind != std::string_view::npos && !is_quoted) ++counts[kind];
  }
  return kDelimiters[std::max_element(std::begin(counts), std::end(counts)) - std::begin(counts)];
}

// Position of `c` in the text, or its size.
size_t find_or_end(std::string_view text, char c) {
  const void* found = text.empty() ? nullptr : std::memchr(text.data(), c, text.size());
  return found == nullptr ? text.size() : static_cast<const char*>(found) - text.data();
}

}  // namespace

CsvReader::CsvReader(const std::string& path, char delimiter, CsvQuoting quoting)
    : CsvReader(map_unpacked(path), delimiter, quoting) {}

CsvReader::CsvReader(MappedFile file, char delimiter, CsvQuoting quoting)
    : file_(std::move(file)), delimiter_(delimiter), quoting_(quoting), left_(file_.text()) {
  if (left_.starts_with("\xef\xbb\xbf")) left_.remove_prefix(3);
  if (delimiter_ == kDelimiterOfHeader) delimiter_ = find_delimiter(left_);
  if (!next_row()) throw DataError({.path = path()}, "the file is empty", "add a header line");
  header_.assign(fields_.begin(), fields_.end());
  body_start_ = file_.size() - left_.size();
  header_lines_ = lines_read_;
}

std::string_view stripped(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<int> find_name_of_any_case(const std::vector<std::string>& names,
                                         const std::string& name, const std::string& path) {
  const auto is_same = [&](std::string_view other) {
    return std::ranges::equal(stripped(other), name, [](unsigned char a, unsigned char b) {
      return std::tolower(a) == std::tolower(b);
    });
  };
  const auto count_exact = std::ranges::count(names, name);
  std::optional<int> found;
  for (size_t i = 0; i < names.size(); ++i) {
    if (count_exact > 0 ? names[i] != name : !is_same(names[i])) continue;
    if (found) {
      throw DataError({.path = path, .column = name}, "the header has two columns of this name",
                      "keep one of them, or rename the other");
    }
    found = static_cast<int>(i);
  }
  return found;
}

std::optional<int> CsvReader::find_column_of_any_case(const std::string& name) const {
  return find_name_of_any_case(header_, name, path());
}

std::optional<int> CsvReader::find_column(const std::string& name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) return std::nullopt;
  if (std::find(found + 1, header_.end(), name) != header_.end()) {
    throw DataError({.path = path(), .column = name}, "the header has two columns of this name",
                    "keep one of them, or rename the other");
  }
  return static_cast<int>(found - header_.begin());
}

int CsvReader::require_column(const std::string& name) const {
  const std::optional<int> column = find_column(name);
  if (column) return *column;
  const std::string delimiter = delimiter_ == '\t' ? "tab" : std::string("'") + delimiter_ + "'";
  throw DataError({.path = path(), .column = name},
                  str("no such column in the header (", header_.size(), " columns)"),
                  str("name the column '", name, "' and separate columns by ", delimiter));
}

void CsvReader::for_each_row(const RowVisitor& visit) {
  left_ = file_.text().substr(body_start_);
  lines_read_ = header_lines_;
  row_ = 0;
  while (true) {
    if (row_ % kRowsBetweenStopChecks == 0) throw_if_stopped();
    if (!next_row()) return;
    if (fields_.size() != header_.size()) {
      fail(str(fields_.size(), " fields, the header has ", header_.size()),
           "see that every line has all fields and that the delimiter is right");
    }
    visit(fields_, row_line_);
    ++row_;
  }
}

// Reads the next row that is not empty into fields_; false at the end.
bool CsvReader::next_row() {
  while (!left_.empty()) {
    if (quoting_ == CsvQuoting::rfc4180 && left_.front() != '\n' && !left_.starts_with("\r\n")) {
      row_line_ = lines_read_ + 1;
      read_quoted_row();
      return true;
    }
    const size_t size = find_or_end(left_, '\n');
    std::string_view line = left_.substr(0, size);
    left_.remove_prefix(std::min(size + 1, left_.size()));
    row_line_ = ++lines_read_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    split_line(line);
    return true;
  }
  return false;
}

void CsvReader::split_line(std::string_view line) {
  fields_.clear();
  while (true) {
    const size_t size = find_or_end(line, delimiter_);
    fields_.push_back(line.substr(0, size));
    if (size == line.size()) return;
    line.remove_prefix(size + 1);
  }
}

void CsvReader::read_quoted_row() {
  fields_.clear();
  unescaped_.clear();
  ++lines_read_;
  while (true) {
    if (left_.starts_with('"')) {
      fields_.push_back(read_quoted_field());
    } else {
      size_t size = 0;
      while (size < left_.size() && left_[size] != delimiter_ && left_[size] != '\n') ++size;
      const bool has_return =
          size > 0 && left_[size - 1] == '\r' && (size == left_.size() || left_[size] == '\n');
      fields_.push_back(left_.substr(0, has_return ? size - 1 : size));
      left_.remove_prefix(size);
    }
    const bool has_more = left_.starts_with(delimiter_);
    if (left_.starts_with('\r')) left_.remove_prefix(1);
    if (!left_.empty()) left_.remove_prefix(1);
    if (!has_more) return;
  }
}

// Reads from the opening quote to past the closing one.
std::string_view CsvReader::read_quoted_field() {
  left_.remove_prefix(1);
  std::string* unescaped = nullptr;
  while (true) {
    const size_t size = find_or_end(left_, '"');
    if (size == left_.size())
      fail("a quote is never closed", "close it, or double quotes inside fields");
    const std::string_view piece = left_.substr(0, size);
    lines_read_ += std::count(piece.begin(), piece.end(), '\n');
    left_.remove_prefix(size + 1);
    const bool is_doubled = left_.starts_with('"');
    if (is_doubled && unescaped == nullptr) unescaped = &unescaped_.emplace_back();
    if (unescaped != nullptr) unescaped->append(piece);
    if (!is_doubled) {
      const bool is_closed = left_.empty() || left_.front() == delimiter_ ||
                             left_.front() == '\n' || left_ == "\r" || left_.starts_with("\r\n");
      if (!is_closed) fail("text after a closing quote", "double quotes inside fields");
      return unescaped != nullptr ? std::string_view(*unescaped) : piece;
    }
    unescaped->push_back('"');
    left_.remove_prefix(1);
  }
}

void CsvReader::fail(const std::string& problem, const std::string& fix) const {
  throw DataError({.path = path(), .row = row_}, str("line ", lines_read_, ": ", problem), fix);
}

}  // namespace sequela
