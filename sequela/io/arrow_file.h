#pragma once

#include <memory>
#include <string>

#include "sequela/io/file.h"

namespace arrow::io {
class OutputStream;
class RandomAccessFile;
}  // namespace arrow::io

namespace sequela {

struct OpenedFile {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  bool is_local = true;
};

// Opens a local path (memory-mapped) or any URI that Arrow knows. Throws DataError.
OpenedFile open_for_reading(const std::string& path_or_uri);

// Arrow's view of a file being written. `file` must outlive it; closing does not commit.
std::shared_ptr<arrow::io::OutputStream> make_output_stream(AtomicFile* file);

}  // namespace sequela
