#include "sequela/batch/compact_batch.h"

#include <zstd.h>

#include <array>
#include <bit>
#include <cstring>

#include "sequela/core/error.h"

static_assert(std::endian::native == std::endian::little, "files are little-endian");

namespace sequela {

namespace {

constexpr int64_t kMagic = 0x4843544142514553;  // "SEQBATCH"
constexpr int64_t kMotorVersion = 1;
constexpr int64_t kArraysVersion = 2;
constexpr int64_t kMaxArrays = 64;
constexpr size_t kNameBytes = 32;
constexpr int kCompressionLevel = 1;
constexpr int64_t kMaxBytes = int64_t{1} << 31;  // of one batch, decompressed
constexpr int64_t kMaxRatio = 4'096;             // of a batch's sizes; real ones are below 20
constexpr int64_t kMaxTasks = 65'536;

struct Header {
  int64_t magic = kMagic;
  int64_t version = kMotorVersion;
  int64_t num_sequences = 0;
  int64_t num_tokens = 0;
  int64_t num_entries = 0;
  int64_t num_labels = 0;
  int64_t num_changes = 0;  // version 2: target arrays
  int64_t num_tasks = 0;

  bool is_motor() const { return version == kMotorVersion; }
  std::array<int64_t, 5> counts() const {
    return {num_sequences, num_tokens, num_entries, num_labels, num_changes};
  }
  int64_t num_bytes() const {
    const int64_t of_targets =
        is_motor() ? num_labels * (4 + 4) + num_changes * (4 + 2)
                   : num_changes * (static_cast<int64_t>(kNameBytes) + num_labels * 4);
    return static_cast<int64_t>(sizeof(Header)) + num_sequences * (8 + 4 + 4) +
           num_tokens * (8 + 4 + 4 + 5 * 2) + num_entries * (4 + 2) + num_labels * 4 + of_targets;
  }
};

template <class T>
void put(const std::vector<T>& values, std::string& out) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Appends count values that value(i) gives.
template <class T, class Value>
void put_each(int64_t count, Value value, std::string& out) {
  const size_t old_size = out.size();
  out.resize(old_size + static_cast<size_t>(count) * sizeof(T));
  char* place = out.data() + old_size;
  for (int64_t i = 0; i < count; ++i) {
    const T one = value(i);
    std::memcpy(place + i * static_cast<int64_t>(sizeof(T)), &one, sizeof(T));
  }
}

void put_arrays(const std::vector<TargetArray>& arrays, std::string& out) {
  for (const TargetArray& array : arrays) {
    SEQUELA_CHECK(array.name.size() <= kNameBytes);
    out.append(array.name);
    out.append(kNameBytes - array.name.size(), '\0');
    put(array.values, out);
  }
}

void put_batch(const BatchArrays& batch, const Header& header, std::string& out) {
  const int64_t num_tokens = header.num_tokens;
  const auto& changes = batch.changes;
  put(batch.subject_ids, out);
  put_each<int64_t>(
      num_tokens,
      [&](int64_t t) { return batch.timestamps[t] - (t == 0 ? 0 : batch.timestamps[t - 1]); }, out);
  put(batch.first_tokens, out);
  put(batch.lengths, out);
  put(batch.token_ids, out);
  put_each<int32_t>(
      num_tokens, [&](int64_t t) { return batch.token_offsets[t + 1] - batch.token_offsets[t]; },
      out);
  put(batch.label_indices, out);
  if (header.is_motor()) {
    put_each<int32_t>(
        header.num_labels,
        [&](int64_t l) {
          return static_cast<int32_t>(changes.row_offsets[l + 1] - changes.row_offsets[l]);
        },
        out);
  }
  put(changes.seconds_after, out);
  put(batch.ages_days, out);
  put(changes.censor_seconds, out);
  put(batch.token_weights, out);
  for (int64_t component = 0; component < 5; ++component) {
    put_each<uint16_t>(
        num_tokens, [&](int64_t t) { return batch.time_data[t * 5 + component]; }, out);
  }
  put(changes.task_ids, out);
  put_arrays(batch.targets, out);
}

class Reader {
 public:
  explicit Reader(const char* place) : place_(place) {}

