#include "sequela/ontology/tab_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sequela/core/error.h"
#include "sequela/io/csv.h"

namespace sequela {
namespace {

constexpr size_t kBlock = 64;
constexpr size_t kMaxPieceBytes = size_t{64} << 20;

// One bit for each of the 64 bytes at `text`: set at a tab or a line feed.
uint64_t separators(const char* text) {
  uint64_t mask = 0;
#ifdef __SSE2__
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i line_feed = _mm_set1_epi8('\n');
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * i));
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, tab), _mm_cmpeq_epi8(bytes, line_feed));
    mask |= static_cast<uint64_t>(_mm_movemask_epi8(found)) << (16 * i);
  }
#else
  for (size_t i = 0; i < kBlock; ++i) {
    mask |= static_cast<uint64_t>(text[i] == '\t' || text[i] == '\n') << i;
  }
#endif
  return mask;
}

std::vector<std::string_view> split(std::string_view line, char separator) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t end = line.find(separator);
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

void check_separator(const std::string& path, std::string_view header) {
  if (header.find('\t') != std::string_view::npos) return;
  const size_t place = header.find_first_of(",;|");
  const std::string found =
      place == std::string_view::npos ? "no tab" : str("'", header[place], "' and no tab");
  throw DataError({path}, str("its first line has ", found, " between the columns"),
                  "give the file as Athena writes it, separated by tabs");
}

}  // namespace

TabFile::TabFile(MappedFile file, const std::vector<std::string>& columns)
    : file_(std::move(file)), names_(columns) {
  std::string_view header = text().substr(0, text().find('\n'));
  body_ = std::min(header.size() + 1, num_bytes());
  if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);
  if (header.ends_with('\r')) header.remove_suffix(1);
  if (header.empty()) throw DataError({path()}, "it has no header line", "download it again");
  check_separator(path(), header);
  const std::vector<std::string_view> fields = split(header, '\t');
  const std::vector<std::string> found(fields.begin(), fields.end());
  num_columns_ = found.size();
  for (const auto& name : columns) {
    const auto place = find_name_of_any_case(found, name, path());
    if (!place) {
      throw DataError({path(), -1, -1, name}, "the file has no such column",
                      "download it again from Athena");
    }
    wanted_.push_back(static_cast<size_t>(*place));
    num_needed_ = std::max(num_needed_, wanted_.back() + 1);
  }
}

int64_t TabFile::num_pieces() const {
  return static_cast<int64_t>((num_bytes() - body_ + kPieceBytes - 1) / kPieceBytes);
}

size_t TabFile::first_row(size_t from, size_t to) const {
  if (from == body_ || from == num_bytes()) return from;
  // A row begins after a line feed; only those at from - 1 ... to - 2 count.
  const size_t place = text().substr(from - 1, to - from).find('\n');
  return place == std::string_view::npos ? to : from + place;
}

std::string_view TabFile::piece(int64_t i) const {
  const size_t from = body_ + static_cast<size_t>(i) * kPieceBytes;
  const size_t to = std::min(from + kPieceBytes, num_bytes());
  const size_t begin = first_row(from, to);
  if (begin == to) return {};
  // The last row may reach far beyond the piece.
  const size_t line_feed = text().find('\n', to - 1);
  const size_t end = line_feed == std::string_view::npos ? num_bytes() : line_feed + 1;
  if (end - begin > kMaxPieceBytes) {
    fail(text().substr(begin), "", "this row or one soon after it is larger than 60 MiB",
         "download the file again");
  }
  return text().substr(begin, end - begin);
}

void TabFile::release(int64_t first, int64_t last) const {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t from = (body_ + static_cast<size_t>(first) * kPieceBytes) / page * page;
  const size_t to = std::min(body_ + static_cast<size_t>(last) * kPieceBytes, num_bytes());
  // A hint only: what is let go comes back from the file when it is read again.
  madvise(const_cast<std::byte*>(file_.data()) + from, to - from, MADV_DONTNEED);
}

size_t TabFile::find_field_ends(std::string_view text, FieldEnds& ends) {
  if (ends.size() < text.size() + 1) ends.resize(text.size() + 1);
  uint32_t* next = ends.data();
  size_t begin = 0;
  for (; begin + kBlock <= text.size(); begin += kBlock) {
    for (uint64_t mask = separators(text.data() + begin); mask != 0; mask &= mask - 1) {
      *next++ = static_cast<uint32_t>(begin + std::countr_zero(mask));
    }
  }
  for (; begin < text.size(); ++begin) {
    if (text[begin] == '\t' || text[begin] == '\n') *next++ = static_cast<uint32_t>(begin);
  }
  if (!text.empty() && text.back() != '\n') *next++ = static_cast<uint32_t>(text.size());
  return next - ends.data();
}

size_t TabFile::read_odd_row(std::string_view text, size_t begin, std::span<const uint32_t> ends,
                             std::vector<std::string_view>& fields) const {
  std::string_view line = text.substr(begin, ends.back() - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return 0;
  const std::vector<std::string_view> found = split(line, '\t');
  const bool is_too_long =
      found.size() > num_columns_ &&
      std::any_of(found.begin() + static_cast<int64_t>(num_columns_), found.end(),
                  [](std::string_view field) { return !field.empty(); });
  if (found.size() < num_needed_ || is_too_long) {
    fail(line, "", str("the row has ", found.size(), " fields, the header ", num_columns_),
         "download the file again, or take tabs and line breaks out of its fields");
  }
  for (size_t k = 0; k < wanted_.size(); ++k) fields[k] = found[wanted_[k]];
  return found.size();
}

void TabFile::fail(std::string_view field, const std::string& column, const std::string& problem,
                   const std::string& fix) const {
  const char* begin = text().data() + body_;
  throw DataError({path(), -1, std::count(begin, field.data(), '\n'), column}, problem, fix);
}

}  // namespace sequela
