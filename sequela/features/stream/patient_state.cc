#include "sequela/features/stream/patient_state.h"

#include <array>
#include <bit>
#include <cstring>

#include "sequela/core/error.h"

namespace sequela {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<char, 8> kMagic = {'S', 'E', 'Q', 'S', 'T', 'A', 'T', 'E'};
constexpr uint32_t kVersion = 1;
constexpr int64_t kMaxTokens = int64_t{1} << 40;
// Beside the arrays: the objects themselves, map and list nodes, allocation headers.
constexpr int64_t kObjectBytes = 512;

class Writer {
 public:
  explicit Writer(size_t size) { bytes_.reserve(size); }
  void put(const void* data, size_t size) { bytes_.append(static_cast<const char*>(data), size); }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.data(), values.size() * sizeof(T));
  }
  std::string finish() {
    const Digest digest = sha256(bytes_.data(), bytes_.size());
    put(digest.data(), digest.size());
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Reads what was checked to be there.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  void get(void* to, size_t size) {
    SEQUELA_CHECK(size <= bytes_.size());
    std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  template <class T>
  void get(std::vector<T>& values, int64_t count) {
    values.resize(count);
    get(values.data(), count * sizeof(T));
  }

 private:
  std::string_view bytes_;
};

bool is_time(int64_t time_us) {
  return time_us == kNoTime || (time_us >= kMinTimeUs && time_us <= kMaxTimeUs + kMicrosPerDay);
}

}  // namespace

struct PatientStateFormat::Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = kVersion;
  uint32_t keys = 0;
  Digest bundle = {};
  int64_t subject_id = 0, birth_us = 0, num_tokens = 0;
  int64_t last_event_us = 0, last_token_us = 0, day_end_us = 0;
  uint32_t has_seen = 0, has_birth_bag = 0, has_embedding = 0, unused = 0;
};

PatientStateFormat::PatientStateFormat(const EncoderStateLayout& layout, int64_t num_seen_words,
                                       const Digest& bundle)
    : layout_(layout), num_seen_words_(num_seen_words), bundle_(bundle) {
  static_assert(sizeof(Header) == 112);
}

int64_t PatientStateFormat::memory_bytes(int64_t num_tokens) const {
  return kObjectBytes + num_seen_words_ * 8 + 2 * layout_.hidden_size() * 4 +
         layout_.bytes(num_tokens);
}

int64_t PatientStateFormat::memory_bytes(const PatientState& state) const {
  return kObjectBytes + static_cast<int64_t>(state.sequence.seen.size()) * 8 +
         static_cast<int64_t>(state.birth_bag_H.size() + state.embedding_H.size() +
                              state.encoder.recurrent.size()) *
             4 +
         static_cast<int64_t>(state.encoder.chunks.size()) * layout_.chunk_bytes();
}

size_t PatientStateFormat::payload_size(const Header& header) const {
  const size_t row = layout_.hidden_size() * sizeof(float);
  return (header.has_seen != 0 ? num_seen_words_ * sizeof(uint64_t) : 0) +
         (header.has_birth_bag != 0 ? row : 0) + (header.has_embedding != 0 ? row : 0) +
         (header.num_tokens > 0 ? layout_.bytes(header.num_tokens) : 0);
}

std::string PatientStateFormat::to_bytes(const PatientState& state) const {
  const SequenceState& sequence = state.sequence;
  Header header;
  header.keys = static_cast<uint32_t>(layout_.keys());
  header.bundle = bundle_;
  header.subject_id = sequence.subject_id;
  header.birth_us = sequence.birth_us;
  header.num_tokens = state.encoder.num_tokens;
  header.last_event_us = sequence.last_event_us;
  header.last_token_us = sequence.last_token_us;
  header.day_end_us = sequence.day_end_us;
  header.has_seen = sequence.seen.empty() ? 0 : 1;
  header.has_birth_bag = state.birth_bag_H.empty() ? 0 : 1;
  header.has_embedding = state.embedding_H.empty() ? 0 : 1;

  Writer writer(sizeof(header) + payload_size(header) + sizeof(Digest));
  writer.put(&header, sizeof(header));
  writer.put(sequence.seen);
  writer.put(state.birth_bag_H);
  writer.put(state.embedding_H);
  if (header.num_tokens > 0) {
    writer.put(state.encoder.recurrent);
    for (int64_t c = 0; c < layout_.num_chunks(header.num_tokens); ++c)
      writer.put(state.encoder.chunks[c].get(), layout_.chunk_bytes());
  }
  return writer.finish();
}

void PatientStateFormat::check(const Header& header, size_t size, const std::string& path) const {
  const auto need = [&](bool is_fine, const char* problem, const char* fix = "") {
    if (!is_fine) throw FileError(path, problem, fix);
  };
  need(header.magic == kMagic, "this is no patient state");
  need(header.version == kVersion, "a patient state of another version",
       "load it with the version of sequela that saved it");
  need(header.bundle == bundle_, "the patient state belongs to another model",
       "use the model and dictionary that it was made with");
  need(header.keys == static_cast<uint32_t>(layout_.keys()),
       "the patient state has keys and values of another precision",
       "use the same precision of keys as when it was saved");
  need(header.num_tokens >= 0 && header.num_tokens <= kMaxTokens &&
           (header.num_tokens > 0) == (header.has_embedding != 0),
       "damaged: its number of tokens is impossible");
  need(header.has_seen <= 1 && header.has_birth_bag <= 1 && header.has_embedding <= 1,
       "damaged: its parts are unknown");
  need(header.birth_us != kNoTime && is_time(header.birth_us) && is_time(header.last_event_us) &&
           is_time(header.last_token_us) && is_time(header.day_end_us) &&
           (header.day_end_us == kNoTime) == (header.has_seen == 0),
       "damaged: its times are impossible");
  need(size == sizeof(header) + payload_size(header) + sizeof(Digest),
       "damaged: its size is not that of its parts", "restore the file from a copy");
}

PatientState PatientStateFormat::from_bytes(std::string_view bytes, const std::string& path) const {
  Header header;
  if (bytes.size() < sizeof(header) + sizeof(Digest)) {
    throw FileError(path, "too short to be a patient state", "restore the file from a copy");
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  check(header, bytes.size(), path);
  const size_t content = bytes.size() - sizeof(Digest);
  const Digest digest = sha256(bytes.data(), content);
  if (std::memcmp(digest.data(), bytes.data() + content, sizeof(digest)) != 0) {
    throw FileError(path, "damaged: its checksum does not fit", "restore the file from a copy");
  }

  PatientState state;
  state.sequence = {.subject_id = header.subject_id,
                    .birth_us = header.birth_us,
                    .num_tokens = header.num_tokens,
                    .last_event_us = header.last_event_us,
                    .last_token_us = header.last_token_us,
                    .day_end_us = header.day_end_us};
  const int64_t hidden = layout_.hidden_size();
  Reader reader(bytes.substr(sizeof(header)));
  reader.get(state.sequence.seen, header.has_seen * num_seen_words_);
  reader.get(state.birth_bag_H, header.has_birth_bag * hidden);
  reader.get(state.embedding_H, header.has_embedding * hidden);
  if (header.num_tokens == 0) return state;
  state.encoder.num_tokens = header.num_tokens;
  layout_.reserve(state.encoder, header.num_tokens);
  reader.get(state.encoder.recurrent, layout_.recurrent_size());
  for (auto& chunk : state.encoder.chunks) reader.get(chunk.get(), layout_.chunk_bytes());
  return state;
}

}  // namespace sequela
