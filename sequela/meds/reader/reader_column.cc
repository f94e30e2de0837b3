#include <zstd.h>

#include <cstring>

#include "sequela/core/error.h"
#include "sequela/meds/reader/reader_database.h"

namespace sequela {
namespace {

// Memory for one decompressed block. Not cleared: a size that a damaged file only claims is never
// touched, so it costs nothing.
struct Buffer {
  std::unique_ptr<char[]> bytes;
  size_t capacity = 0;

  char* grow_to(size_t size) {
    if (size > capacity) {
      bytes.reset(new char[size]);
      capacity = size;
    }
    return bytes.get();
  }
};

[[noreturn]] void throw_cut(const std::string& path) {
  throw DataError({.path = path}, "damaged database: the texts cannot be read",
                  "convert the data set again");
}

std::string_view take_bytes(const std::string& path, uint64_t size, std::string_view* text) {
  if (text->size() < size) throw_cut(path);
  const std::string_view bytes = text->substr(0, size);
  text->remove_prefix(size);
  return bytes;
}

uint64_t take_number(const std::string& path, std::string_view* text) {
  uint64_t value;
  std::memcpy(&value, take_bytes(path, sizeof(value), text).data(), sizeof(value));
  return value;
}

// The size that a frame says it holds, 0 if it does not say one that fits 32 bits.
size_t frame_size(std::string_view frame) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  return size >> 32 ? 0 : static_cast<size_t>(size);
}

}  // namespace

struct BlockDecoder::State {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  Buffer buffer;
  ~State() { ZSTD_freeDCtx(context); }
};

BlockDecoder::BlockDecoder() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr) throw ResourceError("out of memory");
}
BlockDecoder::~BlockDecoder() = default;

struct ReaderColumn::Dictionaries {
  ZSTD_DDict* zdict = nullptr;                  // nullptr = frames were made without
  std::vector<std::unique_ptr<char[]>> chunks;  // what shared_ points into
  ~Dictionaries() { ZSTD_freeDDict(zdict); }
};

ReaderColumn::ReaderColumn(const std::string& folder, ReaderType type, int64_t num_subjects)
    : type_(type),
      data_(map_database_file(folder + "/data")),
      dictionaries_(std::make_unique<Dictionaries>()) {
  const size_t num_offsets = static_cast<size_t>(num_subjects) + 1;
  if (data_.size() / sizeof(uint64_t) < num_offsets) fail("its offsets are cut");
  offsets_ = data_.array<uint64_t>(0, num_offsets);
  if (offsets_.front() != num_offsets * sizeof(uint64_t) || offsets_.back() != data_.size()) {
    fail("its offsets do not fit its size");
  }
  for (size_t i = 1; i < num_offsets; ++i) {
    if (offsets_[i] < offsets_[i - 1]) fail("its offsets decrease");
  }
  const MappedFile zdict = map_database_file(folder + "/zdict");
  if (zdict.size() > 0) {
    dictionaries_->zdict = ZSTD_createDDict(zdict.data(), zdict.size());
    if (dictionaries_->zdict == nullptr) fail("its zdict is damaged");
  }
  if (is_string(type)) read_shared(folder + "/dictionary");
}

ReaderColumn::~ReaderColumn() = default;
ReaderColumn::ReaderColumn(ReaderColumn&&) noexcept = default;

void ReaderColumn::fail(const std::string& problem) const {
  throw DataError({.path = data_.path()}, "damaged database: " + problem,
                  "convert the data set again");
}

std::string_view ReaderColumn::block(int64_t position, BlockDecoder* decoder) const {
  std::string_view frame =
      data_.text().substr(offsets_[position], offsets_[position + 1] - offsets_[position]);
  uint32_t size;
  if (frame.size() < sizeof(size)) fail("a block is cut");
  std::memcpy(&size, frame.data(), sizeof(size));
  frame.remove_prefix(sizeof(size));
  if (frame_size(frame) != size) fail("a block's sizes do not agree");
  BlockDecoder::State& state = *decoder->state_;
  char* out = state.buffer.grow_to(size);
  const size_t result =
      dictionaries_->zdict == nullptr
          ? ZSTD_decompressDCtx(state.context, out, size, frame.data(), frame.size())
          : ZSTD_decompress_usingDDict(state.context, out, size, frame.data(), frame.size(),
                                       dictionaries_->zdict);
  if (result != size) fail("a block cannot be decompressed");  // an error's code is no size
  return {out, size};
}

void ReaderColumn::read_shared(const std::string& path) {
  const MappedFile file = map_database_file(path);
  std::string_view rest = file.text();
  while (!rest.empty()) {
    const uint64_t frame_bytes = take_number(path, &rest);
    const std::string_view frame = take_bytes(path, frame_bytes, &rest);
    const size_t size = frame_size(frame);
    auto& chunk = dictionaries_->chunks.emplace_back(new char[size]);
    const size_t result = ZSTD_decompress(chunk.get(), size, frame.data(), frame.size());
    if (result != size) throw_cut(path);  // an error's code is no size
    for (std::string_view records(chunk.get(), size); !records.empty();) {
      take_number(path, &records);  // how often the text occurs
      const uint64_t length = take_number(path, &records);
      shared_.push_back(take_bytes(path, length, &records));
    }
  }
}

}  // namespace sequela
