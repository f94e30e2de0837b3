#include <charconv>
#include <functional>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/time.h"
#include "sequela/io/csv.h"
#include "sequela/io/parquet.h"
#include "sequela/tokenizer/sequence/encode_rows.h"

namespace sequela {
namespace {

// Which columns of a table play which part; -1 = none.
struct TableColumns {
  int code = -1;
  int subject = -1;
  int visit = -1;
  int time = -1;
  int text = -1;
  bool has_lists = false;  // of codes

  EncodeLevel level() const {
    if (code < 0) return EncodeLevel::texts;
    if (subject >= 0) return EncodeLevel::patients;
    return visit >= 0 || time >= 0 || has_lists ? EncodeLevel::visits : EncodeLevel::codes;
  }
};

using FindColumn = std::function<int(const std::string&)>;  // -1 = none

// By the names in any case (OMOP's are often capitals).
FindColumn find_in(std::vector<std::string> names, const std::string& path) {
  return [names = std::move(names), path](const std::string& name) {
    return find_name_of_any_case(names, name, path).value_or(-1);
  };
}

int pick(const FindColumn& find, const std::string& named,
         std::initializer_list<const char*> usual) {
  if (!named.empty()) {
    const int found = find(named);
    if (found < 0) fail_row(-1, named, "there is no such column", "name a column of the file");
    return found;
  }
  for (const char* name : usual) {
    if (const int found = find(name); found >= 0) return found;
  }
  return -1;
}

TableColumns find_columns(const FindColumn& find, const EncodeInputOptions& options) {
  TableColumns columns;
  columns.code = pick(find, options.code_column, {"code", "codes"});
  columns.subject = pick(find, options.subject_column, {"subject_id", "patient_id", "person_id"});
  columns.visit = pick(find, options.visit_column,
                       {"visit_id", "encounter_id", "hadm_id", "visit_occurrence_id"});
  columns.time = pick(find, options.time_column, {"time"});
  columns.text = pick(find, options.text_column, {"text"});
  if (options.level == "texts") columns.code = -1;
  if (columns.code < 0 && columns.text < 0) {
    fail_row(-1, "code", "there is no such column, nor codes or text",
             "name the column of the codes, or of the text");
  }
  return columns;
}

int64_t to_time(std::string_view text, int64_t row, ZoneRule rule, TimeNotes* notes) {
  if (text.empty()) return kNoTime;
  const auto time = text_time(text, rule, notes);
  if (!time) fail_row(row, "time", "this is not a time such as 2020-01-31T23:59:59");
  return *time;
}

int64_t to_integer(std::string_view text, const char* column, int64_t row) {
  int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    fail_row(row, column, "this is not an integer");
  }
  return value;
}

// The columns of one run of Parquet rows.
class ParquetRows {
 public:
  ParquetRows(const ParquetReader& reader, const TableColumns& columns, ZoneRule zone_rule,
              EncodeRows* rows)
      : reader_(reader), columns_(columns), rows_(rows) {
    for (const int column :
         {columns.code, columns.subject, columns.visit, columns.time, columns.text}) {
      places_.push_back(column < 0 ? -1 : static_cast<int>(wanted_.size()));
      if (column >= 0) wanted_.push_back(column);
    }
    check_types();
    if (columns.time >= 0) {
      times_.emplace(reader, reader.columns()[static_cast<size_t>(columns.time)].name, zone_rule,
                     TimeColumn::Texts::allowed);
    }
  }
  const std::vector<int>& wanted() const { return wanted_; }
  TimeNotes time_notes() const { return times_ ? times_->notes() : TimeNotes{}; }

  void add(const RowBatch& batch) {
    throw_if_stopped();
    known_dictionary_ = nullptr;
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      const int64_t row = batch.first_row + i;
      if (columns_.code < 0) {
        const ColumnSlice& texts = batch.columns[places_[4]];
        rows_->add_text(texts.is_valid(i) ? texts.text(i) : std::string_view());
        continue;
      }
      const RowPlace place = place_of(batch, i, row);
      add_codes(batch.columns[places_[0]], rows_->visit_of(place), i, row);
    }
  }

 private:
  ColumnType type(int column) const { return reader_.columns()[static_cast<size_t>(column)].type; }
  void check(int column, const std::vector<ColumnType>& allowed) const {
    if (column >= 0) {
      reader_.require_column(reader_.columns()[static_cast<size_t>(column)].name, allowed);
    }
  }
  void check_types() const {
    check(columns_.code,
          {ColumnType::string, ColumnType::int64, ColumnType::string_list, ColumnType::int64_list});
    check(columns_.subject, {ColumnType::int64});
    check(columns_.visit, {ColumnType::int64, ColumnType::string});
    if (columns_.code < 0) check(columns_.text, {ColumnType::string});
  }

