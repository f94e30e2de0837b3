#include "sequela/io/new_folder.h"

#include <unistd.h>

#include <filesystem>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

void remove_empty(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) rmdir(folder.c_str());
}

}  // namespace

NewFolder::NewFolder(const std::string& path) {
  std::error_code error;
  for (fs::path part = path; !part.empty() && !fs::exists(part, error); part = part.parent_path()) {
    made_.push_back(part.string());
  }
  fs::create_directories(path, error);
  if (!error) return;
  remove_empty(made_);
  throw FileError(path, "cannot create: " + error.message(), "choose another output folder");
}

NewFolder::~NewFolder() {
  remove_empty(made_);
}

}  // namespace sequela
