#include "sequela/batch/plan.h"

#include <algorithm>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/random.h"

namespace sequela {

namespace {

bool is_followed_by_other_time(const Sequence& sequence, int64_t token) {
  return token + 1 < sequence.num_tokens() &&
         sequence.times_us[token] != sequence.times_us[token + 1];
}

// The last token with a label; 0 = none.
int64_t last_label(const Sequence& sequence, int64_t last_task_time_us) {
  const auto& times = sequence.times_us;
  if (times.size() < 3) return 0;
  const int64_t before_us = std::min(times.back(), last_task_time_us);
  return std::lower_bound(times.begin() + 1, times.end(), before_us) - times.begin() - 1;
}

// Of the tokens up to last_token all are followed by a task.
int64_t count_labels(const Sequence& sequence, int64_t first_token, int64_t last_token) {
  int64_t count = 0;
  for (int64_t token = std::max<int64_t>(first_token, 1); token <= last_token; ++token) {
    count += is_followed_by_other_time(sequence, token) ? 1 : 0;
  }
  return count;
}

}  // namespace

std::optional<Window> plan_window(int64_t subject, const Sequence& sequence,
                                  int64_t last_task_time_us, int32_t max_length,
                                  double label_fraction) {
  const int64_t last = last_label(sequence, last_task_time_us);
  if (last == 0) return std::nullopt;
  Window window;
  window.subject = subject;
  window.length = static_cast<int32_t>(std::min<int64_t>(max_length, last + 1));
  window.first_token = static_cast<int32_t>(last + 1 - window.length);
  if (label_fraction < 1) {
    const int64_t num_labels = count_labels(sequence, window.first_token, last);
    const int64_t wanted =
        std::max<int64_t>(5, static_cast<int64_t>(window.length * label_fraction));
    window.label_fraction =
        static_cast<double>(std::min(num_labels, wanted)) / static_cast<double>(num_labels);
  }
  return window;
}

void select_labels(const Sequence& sequence, const Window& window, int64_t last_task_time_us,
                   uint64_t seed, std::vector<int32_t>& label_tokens) {
  label_tokens.clear();
  const uint64_t key = hash_key(seed, static_cast<uint64_t>(sequence.subject_id));
  const int32_t end = window.first_token + window.length;
  for (int32_t token = window.first_token + 1; token < end; ++token) {
    if (sequence.times_us[token] >= last_task_time_us) break;
    if (!is_followed_by_other_time(sequence, token)) continue;
    const bool is_kept =
        window.label_fraction >= 1 ||
        to_uniform(mix64(key ^ static_cast<uint64_t>(token))) < window.label_fraction;
    if (is_kept) label_tokens.push_back(token);
  }
}

ExactWindows plan_exact_windows(int64_t subject, std::span<const int32_t> tokens,
                                int32_t max_length) {
  ExactWindows plan;
  int32_t shared_end = 0;
  for (const int32_t token : tokens) {
    if (token < max_length) shared_end = std::max(shared_end, token + 1);
  }
  if (shared_end > 0) plan.windows.push_back({subject, 0, shared_end, 1});
  plan.points.reserve(tokens.size());
  int32_t previous = 0;
  for (const int32_t token : tokens) {
    SEQUELA_CHECK(token >= previous);
    if (token < max_length) {
      plan.points.push_back({0, token});
    } else {
      if (token != previous) {
        plan.windows.push_back({subject, token + 1 - max_length, max_length, 1});
      }
      plan.points.push_back({static_cast<int32_t>(plan.windows.size()) - 1, max_length - 1});
    }
    previous = token;
  }
  return plan;
}

std::optional<int32_t> token_at(const Sequence& sequence, int64_t time_us) {
  const auto& times = sequence.times_us;
  const auto first = times.begin() + sequence.first_event();
  const auto after = std::upper_bound(first, times.end(), time_us);
  if (after == first) return std::nullopt;
  return static_cast<int32_t>(after - times.begin() - 1);
}

std::vector<Bucket> plan_buckets(const EventStore& store, const std::vector<Side>& sides,
                                 Side side) {
  constexpr int64_t kBucketEvents = int64_t{1} << 18;
  std::vector<Bucket> buckets;
  Bucket bucket;
  for (int64_t i = 0; i < store.num_subjects(); ++i) {
    bucket.end_subject = i + 1;
    if (sides[i] == side) bucket.num_events += store.subject(i).num_events;
    if (bucket.num_events < kBucketEvents) continue;
    buckets.push_back(bucket);
    bucket = {i + 1, i + 1, 0};
  }
  if (bucket.num_events > 0 || buckets.empty()) buckets.push_back(bucket);
  return buckets;
}

std::vector<int64_t> pack(std::span<const int32_t> lengths, int64_t tokens_per_batch) {
  std::vector<int64_t> ends;
  int64_t tokens = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (tokens > 0 && tokens + lengths[i] > tokens_per_batch) {
      ends.push_back(static_cast<int64_t>(i));
      tokens = 0;
    }
    tokens += lengths[i];
  }
  if (!lengths.empty()) ends.push_back(static_cast<int64_t>(lengths.size()));
  return ends;
}

}  // namespace sequela
