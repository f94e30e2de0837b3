// Fits the MOTOR task, and makes its targets for every tenth event, beside a bare re-scan of the
// same store. usage: bench_motor_task STORE_FOLDER ONTOLOGY_PARQUET [THREADS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "sequela/task/future_events.h"
#include "sequela/task/motor_task.h"
#include "sequela/tokenizer/fit_tokenizer.h"

namespace {

// Wall and CPU time: on a busy machine the second is the one to compare.
void time(const char* name, int64_t num_events, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const clock_t start_cpu = std::clock();
  work();
  const double cpu = static_cast<double>(std::clock() - start_cpu) / CLOCKS_PER_SEC;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double millions = static_cast<double>(num_events) / 1e6;
  std::printf("%-12s %7.3f s, %7.3f CPU-s: %8.1f M events/s, %7.1f M events/s/core\n", name, wall,
              cpu, millions / wall, millions / cpu);
}

int64_t scan(const sequela::EventStore& store) {
  int64_t sum = 0;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const sequela::Subject subject = store.subject(s);
    for (int64_t i = 0; i < subject.num_events; ++i) {
      sum += subject.time_us(i) + subject.code(i) + subject.has_value(i);
    }
  }
  return sum;
}

// Labels on every tenth event that has a task ahead; calls append(subject, labels).
template <class Append>
void for_each_subject(const sequela::EventStore& store, const sequela::TasksOfCodes& tasks,
                      const Append& append) {
  std::vector<int64_t> labels;
  for (int64_t s = 0; s < store.num_subjects(); ++s) {
    const sequela::Subject subject = store.subject(s);
    const int64_t last_us = last_task_time_us(subject, tasks);
    labels.clear();
    for (int64_t i = 0; i < subject.num_events && subject.time_us(i) < last_us; i += 10) {
      if (subject.time_us(i) != sequela::kNoTime) labels.push_back(subject.time_us(i));
    }
    append(subject, labels);
  }
}

void make_targets(const sequela::EventStore& store, const sequela::TasksOfCodes& tasks,
                  int32_t num_tasks) {
  sequela::FutureEvents future(tasks, num_tasks);
  sequela::FutureChanges changes;
  sequela::FutureRows rows;
  size_t num_labels = 0, num_changes = 0, num_entries = 0;
  time("change log", store.num_events(), [&] {
    for_each_subject(store, tasks, [&](const auto& subject, const auto& labels) {
      changes.clear();
      future.append_changes(subject, labels, changes);
      num_labels += labels.size();
      num_changes += changes.task_ids.size();
    });
  });
  time("full rows", store.num_events(), [&] {
    for_each_subject(store, tasks, [&](const auto& subject, const auto& labels) {
      rows.clear();
      future.append_rows(subject, labels, rows);
      num_entries += rows.task_ids.size();
    });
  });
  const auto labels = static_cast<double>(num_labels);
  std::printf("%zu labels; an average row has %.0f entries, %.1f of them changed\n", num_labels,
              static_cast<double>(num_entries) / labels, static_cast<double>(num_changes) / labels);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    return std::fprintf(stderr, "usage: bench_motor_task STORE ONTOLOGY_PARQUET [THREADS]\n"), 2;
  }
  const auto store = sequela::EventStore::open(argv[1]);
  const auto ontology = sequela::Ontology::read(argv[2]);
  const std::vector<sequela::Side> sides(store.num_subjects(), sequela::Side::train);
  const auto vocabulary = fit_tokenizer(store, ontology, {}, {});
  sequela::MotorTaskOptions options;
  options.num_threads = argc > 3 ? std::atoi(argv[3]) : 1;

  int64_t sum = scan(store);  // brings the store into memory
  time("re-scan", store.num_events(), [&] { sum += scan(store); });
  sequela::MotorTask task;
  time("fit", store.num_events(),
       [&] { task = fit_motor_task(store, ontology, vocabulary, sides, options); });
  std::vector<std::string> codes;
  for (const auto& entry : task.tasks) codes.push_back(entry.code);
  make_targets(store, tasks_of_codes(store, ontology, codes), static_cast<int32_t>(codes.size()));
  std::printf("%zu tasks (check %llx)\n", codes.size(), static_cast<unsigned long long>(sum));
}
