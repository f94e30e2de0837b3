#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sequela/core/error.h"
#include "sequela/core/iso_time.h"
#include "sequela/core/time.h"
#include "sequela/io/csv.h"
#include "sequela/io/weights/pickle.h"
#include "sequela/tokenizer/sequence/med_bert_input.h"
#include "sequela/tokenizer/sequence/vocabulary_files.h"

namespace sequela {
namespace {

using Numbers = std::vector<int64_t>;

bool to_numbers(const PickleValue& value, Numbers* out) {
  if (!value.is_list()) return false;
  for (const PickleValue& item : value.list()) {
    if (!item.is_int()) return false;
    out->push_back(item.integer());
  }
  return true;
}

bool to_numbers(const nlohmann::json& value, Numbers* out) {
  if (!value.is_array()) return false;
  for (const nlohmann::json& item : value) {
    if (!item.is_number_integer()) return false;
    out->push_back(item.get<int64_t>());
  }
  return true;
}

void append_small(const Numbers& numbers, const std::string& path, std::vector<int32_t>* out) {
  for (const int64_t number : numbers) {
    if (number != static_cast<int32_t>(number)) throw FileError(path, "a number is too large");
    out->push_back(static_cast<int32_t>(number));
  }
}

// [patient, stays, days to next, codes, segments]; of what follows nothing is needed.
template <class Row>
void append_row(const Row& row, size_t size, bool has_id, int64_t id, const std::string& path,
                MedBertRows* rows) {
  Numbers stays, gaps, codes, segments;
  if (!has_id || size < 5 || !to_numbers(row[1], &stays) || !to_numbers(row[2], &gaps) ||
      !to_numbers(row[3], &codes) || !to_numbers(row[4], &segments) ||
      stays.size() != gaps.size() || codes.size() != segments.size()) {
    throw FileError(path, str("entry ", rows->num_patients(),
                              " is not [patient, stays, days to next, codes, segments]"));
  }
  const auto is_negative = [](int64_t number) { return number < 0; };
  if (std::any_of(codes.begin(), codes.end(), is_negative) ||
      std::any_of(segments.begin(), segments.end(), is_negative)) {
    throw FileError(path, str("entry ", rows->num_patients(), " has a negative code or segment"));
  }
  append_small(stays, path, &rows->stay_days);
  append_small(gaps, path, &rows->next_days);
  append_small(codes, path, &rows->ids);
  append_small(segments, path, &rows->segments);
  rows->patient_ids.push_back(id);
  rows->visit_offsets.push_back(static_cast<int64_t>(rows->stay_days.size()));
  rows->offsets.push_back(static_cast<int64_t>(rows->ids.size()));
}

MedBertRows read_json_rows(const std::string& path) {
  const nlohmann::json root = read_large_json(path);
  if (!root.is_array()) throw FileError(path, "this is not a list of patients");
  MedBertRows rows;
  for (const nlohmann::json& row : root) {
    const bool has_id = row.is_array() && !row.empty() && row[0].is_number_integer();
    append_row(row, row.size(), has_id, has_id ? row[0].get<int64_t>() : 0, path, &rows);
  }
  return rows;
}

MedBertRows read_pickled_rows(const std::string& path) {
  const PickleValue root = read_pickle_file(path);
  if (!root.is_list()) throw FileError(path, "this is not a list of patients");
  MedBertRows rows;
  static const PickleValue::List none;
  for (const PickleValue& row : root.list()) {
    const PickleValue::List& items = row.is_list() ? row.list() : none;
    const bool has_id = !items.empty() && items[0].is_int();
    append_row(items, items.size(), has_id, has_id ? items[0].integer() : 0, path, &rows);
  }
  return rows;
}

// A value that sorts as a number if it is one, else as text after all numbers.
struct SortKey {
  double number = std::numeric_limits<double>::infinity();
  std::string text;

  explicit SortKey(std::string_view field) {
    const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), number);
    if (problem == std::errc() && end == field.data() + field.size()) return;
    number = std::numeric_limits<double>::infinity();
    text = field;
  }
  auto operator<=>(const SortKey&) const = default;
};

struct Diagnosis {
  int64_t patient_id;
  int64_t admission_day;
  int64_t discharge_day;
  SortKey present_on_admission, third_party, priority;
  std::string code;
};

class TableReader {
 public:
  explicit TableReader(const std::string& path) : csv_(path, '\t', CsvQuoting::none) {
    for (const char* name : {"patient_id", "vadate", "vddate", "diag", "poa", "diagnosis_priority",
                             "third_party_ind"}) {
      columns_.push_back(csv_.require_column(name));
    }
  }