  template <class T>
  void take(int64_t count, std::vector<T>& values) {
    values.resize(static_cast<size_t>(count));
    std::memcpy(values.data(), place_, values.size() * sizeof(T));
    place_ += values.size() * sizeof(T);
  }

 private:
  const char* place_;
};

// Turns sizes into offsets that end at `total`; false if they do not.
template <class Offset>
bool sum_sizes(const std::vector<int32_t>& sizes, int64_t total, std::vector<Offset>& offsets) {
  offsets.assign(1, 0);
  int64_t sum = 0;
  for (const int32_t size : sizes) {
    if (size < 0 || size > total - sum) return false;
    sum += size;
    offsets.push_back(static_cast<Offset>(sum));
  }
  return sum == total;
}

// What decode_compact works with; kept per thread, since batches come by the thousand.
struct Scratch {
  std::string raw;
  std::vector<int32_t> sizes;
  std::vector<uint16_t> component;
  std::vector<int64_t> label_seconds;
  std::vector<int64_t> offsets;
};

[[noreturn]] void fail(const std::string& path, const std::string& cause) {
  fail_damaged_batch(path, cause);
}

Header decompress(std::string_view bytes, const std::string& path, std::string& raw) {
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size < sizeof(Header) ||
      size > static_cast<unsigned long long>(kMaxBytes) || size / kMaxRatio > bytes.size()) {
    fail(path, "its compressed size is wrong");
  }
  raw.resize(size);
  const size_t found = ZSTD_decompress(raw.data(), raw.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(found) != 0 || found != size) fail(path, "it does not decompress");

  Header header;
  std::memcpy(&header, raw.data(), sizeof(header));
  if (header.magic != kMagic) fail(path, "it is no compact batch");
  if (header.version != kMotorVersion && header.version != kArraysVersion)
    fail(path, str("its version ", header.version, " is unknown"));
  for (const int64_t count : header.counts()) {
    if (count < 0 || count > kMaxBytes) fail(path, "its sizes are wrong");
  }
  if (header.num_tasks < 0 || header.num_tasks > kMaxTasks ||
      (!header.is_motor() && header.num_changes > kMaxArrays) ||
      header.num_bytes() != static_cast<int64_t>(size)) {
    fail(path, "its sizes are wrong");
  }
  return header;
}

void take_batch(const Header& header, const std::string& path, Scratch& scratch,
                BatchArrays& batch) {
  Reader reader(scratch.raw.data() + sizeof(Header));
  auto& changes = batch.changes;
  reader.take(header.num_sequences, batch.subject_ids);
  reader.take(header.num_tokens, batch.timestamps);
  for (size_t t = 1; t < batch.timestamps.size(); ++t) {
    batch.timestamps[t] = static_cast<int64_t>(static_cast<uint64_t>(batch.timestamps[t]) +
                                               static_cast<uint64_t>(batch.timestamps[t - 1]));
  }
  reader.take(header.num_sequences, batch.first_tokens);
  reader.take(header.num_sequences, batch.lengths);
  reader.take(header.num_entries, batch.token_ids);
  reader.take(header.num_tokens, scratch.sizes);
  if (!sum_sizes(scratch.sizes, header.num_entries, batch.token_offsets)) {
    fail(path, "its bags do not fit");
  }
  reader.take(header.num_labels, batch.label_indices);
  const int64_t num_changes = header.is_motor() ? header.num_changes : 0;
  const int64_t num_censored = header.is_motor() ? header.num_labels : 0;
  reader.take(num_censored, scratch.sizes);
  if (!sum_sizes(scratch.sizes, num_changes, changes.row_offsets)) {
    fail(path, "its changes do not fit");
  }
  reader.take(num_changes, changes.seconds_after);
  reader.take(header.num_tokens, batch.ages_days);
  reader.take(num_censored, changes.censor_seconds);
  reader.take(header.num_entries, batch.token_weights);
  batch.time_data.resize(static_cast<size_t>(header.num_tokens) * 5);
  for (int64_t component = 0; component < 5; ++component) {
    reader.take(header.num_tokens, scratch.component);
    for (int64_t t = 0; t < header.num_tokens; ++t) {
      batch.time_data[t * 5 + component] = scratch.component[t];
    }
  }
  reader.take(num_changes, changes.task_ids);
  for (int64_t i = 0; !header.is_motor() && i < header.num_changes; ++i) {
    std::vector<char> name;
    reader.take(kNameBytes, name);
    name.push_back('\0');
    batch.targets.push_back({name.data(), {}});
    reader.take(header.num_labels, batch.targets.back().values);
  }
}

// Builds the target rows, one subject's labels after another's.
void replay(const Header& header, const std::string& path, Scratch& scratch, BatchArrays& batch) {
  const auto& changes = batch.changes;
  for (const uint16_t task : changes.task_ids) {
    if (task >= header.num_tasks) fail(path, "a task is out of range");
  }
  ChangeReplay replay(static_cast<int32_t>(header.num_tasks));
  int64_t label = 0;
  int64_t end_token = 0;
  for (const int32_t length : batch.lengths) {
    end_token += length;
    const int64_t first = label;
    scratch.label_seconds.clear();
    scratch.offsets.assign(1, 0);
    for (; label < batch.num_labels() && batch.label_indices[label] < end_token; ++label) {
      scratch.label_seconds.push_back(batch.timestamps[batch.label_indices[label]]);
      scratch.offsets.push_back(changes.row_offsets[label + 1] - changes.row_offsets[first]);
    }
    const auto start = static_cast<size_t>(changes.row_offsets[first]);
    const auto count = static_cast<size_t>(scratch.offsets.back());
    replay.append_rows(scratch.label_seconds,
                       {scratch.offsets, std::span(changes.task_ids).subspan(start, count),
                        std::span(changes.seconds_after).subspan(start, count)},
                       batch.rows);
  }
  batch.rows.censor_seconds = changes.censor_seconds;
}

}  // namespace

