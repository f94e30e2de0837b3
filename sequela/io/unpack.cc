#include "sequela/io/unpack.h"

#include <arrow/result.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/io/crc.h"
#include "sequela/io/scratch.h"

namespace sequela {
namespace {

constexpr size_t kOutputBytes = size_t{1} << 20;
constexpr int64_t kInputBytes = int64_t{1} << 20;

using Bytes = std::span<const std::byte>;

bool is_gzip(Bytes bytes) {
  return bytes.size() > 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

[[noreturn]] void fail_packed(const std::string& path) {
  throw DataError({.path = path}, "is packed, and damaged or cut short", "copy the file again");
}

// What is no text whatever its name says, by its first bytes.
struct NoText {
  std::string_view start;
  const char* problem;
  const char* fix;
};
constexpr NoText kNoTexts[] = {
    {"PAR1", "is a Parquet file, not text", "end its name in .parquet, or export it as text"},
    {"\x28\xb5\x2f\xfd", "is packed by zstd", "unpack it, or pack it by gzip"},
    {"\xfd\x37zXZ", "is packed by xz", "unpack it, or pack it by gzip"},
    {"PK\3\4", "is a zip archive", "unpack it"},
    {"\xff\xfe", "is text in UTF-16", "save it in UTF-8"},
    {"\xfe\xff", "is text in UTF-16", "save it in UTF-8"},
};

MappedFile require_text(MappedFile file) {
  for (const NoText& kind : kNoTexts) {
    if (file.text().starts_with(kind.start))
      throw DataError({.path = file.path()}, kind.problem, kind.fix);
  }
  return file;
}

arrow::util::GZipFormat format_of(bool is_whole_gzip) {
  return is_whole_gzip ? arrow::util::GZipFormat::GZIP : arrow::util::GZipFormat::DEFLATE;
}

// Unpacks all of `bytes`: one deflated stream, or gzip members one behind the other.
void inflate(Bytes bytes, bool is_whole_gzip, const std::string& path, ScratchFile* out) {
  arrow::util::GZipCodecOptions options;
  options.gzip_format = format_of(is_whole_gzip);
  auto codec = arrow::util::Codec::Create(arrow::Compression::GZIP, options).ValueOrDie();
  auto decompressor = codec->MakeDecompressor().ValueOrDie();
  std::vector<uint8_t> output(kOutputBytes);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  auto left = static_cast<int64_t>(bytes.size());
  bool is_finished = false;
  while (left > 0 || !is_finished) {
    throw_if_stopped();
    if (is_finished && (!is_whole_gzip || !is_gzip({reinterpret_cast<const std::byte*>(data),
                                                    static_cast<size_t>(left)}))) {
      return;  // padding behind the last member
    }
    if (is_finished && !decompressor->Reset().ok()) fail_packed(path);
    const auto step = decompressor->Decompress(std::min(left, kInputBytes), data,
                                               static_cast<int64_t>(output.size()), output.data());
    if (!step.ok()) fail_packed(path);
    out->write(output.data(), static_cast<size_t>(step->bytes_written));
    data += step->bytes_read;
    left -= step->bytes_read;
    is_finished = decompressor->IsFinished();
    if (!is_finished && step->bytes_read == 0 && step->bytes_written == 0) fail_packed(path);
  }
}

MappedFile unpack(Bytes bytes, bool is_whole_gzip, const std::string& path,
                  const std::string& scratch_folder) {
  ScratchFile out(scratch_folder);
  inflate(bytes, is_whole_gzip, path, &out);
  return out.map(path);
}

Bytes bytes_of(const MappedFile& file) {
  return {file.data(), file.size()};
}

MappedFile open_data(const std::string& path) {
  try {
    return MappedFile(path);
  } catch (const FileError&) {
    throw DataError({.path = path}, "cannot be opened", "name a readable file");
  }
}

}  // namespace

MappedFile map_unpacked(const std::string& path, const std::string& scratch_folder) {
  MappedFile file = open_data(path);
  if (!is_gzip(bytes_of(file))) return require_text(std::move(file));
  return require_text(unpack(bytes_of(file), true, path, scratch_folder));
}

std::string unpacked_ending(const std::string& path) {
  std::string name = path;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return std::filesystem::path(name).extension().string();
}

ZipArchive::ZipArchive(const std::string& path) : file_(open_data(path)) {
  try {
    entries_ = read_zip(bytes_of(file_), path, ZipContent::stored_or_deflated);
  } catch (const FileError&) {
    throw DataError({.path = path}, "is no zip that can be read: damaged, encrypted or cut short",
                    "copy the file again, or unpack it");
  }
}

MappedFile ZipArchive::map(const ZipEntry& entry, const std::string& scratch_folder) const {
  const std::string name = file_.path() + "/" + std::string(entry.name);
  ScratchFile out(scratch_folder);
  if (entry.is_deflated) {
    inflate(entry.bytes, false, name, &out);
  } else {
    out.write(entry.bytes.data(), entry.bytes.size());
  }
  MappedFile content = out.map(name);
  const bool is_whole =
      content.size() == entry.size && crc32(0, content.data(), content.size()) == entry.crc;
  if (!is_whole) fail_packed(name);
  if (!is_gzip(bytes_of(content))) return content;
  return unpack(bytes_of(content), true, name, scratch_folder);
}

}  // namespace sequela
