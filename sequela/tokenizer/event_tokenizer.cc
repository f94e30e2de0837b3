#include "sequela/tokenizer/event_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

// How dictionaries made by femr 0.2.3 and older spell a birth.
constexpr std::string_view kOldBirthCode = "SNOMED/184099003";

// Index of an equal item in sorted texts, -1 = none.
template <class Text>
int32_t find_sorted(const std::vector<Text>& texts, std::string_view text) {
  const auto found = std::lower_bound(texts.begin(), texts.end(), text);
  if (found == texts.end() || *found != text) return -1;
  return static_cast<int32_t>(found - texts.begin());
}

int32_t find_property(const std::vector<Property>& properties, std::string_view name) {
  for (size_t p = 0; p < properties.size(); ++p) {
    if (properties[p].name == name) return static_cast<int32_t>(p);
  }
  return -1;
}

bool has_code(const Vocabulary& vocabulary, std::string_view code) {
  return std::any_of(vocabulary.entries.begin(), vocabulary.entries.end(),
                     [&](const auto& entry) { return entry.code_string == code; });
}

}  // namespace

EventTokenizer::EventTokenizer(const EventStore& store, const Ontology& ontology,
                               const Vocabulary& vocabulary)
    : store_(store),
      is_hierarchical_(vocabulary.is_hierarchical),
      vocab_size_(static_cast<int32_t>(vocabulary.entries.size())) {
  if (is_hierarchical_) {
    build_hierarchical(ontology, vocabulary);
  } else {
    build_flat(vocabulary);
  }
}

void EventTokenizer::build_hierarchical(const Ontology& ontology, const Vocabulary& vocabulary) {
  std::vector<int32_t> token_of_node(ontology.num_nodes(), -1);
  for (int32_t token = 0; token < vocab_size_; ++token) {
    const VocabularyEntry& entry = vocabulary.entries[token];
    if (entry.type != Type::code) continue;
    if (const auto node = ontology.find(entry.code_string)) token_of_node[*node] = token;
  }
  offsets_.push_back(0);
  for (int32_t node : ontology.nodes_of(store_.codes())) {
    const auto first = static_cast<ptrdiff_t>(tokens_.size());
    for (int32_t parent : ontology.all_parents(node)) {
      if (token_of_node[parent] >= 0) tokens_.push_back(token_of_node[parent]);
    }
    std::sort(tokens_.begin() + first, tokens_.end());
    offsets_.push_back(static_cast<int64_t>(tokens_.size()));
  }
  for (const Property& property : store_.properties()) build_property(vocabulary, property);
}

void EventTokenizer::build_property(const Vocabulary& vocabulary, const Property& property) {
  PropertyTokens& tokens = properties_.emplace_back();
  tokens.text_tokens.assign(property.texts.size(), -1);
  std::map<int32_t, std::vector<std::pair<double, int32_t>>> bins;  // by code; -1 = shared
  for (int32_t token = 0; token < vocab_size_; ++token) {
    const VocabularyEntry& entry = vocabulary.entries[token];
    if (entry.property != property.name) continue;
    if (entry.type == Type::numeric) {
      const bool is_shared = entry.code_string.empty();
      const int32_t code = is_shared ? -1 : find_sorted(store_.codes(), entry.code_string);
      if (is_shared || code >= 0) bins[code].emplace_back(entry.val_start, token);
    }
    if (entry.type != Type::text) continue;
    const int32_t text = find_sorted(property.texts, entry.text_string);
    if (text >= 0) tokens.text_tokens[text] = token;
  }
  if (!bins.empty() && bins.rbegin()->first >= 0) tokens.code_bins.resize(store_.codes().size());
  for (auto& [code, starts] : bins) {
    std::sort(starts.begin(), starts.end());
    Bins& built = code < 0 ? tokens.shared_bins : tokens.code_bins[code];
    for (size_t b = 0; b < starts.size(); ++b) {
      if (b > 0) built.inner_edges.push_back(starts[b].first);
      built.tokens.push_back(starts[b].second);
    }
  }
}

