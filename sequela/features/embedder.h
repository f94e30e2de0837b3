#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sequela/batch/builder.h"
#include "sequela/features/label_windows.h"
#include "sequela/meds/event_store.h"
#include "sequela/meds/labels.h"
#include "sequela/model/motor.h"
#include "sequela/tokenizer/event_tokenizer.h"

namespace sequela {

// What an embedding reads of the model's pass over a history, H columns each:
//   last               the hidden state of the last token
//   last_and_history   that, the mean hidden state of all tokens, and the mean embedded token of
//                      all and of the last 365 days: what the record says, whatever the last
//                      token's state kept of it
enum class ReadOut { last, last_and_history };
const char* to_text(ReadOut read_out);         // last, last+history
ReadOut to_read_out(const std::string& text);  // ConfigError
int64_t num_parts(ReadOut read_out);           // of H columns

struct EmbedOptions {
  ReadOut read_out = ReadOut::last;
  // Tokens that go through the model together; a label's history is its last min(4,096, this)
  // tokens.
  int64_t tokens_per_batch = 8'192;
  FirstTimestamp first_timestamp = FirstTimestamp::birth;

  void validate() const;  // ConfigError
};

struct EmbedReport {
  int64_t num_embedded = 0;
  int64_t num_subjects = 0;
  int64_t num_windows = 0;
  int64_t num_tokens = 0;
};

// Computes, for each label, the hidden state (after out_norm) of the last token at or before its
// prediction time, with the longest history that fits (docs/design.md, section 10), and what else
// the read-out holds. Equals femr's compute_features where that is exact. n = labels, d = the
// model's width times num_parts(read_out):
//   embeddings_nd     float32, rows of labels that are not embedded stay as they are
//   feature_seconds_n timestamp of the label's token, seconds since 1970
//   states_n          what became of each label
// Records are turned into tokens on a thread of their own while the model runs.
EmbedReport embed(Motor& model, const EventStore& store, const EventTokenizer& tokenizer,
                  const AgeStats& age_stats, std::span<const Label> labels,
                  const EmbedOptions& options, float* embeddings_nd, int64_t* feature_seconds_n,
                  LabelState* states_n);

}  // namespace sequela
