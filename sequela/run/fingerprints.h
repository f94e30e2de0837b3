#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sequela/run/fingerprint_cache.h"
#include "sequela/run/recipe.h"

namespace sequela {

// A file of an input.
struct InputFile {
  std::string name;  // below the input; empty = the input is this file
  std::string path;  // or URI
};

struct FingerprintOptions {
  std::string cache_folder;  // fingerprint_cache.h; empty = every file is read each time
  int num_threads = 1;       // files that are read at the same time; 0 = as many as there are cores
  // A file that changed so short a time before it was read is not remembered: the next change may
  // fall into the same tick of its file system's clock, which is two seconds at the coarsest.
  int64_t unsafe_ns = 2'000'000'000;
};

// Fingerprints of content: the hex SHA-256 of a file's bytes. A file that was read before and that
// the system says is unchanged is not read again. Behind a URI it is the size and the time of
// change, or where that is not known the number of rows. Safe from several threads.
class Fingerprints {
 public:
  explicit Fingerprints(FingerprintOptions options);
  ~Fingerprints();  // saves the cache
  Fingerprints(const Fingerprints&) = delete;
  Fingerprints& operator=(const Fingerprints&) = delete;

  // FileError if it cannot be read; Interrupted.
  std::string of_file(const std::string& path);
  InputFingerprints of_files(const std::vector<InputFile>& files);

  int64_t num_bytes_read() const { return num_bytes_read_; }

 private:
  std::string read(const std::string& path, const std::function<void(int64_t)>& advance);

  const FingerprintOptions options_;
  std::mutex mutex_;  // of the cache
  FingerprintCache cache_;
  std::atomic<int64_t> num_bytes_read_{0};
};

std::string fingerprint_of_text(const std::string& text);
// Of all files of an input together.
std::string fingerprint_of(const InputFingerprints& files);

// All files of a folder by their path below it, sorted; a path that is a file is one without a
// name. Empty if it is neither.
std::vector<InputFile> list_input_files(const std::string& path);

// The folder of the cache: sequela/ in XDG_CACHE_HOME, or in ~/.cache. Empty if there is neither.
// `variable` is std::getenv, or a test's own.
std::string fingerprint_cache_folder(const std::function<const char*(const char*)>& variable);

}  // namespace sequela
