#include "sequela/etl/spool.h"

#include <nlohmann/json.hpp>

#include "sequela/core/error.h"

namespace sequela {

SpoolWriter::SpoolWriter(const std::string& path, int64_t num_shards, size_t buffer_bytes)
    : file_(path), buffer_bytes_(buffer_bytes), buffers_(num_shards), runs_(num_shards) {}

void SpoolWriter::add_components(int32_t block, int32_t code, std::string_view components) {
  components_.add(str(block, " ", code, " ", components));
}

void SpoolWriter::add(int64_t shard, std::string_view record) {
  std::string& buffer = buffers_[shard];
  const auto size = static_cast<uint32_t>(record.size());
  buffer.append(reinterpret_cast<const char*>(&size), sizeof size);
  buffer.append(record);
  if (buffer.size() >= buffer_bytes_) flush(shard);
}

void SpoolWriter::flush(int64_t shard) {
  std::string& buffer = buffers_[shard];
  if (buffer.empty()) return;
  runs_[shard].push_back({file_.size(), static_cast<int64_t>(buffer.size())});
  file_.write(buffer);
  buffer.clear();
}

void SpoolWriter::finish(const TableLedger& ledger) {
  Json runs = Json::array();
  for (size_t shard = 0; shard < buffers_.size(); ++shard) {
    flush(static_cast<int64_t>(shard));
    Json& list = runs.emplace_back(Json::array());
    for (const SpoolRun& run : runs_[shard]) list.push_back({run.offset, run.size});
  }
  Json codes = Json::array(), components = Json::array();
  for (int32_t id = 0; id < codes_.size(); ++id) codes.push_back(std::string(codes_.text(id)));
  for (int32_t id = 0; id < components_.size(); ++id) {
    components.push_back(std::string(components_.text(id)));
  }
  const int64_t footer = file_.size();
  file_.write(json_text(
      {{"codes", codes}, {"components", components}, {"ledger", to_json(ledger)}, {"runs", runs}},
      -1));
  file_.write(&footer, sizeof footer);
  file_.commit();
}

SpoolFile::SpoolFile(const std::string& path) : file_(path) {
  const std::string fix = "remove it, and run the command again";
  if (file_.size() < sizeof(int64_t)) throw FileError(path, "it is cut off", fix);
  const size_t end = file_.size() - sizeof(int64_t);
  RecordReader last(file_.text().substr(end));
  const auto footer = last.take<int64_t>();
  if (footer < 0 || static_cast<size_t>(footer) > end) throw FileError(path, "it is damaged", fix);
  const Json json = parse_json(std::string(file_.text().substr(footer, end - footer)), path);
  codes_ = json.at("codes").get<std::vector<std::string>>();
  for (const std::string text : json.at("components")) {
    const size_t first = text.find(' '), second = text.find(' ', first + 1);
    components_.push_back({std::stoi(text.substr(0, first)),
                           std::stoi(text.substr(first + 1, second - first - 1)),
                           text.substr(second + 1)});
  }
  ledger_ = to_table_ledger(json.at("ledger"));
  for (const Json& list : json.at("runs")) {
    std::vector<SpoolRun>& runs = runs_.emplace_back();
    for (const Json& run : list) {
      runs.push_back({run.at(0), run.at(1)});
      if (runs.back().offset < 0 || runs.back().size < 0 ||
          runs.back().offset + runs.back().size > footer) {
        throw FileError(path, "it is damaged", fix);
      }
    }
  }
}

int64_t SpoolFile::num_bytes(int64_t shard) const {
  int64_t sum = 0;
  for (const SpoolRun& run : runs_[shard]) sum += run.size;
  return sum;
}

std::vector<std::string_view> SpoolFile::records(int64_t shard) const {
  std::vector<std::string_view> records;
  for (const SpoolRun& run : runs_[shard]) {
    RecordReader reader(file_.text().substr(run.offset, run.size));
    while (!reader.left().empty()) records.push_back(reader.take_text());
  }
  return records;
}

void SpoolFile::release(int64_t shard) const {
  for (const SpoolRun& run : runs_[shard]) {
    file_.release(std::span(file_.data() + run.offset, static_cast<size_t>(run.size)));
  }
}

}  // namespace sequela
