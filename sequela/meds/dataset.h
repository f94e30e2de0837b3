#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sequela {

enum class DatasetKind { parquet, reader_database };

// Where the parts of a MEDS data set are. Nothing is opened but for the listing.
struct Dataset {
  std::string root;  // path or URI
  DatasetKind kind = DatasetKind::parquet;
  std::vector<std::string> shards;  // data/**/*.parquet, sorted; empty for a database
  // metadata/codes.parquet, dataset.json, subject_splits.parquet, where they exist.
  std::optional<std::string> codes_path;
  std::optional<std::string> info_path;
  std::optional<std::string> splits_path;

  bool is_local() const;
  // A shard's path below the root, for messages and fingerprints.
  std::string name_of(const std::string& shard) const;
};

// Finds a MEDS data set (a folder or URI that holds data/**/*.parquet) or a meds_reader database (a
// local folder that holds meds_reader.version). Throws DataError if it is neither.
Dataset find_dataset(const std::string& meds);

struct DatasetFile {
  std::string name;  // below the root
  std::string path;  // or URI
};

// Every file of the data set, data and metadata, sorted by path; of a database all of its files.
std::vector<DatasetFile> list_dataset_files(const Dataset& dataset);

struct FileFingerprint {
  std::string name;         // below the root
  std::string fingerprint;  // shard_fingerprint(), or where it is not known the number of rows
};

// Changes when the file does: file_fingerprint(), or for a URI the size and time of change; empty
// if that is not known.
std::string shard_fingerprint(const std::string& path_or_uri);

// One entry for each file of the data set: what decoded events need to see a change. Quick, since
// of large files it takes the time for the content.
std::vector<FileFingerprint> fingerprint_dataset(const Dataset& dataset);

// The three parts that a split's names stand for.
enum class SplitPart { train, tuning, held_out };

// By MEDS's names and the other usual ones, in any case of letters: train; tuning, validation,
// validate, valid, val; held_out, test. Nothing for another name.
std::optional<SplitPart> parse_split_part(std::string_view name);

struct SubjectSplitRow {
  int64_t subject_id = 0;
  std::string split;  // as the file has it; MEDS allows any name
};

// metadata/subject_splits.parquet (subject_id, split). Throws DataError; a subject in two splits is
// one.
std::vector<SubjectSplitRow> read_subject_splits(const std::string& path);

}  // namespace sequela
