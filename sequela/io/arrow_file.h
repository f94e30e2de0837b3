#pragma once

#include <memory>
#include <string>

namespace arrow::io {
class RandomAccessFile;
}

namespace sequela {

struct OpenedFile {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  bool is_local = true;
};

// Opens a local path (memory-mapped) or any URI that Arrow knows. Throws DataError.
OpenedFile open_for_reading(const std::string& path_or_uri);

}  // namespace sequela
