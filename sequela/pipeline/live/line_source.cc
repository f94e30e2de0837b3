#include "sequela/pipeline/live/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sequela/pipeline/live/event_line.h"

namespace sequela {
namespace {

constexpr size_t kReadBytes = size_t{1} << 16;

}  // namespace

LineSource::LineSource(int descriptor, std::string name, ZoneRule zone_rule)
    : descriptor_(descriptor), name_(std::move(name)), zone_rule_(zone_rule) {}

// Reads what is there, or waits for it.
void LineSource::fill() {
  pollfd wanted{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const int num_ready = poll(&wanted, 1, kWaitMs);
  if (num_ready == 0 || (num_ready < 0 && errno == EINTR)) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  const ssize_t count = num_ready < 0 ? -1 : ::read(descriptor_, buffer_.data() + size, kReadBytes);
  const int error = errno;
  buffer_.resize(size + (count > 0 ? static_cast<size_t>(count) : 0));
  if (count < 0 && (error == EINTR || error == EAGAIN)) return;
  if (count < 0) throw FileError(name_, std::strerror(error));
  is_at_end_ = count == 0;
}

// The next whole line of the buffer, or at the end what is left; without its line feed.
bool LineSource::take_line(std::string_view* line) {
  const size_t end = buffer_.find('\n', begin_);
  const bool is_whole = end != std::string::npos;
  if (!is_whole && (!is_at_end_ || begin_ == buffer_.size())) return false;
  *line = std::string_view(buffer_).substr(begin_, is_whole ? end - begin_ : std::string::npos);
  begin_ = is_whole ? end + 1 : buffer_.size();
  ++num_lines_;
  return true;
}

void LineSource::append_item(std::string_view line, std::vector<SourceItem>& items) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  SourceItem item;
  item.where.path = str(name_, ", line ", num_lines_);
  try {
    if (line.size() > kMaxLineBytes) {
      throw DataError({}, str("longer than ", kMaxLineBytes, " bytes"), "write one event a line");
    }
    item.event = parse_event_line(line, zone_rule_, &notes_);
  } catch (const DataError& error) {
    item.fault = error.within(item.where);
  }
  items.push_back(std::move(item));
}

void LineSource::take_lines(size_t enough, std::vector<SourceItem>& items) {
  std::string_view line;
  while (items.size() < enough && take_line(&line)) append_item(line, items);
}

bool LineSource::read(size_t most, std::vector<SourceItem>& items) {
  const size_t before = items.size();
  take_lines(before + most, items);
  if (items.size() == before && !is_at_end_) {
    // Of a line without end, only that it is too long matters.
    if (buffer_.size() - begin_ > kMaxLineBytes) buffer_.resize(begin_ + kMaxLineBytes + 1);
    fill();
    take_lines(before + most, items);
  }
  return !is_at_end_ || begin_ < buffer_.size();
}

}  // namespace sequela
