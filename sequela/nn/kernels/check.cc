#include "sequela/nn/kernels/check.h"

#include <algorithm>
#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {
namespace {

bool has_shape(const at::Tensor& tensor, std::initializer_list<int64_t> shape) {
  return tensor.dim() == static_cast<int64_t>(shape.size()) &&
         std::equal(shape.begin(), shape.end(), tensor.sizes().begin(),
                    [](int64_t wanted, int64_t size) { return wanted < 0 || wanted == size; });
}

std::string shape_text(std::initializer_list<int64_t> shape) {
  std::string text = "[";
  for (int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + (size < 0 ? "any" : std::to_string(size));
  return text + "]";
}

}  // namespace

void check_tensor(const char* name, const at::Tensor& tensor, std::initializer_list<int64_t> shape,
                  std::initializer_list<at::ScalarType> types) {
  if (!tensor.defined()) throw std::invalid_argument(sequela::str(name, " is not given"));
  if (!has_shape(tensor, shape)) {
    throw std::invalid_argument(
        sequela::str(name, " has shape ", tensor.sizes(), ", wanted ", shape_text(shape)));
  }
  if (std::find(types.begin(), types.end(), tensor.scalar_type()) == types.end()) {
    throw std::invalid_argument(sequela::str(name, " has type ", tensor.scalar_type(), ", wanted ",
                                             *types.begin(),
                                             types.size() > 1 ? " or another allowed type" : ""));
  }
  if (tensor.dim() > 0 && tensor.size(-1) > 1 && tensor.stride(-1) != 1) {
    throw std::invalid_argument(
        sequela::str(name, " has stride ", tensor.stride(-1), " in its last dimension, wanted 1"));
  }
}

}  // namespace sequela
