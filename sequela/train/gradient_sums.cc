#include "sequela/train/gradient_sums.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr const char* kSum = "the sum of gradients";
constexpr int64_t kMaxLevel = 20;  // of a step with a million lanes

// A node of the tree: level, index.
using Place = std::pair<int64_t, int64_t>;

// The nodes that a rank's lanes add up to when each meets only neighbours that are its partners.
std::vector<Place> places_of(const Share& lanes) {
  std::vector<Place> places;
  for (int64_t lane = lanes.first; lane < lanes.end; ++lane) {
    Place place{0, lane};
    while (!places.empty() && place.second % 2 == 1 &&
           places.back() == Place{place.first, place.second - 1}) {
      places.pop_back();
      place = {place.first + 1, place.second / 2};
    }
    places.push_back(place);
  }
  return places;
}

// Adds up known nodes to the root of a tree over `num_lanes` lanes, in place.
class Tree {
 public:
  Tree(std::map<Place, at::Tensor> nodes, int64_t num_lanes)
      : nodes_(std::move(nodes)), num_lanes_(num_lanes) {}

  at::Tensor root() {
    int64_t level = 0;
    while ((int64_t{1} << level) < num_lanes_) ++level;
    return value({level, 0});
  }

 private:
  at::Tensor value(const Place& place) {
    const auto found = nodes_.find(place);
    if (found != nodes_.end()) return found->second;
    SEQUELA_CHECK(place.first > 0);
    const Place left{place.first - 1, 2 * place.second}, right{left.first, left.second + 1};
    at::Tensor sum = value(left);
    if ((right.second << right.first) < num_lanes_) sum.add_(value(right));
    return sum;
  }

  const std::map<Place, at::Tensor> nodes_;
  const int64_t num_lanes_;
};

std::string state_name(int64_t level, int64_t index) {
  return str("sum.", level, ".", index);
}

}  // namespace

GradientSums::GradientSums(Parameters& parameters, const Sharding& sharding, World& world,
                           at::ScalarType sent_as)
    : parameters_(parameters), sharding_(sharding), world_(world), sent_as_(sent_as) {
  const bool is_flat = parameters.flat_values.defined();
  for (const Parameter& parameter : parameters.items) {
    offsets_.push_back(is_flat ? parameter.offset : flat_size_);
    flat_size_ += parameter.value.numel();
  }
  if (is_flat) flat_size_ = parameters.flat_values.numel();
}

void GradientSums::start_lane(int64_t lane) {
  if (lane == lane_) return;
  if (lane_) {
    std::vector<at::Tensor> flat = {parameters_.flat_gradients};
    if (!flat[0].defined()) {
      flat.clear();
      for (const Parameter& item : parameters_.items) flat.push_back(item.gradient.view({-1}));
    }
    push({0, *lane_, at::cat(flat)});
    parameters_.zero_gradients();
  }
  lane_ = lane;
}

// Adds the node to its partner, if that is there, and so on.
void GradientSums::push(Node node) {
  while (!nodes_.empty() && node.index % 2 == 1 && nodes_.back().level == node.level &&
         nodes_.back().index == node.index - 1) {
    if (node.values.defined()) {
      nodes_.back().values.add_(node.values);
      node.values = nodes_.back().values;
    } else {
      add_to_gradients(nodes_.back().values);
    }
    nodes_.pop_back();
    node = {node.level + 1, node.index / 2, node.values};
  }
  nodes_.push_back(std::move(node));
}

void GradientSums::add_to_gradients(const at::Tensor& flat) {
  if (parameters_.flat_gradients.defined()) {
    parameters_.flat_gradients.add_(flat);
    return;
  }
  for (size_t i = 0; i < parameters_.items.size(); ++i) {
    at::Tensor gradient = parameters_.items[i].gradient.view({-1});
    gradient.add_(flat.narrow(0, offsets_[i], gradient.numel()));
  }
}

void GradientSums::reduce(int64_t num_lanes) {
  if (lane_) push({0, *lane_, {}});
  lane_.reset();
  if (world_.is_alone()) {
    reduce_alone();
  } else {
    // The next bucket is on its way while this one is added up.
    const auto& buckets = sharding_.buckets();
    Flight flight = start(buckets[0], num_lanes);
    for (size_t i = 0; i < buckets.size(); ++i) {
      Flight next;
      if (i + 1 < buckets.size()) next = start(buckets[i + 1], num_lanes);
      finish(flight, buckets[i], num_lanes);
      flight = std::move(next);
    }
  }
  nodes_.clear();
}

