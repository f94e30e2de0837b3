#include "sequela/tokenizer/sequence/encode_input.h"

#include <algorithm>
#include <initializer_list>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "sequela/io/unpack.h"
#include "sequela/tokenizer/sequence/encode_rows.h"

namespace sequela {
namespace {

std::string format_of(const std::string& path, const EncodeInputOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string end = unpacked_ending(path);
  if (end == ".parquet") return "parquet";
  if (end == ".csv") return "csv";
  if (end == ".tsv") return "tsv";
  if (end == ".jsonl" || end == ".ndjson" || end == ".json") return "jsonl";
  if (end == ".txt") return "txt";
  throw FileError(
      path, "the name does not tell the format",
      "end it in .parquet, .csv, .tsv, .jsonl or .txt, and .gz if gzip packed it, or name "
      "the format");
}

EncodeInput read_text_lines(const std::string& path, const EncodeInputOptions& options) {
  EncodeRows rows(options);
  const MappedFile file = map_unpacked(path);
  std::string_view left = file.text();
  while (!left.empty()) {
    const size_t end = left.find('\n');
    std::string_view line = left.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    rows.add_text(line);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  return rows.finish(EncodeLevel::texts);
}

EncodeInput read_format(const std::string& path, const std::string& format,
                        const EncodeInputOptions& options) {
  if (format == "parquet") return read_encode_parquet(path, options);
  if (format == "csv") return read_encode_csv(path, kDelimiterOfHeader, options);
  if (format == "tsv") return read_encode_csv(path, '\t', options);
  if (format == "jsonl") return read_encode_json_lines(path, options);
  return read_text_lines(path, options);
}

void check_one_of(const char* key, const std::string& value,
                  std::initializer_list<const char*> allowed) {
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
  std::string names;
  for (const char* name : allowed) names += str(names.empty() ? "" : ", ", name);
  throw ConfigError(key, value, names);
}

}  // namespace

EncodeLevel parse_encode_level(const std::string& name) {
  if (name == "codes") return EncodeLevel::codes;
  if (name == "visits") return EncodeLevel::visits;
  if (name == "patients") return EncodeLevel::patients;
  if (name == "texts") return EncodeLevel::texts;
  throw ConfigError("level", name, "codes, visits, patients, texts");
}

void EncodeInputOptions::validate() const {
  check_one_of("format", format, {"parquet", "csv", "tsv", "jsonl", "txt"});
  check_one_of("level", level, {"codes", "visits", "patients", "texts"});
  check_one_of("code_kind", code_kind, {"ids", "codes"});
  if (max_visits < 0) throw ConfigError("max_visits", std::to_string(max_visits), "0 or more");
  if (max_codes < 0) throw ConfigError("max_codes", std::to_string(max_codes), "0 or more");
}

EncodeInput read_encode_input(const std::string& path, const EncodeInputOptions& options) {
  options.validate();
  const std::string format = format_of(path, options);
  try {
    return read_format(path, format, options);
  } catch (const DataError& error) {
    Where outer;
    outer.path = path;
    throw error.within(outer);
  }
}

}  // namespace sequela
