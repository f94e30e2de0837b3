#include "sequela/pipeline/live/shard_source.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "sequela/io/uri.h"
#include "sequela/meds/dataset.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

}  // namespace

GrowingShards::GrowingShards(std::string meds, ZoneRule zone_rule, End end, RowsRead rows_read)
    : meds_(std::move(meds)), zone_rule_(zone_rule), end_(end), rows_read_(std::move(rows_read)) {
  look();
}

// Whether a shard is as large as it was at the last look. What lies behind a URI appears whole.
bool GrowingShards::is_settled(const std::string& path) {
  if (end_ == End::when_all_are_read || is_uri(path)) return true;
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  const auto [known, is_new] = sizes_.try_emplace(path, size);
  return !error && !is_new && std::exchange(known->second, size) == size;
}

// Looks for shards that were not read yet.
void GrowingShards::look() {
  next_look_ = Clock::now() + std::chrono::milliseconds(kLookMs);
  Dataset dataset;
  try {
    dataset = find_dataset(meds_);
  } catch (const DataError&) {
    if (end_ == End::never && fs::is_directory(meds_)) return;  // nothing there yet
    throw;
  }
  if (dataset.kind != DatasetKind::parquet) {
    throw ConfigError("meds", meds_, "a data set of Parquet shards");
  }
  waiting_.clear();
  for (const std::string& path : dataset.shards) {
    const std::string name = dataset.name_of(path);
    const auto read = rows_read_.find(name);
    if (read != rows_read_.end() && read->second == kAllRows) continue;
    if (name != shard_.name && is_settled(path)) waiting_.push_back({name, path});
  }
  std::ranges::reverse(waiting_);
}

bool GrowingShards::open_next() {
  if (waiting_.empty() && end_ == End::never && Clock::now() >= next_look_) look();
  if (waiting_.empty()) return false;
  shard_ = waiting_.back();
  waiting_.pop_back();
  events_ = std::make_unique<ShardEvents>(shard_.path, zone_rule_);
  events_->skip(rows_read_[shard_.name]);
  names_[shard_.path] = shard_.name;
  sizes_.erase(shard_.path);
  return true;
}

// Nothing at the shard's end.
void GrowingShards::append_item(std::vector<SourceItem>& items) {
  SourceItem item;
  try {
    ShardEvent event;
    if (!events_->next(event)) {
      notes_.add(events_->time_notes());
      rows_read_[shard_.name] = kAllRows;
      shard_ = {};
      events_.reset();
      return;
    }
    item.where = {.path = shard_.path, .row = event.row};
    item.event = {event.subject_id, event.time_us, std::string(event.code), event.number,
                  std::string(event.text)};
  } catch (const DataError& error) {
    item.fault = error;
    item.where = {.path = shard_.path, .row = error.where().row};
  }
  ++rows_read_[shard_.name];
  items.push_back(std::move(item));
}

void GrowingShards::give_back(std::span<const SourceItem> items) {
  for (auto item = items.rbegin(); item != items.rend(); ++item)
    rows_read_[names_.at(item->where.path)] = item->where.row;
}

bool GrowingShards::read(size_t most, std::vector<SourceItem>& items) {
  const size_t before = items.size();
  while (items.size() < before + most && (events_ || open_next())) append_item(items);
  if (items.size() > before) return true;
  if (end_ == End::when_all_are_read) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(kWaitMs));
  return true;
}

}  // namespace sequela
