#include "sequela/features/embedder.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

#include "sequela/batch/split.h"
#include "sequela/batch/tensors.h"
#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/run_context.h"

namespace sequela {
namespace {

constexpr size_t kBatchesAhead = 2;
constexpr int64_t kPeriods = 2;  // all of the window, and its last year
constexpr int64_t kYearSeconds = 365 * 86'400;

// A batch on its way to the model: which label reads which token.
struct Job {
  BatchInputs inputs;
  std::vector<int64_t> labels;  // label indices
  std::vector<int64_t> tokens;  // the token of each, within the batch
  std::vector<int64_t> firsts;  // kPeriods each: where the periods of its history begin
  int64_t num_subjects = 0;     // whose last window it holds
  int64_t num_windows = 0;
};

// Hands jobs from the thread that makes them to the one that runs the model, a few ahead.
class JobQueue {
 public:
  // False: the taker has given up.
  bool push(Job job) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return jobs_.size() < kBatchesAhead || is_closed_; });
    if (is_closed_) return false;
    jobs_.push_back(std::move(job));
    changed_.notify_all();
    return true;
  }
  void finish(std::exception_ptr error) {
    std::lock_guard lock(mutex_);
    error_ = error;
    is_finished_ = true;
    changed_.notify_all();
  }
  bool pop(Job& job) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !jobs_.empty() || is_finished_; });
    if (jobs_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return false;
    }
    job = std::move(jobs_.front());
    jobs_.pop_front();
    changed_.notify_all();
    return true;
  }
  void close() {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::exception_ptr error_;
  bool is_finished_ = false;
  bool is_closed_ = false;
};

// Turns labels into jobs, one subject after another.
class JobMaker {
 public:
  JobMaker(const EventStore& store, const EventTokenizer& tokenizer, const AgeStats& age_stats,
           std::span<const Label> labels, const EmbedOptions& options, LabelState* states,
           JobQueue& queue)
      : subjects_(store, tokenizer, labels, max_history(options.tokens_per_batch), states),
        builder_(age_stats, options.first_timestamp),
        tokens_per_batch_(options.tokens_per_batch),
        queue_(queue) {}

  void run() {
    while (is_open_ && subjects_.next()) {
      add_windows(subjects_.plan());
      throw_if_stopped();
    }
    flush();
  }

 private:
  void add_windows(const ExactWindows& plan) {
    size_t point = 0;
    for (size_t w = 0; w < plan.windows.size(); ++w) {
      const Window& window = plan.windows[w];
      if (batch_.num_tokens() + window.length > tokens_per_batch_) flush();
      const int64_t first = batch_.num_tokens();
      builder_.append(subjects_.sequence(), window, {}, batch_);
      ++job_.num_windows;
      for (; point < plan.points.size() && plan.points[point].window == static_cast<int32_t>(w);
           ++point) {
        job_.labels.push_back(subjects_.labels()[point]);
        const int32_t position = plan.points[point].position;
        job_.tokens.push_back(first + position);
        job_.firsts.push_back(first);
        job_.firsts.push_back(first + first_of_year(first, position));
      }
    }
    SEQUELA_CHECK(point == plan.points.size());
    ++job_.num_subjects;
  }

  // The first event of the year that ends with a token of the batch's last window, within it. The
  // birth bag, whose time may be femr's, is none.
  int64_t first_of_year(int64_t window, int64_t position) const {
    if (position == 0) return 0;
    const auto begin = batch_.timestamps.begin() + window;
    return std::upper_bound(begin + 1, begin + position, begin[position] - kYearSeconds) - begin;
  }

  void flush() {
    if (batch_.num_tokens() == 0) return;
    job_.inputs = to_inputs(std::move(batch_));
    is_open_ = queue_.push(std::move(job_));
    batch_ = BatchArrays();
    job_ = Job();
  }

  LabelWindows subjects_;
  BatchBuilder builder_;
  const int64_t tokens_per_batch_;
  JobQueue& queue_;

  bool is_open_ = true;
  BatchArrays batch_;
  Job job_;
};

at::Tensor embed_job(Motor& model, const Job& job, ReadOut read_out) {
  const at::Tensor tokens_L = at::tensor(job.tokens, at::kLong);
  if (read_out == ReadOut::last) return model.encode(job.inputs, tokens_L);
  const at::Tensor firsts_LP = at::tensor(job.firsts, at::kLong).view({-1, kPeriods});
  return model.encode_with_history(job.inputs, tokens_L, firsts_LP);
}

