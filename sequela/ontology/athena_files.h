#pragma once

#include <map>
#include <string>

#include "sequela/io/file.h"

namespace sequela {

// The tables of an Athena vocabulary download, in whatever state it lies: the zip itself, or a
// folder that holds it, unpacked, at the top or in a folder of its own; names in any case; each
// table packed by gzip or not; fields quoted or not.
class AthenaFiles {
 public:
  static constexpr const char* kConcept = "CONCEPT.csv";
  static constexpr const char* kRelationship = "CONCEPT_RELATIONSHIP.csv";
  static constexpr const char* kAncestor = "CONCEPT_ANCESTOR.csv";

  // Looks for the tables; nothing is unpacked. DataError if the path is neither a folder nor a
  // zip, or if two files could be the same table.
  explicit AthenaFiles(const std::string& path);

  // The table as Athena writes it: separated by tabs, without quotes. What has to be unpacked for
  // that goes to an unlinked file in `scratch_folder` (empty = the system's for temporary files).
  // DataError if it is not there or is damaged.
  MappedFile map(const std::string& table, const std::string& scratch_folder) const;

  bool has(const std::string& table) const { return files_.contains(table); }

  // The path of each table that is there; of a zip, under an empty name, its own alone.
  std::map<std::string, std::string> paths() const;

 private:
  void find_in_folder();
  void find_zip();
  void find_in_zip(const std::string& zip);

  std::string path_;
  std::string zip_;                           // empty = the tables are files
  std::map<std::string, std::string> files_;  // table -> path, or name inside the zip
};

// True if a path is to be read as an Athena download: a folder or a zip.
bool is_athena_path(const std::string& path);

}  // namespace sequela
