#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sequela/distributed/world.h"
#include "sequela/nn/parameters.h"
#include "sequela/train/sharding.h"

namespace sequela {

// Adds up the gradients of a step's lanes (step_lanes.h) over all ranks in one fixed order: lane 0
// with 1, 2 with 3, then pairs with pairs, and so on; a last one without a partner goes up as it
// is. The sums have the same bits for any number of ranks.
//
//   docs/design.md, section 9.1
class GradientSums {
 public:
  // Refers to all of them. `sent_as`: the type of gradients on their way (float32, or bfloat16 for
  // half the bytes; then the sums depend on the number of ranks).
  GradientSums(Parameters& parameters, const Sharding& sharding, World& world,
               at::ScalarType sent_as = at::kFloat);

  // The backward passes that follow add to the gradients of this lane. Lanes come in order.
  void start_lane(int64_t lane);
  std::optional<int64_t> lane() const { return lane_; }
  // Ends the step: the gradients of this rank's own pieces become the sums over all `num_lanes`
  // lanes of all ranks; rank r has those of share_of(num_lanes, r, ranks). Other pieces are left
  // with something of no use.
  void reduce(int64_t num_lanes);
  // Forgets the lanes of a step that was broken off, and zeroes the gradients.
  void drop();

  // The sums so far as named tensors, of a rank that is alone, and back: for a checkpoint in the
  // middle of a step. load() throws FileError.
  Parameters state() const;
  void load(const Parameters& state, const std::string& path);

 private:
  // The sum of lanes [index * 2^level, (index + 1) * 2^level), flat; undefined: it is in the
  // parameters' gradients.
  struct Node {
    int64_t level = 0;
    int64_t index = 0;
    at::Tensor values;
  };

  // A bucket's sums on their way, in as many exchanges as the rank with most nodes has.
  struct Flight {
    std::vector<World::Exchange> exchanges;
    std::vector<std::unique_ptr<World::Transfer>> transfers;
  };

  void push(Node node);
  void add_to_gradients(const at::Tensor& flat);
  void reduce_alone();
  Flight start(const std::vector<Piece>& bucket, int64_t num_lanes);
  void finish(Flight& flight, const std::vector<Piece>& bucket, int64_t num_lanes);
  at::Tensor packed(const Node& node, const std::vector<Piece>& bucket) const;

  Parameters& parameters_;
  const Sharding& sharding_;
  World& world_;
  const at::ScalarType sent_as_;
  std::vector<int64_t> offsets_;  // of each parameter in a flat tensor
  int64_t flat_size_ = 0;
  std::vector<Node> nodes_;  // complete sums of earlier lanes, ascending
  std::optional<int64_t> lane_;
};

}  // namespace sequela
