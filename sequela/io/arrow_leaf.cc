#include "sequela/io/arrow_leaf.h"

#include <arrow/type.h>

#include <stdexcept>

namespace sequela {

std::shared_ptr<arrow::DataType> leaf_value_type(LeafType type) {
  switch (type) {
    case LeafType::boolean:
      return arrow::boolean();
    case LeafType::uint8:
      return arrow::uint8();
    case LeafType::int16:
      return arrow::int16();
    case LeafType::uint16:
      return arrow::uint16();
    case LeafType::int32:
      return arrow::int32();
    case LeafType::uint32:
      return arrow::uint32();
    case LeafType::int64:
      return arrow::int64();
    case LeafType::float16:
      return arrow::float16();
    case LeafType::float32:
      return arrow::float32();
  }
  throw std::invalid_argument("leaf_value_type: no such type");
}

std::shared_ptr<arrow::DataType> leaf_field_type(const LeafField& field) {
  std::shared_ptr<arrow::DataType> type = leaf_value_type(field.type);
  if (field.inner_size > 0) type = arrow::list(type);
  return field.is_list ? arrow::list(type) : type;
}

int64_t leaf_size(LeafType type) {
  return type == LeafType::boolean ? 1 : leaf_value_type(type)->byte_width();
}

}  // namespace sequela
