#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sequela/features/stream/live_event.h"
#include "sequela/ontology/ontology.h"
#include "sequela/tokenizer/event_tokenizer.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {

// Turns single events into bags of tokens, with codes and texts as they are instead of a store's
// numbers: the same bags as EventTokenizer's (tokenizer/event_tokenizer.h says what they are). A
// code that the ontology lacks stands for itself alone. Values of properties that the dictionary
// lacks have no token.
//
// Immutable; thread-safe.
class LiveTokenizer {
 public:
  // Refers to `ontology`; copies what it needs of the vocabulary.
  LiveTokenizer(const Ontology& ontology, const Vocabulary& vocabulary);

  void append_bag(const LiveEvent& event, std::vector<BagEntry>& bag) const;

  int32_t vocab_size() const { return vocab_size_; }
  bool is_hierarchical() const { return is_hierarchical_; }

 private:
  using Bins = std::vector<std::pair<double, int32_t>>;  // (lower edge, token), ascending
  struct PropertyTokens {
    Bins shared_bins;
    std::unordered_map<std::string, Bins> code_bins;
    std::unordered_map<std::string, int32_t> texts;
  };
  struct FlatCode {
    struct Bin {
      double val_start, val_end;
      int32_t token;
    };
    int32_t token = -1;
    std::vector<Bin> bins;  // in the order of the dictionary
    std::unordered_map<std::string, int32_t> texts;
  };

  void add_flat(const VocabularyEntry& entry, const std::string& code, int32_t token);
  void append_code(std::string_view code, std::vector<BagEntry>& bag) const;
  int32_t value_token(std::string_view code, const LiveValue& value) const;
  int32_t flat_token(const LiveEvent& event) const;
  static int32_t bin_token(const Bins& bins, float number);

  const Ontology& ontology_;
  bool is_hierarchical_ = true;
  int32_t vocab_size_ = 0;
  std::vector<int32_t> token_of_node_;                      // -1 = not in the dictionary
  std::unordered_map<std::string, int32_t> token_of_code_;  // of codes outside the ontology
  std::unordered_map<std::string, PropertyTokens> properties_;
  std::unordered_map<std::string, FlatCode> flat_codes_;
};

}  // namespace sequela
