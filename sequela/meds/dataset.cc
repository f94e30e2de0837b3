#include "sequela/meds/dataset.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/io/parquet.h"
#include "sequela/io/remote.h"
#include "sequela/io/uri.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

// The path of a metadata file if it exists. Behind a URI, only Parquet files can be looked for.
std::optional<std::string> find_metadata(const std::string& root, const std::string& name) {
  const std::string path = join_path(join_path(root, "metadata"), name);
  if (!is_uri(root)) return fs::exists(path) ? std::optional(path) : std::nullopt;
  try {
    const auto files = list_parquet_files(join_path(root, "metadata"));
    for (const std::string& file : files) {
      if (path_below(root, file) == "metadata/" + name) return file;
    }
  } catch (const DataError&) {  // no metadata folder: it is optional
  }
  return std::nullopt;
}

// Where the time of change is not known, the number of rows must do for the stages after ingest.
std::string fingerprint_of(const std::string& path) {
  const std::string fingerprint = shard_fingerprint(path);
  return fingerprint.empty() ? str("rows ", ParquetReader(path).num_rows()) : fingerprint;
}

}  // namespace

std::string shard_fingerprint(const std::string& path_or_uri) {
  return is_uri(path_or_uri) ? remote_fingerprint(path_or_uri) : file_fingerprint(path_or_uri);
}

bool Dataset::is_local() const {
  return !is_uri(root);
}

std::string Dataset::name_of(const std::string& shard) const {
  return path_below(root, shard);
}

Dataset find_dataset(const std::string& meds) {
  Dataset dataset{.root = meds};
  const bool is_local = dataset.is_local();
  if (is_local && !fs::is_directory(meds)) {
    throw DataError({.path = meds}, "no such folder", "give the folder that holds data/*.parquet");
  }
  if (is_local && fs::exists(join_path(meds, "meds_reader.version"))) {
    dataset.kind = DatasetKind::reader_database;
  } else if (is_local && !fs::is_directory(join_path(meds, "data"))) {
    throw DataError({.path = meds}, "neither a MEDS data set nor a meds_reader database",
                    "give a folder that holds data/*.parquet");
  } else {
    dataset.shards = list_parquet_files(join_path(meds, "data"));
  }
  dataset.codes_path = find_metadata(meds, "codes.parquet");
  dataset.info_path = is_local ? find_metadata(meds, "dataset.json") : std::nullopt;
  dataset.splits_path = find_metadata(meds, "subject_splits.parquet");
  return dataset;
}

std::vector<DatasetFile> list_dataset_files(const Dataset& dataset) {
  std::vector<std::string> paths = dataset.shards;
  for (const auto& path : {dataset.codes_path, dataset.info_path, dataset.splits_path}) {
    if (path) paths.push_back(*path);
  }
  if (dataset.kind == DatasetKind::reader_database) {
    for (const auto& entry : fs::recursive_directory_iterator(dataset.root)) {
      if (entry.is_regular_file()) paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::vector<DatasetFile> files;
  for (const std::string& path : paths) files.push_back({dataset.name_of(path), path});
  return files;
}

std::vector<FileFingerprint> fingerprint_dataset(const Dataset& dataset) {
  std::vector<FileFingerprint> fingerprints;
  for (const DatasetFile& file : list_dataset_files(dataset)) {
    fingerprints.push_back({file.name, fingerprint_of(file.path)});
  }
  return fingerprints;
}

std::optional<SplitPart> parse_split_part(std::string_view name) {
  static const std::map<std::string, SplitPart, std::less<>> kParts = {
      {"train", SplitPart::train},       {"tuning", SplitPart::tuning},
      {"validation", SplitPart::tuning}, {"validate", SplitPart::tuning},
      {"valid", SplitPart::tuning},      {"val", SplitPart::tuning},
      {"held_out", SplitPart::held_out}, {"test", SplitPart::held_out}};
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto found = kParts.find(lower);
  return found == kParts.end() ? std::nullopt : std::optional(found->second);
}

std::vector<SubjectSplitRow> read_subject_splits(const std::string& path) {
  ParquetReader reader(path);
  const std::vector<int> columns = {reader.require_column("subject_id", {ColumnType::int64}),
                                    reader.require_column("split", {ColumnType::string})};
  std::vector<SubjectSplitRow> rows;
  reader.read(columns, [&](const RowBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      if (!batch.columns[0].is_valid(i) || !batch.columns[1].is_valid(i)) {
        throw DataError({.path = path, .row_group = batch.row_group, .row = batch.first_row + i},
                        "a null subject_id or split", "remove the row");
      }
      rows.push_back({batch.columns[0].int64s[i], std::string(batch.columns[1].text(i))});
    }
  });
  std::vector<int64_t> ids;
  for (const SubjectSplitRow& row : rows) ids.push_back(row.subject_id);
  std::sort(ids.begin(), ids.end());
  const auto twin = std::adjacent_find(ids.begin(), ids.end());
  if (twin != ids.end()) {
    throw DataError({.path = path, .subject_id = *twin}, "the subject is listed twice",
                    "keep one row a subject");
  }
  return rows;
}

}  // namespace sequela
