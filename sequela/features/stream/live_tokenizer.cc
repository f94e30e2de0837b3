#include "sequela/features/stream/live_tokenizer.h"

#include <algorithm>
#include <cmath>

#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

using Type = VocabularyEntry::Type;

constexpr const char* kNumberProperty = "numeric_value";
constexpr const char* kTextProperty = "text_value";
// How dictionaries made by femr 0.2.3 and older spell a birth.
constexpr const char* kOldBirthCode = "SNOMED/184099003";

template <class Map>
const typename Map::mapped_type* find(const Map& map, std::string_view key) {
  const auto found = map.find(std::string(key));
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

LiveTokenizer::LiveTokenizer(const Ontology& ontology, const Vocabulary& vocabulary)
    : ontology_(ontology),
      is_hierarchical_(vocabulary.is_hierarchical),
      vocab_size_(static_cast<int32_t>(vocabulary.entries.size())),
      token_of_node_(ontology.num_nodes(), -1) {
  for (int32_t token = 0; token < vocab_size_; ++token) {
    const VocabularyEntry& entry = vocabulary.entries[token];
    if (!is_hierarchical_) {
      add_flat(entry, entry.code_string, token);
    } else if (entry.type == Type::code) {
      const auto node = ontology.find(entry.code_string);
      (node ? token_of_node_[*node] : token_of_code_[entry.code_string]) = token;
    } else if (entry.type == Type::text) {
      properties_[entry.property].texts[entry.text_string] = token;
    } else if (entry.type == Type::numeric) {
      PropertyTokens& tokens = properties_[entry.property];
      const std::string& code = entry.code_string;
      (code.empty() ? tokens.shared_bins : tokens.code_bins[code])
          .emplace_back(entry.val_start, token);
    }
  }
  for (auto& [name, tokens] : properties_) {
    std::sort(tokens.shared_bins.begin(), tokens.shared_bins.end());
    for (auto& [code, bins] : tokens.code_bins) std::sort(bins.begin(), bins.end());
  }
  if (!flat_codes_.contains(std::string(kBirthCode)) && flat_codes_.contains(kOldBirthCode)) {
    FlatCode birth = flat_codes_.at(kOldBirthCode);
    flat_codes_.emplace(kBirthCode, std::move(birth));
  }
}

void LiveTokenizer::add_flat(const VocabularyEntry& entry, const std::string& code, int32_t token) {
  if (entry.type == Type::unused) return;
  FlatCode& flat = flat_codes_[code];
  if (entry.type == Type::code) flat.token = token;
  if (entry.type == Type::numeric) flat.bins.push_back({entry.val_start, entry.val_end, token});
  if (entry.type == Type::text) flat.texts[entry.text_string] = token;
}

void LiveTokenizer::append_bag(const LiveEvent& event, std::vector<BagEntry>& bag) const {
  if (!is_hierarchical_) {
    const int32_t token = flat_token(event);
    if (token >= 0) bag.push_back({token, 1});
    return;
  }
  append_code(event.code, bag);
  for (const LiveValue& value : event.values) {
    const int32_t token = value_token(event.code, value);
    if (token >= 0) bag.push_back({token, 1});
  }
}

void LiveTokenizer::append_code(std::string_view code, std::vector<BagEntry>& bag) const {
  const auto node = ontology_.find(code);
  if (!node) {
    if (const int32_t* token = find(token_of_code_, code)) bag.push_back({*token, 1});
    return;
  }
  const auto first = static_cast<ptrdiff_t>(bag.size());
  for (const int32_t parent : ontology_.all_parents(*node)) {
    if (token_of_node_[parent] >= 0) bag.push_back({token_of_node_[parent], 0});
  }
  const float weight = 1 / static_cast<float>(bag.size() - first);
  for (auto entry = bag.begin() + first; entry != bag.end(); ++entry) entry->weight = weight;
  std::sort(bag.begin() + first, bag.end(),
            [](const BagEntry& a, const BagEntry& b) { return a.token < b.token; });
}

int32_t LiveTokenizer::bin_token(const Bins& bins, float number) {
  if (std::isnan(number) || bins.empty()) return -1;
  // The first bin reaches down to minus infinity, whatever its edge.
  const auto after =
      std::upper_bound(bins.begin() + 1, bins.end(), static_cast<double>(number),
                       [](double value, const auto& bin) { return value < bin.first; });
  return (after - 1)->second;
}

int32_t LiveTokenizer::value_token(std::string_view code, const LiveValue& value) const {
  const PropertyTokens* tokens = find(properties_, value.property);
  if (tokens == nullptr) return -1;
  const Bins* of_code = find(tokens->code_bins, code);
  const Bins& bins = of_code == nullptr ? tokens->shared_bins : *of_code;
  if (value.number) return bin_token(bins, *value.number);
  if (value.text.empty()) return -1;
  const auto number = bins.empty() ? std::nullopt : parse_python_float(value.text);
  if (number) return bin_token(bins, static_cast<float>(*number));
  const int32_t* token = find(tokens->texts, value.text);
  return token == nullptr ? -1 : *token;
}

int32_t LiveTokenizer::flat_token(const LiveEvent& event) const {
  const FlatCode* code = find(flat_codes_, event.code);
  if (code == nullptr) return -1;
  for (const LiveValue& value : event.values) {
    if (value.property != kNumberProperty || !value.number) continue;
    for (const FlatCode::Bin& bin : code->bins) {
      if (bin.val_start <= *value.number && *value.number < bin.val_end) return bin.token;
    }
    return -1;
  }
  for (const LiveValue& value : event.values) {
    if (value.property != kTextProperty || value.text.empty()) continue;
    const int32_t* token = find(code->texts, value.text);
    return token == nullptr ? -1 : *token;
  }
  return code->token;
}

}  // namespace sequela
