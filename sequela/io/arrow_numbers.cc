#include "sequela/io/arrow_convert.h"

#include <arrow/api.h>
#include <arrow/util/float16.h>

#include <limits>

#include "sequela/core/time.h"

namespace sequela {
namespace {

using arrow::Type;

template <class ArrayType, class Out>
void copy_values(const arrow::Array& array, std::vector<Out>* out) {
  const auto& typed = static_cast<const ArrayType&>(array);
  out->resize(array.length());
  for (int64_t i = 0; i < array.length(); ++i) (*out)[i] = static_cast<Out>(typed.Value(i));
}

template <class Out>
void copy_integers(const arrow::Array& array, std::vector<Out>* out) {
  switch (array.type_id()) {
    case Type::INT8:
      return copy_values<arrow::Int8Array>(array, out);
    case Type::INT16:
      return copy_values<arrow::Int16Array>(array, out);
    case Type::INT32:
      return copy_values<arrow::Int32Array>(array, out);
    case Type::INT64:
      return copy_values<arrow::Int64Array>(array, out);
    case Type::UINT8:
      return copy_values<arrow::UInt8Array>(array, out);
    case Type::UINT16:
      return copy_values<arrow::UInt16Array>(array, out);
    case Type::UINT32:
      return copy_values<arrow::UInt32Array>(array, out);
    case Type::UINT64:
      return copy_values<arrow::UInt64Array>(array, out);
    case Type::DATE32:
      return copy_values<arrow::Date32Array>(array, out);
    default:
      throw std::invalid_argument("copy_integers: not an integer type");
  }
}

constexpr int64_t floor_divide(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

// A time too large for microseconds becomes the largest or smallest there is.
int64_t saturating_multiply(int64_t value, int64_t factor) {
  int64_t result;
  if (!__builtin_mul_overflow(value, factor, &result)) return result;
  return value < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

void make_integers(const arrow::Array& array, const Where& where, SliceStorage* storage,
                   ColumnSlice* slice) {
  if (array.type_id() == Type::INT64) {
    slice->int64s = static_cast<const arrow::Int64Array&>(array).raw_values();
    return;
  }
  if (array.type_id() == Type::DATE64) {
    copy_values<arrow::Date64Array>(array, &storage->int64s);
    for (int64_t& value : storage->int64s) value = floor_divide(value, kMicrosPerDay / 1000);
  } else {
    copy_integers(array, &storage->int64s);
  }
  if (array.type_id() == Type::UINT64) {
    for (int64_t i = 0; i < array.length(); ++i) {
      if (storage->int64s[i] < 0 && array.IsValid(i)) {
        throw DataError(where, "a number above the largest 64-bit signed integer",
                        "store the column as int64");
      }
    }
  }
  slice->int64s = storage->int64s.data();
}

void make_times(const arrow::Array& array, SliceStorage* storage, ColumnSlice* slice) {
  const int64_t* raw = static_cast<const arrow::TimestampArray&>(array).raw_values();
  const auto unit = static_cast<const arrow::TimestampType&>(*array.type()).unit();
  if (unit == arrow::TimeUnit::MICRO) {
    slice->int64s = raw;
    return;
  }
  auto& out = storage->int64s;
  out.resize(array.length());
  for (int64_t i = 0; i < array.length(); ++i) {
    if (unit == arrow::TimeUnit::NANO) {
      out[i] = floor_divide(raw[i], 1000);
    } else {
      out[i] = saturating_multiply(raw[i], unit == arrow::TimeUnit::MILLI ? 1000 : 1'000'000);
    }
  }
  slice->int64s = out.data();
}

const float* to_floats(const arrow::Array& array, std::vector<float>* copy) {
  switch (array.type_id()) {
    case Type::FLOAT:
      return static_cast<const arrow::FloatArray&>(array).raw_values();
    case Type::DOUBLE:
      copy_values<arrow::DoubleArray>(array, copy);
      break;
    default: {
      const auto& halves = static_cast<const arrow::HalfFloatArray&>(array);
      copy->resize(array.length());
      for (int64_t i = 0; i < array.length(); ++i) {
        (*copy)[i] = arrow::util::Float16::FromBits(halves.Value(i)).ToFloat();
      }
    }
  }
  return copy->data();
}

template <class ArrayType>
void copy_decimals(const arrow::Array& array, std::vector<double>* out) {
  using Value = std::conditional_t<std::is_same_v<ArrayType, arrow::Decimal256Array>,
                                   arrow::Decimal256, arrow::Decimal128>;
  const int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
  const auto& typed = static_cast<const ArrayType&>(array);
  out->resize(array.length());
  for (int64_t i = 0; i < array.length(); ++i) {
    (*out)[i] = typed.IsValid(i) ? Value(typed.GetValue(i)).ToDouble(scale) : 0.0;
  }
}

void make_doubles(const arrow::Array& array, SliceStorage* storage, ColumnSlice* slice) {
  if (array.type_id() == Type::DOUBLE) {
    slice->doubles = static_cast<const arrow::DoubleArray&>(array).raw_values();
    return;
  }
  if (array.type_id() == Type::DECIMAL256) {
    copy_decimals<arrow::Decimal256Array>(array, &storage->doubles);
  } else {
    copy_decimals<arrow::Decimal128Array>(array, &storage->doubles);
  }
  slice->doubles = storage->doubles.data();
}

}  // namespace

void make_number_slice(const arrow::Array& array, ColumnType type, const Where& where,
                       SliceStorage* storage, ColumnSlice* slice) {
  switch (type) {
    case ColumnType::int64:
      return make_integers(array, where, storage, slice);
    case ColumnType::timestamp:
      return make_times(array, storage, slice);
    case ColumnType::float32:
      slice->floats = to_floats(array, &storage->floats);
      return;
    case ColumnType::float64:
      return make_doubles(array, storage, slice);
    case ColumnType::boolean:
      copy_values<arrow::BooleanArray>(array, &storage->booleans);
      slice->booleans = storage->booleans.data();
      return;
    default:
      throw std::invalid_argument("make_number_slice: not a number type");
  }
}

}  // namespace sequela
