#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/nn/parameters.h"

namespace sequela {

// A part of a parameter's values (in row-major order), whose moments one rank holds and which it
// updates.
struct Piece {
  size_t parameter = 0;  // in Parameters::items
  int64_t start = 0;
  int64_t length = 0;
  int owner = 0;
};

// Which rank updates what (ZeRO, stage 1: Rajbhandari et al., arXiv:1910.02054). All parameters are
// in buckets that are sent one after another, those whose gradients a backward pass has last at the
// end. In each bucket every rank owns about the same number of values. Pieces start at multiples of
// kChunk values; a parameter that must stay whole is one piece. Alone, a rank owns all, and every
// parameter is one piece.
class Sharding {
 public:
  static constexpr int64_t kChunk = 16'384;

  // is_whole: by parameter.
  Sharding(const Parameters& parameters, const std::vector<bool>& is_whole, int num_ranks,
           int64_t bucket_values = int64_t{16} << 20);

  // Each bucket's pieces, by owner.
  const std::vector<std::vector<Piece>>& buckets() const { return buckets_; }
  std::vector<Piece> pieces_of(int owner) const;
  std::vector<Piece> pieces_of_parameter(size_t parameter) const;
  int64_t num_values_of(int owner) const;

 private:
  std::vector<std::vector<Piece>> buckets_;
};

// A piece of the tensor that its parameter's value, gradient or moment is, flat.
at::Tensor flat_piece(const at::Tensor& whole, const Piece& piece);

// Sends each rank's own pieces of some tensors to all others. tensor_of(i): the tensor of parameter
// i, of which the pieces of other ranks are filled in.
void share_pieces(World& world, const char* what, const std::vector<Piece>& pieces,
                  const std::function<at::Tensor(size_t parameter)>& tensor_of);

}  // namespace sequela
