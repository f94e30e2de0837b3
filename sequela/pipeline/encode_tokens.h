#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sequela/pipeline/embedding_table.h"
#include "sequela/pipeline/encode.h"
#include "sequela/tokenizer/sequence/word_piece.h"

namespace sequela {

// What `encode` embeds: sequences of vocabulary ids, in a row. Sequence i goes from offsets[i] to
// offsets[i + 1]; of level codes every code is a sequence of its own.
struct EncodeTokens {
  EncodeLevel level = EncodeLevel::visits;
  std::vector<int64_t> offsets = {0};
  std::vector<int32_t> ids;
  std::vector<int64_t> row_of;  // of each sequence: the output row it is pooled into
  EmbeddingTable table;         // columns of the output's rows
  std::optional<MappingReport> mapping;

  int64_t num_sequences() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

// Turns what was read into ids. `mapper` may be null for input that has ids already.
EncodeTokens build_encode_tokens(const EncodeInput& input, VocabularyMapper* mapper);
EncodeTokens build_encode_tokens(const std::vector<std::string>& texts,
                                 const WordPieceTokenizer& tokenizer);

// DataError that names the subject and visit, or the text, of a sequence longer than the context.
void check_lengths(const EncodeTokens& tokens, int64_t context);

}  // namespace sequela
