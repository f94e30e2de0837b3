#pragma once

#include <string>
#include <vector>

#include "sequela/io/file.h"
#include "sequela/io/weights/zip_reader.h"

namespace sequela {

// Packed files, read as if they were not. Unpacked content lies in an unlinked file in
// `scratch_folder` (empty = the system's folder for temporary files), never in memory, and goes
// with its MappedFile.

// Maps a text file, or the content of one that gzip packed, which its first bytes tell. DataError
// if it cannot be opened, is damaged or no UTF-8 text (packed by another program, Parquet, UTF-16),
// ResourceError if the disk is full.
MappedFile map_unpacked(const std::string& path, const std::string& scratch_folder = "");

// Which kind of text a name stands for: ".csv" for "a/B.CSV.GZ".
std::string unpacked_ending(const std::string& path);

// A zip archive of stored or deflated members. DataError if it is damaged.
class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  // The member's content; a member that gzip packed once more is unpacked twice.
  MappedFile map(const ZipEntry& entry, const std::string& scratch_folder = "") const;

 private:
  MappedFile file_;
  std::vector<ZipEntry> entries_;
};

}  // namespace sequela
