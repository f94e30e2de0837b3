#include "sequela/meds/check_dataset.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/time.h"
#include "sequela/core/utf8.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/dataset.h"
#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

constexpr size_t kMaxPlaces = 3;
constexpr int64_t kStartOf1900 = -2'208'988'800 * kMicrosPerSecond;
constexpr int64_t kStartOf2300 = 10'413'792'000 * kMicrosPerSecond;

enum class Weight { fault, look };

// Findings by what they are.
class Findings {
 public:
  void add(Weight weight, const std::string& what, const std::string& place, int64_t count = 1) {
    if (count == 0) return;
    MedsFinding& finding = all_[what];
    finding.what = what;
    finding.is_fault = weight == Weight::fault;
    finding.count += count;
    if (finding.places.size() < kMaxPlaces && !place.empty()) finding.places.push_back(place);
  }
  void add(const Findings& other) {
    for (const auto& [what, finding] : other.all_) {
      MedsFinding& own = all_[what];
      const int64_t count = own.count + finding.count;
      std::vector<std::string> places = own.places;
      places.insert(places.end(), finding.places.begin(), finding.places.end());
      if (places.size() > kMaxPlaces) places.resize(kMaxPlaces);
      own = {finding.is_fault, what, count, places};
    }
  }
  std::vector<MedsFinding> list() const {
    std::vector<MedsFinding> list;
    for (const auto& [what, finding] : all_) list.push_back(finding);
    std::ranges::stable_sort(list,
                             [](const auto& a, const auto& b) { return a.is_fault > b.is_fault; });
    return list;
  }

 private:
  std::map<std::string, MedsFinding> all_;
};

// What a code's events are.
struct CodeFacts {
  int64_t num_events = 0;
  std::string unit;
  bool has_several_units = false;
};

struct ShardFacts {
  Findings findings;
  int64_t num_events = 0;
  std::vector<int64_t> subjects;  // in order, distinct
  std::unordered_map<std::string, CodeFacts> codes;
};

// Reads one shard, row by row.
class ShardCheck {
 public:
  ShardCheck(const std::string& name, ShardFacts* facts) : name_(name), facts_(*facts) {}

  void run(const std::string& path);

 private:
  bool check_columns(const ParquetReader& reader);
  void add_row(const RowBatch& batch, int64_t i);
  void start_subject(int64_t subject, int64_t row);
  void check_time(const RowBatch& batch, int64_t i, int64_t row);
  void check_code(const RowBatch& batch, int64_t i, int64_t row);
  void end_subject();
  void fault(const std::string& what, int64_t row) {
    facts_.findings.add(Weight::fault, what, str(name_, ": row ", row));
  }
  void look(const std::string& what, const std::string& place, int64_t count = 1) {
    facts_.findings.add(Weight::look, what, place, count);
  }
  std::string of_subject() const { return str("subject ", subject_); }

  const std::string name_;
  ShardFacts& facts_;
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
      facts_.findings.add(Weight::fault, str("no column ", column), name_);
      return false;
    }
    if (reader.columns()[*index].type == type) return true;
    facts_.findings.add(
        Weight::fault,
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
    early += time < kStartOf1900;
    late += time >= kStartOf2300;
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
  if (time < kStartOf2300) time_ = std::max(time, time_);
  if (!is_static) times_.push_back(time);
}

void ShardCheck::check_code(const RowBatch& batch, int64_t i, int64_t row) {
  if (!batch.columns[2].is_valid(i)) return fault("no code", row);
  const std::string_view code = batch.columns[2].text(i);
  if (code.size() > kMaxCodeBytes) return fault("a code of more than 64 KiB", row);
  if (!is_valid_utf8(code)) return fault("a code that is not UTF-8", row);
  CodeFacts& facts = facts_.codes[std::string(code)];
  ++facts.num_events;
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
    facts_.findings.add(Weight::fault, "a file that cannot be read",
                        str(name_, ": ", error.problem()));
  }
}

