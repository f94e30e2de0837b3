#include "sequela/pipeline/embed_on_ranks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace sequela {
namespace {

constexpr int64_t kRowsAtOnce = 1 << 14;
constexpr const char* kWhat = "the embeddings";

// The results of one rank's labels.
struct Results {
  at::Tensor embeddings_nd, feature_seconds_n, states_n;

  Results(int64_t num_labels, int64_t width)
      : embeddings_nd(at::zeros({num_labels, width})),
        feature_seconds_n(at::zeros({num_labels}, at::kLong)),
        states_n(at::zeros({num_labels}, at::kByte)) {}
};

// Some rows of each rank to the first one: what it gets, rank after rank.
at::Tensor send_to_first(World& world, const at::Tensor& own,
                         const std::vector<int64_t>& num_rows_R) {
  World::Exchange exchange;
  exchange.input = own.contiguous();
  exchange.sends.resize(world.size());
  exchange.sends[0] = own.size(0);
  exchange.receives = world.is_first() ? num_rows_R : std::vector<int64_t>(world.size());
  int64_t received = 0;
  for (const int64_t rows : exchange.receives) received += rows;
  std::vector<int64_t> shape = own.sizes().vec();
  shape[0] = received;
  exchange.output = at::empty(shape, own.options());
  world.start(kWhat, exchange)->wait();
  return exchange.output;
}

// Puts rows where their labels stand.
void put(const EmbedJob& job, const std::vector<int64_t>& labels, const Results& rows) {
  const auto* embeddings = rows.embeddings_nd.const_data_ptr<float>();
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto state = static_cast<LabelState>(rows.states_n.const_data_ptr<uint8_t>()[i]);
    job.states_n[labels[i]] = state;
    if (state != LabelState::embedded) continue;
    job.feature_seconds_n[labels[i]] = rows.feature_seconds_n.const_data_ptr<int64_t>()[i];
    std::memcpy(job.embeddings_nd + labels[i] * job.width, embeddings + i * job.width,
                static_cast<size_t>(job.width) * sizeof(float));
  }
}

void gather_results(World& world, const EmbedJob& job, const Results& own) {
  std::vector<std::vector<int64_t>> labels_R;
  size_t most = 0;
  for (int r = 0; r < world.size(); ++r) {
    labels_R.push_back(labels_of_rank(job.labels, r, world.size()));
    most = std::max(most, labels_R.back().size());
  }
  for (int64_t first = 0; first < static_cast<int64_t>(most); first += kRowsAtOnce) {
    std::vector<int64_t> num_rows_R, labels;
    for (const std::vector<int64_t>& all : labels_R) {
      const auto size = static_cast<int64_t>(all.size());
      const int64_t start = std::min(first, size), end = std::min(first + kRowsAtOnce, size);
      num_rows_R.push_back(end - start);
      labels.insert(labels.end(), all.begin() + start, all.begin() + end);
    }
    const int64_t rows = num_rows_R[world.rank()];
    const int64_t start = std::min<int64_t>(first, own.states_n.size(0));
    Results received(0, job.width);
    const auto send = [&](const at::Tensor& results) {
      return send_to_first(world, results.narrow(0, start, rows), num_rows_R);
    };
    received.embeddings_nd = send(own.embeddings_nd);
    received.feature_seconds_n = send(own.feature_seconds_n);
    received.states_n = send(own.states_n);
    if (world.is_first()) put(job, labels, received);
  }
}

EmbedReport sum_of_reports(World& world, const EmbedReport& own) {
  const at::Tensor counts =
      at::tensor({own.num_embedded, own.num_subjects, own.num_windows, own.num_tokens}, at::kLong);
  const at::Tensor sums = world.gather("the end of embedding", counts).sum(0);
  const auto* sum = sums.const_data_ptr<int64_t>();
  return {sum[0], sum[1], sum[2], sum[3]};
}

}  // namespace

std::vector<int64_t> labels_of_rank(std::span<const Label> labels, int rank, int num_ranks) {
  std::vector<int64_t> subjects;
  for (const Label& label : labels) subjects.push_back(label.subject_id);
  std::ranges::sort(subjects);
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  const Share share = share_of(static_cast<int64_t>(subjects.size()), rank, num_ranks);
  std::vector<int64_t> own;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto found = std::ranges::lower_bound(subjects, labels[i].subject_id);
    const int64_t place = found - subjects.begin();
    if (place >= share.first && place < share.end) own.push_back(static_cast<int64_t>(i));
  }
  return own;
}

EmbedReport embed_on_ranks(World& world, const EmbedJob& job) {
  if (world.is_alone()) {
    return embed(job.model, job.store, job.tokenizer, job.age_stats, job.labels, job.options,
                 job.embeddings_nd, job.feature_seconds_n, job.states_n);
  }
  const std::vector<int64_t> indices = labels_of_rank(job.labels, world.rank(), world.size());
  std::vector<Label> labels;
  for (const int64_t i : indices) labels.push_back(job.labels[i]);
  const Results own(static_cast<int64_t>(labels.size()), job.width);
  EmbedReport report;
  succeed_together(world, kWhat, [&] {
    report = embed(job.model, job.store, job.tokenizer, job.age_stats, labels, job.options,
                   own.embeddings_nd.data_ptr<float>(), own.feature_seconds_n.data_ptr<int64_t>(),
                   reinterpret_cast<LabelState*>(own.states_n.data_ptr<uint8_t>()));
  });
  gather_results(world, job, own);
  return sum_of_reports(world, report);
}

}  // namespace sequela
