#include "sequela/run/fingerprint_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/core/sha256.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTitle = "sequela fingerprints 1\n";
constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr size_t kDigestBytes = 64;

std::string digest_of(const std::string& text) {
  return to_hex(sha256(text.data(), text.size()));
}

// The same for all ways to name a file.
std::string key_of(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::canonical(path, error);
  return digest_of(error ? fs::absolute(path, error).string() : whole.string());
}

// The one who may write. Waits for another process a second at most.
class WriteLock {
 public:
  explicit WriteLock(const std::string& path)
      : descriptor_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    for (int i = 0; i < 20 && descriptor_ >= 0 && !is_held_; ++i) {
      if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      is_held_ = flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    }
  }
  ~WriteLock() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  bool is_held() const { return is_held_; }

 private:
  int descriptor_;
  bool is_held_ = false;
};

// The lines between the title and the sum, if the sum is right.
std::optional<std::string> checked_lines(const std::string& text) {
  const std::string title = kTitle;
  if (!text.starts_with(title) || text.size() < title.size() + kDigestBytes + 1) return {};
  const size_t end = text.size() - kDigestBytes - 1;
  if (text.substr(end, kDigestBytes) != digest_of(text.substr(0, end))) return {};
  return text.substr(title.size(), end - title.size());
}

}  // namespace

FingerprintCache::FingerprintCache(std::string folder) : folder_(std::move(folder)) {
  for (Line& line : read()) entries_[line.key] = std::move(line.entry);
}

std::optional<std::string> FingerprintCache::find(const std::string& path, const FileState& state) {
  if (entries_.empty()) return {};
  const std::string key = key_of(path);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.state != state) return {};
  used_[key] = found->second;
  return found->second.digest;
}

void FingerprintCache::add(const std::string& path, const FileState& state,
                           const std::string& digest) {
  if (folder_.empty()) return;
  const std::string key = key_of(path);
  entries_[key] = used_[key] = {state, digest};
  has_new_ = true;
}

void FingerprintCache::save() {
  if (!has_new_) return;
  try {
    fs::create_directories(folder_);
    const WriteLock lock(folder_ + "/fingerprints.lock");
    if (!lock.is_held()) return;
    std::vector<Line> lines = read();
    std::erase_if(lines, [&](const Line& line) { return used_.contains(line.key); });
    for (const auto& [key, entry] : used_) lines.push_back({key, entry});
    if (lines.size() > kMaxEntries)
      lines.erase(lines.begin(), lines.end() - static_cast<ptrdiff_t>(kMaxEntries));
    write(lines);
    has_new_ = false;
  } catch (const Error&) {
  } catch (const fs::filesystem_error&) {
  }
}

std::vector<FingerprintCache::Line> FingerprintCache::read() const {
  std::error_code error;
  const std::string path = folder_ + "/fingerprints";
  if (folder_.empty() || !fs::is_regular_file(path, error)) return {};
  std::optional<std::string> text;
  try {
    text = checked_lines(read_file(path, kMaxBytes));
  } catch (const Error&) {
  }
  if (!text) return {};
  std::vector<Line> lines;
  std::istringstream in(*text);
  Line line;
  FileState& state = line.entry.state;
  while (in >> line.key >> state.size >> state.modified_ns >> state.changed_ns >> state.inode >>
         state.device >> line.entry.digest) {
    lines.push_back(line);
  }
  return lines;
}

void FingerprintCache::write(const std::vector<Line>& lines) const {
  std::ostringstream out;
  out << kTitle;
  for (const auto& [key, entry] : lines) {
    const FileState& state = entry.state;
    out << key << ' ' << state.size << ' ' << state.modified_ns << ' ' << state.changed_ns << ' '
        << state.inode << ' ' << state.device << ' ' << entry.digest << '\n';
  }
  const std::string text = out.str();
  write_file(folder_ + "/fingerprints", text + digest_of(text) + "\n");
}

}  // namespace sequela
