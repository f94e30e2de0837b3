#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"

namespace sequela {

// The fields asked for of one row, in the order asked for; they live as long as the file is mapped.
using Fields = std::span<const std::string_view>;

// A tab-separated, unquoted text file with a header line, as Athena writes them; read in parallel
// pieces with memory that does not grow with the file. Line ends are LF or CRLF, the last may be
// missing; blank lines are passed over. A field may have any length; the time is linear in the
// file's size.
class TabFile {
 public:
  // `columns` are those to hand out, in any case of letters. DataError if the file is empty, is not
  // separated by tabs, or lacks a column or has it twice.
  TabFile(MappedFile file, const std::vector<std::string>& columns);

  const std::string& path() const { return file_.path(); }
  std::string_view text() const { return file_.text(); }
  size_t num_bytes() const { return file_.size(); }

  // Calls parse(part, fields) for each row on `num_threads` threads, each piece of the file with a
  // Part of its own, and then merge(part) for each piece in the file's order, on the calling
  // thread. A row with too few fields, or with more than the header, is a DataError with its
  // number.
  template <class Part, class Parse, class Merge>
  void scan(int num_threads, Parse&& parse, Merge&& merge) const;

  // The DataError for a bad value: finds the number of the row that holds `field`. Slow.
  [[noreturn]] void fail(std::string_view field, const std::string& column,
                         const std::string& problem, const std::string& fix) const;

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 20;
  static constexpr int64_t kPiecesPerThread = 8;  // between two merges

  // Ends of fields, as offsets from the start of the piece; grows to the largest piece.
  using FieldEnds = std::vector<uint32_t>;

  int64_t num_pieces() const;
  // The rows that begin in piece i. A row belongs to the piece in which it begins.
  std::string_view piece(int64_t i) const;
  // The offset of the first row that begins in [from, to), or `to` if none does.
  size_t first_row(size_t from, size_t to) const;
  // Lets go of the memory that the mapping holds for pieces [first, last).
  void release(int64_t first, int64_t last) const;
  static size_t find_field_ends(std::string_view text, FieldEnds& ends);
  // A row that does not look like the header. Returns the number of its fields and fills in
  // `fields`; 0 for a blank line.
  size_t read_odd_row(std::string_view text, size_t begin, std::span<const uint32_t> ends,
                      std::vector<std::string_view>& fields) const;
  template <class Visit>
  void for_each_row(std::string_view text, FieldEnds& ends, Visit&& visit) const;

  MappedFile file_;
  size_t body_ = 0;  // offset of the first row
  size_t num_columns_ = 0;
  size_t num_needed_ = 0;  // fields that a row must have at least
  std::vector<std::string> names_;
  std::vector<size_t> wanted_;  // their places among the fields
};

template <class Visit>
void TabFile::for_each_row(std::string_view text, FieldEnds& ends, Visit&& visit) const {
  const size_t num_ends = find_field_ends(text, ends);
  std::vector<std::string_view> fields(wanted_.size());
  auto is_row_end = [&](size_t i) { return ends[i] == text.size() || text[ends[i]] == '\n'; };
  size_t begin = 0;
  for (size_t i = 0; i < num_ends;) {
    const size_t last = i + num_columns_ - 1;
    size_t inner = i;
    while (inner < std::min(last, num_ends) && !is_row_end(inner)) ++inner;
    if (inner == last && last < num_ends && is_row_end(last)) {
      for (size_t k = 0; k < wanted_.size(); ++k) {
        const size_t column = wanted_[k];
        const size_t start = column == 0 ? begin : ends[i + column - 1] + 1;
        fields[k] = text.substr(start, ends[i + column] - start);
        if (column + 1 == num_columns_ && fields[k].ends_with('\r')) fields[k].remove_suffix(1);
      }
      visit(Fields(fields));
      i = last + 1;
    } else {
      const size_t first = i;
      while (!is_row_end(i)) ++i;
      ++i;
      const std::span row(ends.data() + first, i - first);
      if (read_odd_row(text, begin, row, fields) > 0) visit(Fields(fields));
    }
    begin = ends[i - 1] + 1;
  }
}

template <class Part, class Parse, class Merge>
void TabFile::scan(int num_threads, Parse&& parse, Merge&& merge) const {
  Progress progress("ontology: " + path().substr(path().rfind('/') + 1),
                    static_cast<int64_t>(num_bytes()), "bytes");
  std::vector<FieldEnds> ends(num_threads);
  const int64_t wave = num_threads * kPiecesPerThread;
  for (int64_t first = 0; first < num_pieces(); first += wave) {
    throw_if_stopped();
    const int64_t count = std::min(wave, num_pieces() - first);
    std::vector<Part> parts(count);
    parallel_for(count, num_threads, [&](int64_t i, int thread) {
      const std::string_view text = piece(first + i);
      for_each_row(text, ends[thread], [&](Fields fields) { parse(parts[i], fields); });
      progress.advance(static_cast<int64_t>(text.size()));
    });
    for (Part& part : parts) merge(part);
    release(first, first + count);
  }
}

}  // namespace sequela