  std::vector<Diagnosis> read() {
    std::vector<Diagnosis> out;
    row_ = 0;
    csv_.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
      const auto field = [&](int i) { return fields[static_cast<size_t>(columns_[i])]; };
      if (field(3).empty()) fail("diag", "is empty");
      out.push_back({patient_of(field(0)), day_of_field(field(1), "vadate"),
                     day_of_field(field(2), "vddate"), SortKey(field(4)), SortKey(field(6)),
                     SortKey(field(5)), std::string(field(3))});
      ++row_;
    });
    return out;
  }

 private:
  int64_t patient_of(std::string_view field) const {
    int64_t id = 0;
    const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), id);
    if (problem != std::errc() || end != field.data() + field.size()) {
      fail("patient_id", "is not an integer");
    }
    return id;
  }
  int64_t day_of_field(std::string_view field, const char* column) const {
    const auto time = parse_iso_time(field);
    if (!time) fail(column, "is not a date YYYY-MM-DD");
    return day_of(*time);
  }
  [[noreturn]] void fail(const char* column, const char* problem) const {
    Where where;
    where.path = csv_.path();
    where.row = row_;
    where.column = column;
    throw DataError(where, problem, "mend the row");
  }

  CsvReader csv_;
  std::vector<int> columns_;
  int64_t row_ = 0;
};

// Appends the codes of one visit, each once.
void append_visit(std::span<const Diagnosis> visit, int32_t number, UnknownCodes unknown,
                  CodeVocabulary* codes, MedBertRows* rows) {
  const auto first = static_cast<int64_t>(rows->ids.size());
  for (const Diagnosis& diagnosis : visit) {
    const auto id = unknown == UnknownCodes::add ? codes->add(diagnosis.code)
                                                 : codes->id_or(diagnosis.code, -1);
    const bool is_there =
        std::find(rows->ids.begin() + first, rows->ids.end(), id) != rows->ids.end();
    if (id < 0 || is_there) continue;
    rows->ids.push_back(id);
    rows->segments.push_back(number);
  }
}

int64_t discharge_of(std::span<const Diagnosis> visit) {
  int64_t day = visit.front().discharge_day;
  for (const Diagnosis& diagnosis : visit) day = std::max(day, diagnosis.discharge_day);
  return day;
}

// Appends one patient, whose rows stand in order.
void append_patient(std::span<const Diagnosis> patient, UnknownCodes unknown, CodeVocabulary* codes,
                    MedBertRows* rows) {
  int32_t number = 0;
  for (size_t begin = 0; begin < patient.size();) {
    size_t end = begin;
    while (end < patient.size() && patient[end].admission_day == patient[begin].admission_day)
      ++end;
    const auto visit = patient.subspan(begin, end - begin);
    append_visit(visit, ++number, unknown, codes, rows);
    const int64_t discharge = discharge_of(visit);
    const int64_t next = end < patient.size() ? patient[end].admission_day - discharge : 0;
    rows->stay_days.push_back(static_cast<int32_t>(discharge - visit.front().admission_day));
    rows->next_days.push_back(static_cast<int32_t>(next));
    begin = end;
  }
  rows->patient_ids.push_back(patient.front().patient_id);
  rows->visit_offsets.push_back(static_cast<int64_t>(rows->stay_days.size()));
  rows->offsets.push_back(static_cast<int64_t>(rows->ids.size()));
}

}  // namespace

MedBertRows read_bencs(const std::string& path) {
  return path.ends_with(".json") ? read_json_rows(path) : read_pickled_rows(path);
}

MedBertRows read_med_bert_table(const std::string& path, UnknownCodes unknown,
                                CodeVocabulary* codes) {
  std::vector<Diagnosis> table = TableReader(path).read();
  std::stable_sort(table.begin(), table.end(), [](const Diagnosis& a, const Diagnosis& b) {
    const auto key = [](const Diagnosis& d) {
      return std::tie(d.patient_id, d.admission_day, d.present_on_admission, d.third_party,
                      d.priority);
    };
    return key(a) < key(b);
  });
  MedBertRows rows;
  for (size_t begin = 0; begin < table.size();) {
    size_t end = begin;
    while (end < table.size() && table[end].patient_id == table[begin].patient_id) ++end;
    append_patient({table.data() + begin, end - begin}, unknown, codes, &rows);
    begin = end;
  }
  return rows;
}

}  // namespace sequela
