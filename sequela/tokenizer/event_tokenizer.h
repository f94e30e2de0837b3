#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sequela/meds/event_store.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// One entry of an event's bag: a token id and its weight.
struct BagEntry {
  int32_t token = 0;
  float weight = 0;
};

// Turns events into bags of tokens (hierarchical) or single tokens (flat): docs/design.md, sections
// 4.2 and 4.3. Holds, per code id of the store, its tokens and their shared weight: an event costs
// a table look-up.
//
// Hierarchical: the tokens of all-parents of the code, then one token for each property with a
// value: the bin of a number (the code's own bins where the dictionary has some, else those of all
// codes; a number below the lowest bin belongs to that bin), the text itself otherwise. Flat: the
// bin of (code, number) if the event has a number, else the token of (code, text) if it has a text,
// else that of the code; none if the dictionary lacks it. NaN is no value.
//
// Immutable; thread-safe.
class EventTokenizer {
 public:
  // Refers to `store`; copies what it needs of the others.
  EventTokenizer(const EventStore& store, const Ontology& ontology, const Vocabulary& vocabulary);

  // Tokens of a code, ascending, each with weight 1 / their number. Flat: those of an event without
  // a value.
  std::span<const int32_t> code_tokens(int32_t code) const {
    return {tokens_.data() + offsets_[code],
            static_cast<size_t>(offsets_[code + 1] - offsets_[code])};
  }
  // Token of a value of property p (an index into store.properties()) of event i; -1 = none.
  // Hierarchical only.
  int32_t value_token(const Subject& subject, size_t p, int64_t i) const;
  // Appends the bag of event i: first its code's tokens, then one for each property with a value.
  void append_bag(const Subject& subject, int64_t i, std::vector<BagEntry>& bag) const;

  int32_t vocab_size() const { return vocab_size_; }
  bool is_hierarchical() const { return is_hierarchical_; }

 private:
  struct Bins {
    std::vector<double> inner_edges;  // ascending; bin = upper_bound
    std::vector<int32_t> tokens;      // inner_edges.size() + 1, or empty
  };
  struct PropertyTokens {
    Bins shared_bins;
    std::vector<Bins> code_bins;       // by code, or empty
    std::vector<int32_t> text_tokens;  // by text index, -1 = not in the vocabulary

    const Bins& bins(int32_t code) const {
      return code_bins.empty() || code_bins[code].tokens.empty() ? shared_bins : code_bins[code];
    }
  };
  struct FlatBin {
    double val_start = 0;
    double val_end = 0;
    int32_t token = 0;
  };

  void build_hierarchical(const Ontology& ontology, const Vocabulary& vocabulary);
  void build_property(const Vocabulary& vocabulary, const Property& property);
  void build_flat(const Vocabulary& vocabulary);
  void add_flat_entry(const VocabularyEntry& entry, std::string_view code_string, int32_t token,
                      std::vector<int32_t>& token_of_code);
  int32_t flat_text_token(int32_t code, int32_t text) const;
  int32_t flat_token(const Subject& subject, int64_t i) const;
  static int32_t bin_token(const Bins& bins, float number);

  const EventStore& store_;
  bool is_hierarchical_ = true;
  int32_t vocab_size_ = 0;
  std::vector<int32_t> tokens_;
  std::vector<int64_t> offsets_;
  std::vector<PropertyTokens> properties_;  // parallel to store.properties(); hierarchical
  // Flat: properties that hold numbers and texts, -1 = the store has none; and by code its bins, in
  // the order of the dictionary, and its (text, token), ascending.
  int32_t number_property_ = -1;
  int32_t text_property_ = -1;
  std::vector<std::vector<FlatBin>> flat_bins_;
  std::vector<std::vector<std::pair<int32_t, int32_t>>> flat_texts_;
};

}  // namespace sequela
