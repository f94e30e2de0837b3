#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace sequela {

// The three parts of a cohort, in the order of their files.
enum class CohortSplit { train, valid, test };
inline constexpr const char* kCohortSplitNames[] = {"train", "valid", "test"};

// A cohort member: its part and its label as text (as Python's str() prints the value: 1, 0.5,
// True); empty where the cohort has no labels.
struct CohortMember {
  CohortSplit split = CohortSplit::train;
  std::string label;
};

// The text that Python's str() gives for a float.
std::string float_text(double value);

// Members by subject id. Each has a label if any has; a subject that is given twice must have the
// same split and label.
struct Cohort {
  std::unordered_map<int64_t, CohortMember> members;
  std::vector<int64_t> order;          // subject ids as first met
  std::vector<int64_t> without_split;  // subjects of rows whose split is empty; no members
  bool has_labels = true;              // false: the labels table's own serve
};

// Reads a table with subject_id, dataset_split and a label column from a Parquet or CSV file (.csv,
// .tsv, packed by gzip or not; separated as the header is), the columns named in any case. The
// split is train, validate (validation, valid, val, tuning) or test (held_out), and its column may
// be named split, so that MEDS's subject_splits.parquet is a cohort. `label_column` empty = the
// only other column; without any, the cohort has no labels. Throws DataError.
Cohort read_cohort_file(const std::string& path, const std::string& label_column);

// The same from the answer of a query to a PostgreSQL server. The URI's password appears in no
// message; without one, libpq's own sources serve (PGPASSWORD, ~/.pgpass). Throws FileError if the
// server or the query fails, DataError for bad rows.
Cohort read_cohort_database(const std::string& uri, const std::string& query,
                            const std::string& label_column);

// Builds a cohort row by row; shared by the readers. `where` names the source in errors.
class CohortBuilder {
 public:
  CohortBuilder(std::string source, const std::vector<std::string>& columns,
                const std::string& label_column);
  int subject_column() const { return subject_column_; }
  int split_column() const { return split_column_; }
  int label_column() const { return label_column_; }  // -1 = none
  void add(int64_t row, int64_t subject_id, const std::string& split, const std::string& label);
  // The same with the id as text.
  void add_text(int64_t row, const std::string& subject, const std::string& split,
                const std::string& label);
  Cohort finish();

 private:
  void choose_label(const std::vector<std::string>& columns, const std::string& label_column);

  std::string source_;
  std::string split_name_, label_name_;
  int subject_column_ = -1, split_column_ = -1, label_column_ = -1;
  Cohort cohort_;
};

}  // namespace sequela