// codes.parquet beside the codes of the data.
void check_codes(const Dataset& dataset, const std::unordered_map<std::string, CodeFacts>& codes,
                 Findings* findings) {
  for (const auto& [code, facts] : codes) {
    if (facts.has_several_units) findings->add(Weight::look, "codes with several units", code);
  }
  if (!dataset.codes_path) return findings->add(Weight::look, "no metadata/codes.parquet", "");
  std::unordered_set<std::string> known;
  try {
    ParquetReader reader(*dataset.codes_path);
    reader.read({reader.require_column("code", {ColumnType::string})}, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        const std::string code(batch.columns[0].text(i));
        if (!known.insert(code).second)
          findings->add(Weight::fault, "a code twice in codes.parquet", code);
      }
    });
  } catch (const DataError& error) {
    return findings->add(Weight::fault, "a file that cannot be read",
                         "metadata/codes.parquet: " + error.problem());
  }
  std::set<std::string> missing;
  for (const auto& [code, facts] : codes) {
    if (!known.contains(code)) missing.insert(code);
  }
  for (const std::string& code : missing)
    findings->add(Weight::look, "codes without a row in codes.parquet", code);
}

void check_splits(const Dataset& dataset, const std::vector<std::pair<int64_t, size_t>>& subjects,
                  Findings* findings) {
  if (!dataset.splits_path) return;
  std::unordered_set<int64_t> split;
  try {
    for (const SubjectSplitRow& row : read_subject_splits(*dataset.splits_path))
      split.insert(row.subject_id);
  } catch (const DataError& error) {
    return findings->add(Weight::fault, "subject_splits.parquet is not as it should be",
                         error.problem());
  }
  size_t num_found = 0;
  for (const auto& [subject, shard] : subjects) {
    if (split.contains(subject))
      ++num_found;
    else
      findings->add(Weight::look, "subjects that subject_splits.parquet lacks",
                    str("subject ", subject));
  }
  findings->add(Weight::look, "subjects of subject_splits.parquet without events", "",
                static_cast<int64_t>(split.size() - std::min(split.size(), num_found)));
}

}  // namespace

MedsCheck check_meds(const std::string& path, int num_threads) {
  const Dataset dataset = find_dataset(path);
  if (dataset.kind != DatasetKind::parquet) {
    throw DataError({.path = path}, "this is a meds_reader database",
                    "name the MEDS folder that it was made of");
  }
  MedsCheck check;
  check.num_shards = static_cast<int64_t>(dataset.shards.size());
  std::vector<ShardFacts> facts(dataset.shards.size());
  Progress progress("check", check.num_shards, "shards");
  parallel_for(check.num_shards, num_threads, [&](int64_t i, int) {
    ShardCheck(dataset.name_of(dataset.shards[i]), &facts[i]).run(dataset.shards[i]);
    progress.advance(1);
  });
  Findings findings;
  std::vector<std::pair<int64_t, size_t>> subjects;
  std::unordered_map<std::string, CodeFacts> codes;
  for (size_t shard = 0; shard < facts.size(); ++shard) {
    findings.add(facts[shard].findings);
    check.num_events += facts[shard].num_events;
    for (const int64_t subject : facts[shard].subjects) subjects.emplace_back(subject, shard);
    for (const auto& [code, of_shard] : facts[shard].codes) {
      CodeFacts& all = codes[code];
      const bool differs = !all.unit.empty() && !of_shard.unit.empty() && all.unit != of_shard.unit;
      all.has_several_units = all.has_several_units || of_shard.has_several_units || differs;
      if (all.unit.empty()) all.unit = of_shard.unit;
      all.num_events += of_shard.num_events;
    }
    facts[shard] = {};
  }
  std::ranges::sort(subjects);
  for (size_t i = 1; i < subjects.size(); ++i) {
    if (subjects[i].first == subjects[i - 1].first)
      findings.add(Weight::fault, "a subject in two shards", str("subject ", subjects[i].first));
  }
  check.num_codes = static_cast<int64_t>(codes.size());
  check.num_subjects = static_cast<int64_t>(subjects.size());
  if (subjects.empty()) findings.add(Weight::look, "no subject at all", "");
  check_codes(dataset, codes, &findings);
  check_splits(dataset, subjects, &findings);
  check.findings = findings.list();
  return check;
}

}  // namespace sequela
