#include "sequela/io/arrow_file.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/file.h>

#include <algorithm>
#include <filesystem>

#include "sequela/io/arrow_result.h"
#include "sequela/io/parquet.h"
#include "sequela/io/remote.h"

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

std::vector<std::string> list_local_files(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code error;
  auto walk = fs::recursive_directory_iterator(
      folder, fs::directory_options::follow_directory_symlink, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (!walk->is_directory()) paths.push_back(walk->path().string());
  }
  if (error) throw DataError({.path = folder}, str("cannot list: ", error.message()));
  return paths;
}

}  // namespace

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
      is_uri(folder_or_uri) ? list_remote_files(folder_or_uri) : list_local_files(folder_or_uri);
  std::erase_if(paths, [&](const std::string& path) {
    return !is_data_file(path_below(folder_or_uri, path));
  });
  if (paths.empty()) {
    throw DataError({.path = shown_path(folder_or_uri)}, "no *.parquet file below this folder",
                    "name the folder that holds the shards");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace sequela
