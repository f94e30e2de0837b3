#pragma once

// Arrow's type of a leaf; used by the stream writer and reader.

#include <memory>

#include "sequela/io/arrow_stream.h"

namespace arrow {
class DataType;
}

namespace sequela {

std::shared_ptr<arrow::DataType> leaf_value_type(LeafType type);
std::shared_ptr<arrow::DataType> leaf_field_type(const LeafField& field);  // with its lists

}  // namespace sequela
