#include "sequela/ontology/athena_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <vector>

#include "sequela/core/error.h"
#include "sequela/io/csv.h"
#include "sequela/io/scratch.h"
#include "sequela/io/unpack.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 3;  // of folders inside the one that is named
constexpr const char* kTables[] = {AthenaFiles::kConcept, AthenaFiles::kRelationship,
                                   AthenaFiles::kAncestor};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The table that a file's name stands for; nothing if none.
std::optional<std::string> table_of(const std::string& file_name) {
  std::string name = lower(file_name);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const char* table : kTables) {
    if (name == lower(table)) return table;
  }
  return std::nullopt;
}

bool is_zip_name(const std::string& path) {
  return lower(path).ends_with(".zip");
}

// A quote at the start of the header or of the first row tells that fields are quoted.
bool has_quotes(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t line_feed = text.find('\n');
  return text.starts_with('"') ||
         (line_feed != std::string_view::npos && text.substr(line_feed + 1).starts_with('"'));
}

void append_field(std::string_view field, std::string* line) {
  for (const char c : field) *line += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
}

// The same table without quotes; separators inside fields become spaces.
MappedFile unquoted(MappedFile file, const std::string& scratch_folder) {
  const std::string path = file.path();
  CsvReader csv(std::move(file), kDelimiterOfHeader, CsvQuoting::rfc4180);
  ScratchFile out(scratch_folder);
  std::string line;
  const auto write_row = [&](const auto& fields) {
    line.clear();
    for (const auto& field : fields) {
      if (&field != &*fields.begin()) line += '\t';
      append_field(field, &line);
    }
    line += '\n';
    out.write(line.data(), line.size());
  };
  write_row(csv.header());
  csv.for_each_row([&](std::span<const std::string_view> fields, int64_t) { write_row(fields); });
  return out.map(path);
}

}  // namespace

bool is_athena_path(const std::string& path) {
  return fs::is_directory(path) || is_zip_name(path);
}

AthenaFiles::AthenaFiles(const std::string& path) : path_(path) {
  if (fs::is_directory(path)) {
    find_in_folder();
    if (files_.empty()) find_zip();
  } else if (fs::is_regular_file(path) && is_zip_name(path)) {
    find_in_zip(path);
  } else {
    throw DataError({path}, "there is no such folder, nor a zip of this name",
                    "give an Athena download: the zip, or the folder that it was unpacked into");
  }
}

void AthenaFiles::find_in_folder() {
  std::map<std::string, int> depths;
  for (auto entry =
           fs::recursive_directory_iterator(path_, fs::directory_options::skip_permission_denied);
       entry != fs::end(entry); ++entry) {
    if (entry.depth() >= kMaxDepth) entry.disable_recursion_pending();
    const std::string file = entry->path().string();
    const auto table = table_of(entry->path().filename().string());
    if (!table || !entry->is_regular_file()) continue;
    const auto known = depths.find(*table);
    if (known != depths.end() && known->second < entry.depth()) continue;
    if (known != depths.end() && known->second == entry.depth()) {
      const auto [first, second] = std::minmax(files_[*table], file);
      throw DataError({first}, str("the same table lies in ", second, " as well"),
                      "keep one of them in the folder");
    }
    depths[*table] = entry.depth();
    files_[*table] = file;
  }
}

// The zip that a folder without tables holds.
void AthenaFiles::find_zip() {
  std::vector<std::string> zips;
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.is_regular_file() && is_zip_name(entry.path().string()))
      zips.push_back(entry.path().string());
  }
  if (zips.size() == 1) find_in_zip(zips.front());
}

void AthenaFiles::find_in_zip(const std::string& zip) {
  zip_ = zip;
  const ZipArchive archive(zip);
  for (const ZipEntry& entry : archive.entries()) {
    const std::string name(entry.name);
    if (name.starts_with("__MACOSX/")) continue;
    const auto table = table_of(name.substr(name.rfind('/') + 1));
    if (!table) continue;
    if (!files_.emplace(*table, name).second) {
      throw DataError({zip}, str("it holds ", *table, " twice"), "keep one of them");
    }
  }
}

MappedFile AthenaFiles::map(const std::string& table, const std::string& scratch_folder) const {
  const auto found = files_.find(table);
  if (found == files_.end()) {
    throw DataError({(fs::path(path_) / table).string()}, "there is no such file",
                    "give an Athena download with CONCEPT.csv, CONCEPT_RELATIONSHIP.csv and "
                    "CONCEPT_ANCESTOR.csv (.csv or .csv.gz, or the zip)");
  }
  std::optional<MappedFile> file;
  if (zip_.empty()) {
    file.emplace(map_unpacked(found->second, scratch_folder));
  } else {
    const ZipArchive archive(zip_);
    const auto entry = std::ranges::find(archive.entries(), found->second, &ZipEntry::name);
    SEQUELA_CHECK(entry != archive.entries().end());
    file.emplace(archive.map(*entry, scratch_folder));
  }
  if (!has_quotes(file->text())) return std::move(*file);
  return unquoted(std::move(*file), scratch_folder);
}

std::map<std::string, std::string> AthenaFiles::paths() const {
  if (!zip_.empty()) return {{"", zip_}};
  return files_;
}

}  // namespace sequela
