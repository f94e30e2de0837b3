#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/tokenizer/sequence/cehr_records.h"
#include "sequela/tokenizer/sequence/code_vocabulary.h"
#include "sequela/tokenizer/sequence/lab_stats.h"

namespace sequela {

// Tokens of many sequences in a row, without [CLS] and padding; sequence i goes from offsets[i] to
// offsets[i + 1].
struct CehrTokens {
  std::vector<int64_t> person_ids;
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> ids;
  std::vector<int32_t> ages;          // years, -1 for time tokens
  std::vector<int32_t> weeks;         // since 1970 ("dates")
  std::vector<int32_t> visit_orders;  // visit_concept_orders
  std::vector<uint8_t> segments;      // visit_segments: 0, 1, 2
  std::vector<uint8_t> value_masks;   // concept_value_masks
  std::vector<float> values;          // concept_values, normalised

  int64_t num_sequences() const { return static_cast<int64_t>(person_ids.size()); }
  int64_t length(int64_t i) const { return offsets[i + 1] - offsets[i]; }
  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  void reserve(int64_t num_sequences, int64_t num_tokens);
};

// CEHR-BERT's word-level tokenizer: concept -> id, value -> normalised value.
//
// Source: cehrbert 1.5.0, CehrBertTokenizer, HFTokenizationMapping.
class CehrTokenizer {
 public:
  // A folder with tokenizer.json and, if values are used, cehrbert_lab_stats.json. FileError if the
  // vocabulary lacks [PAD], [CLS], [MASK], or [OOV].
  static CehrTokenizer read(const std::string& folder);
  CehrTokenizer(CodeVocabulary vocabulary, std::vector<LabStats> lab_stats);

  // Appends all records. Safe from many threads on different outputs.
  void append(const CehrRecords& records, CehrTokens* tokens) const;

  const CodeVocabulary& vocabulary() const { return vocabulary_; }
  const std::vector<LabStats>& lab_stats() const { return lab_stats_; }
  int32_t pad() const { return pad_; }
  int32_t cls() const { return cls_; }
  int32_t mask() const { return mask_; }
  int32_t unknown() const { return unknown_; }
  int32_t visit_start() const { return visit_start_; }  // VS or [VS]; unknown() if there is neither
  int32_t visit_end() const { return visit_end_; }
  // Writes tokenizer.json, cehrbert_lab_stats.json and concept_name_mapping.json, as
  // CehrBertTokenizer.save_pretrained does, for cehrbert to load.
  void write(const std::string& folder) const;

 private:
  // What a concept of the records is to the vocabulary; found once for each.
  struct Known {
    int32_t id = -1;    // -1 = not yet looked for
    int32_t lab = -1;   // its entry in lab_concepts_, -1 = it has no statistics
    int32_t unit = -2;  // the last unit seen, and its statistics
    const LabStats* stats = nullptr;
  };
  int32_t visit_token(const std::string& name) const;
  Known look_up(std::string_view concept_text) const;
  const LabStats* find_stats(int32_t lab, std::string_view unit) const;
  float value_of(const CehrRecords& records, int64_t i, Known* known) const;

  CodeVocabulary vocabulary_;
  std::vector<LabStats> lab_stats_;
  TextTable lab_concepts_;
  std::vector<std::vector<int32_t>> stats_of_lab_;  // indices into lab_stats_, one a unit
  int32_t pad_ = 0;
  int32_t cls_ = 0;
  int32_t mask_ = 0;
  int32_t unknown_ = 0;
  int32_t visit_start_ = 0;
  int32_t visit_end_ = 0;
};

struct CehrVocabularyOptions {
  int64_t max_size = 50'000;  // ids, special tokens counted
  int64_t min_frequency = 0;  // rarer concepts are [OOV]
  double outlier_std = 3;     // values further from the mean are clipped, and left out of it

  void validate() const;  // ConfigError
};

// Makes a tokenizer of records: special tokens, then concepts by falling count (equal ones by
// text); mean and standard deviation of each (concept, unit), without values beyond the quantiles
// that a normal distribution has at +- outlier_std (of the first 100; later ones beyond that many
// standard deviations). Source: cehrbert 1.5.0, CehrBertTokenizer.train_tokenizer.
CehrTokenizer fit_cehr_tokenizer(const CehrRecords& records, const CehrVocabularyOptions& options);

}  // namespace sequela
