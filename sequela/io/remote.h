#pragma once

#include <memory>
#include <string>
#include <vector>

namespace arrow::fs {
class FileSystem;
}  // namespace arrow::fs

namespace sequela {

// What is behind a URI, by Arrow's file systems (s3, gs, hdfs, file). Errors are DataError with the
// URI, without user name and password.

// The file system of a URI; *path = the place within it.
std::shared_ptr<arrow::fs::FileSystem> open_filesystem(const std::string& uri, std::string* path);

// All files below a folder, as URIs with the query of the given one.
std::vector<std::string> list_remote_files(const std::string& uri);

// Changes when the file does: its size and time of change. Empty if the file system does not know
// the time.
std::string remote_fingerprint(const std::string& uri);

}  // namespace sequela
