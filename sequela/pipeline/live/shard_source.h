#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sequela/meds/shard_events.h"
#include "sequela/pipeline/live/event_source.h"

namespace sequela {

// Events of a MEDS data set that grows: its Parquet shards in the order of their names, then the
// new ones as they appear. A shard belongs to it once its size has not changed between two looks
// (kLookMs apart); one that was read is not looked at again.
class GrowingShards : public EventSource {
 public:
  enum class End { never, when_all_are_read };

  // Rows that were read before, by shard (its path below the root); kAllRows = all of it.
  using RowsRead = std::map<std::string, int64_t>;
  static constexpr int64_t kAllRows = -1;
  static constexpr int kLookMs = 1'000;

  // `meds`: a MEDS data set, or with End::never a folder that may become one. ConfigError for a
  // meds_reader database, DataError for what is neither.
  GrowingShards(std::string meds, ZoneRule zone_rule, End end, RowsRead rows_read);

  // DataError for a shard that cannot be read at all.
  bool read(size_t most, std::vector<SourceItem>& items) override;

  const RowsRead& rows_read() const { return rows_read_; }
  // The last items that read() appended were not taken: they count as not read.
  void give_back(std::span<const SourceItem> items);

 private:
  struct Shard {
    std::string name, path;
  };
  void look();
  bool is_settled(const std::string& path);
  bool open_next();
  void append_item(std::vector<SourceItem>& items);

  const std::string meds_;
  const ZoneRule zone_rule_;
  const End end_;
  RowsRead rows_read_;
  std::vector<Shard> waiting_;                // found and not read, the next one last
  std::map<std::string, uintmax_t> sizes_;    // at the last look, by path
  std::map<std::string, std::string> names_;  // of shards that were opened, by path
  std::chrono::steady_clock::time_point next_look_ = {};
  Shard shard_;  // at hand
  std::unique_ptr<ShardEvents> events_;
};

}  // namespace sequela
