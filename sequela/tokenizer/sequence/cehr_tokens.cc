#include "sequela/tokenizer/sequence/cehr_tokens.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

constexpr const char* kNoUnit = "N/A";
constexpr const char* kTokenizerFile = "/tokenizer.json";
constexpr const char* kLabStatsFile = "/cehrbert_lab_stats.json";
constexpr const char* kNamesFile = "/concept_name_mapping.json";

Json added_token(int32_t id, std::string_view text) {
  return {
      {"id", id},        {"content", std::string(text)}, {"single_word", false}, {"lstrip", false},
      {"rstrip", false}, {"normalized", false},          {"special", true}};
}

}  // namespace

void CehrTokens::reserve(int64_t num_sequences, int64_t num_tokens) {
  const auto n = static_cast<size_t>(num_tokens);
  person_ids.reserve(static_cast<size_t>(num_sequences));
  offsets.reserve(static_cast<size_t>(num_sequences) + 1);
  for (auto* column : {&ids, &ages, &weeks, &visit_orders}) column->reserve(n);
  segments.reserve(n);
  value_masks.reserve(n);
  values.reserve(n);
}

CehrTokenizer CehrTokenizer::read(const std::string& folder) {
  CodeVocabulary vocabulary = CodeVocabulary::read_folder(folder);
  const std::string path = folder + kLabStatsFile;
  return CehrTokenizer(std::move(vocabulary), std::filesystem::exists(path)
                                                  ? read_lab_stats(path)
                                                  : std::vector<LabStats>());
}

CehrTokenizer::CehrTokenizer(CodeVocabulary vocabulary, std::vector<LabStats> lab_stats)
    : vocabulary_(std::move(vocabulary)),
      lab_stats_(std::move(lab_stats)),
      pad_(vocabulary_.require_pad()),
      cls_(vocabulary_.require_cls()),
      mask_(vocabulary_.require_mask()),
      unknown_(vocabulary_.require_unknown()),
      visit_start_(visit_token("VS")),
      visit_end_(visit_token("VE")) {
  for (size_t i = 0; i < lab_stats_.size(); ++i) {
    const auto lab = static_cast<size_t>(lab_concepts_.add(lab_stats_[i].concept_id));
    if (lab == stats_of_lab_.size()) stats_of_lab_.emplace_back();
    stats_of_lab_[lab].push_back(static_cast<int32_t>(i));
  }
}

// Older data have VS where newer have [VS].
int32_t CehrTokenizer::visit_token(const std::string& name) const {
  const int32_t old = vocabulary_.id_or(name, unknown_);
  return old != unknown_ ? old : vocabulary_.id_or("[" + name + "]", unknown_);
}

CehrTokenizer::Known CehrTokenizer::look_up(std::string_view concept_text) const {
  Known known;
  known.id = vocabulary_.id_or(concept_text, unknown_);
  known.lab = lab_concepts_.find(concept_text);
  return known;
}

// Of two entries for one unit the last counts.
const LabStats* CehrTokenizer::find_stats(int32_t lab, std::string_view unit) const {
  const auto& entries = stats_of_lab_[static_cast<size_t>(lab)];
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (lab_stats_[static_cast<size_t>(*entry)].unit == unit) return &lab_stats_[*entry];
  }
  return nullptr;
}

float CehrTokenizer::value_of(const CehrRecords& records, int64_t i, Known* known) const {
  const double value = std::isnan(records.values[i]) ? 0 : records.values[i];
  if (known->lab < 0) return static_cast<float>(value);
  const int32_t unit = records.units[i];
  if (known->unit != unit) {
    known->unit = unit;
    known->stats = find_stats(known->lab, unit < 0 ? kNoUnit : records.texts.text(unit));
  }
  return static_cast<float>(known->stats == nullptr ? value : known->stats->normalise(value));
}

void CehrTokenizer::append(const CehrRecords& records, CehrTokens* tokens) const {
  std::vector<Known> known(static_cast<size_t>(records.texts.size()));
  tokens->reserve(tokens->num_sequences() + records.num_records(), tokens->size() + records.size());
  const int64_t start = tokens->size() - records.offsets.front();
  for (int64_t r = 0; r < records.num_records(); ++r) {
    const int64_t first = records.offsets[r];
    const int64_t last = records.offsets[r + 1];
    bool has_values = false;
    for (int64_t i = first; i < last; ++i) {
      has_values |= records.value_masks[i] != 0 && !std::isnan(records.values[i]);
    }
    for (int64_t i = first; i < last; ++i) {
      Known& entry = known[static_cast<size_t>(records.concepts[i])];
      if (entry.id < 0) entry = look_up(records.texts.text(records.concepts[i]));
      const bool is_nan = std::isnan(records.values[i]);
      tokens->ids.push_back(entry.id);
      tokens->value_masks.push_back(is_nan ? 0 : records.value_masks[i]);
      tokens->values.push_back(has_values ? value_of(records, i, &entry)
                                          : static_cast<float>(is_nan ? 0 : records.values[i]));
    }
    tokens->person_ids.push_back(records.person_ids[r]);
    tokens->offsets.push_back(start + last);
  }
  const auto copy = [](const auto& from, auto* to) {
    to->insert(to->end(), from.begin(), from.end());
  };
  copy(records.ages, &tokens->ages);
  copy(records.weeks, &tokens->weeks);
  copy(records.visit_orders, &tokens->visit_orders);
  copy(records.segments, &tokens->segments);
}

void CehrTokenizer::write(const std::string& folder) const {
  std::filesystem::create_directories(folder);
  Json added = Json::array();
  std::string codes, names;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    if (!vocabulary_.has_code(id)) continue;
    if (vocabulary_.is_special(id)) added.push_back(added_token(id, vocabulary_.code(id)));
    const std::string code = json_text(Json(vocabulary_.code(id)), -1);
    codes += str(codes.empty() ? "" : ",", "\n", code, ": ", id);
    names += str(names.empty() ? "" : ",", "\n", code, ": ", code);
  }
  const std::string unknown = json_text(Json(vocabulary_.code(unknown_)), -1);
  // The vocabulary is written as text: a JSON object of many keys takes quadratic time to make.
  write_file(
      folder + kTokenizerFile,
      str("{\"version\": \"1.0\", \"truncation\": null, \"padding\": null,\n\"added_tokens\": ",
          json_text(added),
          ",\n\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"WhitespaceSplit\"},\n"
          "\"post_processor\": null, \"decoder\": null,\n"
          "\"model\": {\"type\": \"WordLevel\", \"vocab\": {",
          codes, "},\n\"unk_token\": ", unknown, "}}\n"));
  write_lab_stats(folder + kLabStatsFile, lab_stats_);
  write_file(folder + kNamesFile, "{" + names + "}\n");
}

}  // namespace sequela
