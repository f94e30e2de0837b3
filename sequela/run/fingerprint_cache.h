#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sequela {

// What the system tells of a file. It differs after every change of its content, but for a change
// within one tick of the file system's clock. The time of change of the inode is a part of it:
// tools set the other one back at will.
struct FileState {
  int64_t size = 0;
  int64_t modified_ns = 0, changed_ns = 0;  // st_mtim, st_ctim, since 1970
  uint64_t inode = 0, device = 0;

  bool operator==(const FileState&) const = default;
};

// Digests of files that were read before, kept in a folder for all runs of a user. Whatever is
// wrong with it (no folder, no rights, damage, a full disk), it then knows nothing: never an error.
//
// `fingerprints` is text: a line that says what it is, a line a file, a line with the SHA-256 of
// all that stands before it. A file's line: hex SHA-256 of its absolute path, size, modified_ns,
// changed_ns, inode, device, hex SHA-256 of its content. The line used last stands last; of more
// than kMaxEntries the first ones go. `fingerprints.lock` keeps two processes from writing at once.
class FingerprintCache {
 public:
  static constexpr size_t kMaxEntries = 20'000;

  explicit FingerprintCache(std::string folder);  // empty = none

  // Of a file in this state; a path may be given in any form.
  std::optional<std::string> find(const std::string& path, const FileState& state);
  void add(const std::string& path, const FileState& state, const std::string& digest);

  // Writes what was added, beside what other processes wrote meanwhile. Nothing if another process
  // is at it for long.
  void save();

 private:
  struct Entry {
    FileState state;
    std::string digest;
  };
  struct Line {
    std::string key;  // of a path
    Entry entry;
  };
  std::vector<Line> read() const;
  void write(const std::vector<Line>& lines) const;

  std::string folder_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> used_;  // found or added in this process
  bool has_new_ = false;
};

}  // namespace sequela
