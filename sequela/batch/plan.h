#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sequela/batch/sequence.h"
#include "sequela/meds/split.h"

namespace sequela {

// A run of a subject's tokens that becomes one sequence of a batch. If it does not begin at the
// record's begin, the birth bag, where there is one, stands at its front in place of token
// `first_token`.
struct Window {
  int64_t subject = 0;  // index in the store
  int32_t first_token = 0;
  int32_t length = 0;         // tokens, token 0 included
  double label_fraction = 1;  // each label is kept with this probability
};

// Labels kept, as a share of the window's tokens: femr's.
inline constexpr double kLabelFraction = 0.1;

// A label stands on a token >= 1 that is followed by a token of another time and has a task ahead,
// that is, lies strictly before last_task_time_us (task/future_events.h).

// The pretraining window of a subject (of layout birth_bag): it ends at the last label, and is as
// long as fits. Of its n labels min(n, max(5, length * label_fraction)) are kept in expectation;
// label_fraction: in (0, 1], 1 = all. None if there is no label.
std::optional<Window> plan_window(int64_t subject, const Sequence& sequence,
                                  int64_t last_task_time_us, int32_t max_length,
                                  double label_fraction);

// The tokens of a window whose label is kept, ascending; the window's first token has none. Chance
// depends on nothing but (seed, subject id, token).
void select_labels(const Sequence& sequence, const Window& window, int64_t last_task_time_us,
                   uint64_t seed, std::vector<int32_t>& label_tokens);

// Windows for given prediction points of one subject, so that each has the longest history that
// fits. All points that fit into one window from the record's begin share it; each later point has
// its own, which ends at it.
struct ExactWindows {
  struct Point {
    int32_t window = 0;    // index into windows
    int32_t position = 0;  // of the point's token within the window
  };
  std::vector<Window> windows;
  std::vector<Point> points;  // parallel to the tokens asked for
};
// tokens: the token of each point, an event's, ascending (repeats allowed). max_length >= 2.
ExactWindows plan_exact_windows(int64_t subject, std::span<const int32_t> tokens,
                                int32_t max_length);

// The last token at or before a time; none if that is before the first event's token.
std::optional<int32_t> token_at(const Sequence& sequence, int64_t time_us);

// A run of subjects [first, end) whose windows are shuffled and packed together: cut by the data
// alone, so that neither memory nor the number of threads or ranks matters.
struct Bucket {
  int64_t first_subject = 0;
  int64_t end_subject = 0;
  int64_t num_events = 0;  // of the subjects of the side asked for
};
// Buckets of 2^18 of the side's events and the rest of the last subject's; at least one bucket.
// sides: by subject index.
std::vector<Bucket> plan_buckets(const EventStore& store, const std::vector<Side>& sides,
                                 Side side);

// Ends of the batches that hold windows of the given lengths in their order: a batch is closed when
// the next window would take it past tokens_per_batch.
std::vector<int64_t> pack(std::span<const int32_t> lengths, int64_t tokens_per_batch);

}  // namespace sequela
