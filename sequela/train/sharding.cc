#include "sequela/train/sharding.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace sequela {
namespace {

// Fills the ranks of one bucket after another, each up to an even share of what came so far.
class Dealer {
 public:
  Dealer(const Parameters& parameters, const std::vector<bool>& is_whole, int num_ranks)
      : parameters_(parameters), is_whole_(is_whole), loads_(num_ranks) {}

  std::vector<Piece> deal(std::vector<size_t> bucket) {
    // Wholes first, the largest to the rank with the least; what can be cut evens them out.
    std::ranges::stable_sort(bucket, std::ranges::greater(), [this](size_t i) {
      return std::pair<bool, int64_t>(is_whole_[i], num_values(i));
    });
    std::vector<Piece> pieces;
    int64_t all = 0;
    for (const int64_t load : loads_) all += load;
    for (const size_t i : bucket) all += num_values(i);
    const int64_t even = (all + num_ranks() - 1) / num_ranks();
    for (const size_t i : bucket) {
      if (is_whole_[i] || num_ranks() == 1) {
        add({i, 0, num_values(i), least_loaded()}, pieces);
      } else {
        cut(i, even, pieces);
      }
    }
    std::ranges::stable_sort(pieces, {}, &Piece::owner);
    return pieces;
  }

 private:
  int num_ranks() const { return static_cast<int>(loads_.size()); }
  int64_t num_values(size_t i) const { return parameters_.items[i].value.numel(); }
  int least_loaded() const {
    return static_cast<int>(std::ranges::min_element(loads_) - loads_.begin());
  }

  void cut(size_t i, int64_t even, std::vector<Piece>& pieces) {
    const int64_t size = num_values(i);
    for (int64_t start = 0; start < size;) {
      const int owner = least_loaded();
      const int64_t room = std::max<int64_t>(1, even - loads_[owner]);
      const int64_t chunks = (room + Sharding::kChunk - 1) / Sharding::kChunk;
      const int64_t length = std::min(size - start, chunks * Sharding::kChunk);
      add({i, start, length, owner}, pieces);
      start += length;
    }
  }

  void add(const Piece& piece, std::vector<Piece>& pieces) {
    loads_[piece.owner] += piece.length;
    pieces.push_back(piece);
  }

  const Parameters& parameters_;
  const std::vector<bool>& is_whole_;
  std::vector<int64_t> loads_;
};

std::vector<int64_t> lengths_by_owner(const std::vector<Piece>& pieces, int num_ranks) {
  std::vector<int64_t> lengths(num_ranks);
  for (const Piece& piece : pieces) lengths[piece.owner] += piece.length;
  return lengths;
}

}  // namespace

Sharding::Sharding(const Parameters& parameters, const std::vector<bool>& is_whole, int num_ranks,
                   int64_t bucket_values) {
  Dealer dealer(parameters, is_whole, num_ranks);
  std::vector<size_t> bucket;
  int64_t num_values = 0;
  for (size_t i = parameters.items.size(); i-- > 0;) {
    bucket.push_back(i);
    num_values += parameters.items[i].value.numel();
    if (num_values < bucket_values && i > 0) continue;
    buckets_.push_back(dealer.deal(std::move(bucket)));
    bucket.clear();
    num_values = 0;
  }
}

std::vector<Piece> Sharding::pieces_of(int owner) const {
  std::vector<Piece> own;
  for (const auto& bucket : buckets_) {
    for (const Piece& piece : bucket) {
      if (piece.owner == owner) own.push_back(piece);
    }
  }
  std::ranges::sort(own, {}, [](const Piece& piece) {
    return std::pair<size_t, int64_t>(piece.parameter, piece.start);
  });
  return own;
}

std::vector<Piece> Sharding::pieces_of_parameter(size_t parameter) const {
  std::vector<Piece> found;
  for (const auto& bucket : buckets_) {
    for (const Piece& piece : bucket) {
      if (piece.parameter == parameter) found.push_back(piece);
    }
  }
  return found;
}

int64_t Sharding::num_values_of(int owner) const {
  int64_t num = 0;
  for (const Piece& piece : pieces_of(owner)) num += piece.length;
  return num;
}

at::Tensor flat_piece(const at::Tensor& whole, const Piece& piece) {
  return whole.view({-1}).narrow(0, piece.start, piece.length);
}

void share_pieces(World& world, const char* what, const std::vector<Piece>& pieces,
                  const std::function<at::Tensor(size_t parameter)>& tensor_of) {
  if (world.is_alone() || pieces.empty()) return;
  const std::vector<int64_t> lengths_R = lengths_by_owner(pieces, world.size());
  const int64_t own_length = lengths_R[world.rank()];
  const at::TensorOptions options = tensor_of(pieces.front().parameter).options();
  at::Tensor own = at::empty({own_length}, options);
  int64_t at = 0;
  for (const Piece& piece : pieces) {
    if (piece.owner != world.rank()) continue;
    own.narrow(0, at, piece.length).copy_(flat_piece(tensor_of(piece.parameter), piece));
    at += piece.length;
  }
  int64_t all_length = 0;
  for (const int64_t length : lengths_R) all_length += length;
  const World::Exchange exchange{own.repeat({world.size()}),
                                 std::vector<int64_t>(world.size(), own_length),
                                 at::empty({all_length}, options), lengths_R};
  world.start(what, exchange)->wait();
  at = 0;  // the output is by owner, as the pieces are
  for (const Piece& piece : pieces) {
    if (piece.owner != world.rank())
      flat_piece(tensor_of(piece.parameter), piece)
          .copy_(exchange.output.narrow(0, at, piece.length));
    at += piece.length;
  }
}

}  // namespace sequela
