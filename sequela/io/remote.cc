#include "sequela/io/remote.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/result.h>
#include <arrow/util/config.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "sequela/io/arrow_result.h"

namespace sequela {
namespace {

// S3 lives in a library of its own beside Arrow's, loaded when first asked for. Without it, Arrow
// says that it does not know the scheme.
void load_s3() {
  static std::once_flag once;
  std::call_once(once, [] {
    Dl_info arrow_library;
    if (dladdr(reinterpret_cast<void*>(&arrow::fs::EnsureFinalized), &arrow_library) == 0) return;
    const auto folder = std::filesystem::path(arrow_library.dli_fname).parent_path();
    const std::string library = (folder / "libarrow_s3.so." ARROW_SO_VERSION).string();
    (void)arrow::fs::LoadFileSystemFactories(library.c_str());
  });
}

}  // namespace

std::shared_ptr<arrow::fs::FileSystem> open_filesystem(const std::string& uri, std::string* path) {
  const bool is_s3 = uri.starts_with("s3://");
  if (is_s3) load_s3();
  auto filesystem = arrow::fs::FileSystemFromUri(uri, path);
  // Registered only now, as it must run before what opening, even in vain, has made is destroyed.
  static std::once_flag once;
  if (is_s3) std::call_once(once, [] { std::atexit(arrow::fs::EnsureFinalized); });
  return value_or_throw(std::move(filesystem), uri);
}

std::vector<std::string> list_remote_files(const std::string& uri) {
  arrow::fs::FileSelector selector;
  selector.recursive = true;
  const auto filesystem = open_filesystem(uri, &selector.base_dir);
  std::vector<std::string> files;
  for (const auto& info : value_or_throw(filesystem->GetFileInfo(selector), uri)) {
    if (info.IsFile()) files.push_back(join_path(uri, path_below(selector.base_dir, info.path())));
  }
  return files;
}

std::string remote_fingerprint(const std::string& uri) {
  std::string path;
  const auto filesystem = open_filesystem(uri, &path);
  const auto info = value_or_throw(filesystem->GetFileInfo(path), uri);
  if (info.mtime() == arrow::fs::kNoTime) return "";
  return str(info.size(), ":", info.mtime().time_since_epoch().count());
}

}  // namespace sequela
