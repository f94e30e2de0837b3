#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/pipeline/live/event_source.h"

namespace sequela {

// Events as JSON lines (event_line.h) from a descriptor: a pipe, a terminal, a socket or a file.
// Empty lines are passed over. A last line needs no line feed.
class LineSource : public EventSource {
 public:
  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  // `name` stands for the descriptor in messages: "standard input". It is not closed.
  LineSource(int descriptor, std::string name, ZoneRule zone_rule);

  // FileError if the descriptor cannot be read.
  bool read(size_t most, std::vector<SourceItem>& items) override;

 private:
  void fill();
  bool take_line(std::string_view* line);
  void take_lines(size_t enough, std::vector<SourceItem>& items);
  void append_item(std::string_view line, std::vector<SourceItem>& items);

  const int descriptor_;
  const std::string name_;
  const ZoneRule zone_rule_;
  std::string buffer_;  // from begin_ on not yet taken
  size_t begin_ = 0;
  int64_t num_lines_ = 0;
  bool is_at_end_ = false;
};

}  // namespace sequela
