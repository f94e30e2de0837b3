#include "sequela/batch/bucket_writer.h"

#include "sequela/core/interrupt.h"
#include "sequela/core/random.h"

namespace sequela {

BucketWriter::BucketWriter(const BatchSource& source, Side side, const BatchOptions& options)
    : source_(source),
      side_(side),
      options_(options),
      sequences_(source.store, source.tokenizer),
      builder_(source.age_stats, options.first_timestamp),
      future_(source.tasks, source.num_tasks) {}

void BucketWriter::plan(const Bucket& bucket, std::vector<Window>& windows, BatchReport& report) {
  windows.clear();
  for (int64_t i = bucket.first_subject; i < bucket.end_subject; ++i) {
    if (source_.sides[i] != side_) continue;
    ++report.num_subjects;
    const Subject subject = source_.store.subject(i);
    if (!sequences_.build(subject, sequence_)) {
      ++report.subjects_without_birth;
      continue;
    }
    const auto window = plan_window(i, sequence_, last_task_time_us(subject, source_.tasks),
                                    options_.max_length(), options_.sampling);
    if (!window) {
      ++report.subjects_without_label;
      continue;
    }
    report.num_shortened += window->first_token > 0 ? 1 : 0;
    windows.push_back(*window);
  }
  report.num_windows += static_cast<int64_t>(windows.size());
}

BucketWriter::Written BucketWriter::write(const Bucket& bucket, int64_t index,
                                          const std::string& path) {
  BatchReport report;
  plan(bucket, windows_, report);
  shuffle(windows_, hash_key(options_.seed, static_cast<uint64_t>(index)));

  BatchFileWriter file(path, options_.form, source_.tokenizer.vocab_size(), source_.num_tasks);
  int64_t start = 0;
  for (const int64_t end : pack(windows_, options_.tokens_per_batch)) {
    throw_if_stopped();
    build(std::span(windows_).subspan(start, end - start));
    start = end;
    if (batch_.num_labels() == 0) {
      ++report.batches_without_label;
      continue;
    }
    file.write(batch_);
    ++report.num_batches;
    report.num_tokens += batch_.num_tokens();
    report.num_labels += batch_.num_labels();
  }
  Written written{report, file.finish()};
  written.report.num_bytes = written.file.num_bytes;
  return written;
}

void BucketWriter::build(std::span<const Window> windows) {
  batch_.clear();
  for (const Window& window : windows) append(window);
}

void BucketWriter::append(const Window& window) {
  const Subject subject = source_.store.subject(window.subject);
  sequences_.build(subject, sequence_);
  select_labels(sequence_, window, last_task_time_us(subject, source_.tasks), options_.seed,
                label_tokens_);
  builder_.append(sequence_, window, label_tokens_, batch_);
  label_times_us_.clear();
  for (const int32_t token : label_tokens_) label_times_us_.push_back(sequence_.times_us[token]);
  if (options_.form == BatchForm::femr) {
    future_.append_rows(subject, label_times_us_, batch_.rows);
  } else {
    future_.append_changes(subject, label_times_us_, batch_.changes);
  }
}

}  // namespace sequela
