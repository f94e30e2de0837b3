#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sequela {

// Writes scalars to a new TensorBoard event file
// "events.out.tfevents.<seconds>.<host>.<process>.<n>" in a folder, which is made if it is not
// there. Files of earlier runs are left alone; TensorBoard reads all of a folder in order. Whole
// records reach the file at once, so that a killed run leaves a readable file. Throws FileError, or
// ResourceError if the disk is full. Not for use by two threads at a time.
class EventFileWriter {
 public:
  explicit EventFileWriter(const std::string& folder);
  ~EventFileWriter();  // flushes as far as it can
  EventFileWriter(const EventFileWriter&) = delete;
  EventFileWriter& operator=(const EventFileWriter&) = delete;

  const std::string& path() const { return path_; }
  // `tag` as TensorBoard shows it: "train/loss". Stored as float32.
  void add_scalar(std::string_view tag, double value, int64_t step);
  void flush();

 private:
  void add_record(std::string_view event);

  std::string path_;
  int descriptor_ = -1;
  std::string waiting_;
};

}  // namespace sequela