void EventTokenizer::build_flat(const Vocabulary& vocabulary) {
  const size_t num_codes = store_.codes().size();
  number_property_ = find_property(store_.properties(), "numeric_value");
  text_property_ = find_property(store_.properties(), "text_value");
  flat_bins_.resize(num_codes);
  flat_texts_.resize(num_codes);
  std::vector<int32_t> token_of_code(num_codes, -1);
  const bool is_old_birth =
      has_code(vocabulary, kOldBirthCode) && !has_code(vocabulary, kBirthCode);
  for (int32_t token = 0; token < vocab_size_; ++token) {
    const VocabularyEntry& entry = vocabulary.entries[token];
    add_flat_entry(entry, entry.code_string, token, token_of_code);
    if (is_old_birth && entry.code_string == kOldBirthCode) {
      add_flat_entry(entry, kBirthCode, token, token_of_code);
    }
  }
  for (auto& texts : flat_texts_) std::sort(texts.begin(), texts.end());
  offsets_.push_back(0);
  for (int32_t token : token_of_code) {
    if (token >= 0) tokens_.push_back(token);
    offsets_.push_back(static_cast<int64_t>(tokens_.size()));
  }
}

void EventTokenizer::add_flat_entry(const VocabularyEntry& entry, std::string_view code_string,
                                    int32_t token, std::vector<int32_t>& token_of_code) {
  const int32_t code = find_sorted(store_.codes(), code_string);
  if (code < 0) return;
  if (entry.type == Type::code) token_of_code[code] = token;
  if (entry.type == Type::numeric) {
    flat_bins_[code].push_back({entry.val_start, entry.val_end, token});
  }
  if (entry.type != Type::text || text_property_ < 0) return;
  const int32_t text = find_sorted(store_.properties()[text_property_].texts, entry.text_string);
  if (text >= 0) flat_texts_[code].emplace_back(text, token);
}

int32_t EventTokenizer::bin_token(const Bins& bins, float number) {
  if (std::isnan(number) || bins.tokens.empty()) return -1;
  const auto& edges = bins.inner_edges;
  return bins.tokens[std::upper_bound(edges.begin(), edges.end(), number) - edges.begin()];
}

int32_t EventTokenizer::value_token(const Subject& subject, size_t p, int64_t i) const {
  const PropertyValues& values = subject.properties[p];
  const PropertyTokens& tokens = properties_[p];
  const Bins& bins = tokens.bins(subject.code(i));
  if (values.numbers != nullptr) return bin_token(bins, values.numbers[i]);
  const int32_t text = values.text(i);
  if (text < 0) return -1;
  const float number = store_.properties()[p].text_numbers[text];
  const bool is_number = !is_null_float(number) && !bins.tokens.empty();
  return is_number ? bin_token(bins, number) : tokens.text_tokens[text];
}

int32_t EventTokenizer::flat_token(const Subject& subject, int64_t i) const {
  const int32_t code = subject.code(i);
  if (number_property_ >= 0) {
    if (const auto number = subject.properties[number_property_].number(i)) {
      for (const FlatBin& bin : flat_bins_[code]) {
        if (bin.val_start <= *number && *number < bin.val_end) return bin.token;
      }
      return -1;
    }
  }
  if (text_property_ >= 0) {
    const int32_t text = subject.properties[text_property_].text(i);
    if (text >= 0) return flat_text_token(code, text);
  }
  const auto tokens = code_tokens(code);
  return tokens.empty() ? -1 : tokens[0];
}

int32_t EventTokenizer::flat_text_token(int32_t code, int32_t text) const {
  const auto& texts = flat_texts_[code];
  const auto found = std::lower_bound(texts.begin(), texts.end(), std::pair(text, 0));
  return found != texts.end() && found->first == text ? found->second : -1;
}

void EventTokenizer::append_bag(const Subject& subject, int64_t i,
                                std::vector<BagEntry>& bag) const {
  if (!is_hierarchical_) {
    const int32_t token = flat_token(subject, i);
    if (token >= 0) bag.push_back({token, 1});
    return;
  }
  const auto tokens = code_tokens(subject.code(i));
  const float weight = 1 / static_cast<float>(tokens.size());
  for (int32_t token : tokens) bag.push_back({token, weight});
  for (size_t p = 0; p < properties_.size(); ++p) {
    const int32_t token = value_token(subject, p, i);
    if (token >= 0) bag.push_back({token, 1});
  }
}

}  // namespace sequela
