// What each task's own code tells of its future, a mark for a MOTOR model's gain: constant rates by
// how long ago the task's code came last and how often it has come, fitted on the training batches
// and measured on the validation batches of a folder that `sequela prepare` made:
// bench_own_history PREPARED [BATCHES]
#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sequela/batch/folder.h"
#include "sequela/task/motor_task.h"
#include "sequela/tokenizer/vocabulary.h"

namespace sequela {
namespace {

// Strata of a label: never; else by days since the last time and by times so far.
constexpr std::array<float, 4> kDays = {30, 90, 365, 1e9F};
constexpr std::array<int, 3> kTimes = {1, 4, 1 << 30};
constexpr size_t kStrata = 1 + kDays.size() * kTimes.size();

size_t stratum_of(float days, int times) {
  if (times == 0) return 0;
  const auto day = std::ranges::find_if(kDays, [&](float most) { return days <= most; });
  const auto time = std::ranges::find_if(kTimes, [&](int most) { return times <= most; });
  return 1 + static_cast<size_t>(day - kDays.begin()) * kTimes.size() +
         static_cast<size_t>(time - kTimes.begin());
}

// The task of each token; -1 = of none.
std::vector<int> tasks_of_tokens(const Vocabulary& vocabulary, const MotorTask& task) {
  std::unordered_map<std::string, int> tasks;
  for (const MotorTask::Entry& entry : task.tasks)
    tasks.emplace(entry.name(), static_cast<int>(tasks.size()));
  std::vector<int> found;
  for (const VocabularyEntry& entry : vocabulary.entries) {
    const auto place =
        entry.type == VocabularyEntry::Type::code ? tasks.find(entry.code_string) : tasks.end();
    found.push_back(place == tasks.end() ? -1 : place->second);
  }
  return found;
}

struct Cell {
  double events = 0, seconds = 0;
};

class OwnHistory {
 public:
  explicit OwnHistory(const std::string& folder)
      : folder_(folder),
        task_(MotorTask::read(folder + "/motor_task.json")),
        tasks_of_tokens_(
            tasks_of_tokens(Vocabulary::read(folder + "/tokenizer/dictionary.msgpack"), task_)) {}

  void run(int64_t max_batches) {
    const std::vector<Cell> train = sum("/train_batches", max_batches);
    const std::vector<Cell> valid = sum("/val_batches", max_batches);
    double events = 0, gain_of_seen = 0, gain = 0;
    for (size_t first = 0; first < train.size(); first += kStrata) {
      const std::array<size_t, 2> never_and_ever = {1, kStrata - 1};
      const std::array<size_t, 1> all = {kStrata};
      std::array<size_t, kStrata> each;
      each.fill(1);
      const double constant = cost(train, valid, first, all);
      gain_of_seen += constant - cost(train, valid, first, never_and_ever);
      gain += constant - cost(train, valid, first, each);
      for (size_t s = 0; s < kStrata; ++s) events += valid[first + s].events;
    }
    std::printf(
        "gain over constant rates in nats per event, of knowing for each task and label\n"
        "  whether the task's code has come    %.3f\n  when it came last, and how often    %.3f\n",
        gain_of_seen / events, gain / events);
  }

 private:
  // By task, bin and stratum.
  std::vector<Cell> sum(const std::string& side, int64_t max_batches) {
    std::vector<Cell> cells(task_.tasks.size() * task_.num_bins() * kStrata);
    const BatchFolder batches = BatchFolder::open(folder_ + side);
    for (int64_t i = 0; i < std::min(batches.num_batches(), max_batches); ++i)
      add(batches.read(i), cells);
    return cells;
  }

  void add(const MotorBatch& batch, std::vector<Cell>& cells) {
    const BatchInputs& inputs = batch.inputs;
    const auto* lengths = inputs.lengths_S.const_data_ptr<int32_t>();
    const auto* offsets = inputs.token_offsets_T1.const_data_ptr<int32_t>();
    const auto* ids = inputs.token_ids_N.const_data_ptr<int32_t>();
    const auto* ages = inputs.ages_days_T.const_data_ptr<float>();
    const auto* labels = inputs.label_indices_L.const_data_ptr<int32_t>();
    std::vector<float> last(task_.tasks.size());
    std::vector<int> times(task_.tasks.size());
    int64_t label = 0, token = 0;
    for (int64_t s = 0; s < inputs.lengths_S.size(0); ++s) {
      std::ranges::fill(times, 0);
      for (const int64_t end = token + lengths[s]; token < end; ++token) {
        for (int32_t i = offsets[token]; i < offsets[token + 1]; ++i) {
          if (tasks_of_tokens_[ids[i]] < 0) continue;
          last[tasks_of_tokens_[ids[i]]] = ages[token];
          ++times[tasks_of_tokens_[ids[i]]];
        }
        if (label == inputs.label_indices_L.size(0) || labels[label] != token) continue;
        for (size_t c = 0; c < times.size(); ++c)
          strata_[c] = stratum_of(ages[token] - last[c], times[c]);
        add_label(batch.targets, label++, cells);
      }
    }
  }

  void add_label(const MotorTargets& targets, int64_t label, std::vector<Cell>& cells) {
    const float censor = targets.censor_seconds_L.const_data_ptr<float>()[label];
    const auto* offsets = targets.row_offsets_L1.const_data_ptr<int32_t>();
    const auto* tasks = targets.task_ids_Z.const_data_ptr<int32_t>();
    const auto* seconds = targets.event_seconds_Z.const_data_ptr<float>();
    int32_t next = offsets[label];
    for (int c = 0; c < static_cast<int>(task_.tasks.size()); ++c) {
      const bool has_event = next < offsets[label + 1] && tasks[next] == c;
      const double end = has_event ? seconds[next++] : censor;
      for (int k = 0; k < task_.num_bins() && task_.time_bins[k] <= end; ++k) {
        Cell& cell = cells[(c * task_.num_bins() + k) * kStrata + strata_[c]];
        cell.seconds += std::min(end, task_.time_bins[k + 1]) - task_.time_bins[k];
        cell.events += has_event && end < task_.time_bins[k + 1];
      }
    }
  }

  // Of a task's bin, with one rate for each run of strata; rates lean on the bin's as if it had
  // given two events.
  static double cost(const std::vector<Cell>& train, const std::vector<Cell>& valid, size_t first,
                     std::span<const size_t> runs) {
    const auto total = [&](const std::vector<Cell>& cells, size_t start, size_t count) {
      Cell sum;
      for (size_t i = start; i < start + count; ++i) {
        sum.events += cells[i].events;
        sum.seconds += cells[i].seconds;
      }
      return sum;
    };
    const Cell all = total(train, first, kStrata);
    const double overall = (all.events + 0.5) / (all.seconds + 1);
    double cost = 0;
    for (size_t start = first; const size_t count : runs) {
      const Cell fitted = total(train, start, count), seen = total(valid, start, count);
      const double rate = (fitted.events + 2) / (fitted.seconds + 2 / overall);
      cost += rate * seen.seconds - seen.events * std::log(rate);
      start += count;
    }
    return cost;
  }

  const std::string folder_;
  const MotorTask task_;
  const std::vector<int> tasks_of_tokens_;
  // By task, of the label at hand.
  std::vector<size_t> strata_ = std::vector<size_t>(task_.tasks.size());
};

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_own_history PREPARED [BATCHES]\n");
    return 2;
  }
  sequela::OwnHistory(argv[1]).run(argc > 2 ? std::stol(argv[2]) : 2'000);
}