// All lanes are here: the nodes' sizes fall from left to right, and each is the partner of the sum
// of those to its right.
void GradientSums::reduce_alone() {
  for (size_t i = nodes_.size() - 1; i-- > 0;) add_to_gradients(nodes_[i].values);
}

void GradientSums::drop() {
  nodes_.clear();
  lane_.reset();
  parameters_.zero_gradients();
}

at::Tensor GradientSums::packed(const Node& node, const std::vector<Piece>& bucket) const {
  std::vector<at::Tensor> parts;
  for (const Piece& piece : bucket) {
    parts.push_back(
        node.values.defined()
            ? node.values.narrow(0, offsets_[piece.parameter] + piece.start, piece.length)
            : flat_piece(parameters_.items[piece.parameter].gradient, piece));
  }
  return at::cat(parts).to(sent_as_);
}

GradientSums::Flight GradientSums::start(const std::vector<Piece>& bucket, int64_t num_lanes) {
  const int num_ranks = world_.size();
  std::vector<int64_t> lengths_R(num_ranks);
  for (const Piece& piece : bucket) lengths_R[piece.owner] += piece.length;
  std::vector<size_t> nodes_R;
  for (int r = 0; r < num_ranks; ++r)
    nodes_R.push_back(places_of(share_of(num_lanes, r, num_ranks)).size());
  const at::TensorOptions options = parameters_.items[0].gradient.options().dtype(sent_as_);
  Flight flight;
  for (size_t round = 0; round < *std::ranges::max_element(nodes_R); ++round) {
    World::Exchange exchange;
    const bool has_node = round < nodes_.size();
    exchange.input = has_node ? packed(nodes_[round], bucket) : at::empty({0}, options);
    exchange.sends = has_node ? lengths_R : std::vector<int64_t>(num_ranks);
    int64_t received = 0;
    for (const size_t num_nodes : nodes_R) {
      exchange.receives.push_back(round < num_nodes ? lengths_R[world_.rank()] : 0);
      received += exchange.receives.back();
    }
    exchange.output = at::empty({received}, options);
    flight.transfers.push_back(world_.start(kSum, exchange));
    flight.exchanges.push_back(std::move(exchange));
  }
  return flight;
}

void GradientSums::finish(Flight& flight, const std::vector<Piece>& bucket, int64_t num_lanes) {
  for (const auto& transfer : flight.transfers) transfer->wait();
  std::map<Place, at::Tensor> nodes;
  for (size_t round = 0; round < flight.exchanges.size(); ++round) {
    const World::Exchange& exchange = flight.exchanges[round];
    int64_t at = 0;
    for (int r = 0; r < world_.size(); ++r) {
      const std::vector<Place> places = places_of(share_of(num_lanes, r, world_.size()));
      if (round >= places.size()) continue;
      const int64_t length = exchange.receives[r];
      nodes[places[round]] = exchange.output.narrow(0, at, length).to(at::kFloat);
      at += length;
    }
  }
  const at::Tensor sums = Tree(std::move(nodes), num_lanes).root();
  int64_t at = 0;
  for (const Piece& piece : bucket) {
    if (piece.owner != world_.rank()) continue;
    flat_piece(parameters_.items[piece.parameter].gradient, piece)
        .copy_(sums.narrow(0, at, piece.length));
    at += piece.length;
  }
}

Parameters GradientSums::state() const {
  Parameters state;
  for (const Node& node : nodes_)
    state.items.push_back({state_name(node.level, node.index), node.values});
  return state;
}

void GradientSums::load(const Parameters& state, const std::string& path) {
  SEQUELA_CHECK(nodes_.empty() && !lane_);
  int64_t lane = 0;
  for (int64_t level = kMaxLevel; level >= 0; --level) {
    const Parameter* found = state.find(state_name(level, lane >> level));
    if (found == nullptr) continue;
    if (found->value.dim() != 1 || found->value.numel() != flat_size_) {
      throw FileError(path, str("'", found->name, "' has another size"), "remove this checkpoint");
    }
    nodes_.push_back({level, lane >> level, found->value.to(parameters_.items[0].value.device())});
    lane += int64_t{1} << level;
  }
  lane_ = lane;
}

}  // namespace sequela