CompactEncoder::CompactEncoder() : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw ResourceError("out of memory. Fix: use fewer threads");
}

CompactEncoder::~CompactEncoder() {
  ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(context_));
}

std::string_view CompactEncoder::encode(const BatchArrays& batch, int32_t num_tasks) {
  Header header;
  if (!batch.targets.empty()) header.version = kArraysVersion;
  header.num_sequences = batch.num_sequences();
  header.num_tokens = batch.num_tokens();
  header.num_entries = static_cast<int64_t>(batch.token_ids.size());
  header.num_labels = batch.num_labels();
  header.num_changes = static_cast<int64_t>(header.is_motor() ? batch.changes.task_ids.size()
                                                              : batch.targets.size());
  header.num_tasks = num_tasks;
  raw_.clear();
  raw_.append(reinterpret_cast<const char*>(&header), sizeof(header));
  put_batch(batch, header, raw_);
  SEQUELA_CHECK(static_cast<int64_t>(raw_.size()) == header.num_bytes());

  compressed_.resize(ZSTD_compressBound(raw_.size()));
  const size_t size =
      ZSTD_compressCCtx(static_cast<ZSTD_CCtx*>(context_), compressed_.data(), compressed_.size(),
                        raw_.data(), raw_.size(), kCompressionLevel);
  SEQUELA_CHECK(ZSTD_isError(size) == 0);
  return {compressed_.data(), size};
}

void decode_compact(std::string_view bytes, const BatchLimits& limits, const std::string& path,
                    BatchArrays& batch) {
  thread_local Scratch scratch;
  batch.clear();
  const Header header = decompress(bytes, path, scratch.raw);
  take_batch(header, path, scratch, batch);
  check_sequences(batch, limits, path);
  if (!header.is_motor()) return check_targets(batch, path);
  if (header.num_tasks > limits.num_tasks) fail(path, "it has more tasks than the model");
  replay(header, path, scratch, batch);
  batch.changes.clear();
}

}  // namespace sequela
