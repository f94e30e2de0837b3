#include "sequela/batch/bucket_writer.h"

#include <numeric>

#include "sequela/core/interrupt.h"
#include "sequela/core/shuffle.h"

namespace sequela {

namespace {

// After so many windows the events read are given back: often enough to hold some MiB of them only,
// seldom enough to cost nothing.
constexpr int64_t kWindowsPerRelease = 64;

template <class T>
void append_part(const std::vector<T>& from, int64_t first, int64_t end, std::vector<T>& to) {
  to.insert(to.end(), from.begin() + first, from.begin() + end);
}

}  // namespace

BucketWriter::BucketWriter(const BatchSource& source, Side side, const BatchOptions& options)
    : source_(source),
      side_(side),
      options_(options),
      sequences_(source.store, source.tokenizer),
      builder_(source.age_stats, options.first_timestamp),
      targets_(source.targets.make()) {}

BucketWriter::Written BucketWriter::write(const Bucket& bucket, int64_t index,
                                          const std::string& path) {
  BatchReport report;
  stage(bucket, report);
  std::vector<int64_t> order(windows_.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, hash_key(options_.seed, static_cast<uint64_t>(index)));
  std::vector<int32_t> lengths;
  for (const int64_t number : order) lengths.push_back(windows_[number].length);

  BatchFileWriter file(path, options_.form, layout_of(source_));
  // The subjects of a small side lie far apart: reading them brings in those between them as well.
  const bool is_sparse = bucket.end_subject - bucket.first_subject > 4 * std::ssize(windows_);
  int64_t start = 0;
  int64_t num_unreleased = 0;
  for (const int64_t end : pack(lengths, options_.tokens_per_batch)) {
    throw_if_stopped();
    build(std::span(order).subspan(start, end - start));
    num_unreleased += end - start;
    start = end;
    if (is_sparse && num_unreleased >= kWindowsPerRelease) {
      source_.store.release(bucket.first_subject, bucket.end_subject);
      num_unreleased = 0;
    }
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

void BucketWriter::stage(const Bucket& bucket, BatchReport& report) {
  clear_staged();
  int64_t first_unreleased = bucket.first_subject;
  for (int64_t i = bucket.first_subject; i < bucket.end_subject; ++i) {
    if (source_.sides[i] != side_) continue;
    ++report.num_subjects;
    const Subject subject = source_.store.subject(i);
    if (!sequences_.build(subject, sequence_)) {
      ++report.subjects_without_birth;
      continue;
    }
    targets_->start(subject, sequence_);
    const auto window = targets_->plan(i, options_.max_length(), options_.label_fraction);
    if (!window) {
      ++report.subjects_without_label;
      continue;
    }
    report.num_shortened += window->first_token > 0 ? 1 : 0;
    stage_window(*window);
    if (windows_.size() % kWindowsPerRelease == 0) {
      source_.store.release(first_unreleased, i + 1);
      first_unreleased = i + 1;
    }
  }
  report.num_windows += static_cast<int64_t>(windows_.size());
}

void BucketWriter::stage(std::span<const Window> windows) {
  clear_staged();
  for (const Window& window : windows) {
    const Subject subject = source_.store.subject(window.subject);
    sequences_.build(subject, sequence_);
    targets_->start(subject, sequence_);
    stage_window(window);
  }
}

void BucketWriter::clear_staged() {
  windows_.clear();
  staged_.clear();
  token_starts_.assign(1, 0);
  label_starts_.assign(1, 0);
  label_notes_.clear();
}

// Of the sequence in sequence_, which targets_ was told.
void BucketWriter::stage_window(const Window& window) {
  targets_->select(window, options_.seed, label_tokens_);
  builder_.append(sequence_, window, label_tokens_, staged_);
  for (const int32_t token : label_tokens_) label_notes_.push_back(targets_->note(token));
  windows_.push_back(window);
  token_starts_.push_back(staged_.num_tokens());
  label_starts_.push_back(staged_.num_labels());
}

void BucketWriter::build(std::span<const int64_t> numbers) {
  batch_.clear();
  for (const int64_t number : numbers) {
    append_staged(number);
    append_targets(number);
  }
}

void BucketWriter::append_staged(int64_t number) {
  const int64_t first = token_starts_[number];
  const int64_t end = token_starts_[number + 1];
  const int64_t first_entry = staged_.token_offsets[first];
  const int64_t end_entry = staged_.token_offsets[end];
  const auto entry_shift = static_cast<int32_t>(batch_.num_entries() - first_entry);
  const auto token_shift = static_cast<int32_t>(batch_.num_tokens() - first);

  batch_.subject_ids.push_back(staged_.subject_ids[number]);
  batch_.first_tokens.push_back(staged_.first_tokens[number]);
  batch_.lengths.push_back(staged_.lengths[number]);
  append_part(staged_.token_ids, first_entry, end_entry, batch_.token_ids);
  append_part(staged_.token_weights, first_entry, end_entry, batch_.token_weights);
  for (int64_t token = first + 1; token <= end; ++token) {
    batch_.token_offsets.push_back(staged_.token_offsets[token] + entry_shift);
  }
  append_part(staged_.ages_days, first, end, batch_.ages_days);
  append_part(staged_.time_data, first * 5, end * 5, batch_.time_data);
  append_part(staged_.timestamps, first, end, batch_.timestamps);
  for (int64_t label = label_starts_[number]; label < label_starts_[number + 1]; ++label) {
    batch_.label_indices.push_back(staged_.label_indices[label] + token_shift);
  }
}

void BucketWriter::append_targets(int64_t number) {
  const int64_t first = label_starts_[number];
  const auto count = static_cast<size_t>(label_starts_[number + 1] - first);
  const auto notes = std::span(label_notes_).subspan(static_cast<size_t>(first), count);
  const Subject subject = source_.store.subject(windows_[number].subject);
  targets_->append(subject, notes, options_.form, batch_);
}

}  // namespace sequela
