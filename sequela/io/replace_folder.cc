#include "sequela/io/replace_folder.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "sequela/core/error.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

std::string name_aside(const std::string& path) {
  return path + ".partial.old";
}

[[noreturn]] void refuse(const std::string& path, const std::error_code& error) {
  throw FileError(path, "cannot rename: " + error.message(), "see to its rights, and its folder's");
}

}  // namespace

void replace_folder(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) {
    std::error_code ignored;  // the new one is in its place already
    fs::remove_all(from, ignored);
  } else {
    replace_folder_in_two_steps(from, to);
  }
}

void replace_folder_in_two_steps(const std::string& from, const std::string& to) {
  const std::string aside = name_aside(to);
  std::error_code error, ignored;
  const bool is_replaced = fs::exists(to, ignored);
  if (is_replaced) fs::rename(to, aside, error);
  if (error) refuse(to, error);
  fs::rename(from, to, error);
  if (error && is_replaced) fs::rename(aside, to, ignored);
  if (error) refuse(to, error);
  if (is_replaced) fs::remove_all(aside, ignored);
}

void mend_replaced_folder(const std::string& path) {
  const std::string aside = name_aside(path);
  std::error_code error;
  if (!fs::exists(aside, error)) return;
  if (fs::exists(path, error)) {
    fs::remove_all(aside, error);
  } else {
    fs::rename(aside, path, error);
  }
}

}  // namespace sequela
