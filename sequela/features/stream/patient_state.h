#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/sha256.h"
#include "sequela/features/stream/live_sequence.h"
#include "sequela/model/step/encoder_state.h"

namespace sequela {

// All that a patient's next event needs of the events before.
struct PatientState {
  SequenceState sequence;
  EncoderState encoder;
  std::vector<float> birth_bag_H;  // sum of the birth bag's embeddings; empty = none yet
  std::vector<float> embedding_H;  // hidden state of the last token; empty = no token yet
};

// Writes and reads states as bytes, little-endian:
//
//   offset  0  char[8]   "SEQSTATE"
//           8  uint32    version, 1
//          12  uint32    KeyPrecision of keys and values
//          16  uint8[32] digest of the bundle: model and dictionary
//          48  int64[6]  subject id, birth, number of tokens, last event's time, last token's time,
//                        end of the day of `seen` (times in microseconds, kNoTime = none)
//          96  uint32[4] which of the next parts are there (0 or 1): seen, birth bag, embedding;
//                        the last is 0
//         112  uint64[]  seen, one bit per token id
//              float[H]  birth bag
//              float[H]  embedding
//              if there are tokens: the encoder's recurrent floats, then its chunks
//        last  uint8[32] SHA-256 of all before
//
// The sizes follow from the bundle and the number of tokens alone. Precision of the matrices is not
// part of it: a state may go on under another one.
class PatientStateFormat {
 public:
  PatientStateFormat(const EncoderStateLayout& layout, int64_t num_seen_words,
                     const Digest& bundle);

  std::string to_bytes(const PatientState& state) const;
  // Untrusted: FileError naming `path` for bytes that are not a whole, undamaged state of this
  // bundle and precision of keys.
  PatientState from_bytes(std::string_view bytes, const std::string& path) const;

  // Memory of a state; and the most that one can take.
  int64_t memory_bytes(const PatientState& state) const;
  int64_t memory_bytes(int64_t num_tokens) const;
  int64_t max_memory_bytes() const { return memory_bytes(layout_.window()); }

 private:
  struct Header;
  size_t payload_size(const Header& header) const;
  void check(const Header& header, size_t size, const std::string& path) const;

  const EncoderStateLayout& layout_;
  const int64_t num_seen_words_;
  const Digest bundle_;
};

}  // namespace sequela
