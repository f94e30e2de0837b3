#include "sequela/meds/property_values.h"

#include <algorithm>
#include <charconv>

#include "sequela/core/error.h"

namespace sequela {
namespace {

template <class T>
void convert_numbers(const ColumnSlice& slice, const T* values, int64_t begin,
                     ShardBuilder* builder, int64_t size, float* out) {
  for (int64_t i = 0; i < size; ++i) {
    out[i] = slice.is_valid(begin + i)
                 ? builder->check_number(static_cast<float>(values[begin + i]))
                 : kNullFloat;
  }
}

void convert_integers(const PropertySource& source, ShardBuilder* builder, int64_t size,
                      float* out) {
  for (int64_t i = 0; i < size; ++i) {
    const int64_t row = source.begin + i;
    out[i] =
        source.slice.is_valid(row) ? builder->check_integer(source.slice.int64s[row]) : kNullFloat;
  }
}

// The text of a value that is no string.
std::string value_text(const PropertySource& source, int64_t row, ShardBuilder* builder) {
  char text[64];
  auto shortest = [&](double value) {
    return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
  };
  switch (source.type) {
    case ColumnType::timestamp:
      return to_text(builder->clip_time(source.slice.int64s[row]));
    case ColumnType::int64:
      return std::to_string(source.slice.int64s[row]);
    case ColumnType::boolean:
      return source.slice.booleans[row] ? "1" : "0";
    case ColumnType::float32:
      return shortest(source.slice.floats[row]);
    default:
      return shortest(source.slice.doubles[row]);
  }
}

}  // namespace

void fill_with_nulls(size_t property, const PropertyColumn& column, EventBlock* block) {
  if (column.is_text)
    std::fill_n(block->texts[property].data(), block->size, -1);
  else
    std::fill_n(block->numbers[property].data(), block->size, kNullFloat);
}

void fill_numbers(const PropertySource& source, size_t property, ShardBuilder* builder,
                  EventBlock* block) {
  const ColumnSlice& slice = source.slice;
  float* out = block->numbers[property].data();
  switch (source.type) {
    case ColumnType::float32:
      return convert_numbers(slice, slice.floats, source.begin, builder, block->size, out);
    case ColumnType::float64:
      return convert_numbers(slice, slice.doubles, source.begin, builder, block->size, out);
    case ColumnType::boolean:
      return convert_numbers(slice, slice.booleans, source.begin, builder, block->size, out);
    default:
      return convert_integers(source, builder, block->size, out);
  }
}

void fill_texts(const PropertySource& source, size_t property, std::vector<int32_t>* text_ids,
                ShardBuilder* builder, EventBlock* block) {
  const ColumnSlice& slice = source.slice;
  int32_t* out = block->texts[property].data();
  auto add = [&](int64_t row, std::string_view text) {
    try {
      return text.empty() ? -1 : builder->add_text(property, text);
    } catch (const DataError& error) {
      throw error.within({.row = source.first_row + row});
    }
  };
  for (int64_t i = 0; i < block->size; ++i) {
    const int64_t row = source.begin + i;
    if (!slice.is_valid(row)) {
      out[i] = -1;
    } else if (source.type != ColumnType::string) {
      out[i] = add(row, value_text(source, row, builder));
    } else {
      int32_t& id = (*text_ids)[slice.indices[row]];
      if (id == kUnknownText) id = add(row, slice.text(row));
      out[i] = id;
    }
  }
}

}  // namespace sequela
