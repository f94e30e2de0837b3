#include "sequela/io/arrow_convert.h"

#include <arrow/api.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace sequela {
namespace {

using arrow::Type;

template <class ArrayType>
void append_views(const arrow::Array& array, std::vector<std::string_view>* texts) {
  const auto& typed = static_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < array.length(); ++i) {
    texts->push_back(typed.IsValid(i) ? typed.GetView(i) : std::string_view());
  }
}

// The views of a text array; never empty, so that index 0 is always good.
std::shared_ptr<std::vector<std::string_view>> text_views(const arrow::Array& array) {
  auto texts = std::make_shared<std::vector<std::string_view>>();
  texts->reserve(std::max<int64_t>(array.length(), 1));
  switch (array.type_id()) {
    case Type::STRING:
      append_views<arrow::StringArray>(array, texts.get());
      break;
    case Type::LARGE_STRING:
      append_views<arrow::LargeStringArray>(array, texts.get());
      break;
    case Type::STRING_VIEW:
      append_views<arrow::StringViewArray>(array, texts.get());
      break;
    case Type::BINARY:
      append_views<arrow::BinaryArray>(array, texts.get());
      break;
    case Type::LARGE_BINARY:
      append_views<arrow::LargeBinaryArray>(array, texts.get());
      break;
    case Type::BINARY_VIEW:
      append_views<arrow::BinaryViewArray>(array, texts.get());
      break;
    case Type::FIXED_SIZE_BINARY:
      append_views<arrow::FixedSizeBinaryArray>(array, texts.get());
      break;
    default:
      throw std::invalid_argument("text_views: not a text type");
  }
  if (texts->empty()) texts->emplace_back();
  return texts;
}

// Makes sure that every index is inside the dictionary. Those of null places are set to 0 in a
// copy.
void check_indices(const arrow::Array& indices, int64_t dictionary_size, const Where& where,
                   SliceStorage* storage, ColumnSlice* slice) {
  const auto bound = static_cast<uint64_t>(dictionary_size);
  uint32_t largest = 0;
  for (int64_t i = 0; i < indices.length(); ++i) {
    largest = std::max(largest, static_cast<uint32_t>(slice->indices[i]));
  }
  if (largest < bound) return;
  if (storage->indices.empty()) {
    storage->indices.assign(slice->indices, slice->indices + indices.length());
  }
  for (int64_t i = 0; i < indices.length(); ++i) {
    if (static_cast<uint32_t>(storage->indices[i]) < bound) continue;
    if (indices.IsValid(i)) {
      throw DataError(where, "an index outside the column's dictionary; the file is corrupt",
                      "write the file again");
    }
    storage->indices[i] = 0;
  }
  slice->indices = storage->indices.data();
}

void use_texts(const std::shared_ptr<std::vector<std::string_view>>& texts, SliceStorage* storage,
               ColumnSlice* slice) {
  storage->dictionary = texts;
  slice->dictionary = texts->data();
  slice->dictionary_size = static_cast<int64_t>(texts->size());
}

template <class ListType>
void copy_offsets(const ListType& list, std::vector<int64_t>* offsets) {
  const int64_t first = list.length() > 0 ? list.value_offset(0) : 0;
  for (int64_t i = 0; i <= list.length(); ++i) offsets->push_back(list.value_offset(i) - first);
}

// Sets list_offsets and returns the items of all lists, one after the other.
std::shared_ptr<arrow::Array> make_offsets(const arrow::Array& array, SliceStorage* storage,
                                           ColumnSlice* slice) {
  int64_t first = 0;
  std::shared_ptr<arrow::Array> items;
  const auto copy_offsets = [&](const auto& list) {
    storage->list_offsets.reserve(list.length() + 1);
    storage->list_offsets.push_back(0);
    if (list.length() > 0) first = list.value_offset(0);
    for (int64_t i = 1; i <= list.length(); ++i) {
      storage->list_offsets.push_back(list.value_offset(i) - first);
    }
    items = list.values();
  };
  switch (array.type_id()) {
    case Type::LIST:
      copy_offsets(static_cast<const arrow::ListArray&>(array));
      break;
    case Type::LARGE_LIST:
      copy_offsets(static_cast<const arrow::LargeListArray&>(array));
      break;
    default:
      copy_offsets(static_cast<const arrow::FixedSizeListArray&>(array));
  }
  slice->list_offsets = storage->list_offsets.data();
  return items->Slice(first, storage->list_offsets.back());
}

