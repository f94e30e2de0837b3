#pragma once

#include <string>
#include <vector>

namespace sequela {

// Makes a folder, and its parents, where there is none. When the object goes, those that it made
// and that are empty then go, too: a run that fails before its first file leaves no trace.
// Throws FileError if the folder cannot be made.
class NewFolder {
 public:
  explicit NewFolder(const std::string& path);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  bool is_new() const { return !made_.empty(); }  // false if the folder was there before

 private:
  std::vector<std::string> made_;  // the deepest first
};

}  // namespace sequela
