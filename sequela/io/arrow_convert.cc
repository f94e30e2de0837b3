#include "sequela/io/arrow_convert.h"

#include <arrow/api.h>

#include <algorithm>

namespace sequela {
namespace {

using arrow::Type;

bool is_text(Type::type id) {
  return id == Type::STRING || id == Type::LARGE_STRING || id == Type::STRING_VIEW ||
         id == Type::BINARY || id == Type::LARGE_BINARY || id == Type::BINARY_VIEW ||
         id == Type::FIXED_SIZE_BINARY;
}

bool is_text_or_dictionary(const arrow::DataType& type) {
  if (type.id() != Type::DICTIONARY) return is_text(type.id());
  return is_text(static_cast<const arrow::DictionaryType&>(type).value_type()->id());
}

bool is_list_type(Type::type id) {
  return id == Type::LIST || id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST;
}

}  // namespace

void throw_arrow_error(const arrow::Status& status, const Where& where, const std::string& fix) {
  if (status.IsOutOfMemory()) {
    throw ResourceError(
        str(where.text(), ": out of memory. Fix: use fewer threads or smaller row groups."));
  }
  std::string message = status.message();
  if (status.detail() != nullptr) message += ": " + status.detail()->ToString();
  std::replace(message.begin(), message.end(), '\n', ' ');
  throw DataError(where, message, fix);
}

ColumnType column_type(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
    case Type::DATE32:
    case Type::DATE64:
      return ColumnType::int64;
    case Type::HALF_FLOAT:
    case Type::FLOAT:
      return ColumnType::float32;
    case Type::DOUBLE:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return ColumnType::float64;
    case Type::BOOL:
      return ColumnType::boolean;
    case Type::TIMESTAMP:
      return ColumnType::timestamp;
    default:
      break;
  }
  if (is_text_or_dictionary(type)) return ColumnType::string;
  if (!is_list_type(type.id())) return ColumnType::other;
  const arrow::DataType& item = *static_cast<const arrow::BaseListType&>(type).value_type();
  if (is_text_or_dictionary(item)) return ColumnType::string_list;
  const bool is_float =
      item.id() == Type::FLOAT || item.id() == Type::HALF_FLOAT || item.id() == Type::DOUBLE;
  if (is_float) return ColumnType::float_list;
  return column_type(item) == ColumnType::int64 ? ColumnType::int64_list : ColumnType::other;
}

}  // namespace sequela
