// clmbr_task.json:
//
//   {"clmbr_vocab_size": 8192, "counts": [104, 0, ...]}   one count an entry; may be missing
#include "sequela/objective/clmbr/clmbr_task.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/file.h"
#include "sequela/objective/clmbr/next_code.h"

namespace sequela {
namespace {

constexpr size_t kMaxTaskBytes = size_t{64} << 20;
constexpr int64_t kMaxCodes = int64_t{1} << 30;
constexpr const char* kFix = "prepare the data again";

// One thread's part of the count.
class LabelCounter {
 public:
  LabelCounter(const ObjectiveRecords& records, const NextCodes& codes)
      : sequences_(records.store, records.tokenizer), codes_(codes), counts_(codes.vocab_size()) {}

  void add(const Subject& subject) {
    if (!sequences_.build(subject, sequence_)) return;
    codes_.label_tokens(subject, sequence_, labels_);
    for (const int32_t label : labels_) {
      if (label >= 0) ++counts_[label];
    }
  }
  const std::vector<int64_t>& counts() const { return counts_; }

 private:
  SequenceBuilder sequences_;
  const NextCodes& codes_;
  std::vector<int64_t> counts_;
  Sequence sequence_;
  std::vector<int32_t> labels_;
};

std::vector<int64_t> read_counts(const Json& json, int64_t vocab_size, const std::string& path) {
  if (!json.contains("counts")) return {};
  std::vector<int64_t> counts;
  for (const Json& count : json["counts"]) {
    if (!count.is_number_integer() || count.get<int64_t>() < 0)
      throw FileError(path, "a count is not a whole number from 0 on", kFix);
    counts.push_back(count.get<int64_t>());
  }
  if (static_cast<int64_t>(counts.size()) != vocab_size)
    throw FileError(path, str("has ", counts.size(), " counts for ", vocab_size, " codes"), kFix);
  return counts;
}

}  // namespace

int64_t ClmbrTask::num_labels() const {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

ClmbrTask ClmbrTask::read(const std::string& path) {
  const Json json = parse_json(read_file(path, kMaxTaskBytes), path);
  const bool has_size = json.is_object() && json.contains("clmbr_vocab_size") &&
                        json["clmbr_vocab_size"].is_number_integer();
  ClmbrTask task;
  if (has_size) task.vocab_size = json["clmbr_vocab_size"].get<int64_t>();
  if (task.vocab_size < 1 || task.vocab_size > kMaxCodes)
    throw FileError(path, str("'clmbr_vocab_size' is not a number from 1 to ", kMaxCodes), kFix);
  task.counts = read_counts(json, task.vocab_size, path);
  return task;
}

void ClmbrTask::write(const std::string& path) const {
  Json json = {{"clmbr_vocab_size", vocab_size}};
  if (!counts.empty()) json["counts"] = counts;
  write_file(path, json_text(json, -1) + "\n");
}

ClmbrTask fit_clmbr_task(const ObjectiveRecords& records, int64_t vocab_size, int num_threads) {
  const EventStore& store = records.store;
  ClmbrTask task;
  task.vocab_size = std::min<int64_t>(vocab_size, records.tokenizer.vocab_size());
  const NextCodes codes(records, task.vocab_size);
  const std::vector<Chunk>& chunks = store.chunks();
  std::vector<std::unique_ptr<LabelCounter>> counters(num_threads);
  Progress progress("next codes", store.num_events(), "events");
  parallel_for(static_cast<int64_t>(chunks.size()), num_threads, [&](int64_t c, int thread) {
    throw_if_stopped();
    if (!counters[thread]) counters[thread] = std::make_unique<LabelCounter>(records, codes);
    const Chunk& chunk = chunks[c];
    for (int64_t s = chunk.first_subject; s < chunk.first_subject + chunk.num_subjects; ++s) {
      if (records.sides[s] == Side::train) counters[thread]->add(store.subject(s));
    }
    store.release(chunk.first_subject, chunk.first_subject + chunk.num_subjects);
    progress.advance(chunk.num_events);
  });
  task.counts.assign(task.vocab_size, 0);
  for (const auto& counter : counters) {
    for (int64_t i = 0; counter && i < task.vocab_size; ++i) task.counts[i] += counter->counts()[i];
  }
  if (task.num_labels() == 0) {
    throw DataError({}, "no train subject has an event whose next one has a code to predict",
                    "give more subjects, a dictionary that fits these data, or a larger "
                    "--clmbr-vocab-size");
  }
  return task;
}

}  // namespace sequela
