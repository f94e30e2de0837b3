#include "sequela/etl/source_table.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// The name without what tells its form; empty if it is no table's.
std::string stem_of(const std::string& file) {
  for (const char* end : {".csv.gz", ".tsv.gz", ".csv", ".tsv", ".parquet", ".par"}) {
    const std::string name = lower(file);
    if (name.ends_with(end)) return name.substr(0, name.size() - std::string(end).size());
  }
  return "";
}

bool is_parquet(const std::string& file) {
  const std::string name = lower(file);
  return name.ends_with(".parquet") || name.ends_with(".par");
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && !stem_of(entry.path().filename()).empty()) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

// A part of a path below a folder, in any case; empty if there is none.
std::string find_folder(const std::string& folder, const std::string& name) {
  if (!fs::is_directory(folder)) return "";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && lower(entry.path().filename()) == name) return entry.path();
  }
  return "";
}

std::vector<std::string> split_header(std::string line, char delimiter) {
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.pop_back();
  std::vector<std::string> names(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == delimiter && !is_quoted) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  for (std::string& name : names) {
    const size_t start = name.find_first_not_of(" \t");
    name = start == std::string::npos
               ? ""
               : name.substr(start, name.find_last_not_of(" \t") - start + 1);
  }
  // Some exports end every line with a delimiter.
  while (names.size() > 1 && names.back().empty()) names.pop_back();
  return names;
}

char delimiter_of(const std::string& line) {
  char best = ',';
  int64_t most = 0;
  for (const char c : {',', '\t', ';', '|'}) {
    const int64_t count = std::ranges::count(line, c);
    if (count > most) {
      most = count;
      best = c;
    }
  }
  return best;
}

// Each run of blanks made a delimiter.
std::string with_delimiter(const std::string& header, char delimiter) {
  std::string out;
  for (const char c : header) {
    if (c != ' ')
      out += c;
    else if (out.empty() || out.back() != delimiter)
      out += delimiter;
  }
  return out;
}

void check_names(const std::string& file, const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty()) {
      throw DataError({.path = file}, "a column has no name in the header", "name it");
    }
    if (!seen.insert(lower(name)).second) {
      throw DataError({.path = file}, str("two columns are named '", name, "'"),
                      "rename one of them");
    }
  }
}

// A number, a date or a time.
bool is_value(const std::string& name) {
  const size_t digit = name.find_first_of("0123456789");
  return digit != std::string::npos && name.find_first_not_of("+-.") == digit &&
         name.find_first_not_of("0123456789+-.:/ TZ") == std::string::npos;
}

// Where the first name is a value, and half of all are, the file begins with a row of data, which
// no error shows. A table with a column a year has a word first.
void check_header(const std::string& file, const std::vector<std::string>& names) {
  if (!is_value(names[0])) return;
  if (std::ranges::count_if(names, is_value) * 2 < std::ssize(names)) return;
  throw DataError({.path = file}, "its first line holds values, not names of columns",
                  "put a header there");
}

// The columns of a CSV file, and the SELECT that reads it.
std::string scan_csv(DuckDb& db, const std::string& file, std::vector<SourceColumn>* columns) {
  const std::string read = str("read_csv(", sql_text(file), ", auto_detect=false");
  const auto lines = db.texts(str("SELECT line FROM ", read,
                                  ", header=false, delim='\x01', quote='', escape='', "
                                  "strict_mode=false, max_line_size=8000000, "
                                  "columns={'line': 'VARCHAR'}) LIMIT 2"));
  if (lines.empty() || !lines[0][0]) {
    throw DataError({.path = file}, "the file is empty", "export the table again");
  }
  std::string header = *lines[0][0];
  char delimiter = delimiter_of(header);
  if (header.find(delimiter) == std::string::npos && lines.size() > 1 && lines[1][0]) {
    // An editor may have made blanks of the header's tabs, or there is one column alone.
    const char of_row = delimiter_of(*lines[1][0]);
    if (lines[1][0]->find(of_row) != std::string::npos)
      header = with_delimiter(header, delimiter = of_row);
  }
  const std::vector<std::string> names = split_header(header, delimiter);
  check_header(file, names);
  check_names(file, names);
  std::string types;
  for (const std::string& name : names) {
    columns->push_back({name, "VARCHAR"});
    types += str(types.empty() ? "" : ", ", sql_text(name), ": 'VARCHAR'");
  }
  // A line of tabs may end in more of them; of other CSV every row has as many fields as the
  // header.
  const char* quoting =
      delimiter == '\t' ? "quote='', escape='', strict_mode=false" : "quote='\"', escape='\"'";
  return str("SELECT * FROM ", read, ", header=true, delim=", sql_text(std::string(1, delimiter)),
             ", ", quoting, ", nullstr='', max_line_size=8000000, columns={", types, "})");
}

std::string scan_parquet(DuckDb& db, const std::string& file, std::vector<SourceColumn>* columns) {
  std::string select = str("SELECT * FROM read_parquet(", sql_text(file), ")");
  std::vector<std::string> names;
  for (const auto& row :
       db.texts(str("SELECT column_name, column_type FROM (DESCRIBE ", select, ")"))) {
    columns->push_back({*row[0], *row[1]});
    names.push_back(*row[0]);
  }
  check_names(file, names);
  return select;
}

}  // namespace

const SourceColumn* SourceTable::find(const std::string& column) const {
  for (const SourceColumn& candidate : columns) {
    if (lower(candidate.name) == lower(column)) return &candidate;
  }
  return nullptr;
}

std::string SourceTable::first_of(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (has(name)) return name;
  }
  return "";
}

std::vector<std::string> SourceTable::column_names() const {
  std::vector<std::string> names;
  for (const SourceColumn& column : columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> find_table_files(const std::string& folder, const std::string& name) {
  std::string place = folder;
  std::string rest = lower(name);
  for (size_t slash; (slash = rest.find('/')) != std::string::npos; rest = rest.substr(slash + 1)) {
    place = find_folder(place, rest.substr(0, slash));
    if (place.empty()) return {};
  }
  std::vector<std::string> found;
  if (fs::is_directory(place)) {
    for (const std::string& file : files_in(place)) {
      if (stem_of(fs::path(file).filename()) == rest) found.push_back(file);
    }
  }
  if (found.size() > 1) {
    throw DataError({.path = folder},
                    str("the table ", name, " lies there twice: ", found[0], " and ", found[1]),
                    "take one of them away");
  }
  const std::string below = find_folder(place, rest);
  if (found.empty() && !below.empty()) found = files_in(below);
  return found;
}

SourceTable open_table(DuckDb& db, const std::string& name, const std::vector<std::string>& files) {
  SourceTable table{.name = name, .files = files, .columns = {}, .scan = "", .is_typed = false};
  for (const std::string& file : files) {
    std::vector<SourceColumn> columns;
    const std::string select =
        is_parquet(file) ? scan_parquet(db, file, &columns) : scan_csv(db, file, &columns);
    table.is_typed = is_parquet(file);
    table.scan += str(table.scan.empty() ? "" : " UNION ALL BY NAME ", select);
    for (const SourceColumn& column : columns) {
      if (!table.has(column.name)) table.columns.push_back(column);
    }
  }
  table.scan = "(" + table.scan + ")";
  return table;
}

std::optional<SourceTable> find_table(DuckDb& db, const std::string& folder,
                                      const std::string& name) {
  const std::vector<std::string> files = find_table_files(folder, name);
  if (files.empty()) return std::nullopt;
  return open_table(db, name, files);
}

}  // namespace sequela
