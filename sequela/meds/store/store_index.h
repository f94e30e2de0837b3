#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sequela/meds/ingest.h"
#include "sequela/meds/store/shard_file.h"

namespace sequela {

// The index of an event store: what joins its shards. Written last, so a store with an index is
// whole.
//
//   file "store.index", a section file (section_file.h) of magic "SQSTOREI"
//   0  description as JSON: shards (file names), properties, report
//   1  subjects     SubjectPlace[], by ascending id
//   2  chunks       Chunk[]
//   3  code ends    uint64[c + 1]   4  code bytes   5  code counts int64[c]      codes sorted
//   bytewise 6  code maps    int32: for each shard, local code -> code (-1 = local code without
//   events) 7  map starts   uint64[shards + 1]: where a shard's code map begins 8 + 5p  text ends
//   9 + 5p  text bytes   10 + 5p  text numbers float32 (null: none) 11 + 5p text maps   12 + 5p map
//   starts   (all empty for numbers)
inline constexpr std::string_view kIndexName = "store.index";
inline constexpr std::string_view kIndexMagic = "SQSTOREI";
inline constexpr uint32_t kIndexVersion = 1;

struct SubjectPlace {
  int64_t id = 0;
  uint32_t shard = 0;
  uint32_t row = 0;  // in the shard's table of subjects
};

enum IndexSection : int {
  kDescription,
  kPlaces,
  kChunks,
  kAllCodeEnds,
  kAllCodeBytes,
  kAllCodeCounts,
  kCodeMaps,
  kCodeMapStarts,
  kFirstText,
};
inline int text_section(size_t property) {
  return kFirstText + 5 * static_cast<int>(property);
}
inline int num_index_sections(size_t num_properties) {
  return text_section(num_properties);
}

struct StoreShard {
  std::string name;    // of the file in the store's folder
  std::string source;  // of the input, for messages
};

// Joins finished shards. With `repair`, subjects that lie in several shards are gathered into one
// more shard; without, they are a DataError. Fills the report's counts of subjects, events and
// codes.
struct StoreIndexOptions {
  std::string folder;
  std::vector<StoreShard> shards;
  std::vector<PropertyColumn> properties;
  Digest fingerprint{};
  bool repair = false;
};
void write_store_index(const StoreIndexOptions& options, IngestReport* report);

// What the description says.
struct StoreDescription {
  std::vector<std::string> shards;
  std::vector<PropertyColumn> properties;
  IngestReport report;
};
StoreDescription read_description(const SectionFile& index);

}  // namespace sequela
