#include "sequela/pipeline/encode_tokens.h"

#include "sequela/core/error.h"

namespace sequela {
namespace {

// The vocabulary's id of each of the input's codes.
std::vector<int32_t> map_codes(const EncodeInput& input, VocabularyMapper* mapper,
                               EncodeTokens* tokens) {
  if (mapper == nullptr) {
    throw ConfigError(
        "the input has codes but the model's folder has no vocabulary. Fix: add its vocab.json, or "
        "give ids.");
  }
  std::vector<int64_t> counts(static_cast<size_t>(input.code_texts.size()));
  for (const int32_t code : input.visits.codes) ++counts[static_cast<size_t>(code)];
  std::vector<std::string> codes;
  std::vector<int32_t> ids(counts.size());
  std::vector<int64_t> used_counts;
  for (int32_t i = 0; i < input.code_texts.size(); ++i) {
    if (counts[static_cast<size_t>(i)] == 0) continue;
    codes.emplace_back(input.code_texts.text(i));
    used_counts.push_back(counts[static_cast<size_t>(i)]);
    ids[static_cast<size_t>(i)] = mapper->map_code(codes.back());
  }
  tokens->mapping = mapper->report(codes, used_counts);
  return ids;
}

void add_visit_rows(const EncodeInput& input, EncodeTokens* tokens) {
  const PatientVisits& visits = input.visits;
  EmbeddingTable& table = tokens->table;
  tokens->offsets = visits.code_offsets;
  const bool by_patient = input.level == EncodeLevel::patients;
  for (int64_t p = 0; p < visits.num_patients(); ++p) {
    if (by_patient) {
      table.subject_ids.push_back(visits.subject_ids[p]);
      table.num_codes.push_back(0);
    }
    for (int64_t v = visits.visit_offsets[p]; v < visits.visit_offsets[p + 1]; ++v) {
      const int64_t length = visits.code_offsets[v + 1] - visits.code_offsets[v];
      tokens->row_of.push_back(by_patient ? p : v);
      if (by_patient) {
        table.num_codes.back() += length;
        continue;
      }
      if (input.has_subject_ids) table.subject_ids.push_back(visits.subject_ids[p]);
      table.visit_indices.push_back(v - visits.visit_offsets[p]);
      table.num_codes.push_back(length);
    }
  }
  table.num_rows = static_cast<int64_t>(table.num_codes.size());
  if (by_patient) return;
  if (input.has_times) table.times_us = visits.visit_times_us;
  table.visit_names = input.visit_names;
}

void add_code_rows(const EncodeInput& input, EncodeTokens* tokens) {
  EmbeddingTable& table = tokens->table;
  for (int64_t i = 0; i < input.visits.num_codes(); ++i) {
    tokens->offsets.push_back(i + 1);
    tokens->row_of.push_back(i);
    table.ids.push_back(tokens->ids[i]);
    if (!input.has_ids) table.codes.emplace_back(input.code_texts.text(input.visits.codes[i]));
  }
  table.num_rows = input.visits.num_codes();
}

}  // namespace

EncodeTokens build_encode_tokens(const EncodeInput& input, VocabularyMapper* mapper) {
  EncodeTokens tokens;
  tokens.level = input.level;
  tokens.ids = input.visits.codes;
  if (!input.has_ids) {
    const std::vector<int32_t> ids = map_codes(input, mapper, &tokens);
    for (int32_t& id : tokens.ids) id = ids[static_cast<size_t>(id)];
  }
  input.level == EncodeLevel::codes ? add_code_rows(input, &tokens)
                                    : add_visit_rows(input, &tokens);
  return tokens;
}

EncodeTokens build_encode_tokens(const std::vector<std::string>& texts,
                                 const WordPieceTokenizer& tokenizer) {
  TextTokens pieces;
  for (const std::string& text : texts) tokenizer.append(text, &pieces);
  EncodeTokens tokens;
  tokens.level = EncodeLevel::texts;
  tokens.offsets = std::move(pieces.offsets);
  tokens.ids = std::move(pieces.ids);
  tokens.table.num_rows = tokens.num_sequences();
  for (int64_t i = 0; i < tokens.num_sequences(); ++i) {
    tokens.row_of.push_back(i);
    tokens.table.num_codes.push_back(tokens.offsets[i + 1] - tokens.offsets[i]);
  }
  return tokens;
}

void check_lengths(const EncodeTokens& tokens, int64_t context) {
  for (int64_t i = 0; i < tokens.num_sequences(); ++i) {
    const int64_t length = tokens.offsets[i + 1] - tokens.offsets[i];
    if (length <= context) continue;
    const EmbeddingTable& table = tokens.table;
    const int64_t row = tokens.row_of[i];
    Where where;
    if (!table.subject_ids.empty()) where.subject_id = table.subject_ids[row];
    throw DataError(where,
                    str(table.visit_indices.empty() ? str("row ", row)
                                                    : str("visit ", table.visit_indices[row]),
                        " has ", length, " codes, the model's context is ", context),
                    str("--max-codes ", context, ", or group visits finer (--visits)"));
  }
}

}  // namespace sequela
