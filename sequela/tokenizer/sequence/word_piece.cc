#include "sequela/tokenizer/sequence/word_piece.h"

#include <algorithm>
#include <array>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/utf8.h"
#include "sequela/tokenizer/sequence/unicode_text.h"

namespace sequela {
namespace {

constexpr int64_t kDefaultMaxLength = 512;

enum class Ascii : uint8_t { letter, space, punctuation, dropped };

// What becomes of an ASCII character: the common case, without a call into ICU.
constexpr std::array<Ascii, 128> ascii_classes() {
  std::array<Ascii, 128> classes = {};
  for (int c = 0; c < 128; ++c) {
    const bool is_alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    classes[c] = is_alphanumeric                                   ? Ascii::letter
                 : c > ' ' && c < 127                              ? Ascii::punctuation
                 : c == ' ' || c == '\t' || c == '\n' || c == '\r' ? Ascii::space
                                                                   : Ascii::dropped;
  }
  return classes;
}
constexpr std::array<Ascii, 128> kAscii = ascii_classes();

int32_t require(const std::optional<int32_t>& id, const CodeVocabulary& vocabulary,
                const char* name) {
  if (id) return *id;
  throw FileError(vocabulary.path(), str("there is no ", name, " token, which text needs"),
                  "use the vocabulary of a BERT model for text");
}

void append_token(int32_t id, int32_t token_type, std::pair<int32_t, int32_t> span,
                  TextTokens* tokens) {
  tokens->ids.push_back(id);
  tokens->token_types.push_back(token_type);
  tokens->spans.push_back(span);
}

}  // namespace

struct WordPieceTokenizer::Pieces {
  std::vector<int32_t> ids;
  std::vector<std::pair<int32_t, int32_t>> spans;

  std::vector<Character> word;
  std::string bytes;           // of the word
  std::vector<size_t> starts;  // byte at which each character of it starts, and its size
  std::u32string decomposed, lower;

