#include "sequela/run/fingerprints.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/core/sha256.h"
#include "sequela/io/parquet.h"
#include "sequela/io/remote.h"
#include "sequela/io/uri.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = size_t{1} << 20;
constexpr int64_t kBytesWithProgress = int64_t{4} << 30;  // some seconds of work

[[noreturn]] void throw_errno(const std::string& path, const char* doing) {
  const int code = errno;
  throw FileError(path, str("cannot ", doing, ": ", std::strerror(code)),
                  code == ENOENT ? "check the path" : "see to its rights, and its folder's");
}

int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

int64_t to_ns(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// A file that is open for reading.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw_errno(path_, "open");
  }
  ~OpenFile() { close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  FileState state() const {
    struct stat status;
    if (fstat(descriptor_, &status) != 0) throw_errno(path_, "read");
    if (!S_ISREG(status.st_mode)) throw FileError(path_, "not a file", "name a file");
    return {status.st_size, to_ns(status.st_mtim), to_ns(status.st_ctim), status.st_ino,
            status.st_dev};
  }
  // Empty at the end.
  size_t read(std::string* buffer) const {
    ssize_t count = 0;
    do {
      count = ::read(descriptor_, buffer->data(), buffer->size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw_errno(path_, "read");
    return static_cast<size_t>(count);
  }

 private:
  const std::string path_;
  const int descriptor_;
};

std::string of_remote(const std::string& uri) {
  const std::string fingerprint = remote_fingerprint(uri);
  return fingerprint.empty() ? str("rows ", ParquetReader(uri).num_rows()) : fingerprint;
}

int64_t total_bytes(const std::vector<InputFile>& files) {
  int64_t total = 0;
  for (const InputFile& file : files) {
    std::error_code error;
    const auto size = fs::file_size(file.path, error);
    if (!error) total += static_cast<int64_t>(size);
  }
  return total;
}

}  // namespace

Fingerprints::Fingerprints(FingerprintOptions options)
    : options_(std::move(options)), cache_(options_.cache_folder) {}

Fingerprints::~Fingerprints() {
  cache_.save();
}

std::string Fingerprints::of_file(const std::string& path) {
  return read(path, [](int64_t) {});
}

InputFingerprints Fingerprints::of_files(const std::vector<InputFile>& files) {
  const int64_t total = total_bytes(files);
  std::optional<Progress> progress;
  if (total >= kBytesWithProgress) progress.emplace("fingerprints", total, "bytes");
  std::vector<std::string> found(files.size());
  const int num_threads = options_.num_threads > 0 ? options_.num_threads : default_num_threads();
  parallel_for(static_cast<int64_t>(files.size()), num_threads, [&](int64_t i, int) {
    found[i] = read(files[i].path, [&](int64_t bytes) {
      if (progress) progress->advance(bytes);
    });
  });
  cache_.save();  // a run that is killed has not read them in vain
  InputFingerprints fingerprints;
  for (size_t i = 0; i < files.size(); ++i) fingerprints[files[i].name] = found[i];
  return fingerprints;
}

std::string Fingerprints::read(const std::string& path,
                               const std::function<void(int64_t)>& advance) {
  if (is_uri(path)) return of_remote(path);
  const int64_t start_ns = now_ns();
  const OpenFile file(path);
  const FileState state = file.state();
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = cache_.find(path, state)) {
      advance(state.size);
      return *known;
    }
  }
  Sha256 hash;
  std::string buffer(std::clamp<size_t>(static_cast<size_t>(state.size), 1, kBufferBytes), '\0');
  while (const size_t count = file.read(&buffer)) {
    throw_if_stopped();
    hash.update(buffer.data(), count);
    num_bytes_read_ += static_cast<int64_t>(count);
    advance(static_cast<int64_t>(count));
  }
  std::string digest = to_hex(hash.finish());
  const int64_t last_ns = std::max(state.modified_ns, state.changed_ns);
  if (start_ns - last_ns >= options_.unsafe_ns && file.state() == state) {
    const std::lock_guard lock(mutex_);
    cache_.add(path, state, digest);
  }
  return digest;
}

std::string fingerprint_of_text(const std::string& text) {
  return to_hex(sha256(text.data(), text.size()));
}

std::string fingerprint_of(const InputFingerprints& files) {
  std::string lines;
  for (const auto& [name, fingerprint] : files) lines += str(name, " ", fingerprint, "\n");
  return fingerprint_of_text(lines);
}

std::vector<InputFile> list_input_files(const std::string& path) {
  if (fs::is_regular_file(path)) return {{"", path}};
  if (!fs::is_directory(path)) return {};
  std::vector<InputFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file())
      files.push_back({entry.path().lexically_relative(path).string(), entry.path().string()});
  }
  std::ranges::sort(files, {}, &InputFile::name);
  return files;
}

std::string fingerprint_cache_folder(const std::function<const char*(const char*)>& variable) {
  const char* cache = variable("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return str(cache, "/sequela");
  const char* home = variable("HOME");
  if (home != nullptr && fs::path(home).is_absolute()) return str(home, "/.cache/sequela");
  return "";
}

}  // namespace sequela
