#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sequela {

// One token of a dictionary. Of the fields, those of its type are set.
struct VocabularyEntry {
  enum class Type { code, text, numeric, unused };
  Type type = Type::unused;
  std::string code_string;  // code; numeric: the one code whose bin it is, empty = of all codes;
                            // in flat dictionaries also that of a text
  std::string property;     // text, numeric (hierarchical dictionaries)
  std::string text_string;  // text
  double val_start = 0;     // numeric: val_start <= value < val_end
  double val_end = 0;
  double weight = 0;  // sort key, ascending
};

struct MeanStd {
  double mean = 0;
  double std = 1;
};

// In seconds. Older flat dictionaries have only `age`; then the others equal it.
struct AgeStats {
  MeanStd age, log_age, delta, log_delta;
};

// A tokenizer's dictionary: femr's dictionary.msgpack. The index of an entry is its token id.
struct Vocabulary {
  bool is_hierarchical = true;
  std::vector<VocabularyEntry> entries;
  AgeStats age_stats;

  // Reads either form (flat: femr 0.2.0 - 0.2.3, CLMBR). The file is untrusted: sizes, depth and
  // types are checked before anything is allocated. Throws FileError.
  static Vocabulary read(const std::string& path);
  void write(const std::string& path) const;  // hierarchical form; atomic
};

}  // namespace sequela