  void add(int32_t id, int32_t begin, int32_t end) {
    ids.push_back(id);
    spans.emplace_back(begin, end);
  }
};

WordPieceTokenizer WordPieceTokenizer::read(const std::string& folder,
                                            const WordPieceOptions& options) {
  CodeVocabulary vocabulary = CodeVocabulary::read_folder(folder);
  if (!options.do_lower_case && !vocabulary.settings().do_lower_case) {
    log_warning(str(folder,
                    ": no tokenizer_config.json says whether text is lower-cased; it is, as "
                    "transformers does it"));
  }
  return WordPieceTokenizer(std::move(vocabulary), options);
}

WordPieceTokenizer::WordPieceTokenizer(CodeVocabulary vocabulary, const WordPieceOptions& options)
    : vocabulary_(std::move(vocabulary)) {
  const TokenizerSettings& settings = vocabulary_.settings();
  lower_cases_ = options.do_lower_case.value_or(settings.do_lower_case.value_or(true));
  strips_accents_ = settings.strip_accents.value_or(lower_cases_);
  max_length_ = options.max_length > 0 ? options.max_length
                                       : settings.model_max_length.value_or(kDefaultMaxLength);
  if (max_length_ < 3) throw ConfigError("max_length", std::to_string(max_length_), "3 or more");
  unknown_ = require(vocabulary_.special().unknown, vocabulary_, "[UNK]");
  cls_ = require(vocabulary_.special().cls, vocabulary_, "[CLS]");
  separator_ = require(vocabulary_.special().separator, vocabulary_, "[SEP]");

  const std::string& prefix = settings.continuing_prefix;
  for (int32_t id = 0; id < vocabulary_.size(); ++id) {
    const std::string_view token = vocabulary_.code(id);
    if (token.empty() || vocabulary_.find_id(token) != id) continue;
    longest_ = std::max(longest_, token.size());
    starts_.add(token);
    start_ids_.push_back(id);
    if (token.substr(0, prefix.size()) != prefix || token.size() == prefix.size()) continue;
    continuations_.add(token.substr(prefix.size()));
    continuation_ids_.push_back(id);
  }
  for (const int32_t id : vocabulary_.named_ids()) {
    const std::u32string name = decode_utf8(vocabulary_.code(id));
    if (name.empty()) continue;
    named_.emplace_back(name, id);
    if (named_starts_.find(name[0]) == std::u32string::npos) named_starts_ += name[0];
  }
  std::stable_sort(named_.begin(), named_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

void WordPieceTokenizer::append(std::string_view text, TextTokens* tokens) const {
  Pieces pieces;
  split_text(text, &pieces);
  append_token(cls_, 0, {0, 0}, tokens);
  append_pieces(pieces, static_cast<size_t>(max_length_ - 2), 0, tokens);
  append_token(separator_, 0, {0, 0}, tokens);
  tokens->offsets.push_back(static_cast<int64_t>(tokens->ids.size()));
}

void WordPieceTokenizer::append_pair(std::string_view first, std::string_view second,
                                     TextTokens* tokens) const {
  Pieces pieces[2];
  split_text(first, &pieces[0]);
  split_text(second, &pieces[1]);
  // The longer text gives way; when both are too long each keeps half (tokenizers' longest_first).
  const size_t room = static_cast<size_t>(max_length_ - 3);
  const bool is_swapped = pieces[0].ids.size() > pieces[1].ids.size();
  size_t shorter = pieces[is_swapped ? 1 : 0].ids.size();
  size_t longer = pieces[is_swapped ? 0 : 1].ids.size();
  if (shorter + longer > room) {
    longer = shorter > room ? shorter : std::max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = shorter + room % 2;
    }
  }
  append_token(cls_, 0, {0, 0}, tokens);
  append_pieces(pieces[0], is_swapped ? longer : shorter, 0, tokens);
  append_token(separator_, 0, {0, 0}, tokens);
  append_pieces(pieces[1], is_swapped ? shorter : longer, 1, tokens);
  append_token(separator_, 1, {0, 0}, tokens);
  tokens->offsets.push_back(static_cast<int64_t>(tokens->ids.size()));
}

void WordPieceTokenizer::append_pieces(const Pieces& pieces, size_t count, int32_t token_type,
                                       TextTokens* tokens) const {
  count = std::min(count, pieces.ids.size());
  tokens->ids.insert(tokens->ids.end(), pieces.ids.begin(), pieces.ids.begin() + count);
  tokens->token_types.insert(tokens->token_types.end(), count, token_type);
  tokens->spans.insert(tokens->spans.end(), pieces.spans.begin(), pieces.spans.begin() + count);
}

// The named token that the text begins with.
size_t WordPieceTokenizer::find_named(std::u32string_view text) const {
  if (named_starts_.find(text[0]) == std::u32string::npos) return named_.size();
  size_t i = 0;
  while (i < named_.size() && text.substr(0, named_[i].first.size()) != named_[i].first) ++i;
  return i;
}

void WordPieceTokenizer::split_text(std::string_view text, Pieces* pieces) const {
  const std::u32string characters = decode_utf8(text);
  const std::u32string_view view = characters;
  for (size_t i = 0; i < view.size();) {
    const auto at = static_cast<int32_t>(i);
    const char32_t c = view[i];
    const size_t named = find_named(view.substr(i));
    if (named < named_.size()) {
      end_word(pieces);
      i += named_[named].first.size();
      pieces->add(named_[named].second, at, static_cast<int32_t>(i));
      continue;
    }
    add_character(c, at, pieces);
    ++i;
  }
  end_word(pieces);
}

// Cleans, normalises and adds one character of the text.
void WordPieceTokenizer::add_character(char32_t c, int32_t at, Pieces* pieces) const {
  const TokenizerSettings& settings = vocabulary_.settings();
  if (c < 128 && settings.clean_text) {
    switch (kAscii[c]) {
      case Ascii::letter:
        if (lower_cases_ && c >= 'A' && c <= 'Z') c += 'a' - 'A';
        pieces->word.push_back({c, at});
        return;
      case Ascii::dropped:
        return;
      case Ascii::space:
        return end_word(pieces);
      case Ascii::punctuation:
        break;
    }
    return add_normalised(c, at, pieces);
  }
  if (settings.clean_text && is_dropped_control(c)) return;
  const bool stands_alone = settings.tokenize_chinese_chars && is_cjk_ideograph(c);
  if (stands_alone) end_word(pieces);
  pieces->decomposed.clear();
  if (strips_accents_)
    append_decomposed(c, &pieces->decomposed);
  else
    pieces->decomposed = c;
  for (const char32_t part : pieces->decomposed) {
    if (strips_accents_ && is_nonspacing_mark(part)) continue;
    pieces->lower.clear();
    if (lower_cases_)
      append_lower_case(part, &pieces->lower);
    else
      pieces->lower = part;
    for (const char32_t low : pieces->lower) add_normalised(low, at, pieces);
  }
  if (stands_alone) end_word(pieces);
}

void WordPieceTokenizer::add_normalised(char32_t c, int32_t at, Pieces* pieces) const {
  if (is_white_space(c)) return end_word(pieces);
  if (!is_split_punctuation(c)) {
    pieces->word.push_back({c, at});
    return;
  }
  end_word(pieces);
  pieces->word.push_back({c, at});
  end_word(pieces);
}

// Splits the word that has been gathered into the longest pieces, from its start.
void WordPieceTokenizer::end_word(Pieces* pieces) const {
  std::vector<Character>& word = pieces->word;
  if (word.empty()) return;
  pieces->bytes.clear();
  pieces->starts.clear();
  for (const Character& character : word) {
    pieces->starts.push_back(pieces->bytes.size());
    if (character.c < 128)
      pieces->bytes += static_cast<char>(character.c);
    else
      append_utf8(character.c, &pieces->bytes);
  }
  pieces->starts.push_back(pieces->bytes.size());

  const std::string_view bytes = pieces->bytes;
  const size_t num_before = pieces->ids.size();
  bool is_known = word.size() <= static_cast<size_t>(vocabulary_.settings().max_word_chars);
  for (size_t begin = 0; is_known && begin < word.size();) {
    const TextTable& table = begin == 0 ? starts_ : continuations_;
    const size_t start = pieces->starts[begin];
    size_t end = word.size();
    int32_t entry = -1;
    for (; end > begin; --end) {
      const size_t size = pieces->starts[end] - start;
      if (size > longest_) continue;
      entry = table.find(bytes.substr(start, size));
      if (entry >= 0) break;
    }
    is_known = entry >= 0;
    if (!is_known) break;
    pieces->add((begin == 0 ? start_ids_ : continuation_ids_)[static_cast<size_t>(entry)],
                word[begin].at, word[end - 1].at + 1);
    begin = end;
  }
  if (!is_known) {
    pieces->ids.resize(num_before);
    pieces->spans.resize(num_before);
    pieces->add(unknown_, word.front().at, word.back().at + 1);
  }
  word.clear();
}

}  // namespace sequela
