#include "sequela/meds/check/shard_check.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/time.h"
#include "sequela/core/utf8.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

// Reads one shard, row by row.
class ShardCheck {
 public:
  ShardCheck(const std::string& name, CheckedShard* facts) : name_(name), facts_(*facts) {}

  void run(const std::string& path);

 private:
  bool check_columns(const ParquetReader& reader);
  void add_row(const RowBatch& batch, int64_t i);
  void start_subject(int64_t subject, int64_t row);
  void check_time(const RowBatch& batch, int64_t i, int64_t row);
  void check_code(const RowBatch& batch, int64_t i, int64_t row);
  void end_subject();
  void fault(const std::string& what, int64_t row) {
    facts_.findings.add(FindingWeight::fault, what, str(name_, ": row ", row));
  }
  void look(const std::string& what, const std::string& place, int64_t count = 1) {
    facts_.findings.add(FindingWeight::look, what, place, count);
  }
  std::string of_subject() const { return str("subject ", subject_); }

  const std::string name_;
  CheckedShard& facts_;
  int number_ = -1, unit_ = -1;  // places among the columns that are read
  bool has_subject_ = false;
  int64_t subject_ = 0, time_ = kNoTime, birth_ = kNoTime;
  int64_t num_births_ = 0, num_backwards_ = 0;
  std::vector<int64_t> times_;  // of the subject
  std::unordered_set<int64_t> seen_;
};

bool ShardCheck::check_columns(const ParquetReader& reader) {
  const auto need = [&](const char* column, ColumnType type, const char* wanted) {
    const auto index = reader.find_column(column);
    if (!index) {
      facts_.findings.add(FindingWeight::fault, str("no column ", column), name_);
      return false;
    }
    if (reader.columns()[*index].type == type) return true;
    facts_.findings.add(
        FindingWeight::fault,
        str("column ", column, " is ", reader.columns()[*index].type_name, ", not ", wanted),
        name_);
    return false;
  };
  bool is_right = need("subject_id", ColumnType::int64, "int64");
  is_right = need("time", ColumnType::timestamp, "timestamp[us]") && is_right;
  is_right = need("code", ColumnType::string, "string") && is_right;
  if (const auto number = reader.find_filled_column("numeric_value")) {
    const ColumnInfo& column = reader.columns()[*number];
    const bool is_number = column.type == ColumnType::float32 ||
                           column.type == ColumnType::float64 || column.type == ColumnType::int64;
    if (!is_number)
      is_right = need("numeric_value", ColumnType::float32, "float32") && is_right;
    else if (column.type != ColumnType::float32)
      look(str("numeric_value is ", column.type_name, ", not float32"), name_);
  }
  return is_right;
}

void ShardCheck::start_subject(int64_t subject, int64_t row) {
  if (has_subject_ && subject == subject_) return;
  end_subject();
  if (!seen_.insert(subject).second) {
    fault("a subject in several runs of a shard", row);
  } else {
    facts_.subjects.push_back(subject);
  }
  has_subject_ = true;
  subject_ = subject;
  time_ = birth_ = kNoTime;
  num_births_ = num_backwards_ = 0;
  times_.clear();
}

void ShardCheck::end_subject() {
  if (!has_subject_) return;
  int64_t before_birth = 0, early = 0, late = 0;
  for (const int64_t time : times_) {
    before_birth += birth_ != kNoTime && time < birth_;
    early += time < kStartOf1900Us;
    late += time >= kStartOf2300Us;
  }
  look("events before birth", of_subject(), before_birth);
  look("events before 1900", of_subject(), early);
  look("events after 2299", of_subject(), late);
  if (num_births_ == 0) look("subjects without birth", of_subject());
  if (num_births_ > 1) look("subjects with several births", of_subject());
}

void ShardCheck::check_time(const RowBatch& batch, int64_t i, int64_t row) {
  const bool is_static = !batch.columns[1].is_valid(i);
  const int64_t time = is_static ? kNoTime : batch.columns[1].int64s[i];
  if (time < time_)
    fault(is_static ? "a static event behind one with a time" : "times that go backwards", row);
  // An impossible time is told as such; what follows is not held against it.
  if (time < kStartOf2300Us) time_ = std::max(time, time_);
  if (!is_static) times_.push_back(time);
}

void ShardCheck::check_code(const RowBatch& batch, int64_t i, int64_t row) {
  if (!batch.columns[2].is_valid(i)) return fault("no code", row);
  const std::string_view code = batch.columns[2].text(i);
  if (code.size() > kMaxCodeBytes) return fault("a code of more than 64 KiB", row);
  if (!is_valid_utf8(code)) return fault("a code that is not UTF-8", row);
  CheckedCode& facts = facts_.codes[std::string(code)];
  if (unit_ >= 0 && batch.columns[unit_].is_valid(i)) {
    const std::string_view unit = batch.columns[unit_].text(i);
    if (facts.unit.empty()) facts.unit = unit;
    facts.has_several_units = facts.has_several_units || facts.unit != unit;
  }
  if (code != "MEDS_BIRTH") return;
  if (num_births_++ == 0 && batch.columns[1].is_valid(i)) birth_ = batch.columns[1].int64s[i];
}

void ShardCheck::add_row(const RowBatch& batch, int64_t i) {
  const int64_t row = batch.first_row + i;
  ++facts_.num_events;
  if (!batch.columns[0].is_valid(i)) return fault("no subject_id", row);
  start_subject(batch.columns[0].int64s[i], row);
  check_time(batch, i, row);
  check_code(batch, i, row);
  if (number_ >= 0 && batch.columns[number_].is_valid(i) &&
      !std::isfinite(batch.columns[number_].number(i))) {
    look("numbers that are NaN or infinite", str(name_, ": row ", row));
  }
}

void ShardCheck::run(const std::string& path) {
  try {
    ParquetReader reader(path);
    if (!check_columns(reader)) return;
    std::vector<int> columns = {*reader.find_column("subject_id"), *reader.find_column("time"),
                                *reader.find_column("code")};
    const auto add = [&](const char* name, int* place) {
      const auto index = reader.find_filled_column(name);
      if (!index) return;
      *place = static_cast<int>(columns.size());
      columns.push_back(*index);
    };
    add("numeric_value", &number_);
    const auto unit = reader.find_filled_column("unit");
    if (unit && reader.columns()[*unit].type == ColumnType::string) add("unit", &unit_);
    reader.read(columns, [&](const RowBatch& batch) {
      throw_if_stopped();
      for (int64_t i = 0; i < batch.num_rows; ++i) add_row(batch, i);
    });
    end_subject();
  } catch (const DataError& error) {
    facts_.findings.add(FindingWeight::fault, "a file that cannot be read",
                        str(name_, ": ", error.problem()));
  }
}

}  // namespace

CheckedShard check_shard(const std::string& path, const std::string& name) {
  CheckedShard facts;
  ShardCheck(name, &facts).run(path);
  return facts;
}

}  // namespace sequela
