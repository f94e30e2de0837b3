#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sequela/tokenizer/sequence/encode_input.h"

namespace sequela {

// What a row says about where its codes belong.
struct RowPlace {
  std::optional<int64_t> subject_id;
  std::string_view visit_name;  // empty = none
  int64_t time_us = kNoTime;
  bool is_own_visit = false;  // without a visit name, codes of this row are a visit by themselves
};

// Gathers the rows of an input, in any order, and puts patients, visits and codes together. Faults
// of a row are DataErrors without a path.
class EncodeRows {
 public:
  explicit EncodeRows(const EncodeInputOptions& options) : options_(options) {}

  // The visit of a row; made if it is new, also if no code follows.
  int64_t visit_of(const RowPlace& place);
  // A patient without an id, for visits of its own.
  int64_t add_patient();
  int64_t add_patient(int64_t subject_id) { return patient_of(subject_id); }
  int64_t add_visit(int64_t patient, std::string_view name, int64_t time_us);

  // A code for a visit, as text or as a number. Codes of both kinds in one input are an error.
  void add_code(int64_t visit, std::string_view code, int64_t row);
  void add_id(int64_t visit, int64_t id, int64_t row);
  // A text's number, for callers that see the same text again and again; then add_known.
  int32_t know(std::string_view code, int64_t row);
  void add_known(int64_t visit, int32_t code) { items_.push_back({visit, code}); }

  void add_text(std::string_view text) { input_.texts.emplace_back(text); }

  // `level` as the columns say; an option overrides it.
  EncodeInput finish(EncodeLevel level);

 private:
  struct Visit {
    int64_t patient;
    int64_t time_us;
    std::string name;
  };
  struct Item {
    int64_t visit;
    int32_t code;
  };
  enum class Kind { undecided, ids, codes };
  void decide(Kind kind, int64_t row);
  int64_t patient_of(std::optional<int64_t> subject_id);
  void sort_visits(std::vector<int64_t>* order) const;
  void write_visits(const std::vector<int64_t>& order, EncodeLevel level);

  EncodeInputOptions options_;
  EncodeInput input_;
  Kind kind_ = Kind::undecided;
  std::unordered_map<int64_t, int64_t> patients_;  // by subject id
  int64_t nameless_ = -1;                          // the patient of rows without a subject
  bool has_nameless_ = false;
  std::vector<int64_t> subject_ids_;
  std::unordered_map<std::string, int64_t> visits_by_key_;
  std::string key_;
  std::string last_key_;
  int64_t last_visit_ = -1;
  std::vector<Visit> visits_;
  std::vector<Item> items_;
};

// Readers of the formats; each calls finish() itself.
EncodeInput read_encode_parquet(const std::string& path, const EncodeInputOptions& options);
EncodeInput read_encode_csv(const std::string& path, char delimiter,
                            const EncodeInputOptions& options);
EncodeInput read_encode_json_lines(const std::string& path, const EncodeInputOptions& options);

// A DataError for a row of the input.
[[noreturn]] void fail_row(int64_t row, const std::string& column, const std::string& problem,
                           const std::string& fix = "mend the row");

}  // namespace sequela
