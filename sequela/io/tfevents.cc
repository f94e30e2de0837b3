// Layout, a record (TFRecord): uint64 length | uint32 masked crc32c of the length | event | uint32
// masked crc32c of the event. Event (protobuf): 1 double wall_time, 2 int64 step, 3 string
// file_version (of the first event), 5 Summary{1 Value{1 string tag, 2 float simple_value}}.
// Source: tensorflow/core/util/event.proto, framework/summary.proto, lib/io/record_writer.cc
#include "sequela/io/tfevents.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/io/crc.h"

namespace sequela {
namespace {

constexpr size_t kFlushBytes = size_t{1} << 16;

// The low three bits of a protobuf key.
enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

template <class T>
void append_raw(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void append_varint(std::string* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void append_key(std::string* out, uint32_t field, Wire wire) {
  append_varint(out, field << 3 | wire);
}

void append_bytes(std::string* out, uint32_t field, std::string_view bytes) {
  append_key(out, field, kBytes);
  append_varint(out, bytes.size());
  out->append(bytes);
}

double wall_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string begin_event(int64_t step) {
  std::string event;
  append_key(&event, 1, kFixed64);
  append_raw(&event, wall_time());
  append_key(&event, 2, kVarint);
  append_varint(&event, static_cast<uint64_t>(step));
  return event;
}

// A checksum of data that holds checksums is weak; so it is rotated and shifted.
uint32_t masked_crc(const void* data, size_t size) {
  const uint32_t crc = crc32c(0, data, size);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

[[noreturn]] void throw_errno(const std::string& path, const char* doing) {
  const int code = errno;
  if (code == ENOSPC || code == EDQUOT)
    throw ResourceError(path + ": disk full. Fix: free some space.");
  throw FileError(path, str("cannot ", doing, ": ", std::strerror(code)));
}

}  // namespace

EventFileWriter::EventFileWriter(const std::string& folder) {
  static std::atomic<int> next_number{0};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string prefix = str(folder, "/events.out.tfevents.", static_cast<int64_t>(wall_time()),
                                 ".", host_name(), ".", getpid(), ".");
  do {
    path_ = prefix + std::to_string(next_number++);
    descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) throw_errno(path_, "create");
  std::string event = begin_event(0);
  append_bytes(&event, 3, "brain.Event:2");
  add_record(event);
  flush();
}

EventFileWriter::~EventFileWriter() {
  try {
    flush();
  } catch (const Error&) {  // a destructor must not throw; flush() tells those who ask
  }
  close(descriptor_);
}

void EventFileWriter::add_scalar(std::string_view tag, double value, int64_t step) {
  std::string scalar;
  append_bytes(&scalar, 1, tag);
  append_key(&scalar, 2, kFixed32);
  append_raw(&scalar, static_cast<float>(value));
  std::string summary;
  append_bytes(&summary, 1, scalar);
  std::string event = begin_event(step);
  append_bytes(&event, 5, summary);
  add_record(event);
  if (waiting_.size() >= kFlushBytes) flush();
}

void EventFileWriter::add_record(std::string_view event) {
  const uint64_t length = event.size();
  append_raw(&waiting_, length);
  append_raw(&waiting_, masked_crc(&length, sizeof(length)));
  waiting_.append(event);
  append_raw(&waiting_, masked_crc(event.data(), event.size()));
}

void EventFileWriter::flush() {
  size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t count = write(descriptor_, waiting_.data() + written, waiting_.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno(path_, "write");
    written += static_cast<size_t>(count);
  }
  waiting_.clear();
}

}  // namespace sequela
