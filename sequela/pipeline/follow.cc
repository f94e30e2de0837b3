#include "sequela/pipeline/follow.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/meds/dataset.h"
#include "sequela/pipeline/live/event_line.h"
#include "sequela/pipeline/live/follower.h"
#include "sequela/pipeline/live/line_source.h"
#include "sequela/pipeline/live/saved_states.h"
#include "sequela/pipeline/live/shard_source.h"
#include "sequela/pipeline/precision.h"

namespace sequela {
namespace {

using Clock = std::chrono::steady_clock;

// Beside the states: a pass's activations, lines, what the libraries keep.
constexpr int64_t kWorkBytes = int64_t{64} << 20;

int64_t resident_bytes() {
  int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

LiveOptions live_options(const FollowOptions& options, const SavedStates& states) {
  LiveOptions live = options.live;
  live.memory_bytes = options.memory_bytes;  // until it is known what the rest takes
  live.spill_folder = states.spill_folder();
  if (live.codes.empty() && !options.meds.empty() && std::filesystem::is_directory(options.meds)) {
    const std::string codes = options.meds + "/metadata/codes.parquet";
    if (std::filesystem::exists(codes)) live.codes = codes;
  }
  return live;
}

// One run, from the first event to the last.
class Run {
 public:
  Run(const FollowOptions& options, std::ostream& out)
      : options_(options),
        out_(out),
        states_(options.states),
        scorer_(live_options(options, states_)),
        lines_(scorer_.tasks(), scorer_.hidden_size(),
               options.with_embedding || scorer_.tasks().empty()),
        follower_(scorer_, states_, lines_) {
    limit_states();
    follower_.restore(states_.take_waiting());
    open_source();
  }

  FollowReport follow();

 private:
  void limit_states();
  void open_source();
  void read_on();
  void take(SourceItem& item);
  void answer();
  void save();
  bool is_time_to_save() const;

  const FollowOptions& options_;
  std::ostream& out_;
  SavedStates states_;
  LiveScorer scorer_;
  AnswerLines lines_;
  Follower follower_;
  std::unique_ptr<EventSource> source_;
  GrowingShards* shards_ = nullptr;  // the source, if it is one
  bool has_said_times_ = false;
  Clock::time_point last_save_ = Clock::now();
  std::unordered_set<int64_t> patients_;  // that were saved
  std::string text_;
  FollowReport report_;
};

// The states get what the model and the libraries leave of the memory.
void Run::limit_states() {
  const int64_t rest = resident_bytes() + kWorkBytes;
  const int64_t least = rest + scorer_.embedder().max_bytes_per_patient();
  if (options_.memory_bytes < least) {
    throw ConfigError("memory", str(options_.memory_bytes >> 20, "M"),
                      str("at least ", (least >> 20) + 1, "M for this model"));
  }
  scorer_.embedder().set_memory_bytes(options_.memory_bytes - rest);
}

void Run::open_source() {
  if (options_.meds.empty()) {
    source_ = std::make_unique<LineSource>(options_.input, "standard input", options_.zone_rule);
    return;
  }
  auto shards = std::make_unique<GrowingShards>(
      options_.meds, options_.zone_rule,
      options_.is_once ? GrowingShards::End::when_all_are_read : GrowingShards::End::never,
      states_.rows_read());
  shards_ = shards.get();
  source_ = std::move(shards);
}

void Run::take(SourceItem& item) {
  try {
    if (item.fault) throw DataError(*item.fault);
    follower_.take(std::move(item.event), item.where);
    ++report_.num_events;
  } catch (const DataError& error) {
    if (options_.bad_events == BadEvents::fail) throw;
    ++report_.num_bad;
    log_warning(str("skipped: ", error.what()));
  }
}

void Run::answer() {
  text_.clear();
  try {
    follower_.answer(text_);
  } catch (const Error&) {
    out_ << text_ << std::flush;  // what was taken before
    throw;
  }
  out_ << text_ << std::flush;
  if (!out_) throw FileError("answers", "cannot be written", "see to the reader, or to the disk");
  if (has_said_times_ || (source_->time_notes().zone.empty() && !source_->time_notes().has_dates))
    return;
  source_->time_notes().say("events", options_.zone_rule);
  has_said_times_ = true;
}

void Run::read_on() {
  const auto at_once = static_cast<size_t>(scorer_.embedder().max_events_at_once());
  std::vector<SourceItem> items;
  for (bool has_more = true; has_more && stop_signal() == 0;) {
    items.clear();
    has_more = source_->read(at_once, items);
    size_t next = 0;
    try {
      for (; next < items.size(); ++next) take(items[next]);
    } catch (const Error&) {
      if (shards_ != nullptr) shards_->give_back(std::span(items).subspan(next));
      throw;
    }
    answer();
    if (is_time_to_save()) save();
  }
}

bool Run::is_time_to_save() const {
  return !options_.states.empty() && options_.save_seconds > 0 &&
         Clock::now() - last_save_ >= std::chrono::duration<double>(options_.save_seconds);
}

void Run::save() {
  const std::vector<int64_t> ids = scorer_.embedder().patients().subject_ids();
  patients_.insert(ids.begin(), ids.end());
  report_.num_patients = static_cast<int64_t>(patients_.size());
  report_.num_waiting = follower_.num_waiting_patients();
  states_.save(scorer_.embedder(), shards_ != nullptr ? shards_->rows_read() : states_.rows_read(),
               follower_.waiting_events());
  last_save_ = Clock::now();
}

FollowReport Run::follow() {
  const auto start = Clock::now();
  try {
    read_on();
  } catch (const DataError&) {
    answer();  // to what came before the bad event
    save();
    throw;
  } catch (const Error&) {
    save();
    throw;
  }
  save();
  report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report_;
}

}  // namespace

BadEvents to_bad_events(const std::string& text) {
  if (text == "fail") return BadEvents::fail;
  if (text == "skip") return BadEvents::skip;
  throw ConfigError("bad-events", text, "fail or skip");
}

void FollowOptions::validate() const {
  live.validate();
  if (save_seconds < 0) throw ConfigError("save-every", str(save_seconds), "0 or more seconds");
  if (is_once && meds.empty()) {
    throw ConfigError("--once goes with --meds. Fix: leave it out; lines end by themselves.");
  }
}

FollowReport follow(const FollowOptions& options, std::ostream& out) {
  options.validate();
  log_precision(options.live.precision, at::kCPU);
  return Run(options, out).follow();
}

}  // namespace sequela
