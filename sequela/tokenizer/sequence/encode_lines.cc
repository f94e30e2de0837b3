#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/iso_time.h"
#include "sequela/io/unpack.h"
#include "sequela/tokenizer/sequence/encode_rows.h"

namespace sequela {
namespace {

using LineJson = nlohmann::json;

constexpr int kMaxLineDepth = 8;

// Reads JSON lines, each one kind of thing.
class LineReader {
 public:
  explicit LineReader(const EncodeInputOptions& options) : options_(options), rows_(options) {}

  void add(const LineJson& line, int64_t row) {
    row_ = row;
    if (line.is_object()) return add_object(line);
    if (!line.is_array()) {
      note(EncodeLevel::codes);
      return add_code(rows_.visit_of({}), line);
    }
    if (!line.empty() && line.front().is_array()) {
      note(EncodeLevel::patients);
      return add_visits(line, rows_.add_patient());
    }
    note(EncodeLevel::visits);
    RowPlace place;
    place.is_own_visit = true;
    add_codes(rows_.visit_of(place), line);
  }

  EncodeInput finish() { return rows_.finish(level_.value_or(EncodeLevel::codes)); }

 private:
  // All lines are of one level.
  void note(EncodeLevel level) {
    if (!level_) level_ = level;
    if (level_ == level) return;
    fail("", "this line is of another kind than the lines before",
         "give codes, visits or patients in a file, not several of them");
  }
  [[noreturn]] void fail(const std::string& column, const std::string& problem,
                         const std::string& fix = "mend the row") const {
    fail_row(row_, column, problem, fix);
  }

  const LineJson* find(const LineJson& object, const std::string& named,
                       std::initializer_list<const char*> usual) const {
    const auto get = [&](const std::string& name) {
      const auto found = object.find(name);
      return found == object.end() || found->is_null() ? nullptr : &*found;
    };
    if (!named.empty()) return get(named);
    for (const char* name : usual) {
      if (const LineJson* found = get(name)) return found;
    }
    return nullptr;
  }

  std::optional<int64_t> subject_of(const LineJson& object) const {
    const LineJson* id =
        find(object, options_.subject_column, {"subject_id", "patient_id", "person_id"});
    if (id == nullptr) return std::nullopt;
    if (!id->is_number_integer()) fail("subject_id", "this is not an integer");
    return id->get<int64_t>();
  }
  std::string visit_name_of(const LineJson& object) const {
    const LineJson* name = find(object, options_.visit_column,
                                {"visit_id", "encounter_id", "hadm_id", "visit_occurrence_id"});
    if (name == nullptr) return "";
    if (name->is_string()) return name->get<std::string>();
    if (!name->is_number_integer()) fail("visit_id", "this is neither a text nor an integer");
    return std::to_string(name->get<int64_t>());
  }
  int64_t time_of(const LineJson& object) const {
    const LineJson* value = find(object, options_.time_column, {"time"});
    if (value == nullptr) return kNoTime;
    const auto time =
        value->is_string() ? parse_iso_time(value->get_ref<const std::string&>()) : std::nullopt;
    if (!time) fail("time", "this is not a time such as \"2020-01-31T23:59:59\"");
    return *time;
  }

  void add_object(const LineJson& line) {
    const LineJson* codes = find(line, options_.code_column, {"code", "codes"});
    if (options_.level == "texts" || codes == nullptr) {
      if (const LineJson* text = find(line, options_.text_column, {"text"})) return add_text(*text);
    }
    const auto subject = subject_of(line);
    if (const LineJson* visits = find(line, "visits", {})) {
      note(EncodeLevel::patients);
      if (!visits->is_array()) fail("visits", "this is not a list");
      return add_visits(*visits, subject ? rows_.add_patient(*subject) : rows_.add_patient());
    }
    if (codes == nullptr) fail("code", "there is no code, codes, visits or text");
    const std::string name = visit_name_of(line);
    RowPlace place{subject, name, time_of(line), codes->is_array()};
    const bool is_visit = codes->is_array() || !name.empty() || place.time_us != kNoTime;
    note(subject ? EncodeLevel::patients : is_visit ? EncodeLevel::visits : EncodeLevel::codes);
    const int64_t visit = rows_.visit_of(place);
    if (codes->is_array()) return add_codes(visit, *codes);
    add_code(visit, *codes);
  }

  void add_text(const LineJson& text) {
    note(EncodeLevel::texts);
    if (!text.is_string()) fail("text", "this is not a text");
    rows_.add_text(text.get_ref<const std::string&>());
  }

  void add_visits(const LineJson& visits, int64_t patient) {
    for (const LineJson& visit : visits) {
      if (visit.is_array()) {
        add_codes(rows_.add_visit(patient, "", kNoTime), visit);
        continue;
      }
      if (!visit.is_object()) fail("visits", "a visit is neither a list nor an object");
      const LineJson* codes = find(visit, options_.code_column, {"codes"});
      if (codes == nullptr || !codes->is_array()) fail("codes", "a visit has no list of codes");
      add_codes(rows_.add_visit(patient, visit_name_of(visit), time_of(visit)), *codes);
    }
  }

  void add_codes(int64_t visit, const LineJson& codes) {
    for (const LineJson& code : codes) add_code(visit, code);
  }
  void add_code(int64_t visit, const LineJson& code) {
    if (code.is_string()) return rows_.add_code(visit, code.get_ref<const std::string&>(), row_);
    if (!code.is_number_integer()) fail("code", "a code is neither a text nor an integer");
    if (code.is_number_unsigned() && code.get<uint64_t>() >> 62 != 0) {
      fail("code", "the id is not a whole number from 0 up");
    }
    rows_.add_id(visit, code.get<int64_t>(), row_);
  }

  const EncodeInputOptions& options_;
  EncodeRows rows_;
  std::optional<EncodeLevel> level_;
  int64_t row_ = 0;
};

LineJson parse_line(std::string_view line, int64_t row) {
  const auto check_depth = [row](int depth, LineJson::parse_event_t, LineJson&) {
    if (depth > kMaxLineDepth) fail_row(row, "", "the JSON is nested too deeply");
    return true;
  };
  try {
    return LineJson::parse(line, check_depth);
  } catch (const nlohmann::json::exception&) {
    fail_row(row, "", "this is not valid JSON", "give one JSON value a line");
  }
}

}  // namespace

EncodeInput read_encode_json_lines(const std::string& path, const EncodeInputOptions& options) {
  const MappedFile file = map_unpacked(path);
  LineReader reader(options);
  std::string_view left = file.text();
  for (int64_t row = 0; !left.empty(); ++row) {
    const size_t end = left.find('\n');
    const std::string_view line = left.substr(0, end);
    if (row % 4096 == 0) throw_if_stopped();
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      reader.add(parse_line(line, row), row);
    }
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  return reader.finish();
}

}  // namespace sequela