  RowPlace place_of(const RowBatch& batch, int64_t i, int64_t row) {
    RowPlace place;
    place.is_own_visit = columns_.has_lists;
    if (places_[1] >= 0) {
      const ColumnSlice& subjects = batch.columns[places_[1]];
      if (!subjects.is_valid(i)) fail_row(row, "subject_id", "the id is missing");
      place.subject_id = subjects.int64s[i];
    }
    if (places_[2] >= 0 && batch.columns[places_[2]].is_valid(i)) {
      const ColumnSlice& visits = batch.columns[places_[2]];
      if (type(columns_.visit) == ColumnType::int64)
        visit_name_ = std::to_string(visits.int64s[i]);
      else
        visit_name_ = visits.text(i);
      place.visit_name = visit_name_;
    }
    if (places_[3] >= 0 && batch.columns[places_[3]].is_valid(i)) {
      place.time_us = time_of(batch.columns[places_[3]], i, row);
    }
    return place;
  }

  int64_t time_of(const ColumnSlice& times, int64_t i, int64_t row) {
    const bool is_text = type(columns_.time) == ColumnType::string;
    if (is_text && times.text(i).empty()) return kNoTime;
    try {
      return times_->time_us(times, i);
    } catch (const DataError&) {
      fail_row(row, "time", "this is not a time such as 2020-01-31T23:59:59");
    }
  }

  void add_codes(const ColumnSlice& codes, int64_t visit, int64_t i, int64_t row) {
    if (columns_.has_lists) {
      for (int64_t k = codes.list_offsets[i]; k < codes.list_offsets[i + 1]; ++k) {
        add_code(codes, visit, k, row);
      }
      return;
    }
    if (!codes.is_valid(i)) fail_row(row, "code", "the code is missing");
    add_code(codes, visit, i, row);
  }

  // The number of a dictionary's text is looked up once a run.
  void add_code(const ColumnSlice& codes, int64_t visit, int64_t k, int64_t row) {
    if (codes.int64s != nullptr) return rows_->add_id(visit, codes.int64s[k], row);
    if (codes.dictionary != known_dictionary_) {
      known_dictionary_ = codes.dictionary;
      known_.assign(static_cast<size_t>(codes.dictionary_size), -1);
    }
    int32_t& known = known_[static_cast<size_t>(codes.indices[k])];
    if (known < 0) known = rows_->know(codes.text(k), row);
    rows_->add_known(visit, known);
  }

  const ParquetReader& reader_;
  const TableColumns columns_;
  EncodeRows* const rows_;
  std::vector<int> wanted_;
  std::vector<int> places_;  // of code, subject, visit, time, text in a run's columns
  std::optional<TimeColumn> times_;
  std::string visit_name_;
  const std::string_view* known_dictionary_ = nullptr;
  std::vector<int32_t> known_;
};

}  // namespace

EncodeInput read_encode_parquet(const std::string& path, const EncodeInputOptions& options) {
  ParquetReader reader(path);
  std::vector<std::string> names;
  for (const ColumnInfo& column : reader.columns()) names.push_back(column.name);
  TableColumns columns = find_columns(find_in(std::move(names), path), options);
  if (columns.code >= 0) {
    const ColumnType type = reader.columns()[static_cast<size_t>(columns.code)].type;
    columns.has_lists = type == ColumnType::string_list || type == ColumnType::int64_list;
  }
  EncodeRows rows(options);
  ParquetRows table(reader, columns, options.zone_rule, &rows);
  reader.read(table.wanted(), [&](const RowBatch& batch) { table.add(batch); });
  table.time_notes().say("input", options.zone_rule);
  return rows.finish(columns.level());
}

EncodeInput read_encode_csv(const std::string& path, char delimiter,
                            const EncodeInputOptions& options) {
  CsvReader csv(path, delimiter, CsvQuoting::rfc4180);
  TableColumns columns = find_columns(find_in(csv.header(), path), options);
  columns.has_lists = columns.code >= 0 && csv.find_column_of_any_case("codes") == columns.code;
  EncodeRows rows(options);
  TimeNotes notes;
  int64_t row = -1;
  csv.for_each_row([&](std::span<const std::string_view> fields, int64_t) {
    ++row;
    const auto field = [&](int column) { return fields[static_cast<size_t>(column)]; };
    if (columns.code < 0) return rows.add_text(field(columns.text));
    RowPlace place;
    place.is_own_visit = columns.has_lists;
    if (columns.subject >= 0) {
      place.subject_id = to_integer(field(columns.subject), "subject_id", row);
    }
    if (columns.visit >= 0) place.visit_name = field(columns.visit);
    if (columns.time >= 0)
      place.time_us = to_time(field(columns.time), row, options.zone_rule, &notes);
    const int64_t visit = rows.visit_of(place);
    std::string_view left = field(columns.code);
    if (!columns.has_lists) return rows.add_code(visit, left, row);
    while (!left.empty()) {
      const size_t end = std::min(left.find_first_of(" ;|"), left.size());
      if (end > 0) rows.add_code(visit, left.substr(0, end), row);
      left.remove_prefix(std::min(end + 1, left.size()));
    }
  });
  notes.say("input", options.zone_rule);
  return rows.finish(columns.level());
}

}  // namespace sequela