void make_float_items(const arrow::Array& items, SliceStorage* storage, ColumnSlice* slice) {
  SliceStorage item_storage;
  ColumnSlice numbers;
  const ColumnType type = column_type(*items.type());
  make_number_slice(items, type, Where{}, &item_storage, &numbers);
  slice->floats = numbers.floats;
  storage->floats = std::move(item_storage.floats);
  if (type == ColumnType::float64) {
    storage->floats.assign(numbers.doubles, numbers.doubles + items.length());
    slice->floats = storage->floats.data();
  }
  if (items.null_count() == 0) return;
  if (storage->floats.empty())
    storage->floats.assign(slice->floats, slice->floats + items.length());
  for (int64_t i = 0; i < items.length(); ++i) {
    if (items.IsNull(i)) storage->floats[i] = std::numeric_limits<float>::quiet_NaN();
  }
  slice->floats = storage->floats.data();
}

void make_integer_items(const arrow::Array& items, const Where& where, SliceStorage* storage,
                        ColumnSlice* slice) {
  ColumnSlice numbers;
  make_number_slice(items, ColumnType::int64, where, storage, &numbers);
  slice->int64s = numbers.int64s;
  if (items.null_count() == 0) return;
  if (storage->int64s.empty()) {
    storage->int64s.assign(numbers.int64s, numbers.int64s + items.length());
  }
  for (int64_t i = 0; i < items.length(); ++i) {
    if (items.IsNull(i)) storage->int64s[i] = std::numeric_limits<int64_t>::min();
  }
  slice->int64s = storage->int64s.data();
}

// Gives null items of lists an empty text of their own.
void set_null_items(const arrow::Array& items, SliceStorage* storage, ColumnSlice* slice) {
  if (items.null_count() == 0) return;
  auto texts = std::make_shared<std::vector<std::string_view>>(*storage->dictionary);
  const auto empty = static_cast<int32_t>(texts->size());
  texts->emplace_back();
  std::vector<int32_t> indices(slice->indices, slice->indices + items.length());
  for (int64_t i = 0; i < items.length(); ++i) {
    if (items.IsNull(i)) indices[i] = empty;
  }
  storage->indices = std::move(indices);
  slice->indices = storage->indices.data();
  use_texts(texts, storage, slice);
}

}  // namespace

void SliceMaker::make_texts(const std::shared_ptr<arrow::Array>& array, const Where& where,
                            SliceStorage* storage, ColumnSlice* slice) {
  if (array->type_id() != Type::DICTIONARY) {
    use_texts(text_views(*array), storage, slice);
    storage->indices.resize(array->length());
    std::iota(storage->indices.begin(), storage->indices.end(), 0);
    slice->indices = storage->indices.data();
    return;
  }
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  if (coded.dictionary() != last_dictionary_) {
    last_dictionary_ = coded.dictionary();
    last_texts_ = text_views(*last_dictionary_);
  }
  storage->dictionary_array = last_dictionary_;
  use_texts(last_texts_, storage, slice);
  const arrow::Array& indices = *coded.indices();
  if (indices.type_id() == Type::INT32) {
    slice->indices = static_cast<const arrow::Int32Array&>(indices).raw_values();
  } else {
    ColumnSlice wide;
    make_number_slice(indices, ColumnType::int64, where, storage, &wide);
    storage->indices.resize(indices.length());
    for (int64_t i = 0; i < indices.length(); ++i) {
      const bool fits = wide.int64s[i] >= 0 && wide.int64s[i] < slice->dictionary_size;
      storage->indices[i] = fits ? static_cast<int32_t>(wide.int64s[i]) : -1;
    }
    slice->indices = storage->indices.data();
  }
  check_indices(indices, slice->dictionary_size, where, storage, slice);
}

ColumnSlice SliceMaker::make(const std::shared_ptr<arrow::Array>& array, const Where& where) {
  auto storage = std::make_shared<SliceStorage>();
  storage->array = array;
  ColumnSlice slice;
  slice.size = array->length();
  slice.owner = storage;
  if (array->null_count() > 0) {
    slice.validity = array->null_bitmap_data();
    slice.bit_offset = array->offset();
  }
  if (type_ == ColumnType::string) {
    make_texts(array, where, storage.get(), &slice);
  } else if (type_ == ColumnType::string_list) {
    storage->items = make_offsets(*array, storage.get(), &slice);
    ColumnSlice items;
    make_texts(storage->items, where, storage.get(), &items);
    set_null_items(*storage->items, storage.get(), &items);
    slice.indices = items.indices;
    slice.dictionary = items.dictionary;
    slice.dictionary_size = items.dictionary_size;
  } else if (type_ == ColumnType::int64_list) {
    storage->items = make_offsets(*array, storage.get(), &slice);
    make_integer_items(*storage->items, where, storage.get(), &slice);
  } else if (type_ == ColumnType::float_list) {
    storage->items = make_offsets(*array, storage.get(), &slice);
    make_float_items(*storage->items, storage.get(), &slice);
  } else {
    make_number_slice(*array, type_, where, storage.get(), &slice);
  }
  return slice;
}

}  // namespace sequela
