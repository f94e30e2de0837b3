#include "sequela/encoders/progression/named_tensors.h"

#include <stdexcept>

#include "sequela/core/error.h"

namespace sequela {

const at::Tensor& get_tensor(const NamedTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || !found->second.defined()) {
    throw std::invalid_argument("there is no weight '" + name + "'");
  }
  return found->second;
}

const at::Tensor& get_tensor(const NamedTensors& tensors, const std::string& name,
                             at::IntArrayRef shape) {
  const at::Tensor& tensor = get_tensor(tensors, name);
  if (tensor.sizes() != shape) {
    throw std::invalid_argument(
        sequela::str("weight '", name, "' has shape ", tensor.sizes(), ", expected ", shape));
  }
  return tensor;
}

}  // namespace sequela
