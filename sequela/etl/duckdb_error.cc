#include "sequela/etl/duckdb_error.h"

#include <cctype>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

// The number behind `label` in a message; empty if it is not there.
std::string number_behind(const std::string& message, const std::string& label) {
  const size_t at = message.find(label);
  if (at == std::string::npos) return "";
  const size_t start = at + label.size();
  size_t end = start;
  while (end < message.size() && message[end] >= '0' && message[end] <= '9') ++end;
  return message.substr(start, end - start);
}

[[noreturn]] void throw_csv_error(const std::string& message) {
  Where where;
  const size_t file = message.find("file = ");
  if (file != std::string::npos) {
    where.path = message.substr(file + 7, message.find('\n', file) - file - 7);
  }
  const std::string line = number_behind(message, "CSV Error on Line: ");
  const std::string wanted = number_behind(message, "Expected Number of Columns: ");
  const std::string found = number_behind(message, "Found: ");
  std::string problem = line.empty() ? "the text is no CSV table" : str("line ", line, ": ");
  if (!wanted.empty() && !found.empty()) {
    problem += str(found, " fields where the header has ", wanted);
  } else if (!line.empty()) {
    problem +=
        message.find("utf-8") != std::string::npos || message.find("unicode") != std::string::npos
            ? "the text is not UTF-8"
            : "a quote that is not closed, or a field that is too long";
  }
  throw DataError(where, problem, "mend that line, or export the table again");
}

// The file that stands in a message between two pieces of text.
Where file_between(const std::string& message, const std::string& before,
                   const std::string& behind) {
  const size_t label = message.find(before), end = message.rfind(behind);
  const size_t start = label + before.size();
  if (label == std::string::npos || end == std::string::npos || start > end) return {};
  return {.path = message.substr(start, end - start)};
}

[[noreturn]] void throw_json_error(const std::string& message) {
  const Where where = file_between(message, "in file \"", "\", at byte");
  // DuckDB counts the values of a file from 1 and names the one behind the fault.
  const std::string next = number_behind(message, " in line ");
  const bool has_line = !next.empty() && next.size() < 18;
  throw DataError(where,
                  has_line
                      ? str("line ", std::stoll(next) - 1, " (blank lines not counted): no JSON")
                      : "the text is no JSON",
                  "mend that line, or export the file again");
}

// A message about one value: what it says in figures is the value.
bool is_of_value(const std::string& message) {
  return message.starts_with("Conversion Error") || message.starts_with("Out of Range Error");
}

// Numbers that are no part of a word, such as a type's.
std::string without_numbers(const std::string& text) {
  const auto is_in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool is_number = std::isdigit(static_cast<unsigned char>(text[at])) != 0 &&
                           (at == 0 || !is_in_word(text[at - 1]));
    if (!is_number) {
      out += text[at++];
      continue;
    }
    out += "...";
    while (at < text.size() &&
           (is_in_word(text[at]) || text[at] == '.' || text[at] == '+' || text[at] == '-'))
      ++at;
  }
  return out;
}

}  // namespace

std::string without_values(const std::string& message) {
  const bool is_of_sql = message.starts_with("Binder Error") ||
                         message.starts_with("Catalog Error") ||
                         message.starts_with("Parser Error") || message.starts_with("IO Error");
  if (is_of_sql) return message.substr(0, message.find('\n'));
  std::string text = message.substr(0, message.rfind("\nLINE "));  // behind it, the SQL
  // A value may have quotes and line ends of its own: all between the outermost quotes goes.
  const size_t first = text.find_first_of("'\""), last = text.find_last_of("'\"");
  if (first != std::string::npos) {
    text = text.substr(0, first + 1) + "..." + (last > first ? text.substr(last) : "");
  }
  text = text.substr(0, text.find('\n'));
  return is_of_value(text) ? without_numbers(text) : text;
}

void throw_duckdb_error(const std::string& message) {
  throw_if_stopped();
  if (message.find("CSV Error on Line") != std::string::npos ||
      message.find("sniffing file") != std::string::npos) {
    throw_csv_error(message);
  }
  if (message.find("Malformed JSON in file") != std::string::npos) throw_json_error(message);
  if (message.find("\"maximum_object_size\" of") != std::string::npos) {
    throw DataError(file_between(message, "reading file \"", "\" (>"),
                    "a line of JSON is too long (over 16 MiB)", "leave it out");
  }
  const std::string shown = without_values(message);
  if (message.starts_with("Out of Memory Error")) {
    throw ResourceError(
        "DuckDB is out of memory or of disk for what it spills. Fix: raise "
        "--memory, lower --threads, or free space beside --out.");
  }
  if (message.starts_with("IO Error")) throw FileError("DuckDB", shown);
  if (message.starts_with("Invalid Input Error") || is_of_value(message)) {
    throw DataError(Where{}, shown);
  }
  throw Error("DuckDB: " + shown);
}

}  // namespace sequela
