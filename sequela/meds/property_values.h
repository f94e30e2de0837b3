#pragma once

#include <cstdint>
#include <vector>

#include "sequela/io/parquet.h"
#include "sequela/meds/store/shard_builder.h"

namespace sequela {

// Turning the columns of a source into properties of the store: integers, floats and booleans
// become float32; strings stay texts, the empty one counting as none; times become the text that
// Python's str(datetime) gives, which is what femr makes of them. Numbers in a column that other
// shards hold as text become text.

inline constexpr int32_t kUnknownText = -2;  // a dictionary entry that was not met yet

// Rows [begin, begin + block->size) of a slice whose row 0 is row first_row of the file.
struct PropertySource {
  const ColumnSlice& slice;
  ColumnType type;
  int64_t begin = 0;
  int64_t first_row = 0;
};

void fill_with_nulls(size_t property, const PropertyColumn& column, EventBlock* block);
void fill_numbers(const PropertySource& source, size_t property, ShardBuilder* builder,
                  EventBlock* block);
// `text_ids` maps the slice's dictionary to texts of the builder, kUnknownText where not known yet.
// Throws DataError with row and column for bad UTF-8.
void fill_texts(const PropertySource& source, size_t property, std::vector<int32_t>* text_ids,
                ShardBuilder* builder, EventBlock* block);

}  // namespace sequela
