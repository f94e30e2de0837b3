#pragma once

#include <cstdint>
#include <span>
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

// Turns events into bags of tokens (hierarchical) or single tokens (flat): design.md section 6. Holds, per
// code id of the store, its tokens and their shared weight, so that an event costs a table look-up.
// Immutable; thread-safe.
class EventTokenizer {
 public:
  // Refers to `store`; copies what it needs of the others.
  EventTokenizer(const EventStore& store, const Ontology& ontology, const Vocabulary& vocabulary);

  // Tokens of a code, each with weight 1 / their number. Empty for flat dictionaries' codes that only occur
  // with values.
  std::span<const int32_t> code_tokens(int32_t code) const {
    return {tokens_.data() + offsets_[code], static_cast<size_t>(offsets_[code + 1] - offsets_[code])};
  }
  // Appends the bag of event i: first its code's tokens, then one for each property with a value.
  void append_bag(const Subject& subject, int64_t i, std::vector<BagEntry>& bag) const;

  int32_t vocab_size() const { return vocab_size_; }
  bool is_hierarchical() const { return is_hierarchical_; }

 private:
  struct PropertyTokens {
    std::vector<float> inner_edges;       // ascending; bin = upper_bound
    std::vector<int32_t> bin_tokens;      // inner_edges.size() + 1, -1 = the bin is not in the vocabulary
    std::vector<int32_t> text_tokens;     // by text index, -1 = not in the vocabulary
    const Property* property = nullptr;
  };
  struct FlatValues;

  bool is_hierarchical_ = true;
  int32_t vocab_size_ = 0;
  std::vector<int32_t> tokens_;
  std::vector<int64_t> offsets_;
  std::vector<PropertyTokens> properties_;  // parallel to store.properties()
};

}  // namespace sequela