// The job's parts, one after another.
std::vector<Job> halves_of(const Job& job) {
  std::vector<Job> halves;
  size_t label = 0;
  const int64_t end = job.inputs.ages_days_T.size(0);
  const std::vector<InputsPart> parts = split_inputs(job.inputs, 2);
  for (size_t i = 0; i < parts.size(); ++i) {
    Job half;
    const int64_t first = parts[i].first_token;
    const int64_t last = i + 1 < parts.size() ? parts[i + 1].first_token : end;
    for (; label < job.tokens.size() && job.tokens[label] < last; ++label) {
      half.tokens.push_back(job.tokens[label] - first);
      for (int64_t p = 0; p < kPeriods; ++p)
        half.firsts.push_back(job.firsts[label * kPeriods + p] - first);
    }
    half.inputs = parts[i].inputs;
    halves.push_back(std::move(half));
  }
  return halves;
}

// Where the device's memory does not suffice, a job is done by halves, and theirs.
class JobEmbedder {
 public:
  JobEmbedder(Motor& model, ReadOut read_out) : model_(model), read_out_(read_out) {}

  at::Tensor run(const Job& job) {
    const int64_t tokens = job.inputs.ages_days_T.size(0);
    const bool is_whole = job.inputs.lengths_S.size(0) < 2 || job.tokens.empty();
    if (!is_whole && tokens >= too_many_) return run_halves(job);
    try {
      return embed_job(model_, job, read_out_);
    } catch (const c10::OutOfMemoryError&) {
      model_.release_memory();
      if (is_whole) throw;
      log_warning(str("the device's memory does not suffice for ", tokens,
                      " tokens at a time: from now on as many are computed in halves. Fix: "
                      "--tokens-per-batch ",
                      tokens / 2));
      too_many_ = tokens;
    }
    return run_halves(job);
  }

 private:
  at::Tensor run_halves(const Job& job) {
    std::vector<at::Tensor> parts;
    for (const Job& half : halves_of(job)) {
      if (!half.tokens.empty()) parts.push_back(run(half));
    }
    return at::cat(parts);
  }

  Motor& model_;
  const ReadOut read_out_;
  int64_t too_many_ = std::numeric_limits<int64_t>::max();
};

}  // namespace

const char* to_text(ReadOut read_out) {
  return read_out == ReadOut::last ? "last" : "last+history";
}

ReadOut to_read_out(const std::string& text) {
  for (const ReadOut read_out : {ReadOut::last, ReadOut::last_and_history}) {
    if (text == to_text(read_out)) return read_out;
  }
  throw ConfigError("read-out", text, "last or last+history");
}

int64_t num_parts(ReadOut read_out) {
  return read_out == ReadOut::last ? 1 : 2 + kPeriods;
}

void EmbedOptions::validate() const {
  if (tokens_per_batch < 2) {
    throw ConfigError("tokens-per-batch", str(tokens_per_batch), "a number of at least 2");
  }
}

EmbedReport embed(Motor& model, const EventStore& store, const EventTokenizer& tokenizer,
                  const AgeStats& age_stats, std::span<const Label> labels,
                  const EmbedOptions& options, float* embeddings_nd, int64_t* feature_seconds_n,
                  LabelState* states_n) {
  options.validate();
  const int64_t width = model.config().encoder.hidden_size * num_parts(options.read_out);
  JobQueue queue;
  std::jthread maker([&, run = RunContext::current()] {
    const RunScope scope(run);
    std::exception_ptr error;
    try {
      JobMaker(store, tokenizer, age_stats, labels, options, states_n, queue).run();
    } catch (...) {
      error = std::current_exception();
    }
    queue.finish(error);
  });
  // However this function ends, the maker must not wait for room in the queue.
  struct Closer {
    JobQueue& queue;
    ~Closer() { queue.close(); }
  } closer{queue};

  EmbedReport report;
  Progress progress("embed", static_cast<int64_t>(labels.size()), "labels");
  JobEmbedder embedder(model, options.read_out);
  Job job;
  while (queue.pop(job)) {
    const at::Tensor rows = embedder.run(job).to(at::kCPU).contiguous();
    const int64_t* timestamps = job.inputs.timestamps_T.const_data_ptr<int64_t>();
    for (size_t i = 0; i < job.labels.size(); ++i) {
      std::memcpy(embeddings_nd + job.labels[i] * width,
                  rows.const_data_ptr<float>() + static_cast<int64_t>(i) * width,
                  static_cast<size_t>(width) * sizeof(float));
      feature_seconds_n[job.labels[i]] = timestamps[job.tokens[i]];
    }
    report.num_embedded += static_cast<int64_t>(job.labels.size());
    report.num_subjects += job.num_subjects;
    report.num_windows += job.num_windows;
    report.num_tokens += job.inputs.ages_days_T.size(0);
    progress.advance(static_cast<int64_t>(job.labels.size()));
    throw_if_stopped();
  }
  return report;
}

}  // namespace sequela
