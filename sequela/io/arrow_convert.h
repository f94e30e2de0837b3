#pragma once

// What the readers and writers of this layer share about Arrow. Arrow's own headers stay in the .cc
// files.

#include <memory>
#include <string_view>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/io/parquet.h"

namespace arrow {
class Array;
class DataType;
class Status;
}  // namespace arrow

namespace sequela {

// Turns a failed status into ResourceError (memory) or DataError at `where`.
[[noreturn]] void throw_arrow_error(const arrow::Status& status, const Where& where,
                                    const std::string& fix = "");

ColumnType column_type(const arrow::DataType& type);

// What the pointers of a ColumnSlice point into: Arrow's buffers or, where they had to be
// converted, ours.
struct SliceStorage {
  std::shared_ptr<arrow::Array> array;
  std::shared_ptr<arrow::Array> items;
  std::shared_ptr<arrow::Array> dictionary_array;
  std::shared_ptr<std::vector<std::string_view>> dictionary;
  std::vector<int64_t> int64s;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<uint8_t> booleans;
  std::vector<int32_t> indices;
  std::vector<int64_t> list_offsets;
};

// Fills the pointers of a number, boolean or timestamp slice.
void make_number_slice(const arrow::Array& array, ColumnType type, const Where& where,
                       SliceStorage* storage, ColumnSlice* slice);

// Hands out one Arrow array after another as ColumnSlices; the views of a dictionary that comes
// again are used again. Indices, which Arrow's decoders leave unchecked, are checked here.
class SliceMaker {
 public:
  explicit SliceMaker(ColumnType type) : type_(type) {}
  ColumnSlice make(const std::shared_ptr<arrow::Array>& array, const Where& where);

 private:
  void make_texts(const std::shared_ptr<arrow::Array>& array, const Where& where,
                  SliceStorage* storage, ColumnSlice* slice);

  ColumnType type_;
  std::shared_ptr<arrow::Array> last_dictionary_;
  std::shared_ptr<std::vector<std::string_view>> last_texts_;
};

}  // namespace sequela
