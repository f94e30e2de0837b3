#include "sequela/io/arrow_file.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/file.h>
#include <arrow/result.h>
#include <arrow/util/config.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "sequela/io/arrow_convert.h"
#include "sequela/io/parquet.h"

namespace sequela {
namespace {

// Arrow's view of an AtomicFile.
class FileSink : public arrow::io::OutputStream {
 public:
  explicit FileSink(AtomicFile* file) : file_(file) {}
  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }
  arrow::Result<int64_t> Tell() const override { return file_->size(); }
  arrow::Status Write(const void* data, int64_t size) override {
    file_->write(data, static_cast<size_t>(size));
    return arrow::Status::OK();
  }

 private:
  AtomicFile* file_;
  bool is_closed_ = false;
};

bool is_uri(const std::string& path) {
  return path.find("://") != std::string::npos;
}

template <class T>
T value_or_throw(arrow::Result<T> result, const std::string& path) {
  if (result.ok()) return std::move(result).ValueUnsafe();
  const std::string shown = shown_path(path);
  std::string message = result.status().message();
  const size_t at = message.find(path);
  if (at != std::string::npos) message.replace(at, path.size(), shown);
  throw_arrow_error(result.status().WithMessage(message), Where{.path = shown});
}

// The last part of a path decides: "*.parquet", and no part below the folder may be hidden.
bool is_data_file(std::string_view below) {
  if (!below.ends_with(".parquet")) return false;
  size_t start = 0;
  while (start <= below.size()) {
    const size_t end = std::min(below.find('/', start), below.size());
    if (end > start && (below[start] == '.' || below[start] == '_')) return false;
    start = end + 1;
  }
  return true;
}

std::vector<std::string> list_local(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code error;
  auto walk = fs::recursive_directory_iterator(
      folder, fs::directory_options::follow_directory_symlink, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const std::string path = walk->path().string();
    if (is_data_file(std::string_view(path).substr(folder.size())) && !walk->is_directory()) {
      paths.push_back(path);
    }
  }
  if (error) throw DataError({.path = folder}, str("cannot list: ", error.message()));
  return paths;
}

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

std::shared_ptr<arrow::fs::FileSystem> open_filesystem(const std::string& uri, std::string* path) {
  const bool is_s3 = uri.starts_with("s3://");
  if (is_s3) load_s3();
  auto filesystem = value_or_throw(arrow::fs::FileSystemFromUri(uri, path), uri);
  // Registered only now, as it must run before what opening has just made is destroyed.
  static std::once_flag once;
  if (is_s3) std::call_once(once, [] { std::atexit(arrow::fs::EnsureFinalized); });
  return filesystem;
}

std::vector<std::string> list_remote(const std::string& uri) {
  std::string base;
  const auto filesystem = open_filesystem(uri, &base);
  arrow::fs::FileSelector selector;
  selector.base_dir = base;
  selector.recursive = true;
  const std::string query = uri.find('?') == std::string::npos ? "" : uri.substr(uri.find('?'));
  std::string prefix = uri.substr(0, uri.size() - query.size());
  while (prefix.ends_with('/')) prefix.pop_back();
  std::vector<std::string> paths;
  for (const auto& info : value_or_throw(filesystem->GetFileInfo(selector), uri)) {
    const std::string below = info.path().substr(std::min(base.size(), info.path().size()));
    if (info.IsFile() && is_data_file(below)) {
      paths.push_back(prefix + (below.starts_with('/') ? "" : "/") + below + query);
    }
  }
  return paths;
}

}  // namespace

std::string shown_path(const std::string& path_or_uri) {
  const size_t start = path_or_uri.find("://");
  if (start == std::string::npos) return path_or_uri;
  const size_t host_end = std::min(path_or_uri.find('/', start + 3), path_or_uri.size());
  const size_t at = path_or_uri.rfind('@', host_end);
  if (at == std::string::npos || at < start) return path_or_uri;
  return path_or_uri.substr(0, start + 3) + path_or_uri.substr(at + 1);
}

OpenedFile open_for_reading(const std::string& path_or_uri) {
  if (!is_uri(path_or_uri)) {
    return {
        value_or_throw(arrow::io::MemoryMappedFile::Open(path_or_uri, arrow::io::FileMode::READ),
                       path_or_uri),
        true};
  }
  std::string path;
  const auto filesystem = open_filesystem(path_or_uri, &path);
  return {value_or_throw(filesystem->OpenInputFile(path), path_or_uri),
          filesystem->type_name() == "local"};
}

std::shared_ptr<arrow::io::OutputStream> make_output_stream(AtomicFile* file) {
  return std::make_shared<FileSink>(file);
}

std::vector<std::string> list_parquet_files(const std::string& folder_or_uri) {
  std::vector<std::string> paths =
      is_uri(folder_or_uri) ? list_remote(folder_or_uri) : list_local(folder_or_uri);
  if (paths.empty()) {
    throw DataError({.path = shown_path(folder_or_uri)}, "no *.parquet file below this folder",
                    "name the folder that holds the shards");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace sequela
