#include "sequela/meds/store/store_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/json.h"
#include "sequela/meds/store/store_merge.h"
#include "sequela/meds/text_rules.h"

namespace sequela {
namespace {

constexpr int64_t kEventsPerChunk = 250'000;

// The counters of a report, by name.
std::vector<std::pair<const char*, int64_t IngestReport::*>> report_fields() {
  return {{"num_shards", &IngestReport::num_shards},
          {"num_subjects", &IngestReport::num_subjects},
          {"num_events", &IngestReport::num_events},
          {"num_static_events", &IngestReport::num_static_events},
          {"num_codes", &IngestReport::num_codes},
          {"subjects_without_birth", &IngestReport::subjects_without_birth},
          {"subjects_with_several_births", &IngestReport::subjects_with_several_births},
          {"events_before_birth", &IngestReport::events_before_birth},
          {"non_finite_values", &IngestReport::non_finite_values},
          {"clipped_times", &IngestReport::clipped_times},
          {"rounded_values", &IngestReport::rounded_values}};
}

std::string describe(const StoreIndexOptions& options, const std::vector<std::string>& shards,
                     const IngestReport& report) {
  Json json;
  json["shards"] = shards;
  json["properties"] = Json::array();
  for (const PropertyColumn& property : options.properties) {
    json["properties"].push_back({{"name", property.name}, {"is_text", property.is_text}});
  }
  for (const auto& [name, field] : report_fields()) json["report"][name] = report.*field;
  return json_text(json);
}

// Subjects that lie in more than one shard, by id; their parts are adjacent.
std::vector<SubjectPart> find_twins(const std::vector<ShardFile>& shards,
                                    const StoreIndexOptions& options) {
  std::vector<SubjectPart> twins;
  std::optional<SubjectPlace> last;
  merge_subjects(shards, [&](const SubjectPlace& place) {
    if (last && last->id == place.id) {
      if (!options.repair) {
        throw DataError({.path = options.shards[place.shard].source, .subject_id = place.id},
                        "the subject is in " + options.shards[last->shard].source + " as well",
                        "put each subject into one shard, or give --repair");
      }
      if (twins.empty() || twins.back().subject().id != place.id) {
        twins.push_back({&shards[last->shard], last->row});
      }
      twins.push_back({&shards[place.shard], place.row});
    }
    last = place;
  });
  return twins;
}

// Writes the extra shard that holds the subjects of several shards.
std::string write_gathered_shard(const std::vector<SubjectPart>& twins,
                                 const StoreIndexOptions& options) {
  int64_t num_events = 0;
  for (const SubjectPart& part : twins) num_events += part.subject().num_events;
  std::string name = "gathered-" + to_hex(options.fingerprint).substr(0, 16) + ".events";
  ShardBuilder builder({.path = options.folder + "/" + name,
                        .properties = options.properties,
                        .num_events = num_events});
  gather_subjects(twins, options.properties, &builder);
  builder.finish(options.fingerprint);
  return name;
}

void write_strings(const std::vector<std::string_view>& texts, int section, SectionWriter* writer) {
  std::vector<uint64_t> ends(1, 0);
  for (std::string_view text : texts) ends.push_back(ends.back() + text.size());
  writer->add<uint64_t>(section, ends);
  writer->reserve(section + 1, ends.back());
  SectionAppender<char> bytes(writer, section + 1);
  for (std::string_view text : texts) {
    for (char c : text) bytes.push(c);
  }
  bytes.flush();
}

// The number that a text parses as, a null float if it does not.
float number_of(std::string_view text) {
  const std::optional<double> number = parse_python_float(text);
  if (!number) return __builtin_bit_cast(float, kNullFloatBits);
  return std::isnan(*number) ? std::numeric_limits<float>::quiet_NaN()
                             : static_cast<float>(*number);
}

struct LocalStrings {
  StringView table;
  StringMerger::IsUsed is_used;
};

// Writes an index section by section.
class IndexWriter {
 public:
  IndexWriter(const StoreIndexOptions& options, const std::vector<ShardFile>& shards,
              size_t num_twins, IngestReport* report)
      : options_(options),
        shards_(shards),
        num_twins_(num_twins),
        report_(report),
        writer_(options.folder + "/" + std::string(kIndexName), kIndexMagic, kIndexVersion,
                num_index_sections(options.properties.size())) {}

  void write();

 private:
  void write_subjects();
  void count_subject(const SubjectRow& row);
  void write_codes();
  void write_texts(size_t property);
  std::vector<std::string_view> write_merged(const std::vector<LocalStrings>& tables, int section,
                                             int map_section);
  void count_codes(size_t shard, const std::vector<int32_t>& map);
  size_t num_inputs() const { return shards_.size() - (num_twins_ > 0 ? 1 : 0); }

  const StoreIndexOptions& options_;
  const std::vector<ShardFile>& shards_;
  const size_t num_twins_;  // parts that the last shard replaces, 0 = there is no such shard
  IngestReport* report_;
  SectionWriter writer_;
  std::vector<Chunk> chunks_;
  std::vector<int64_t> code_counts_;
};

void IndexWriter::write() {
  write_subjects();
  throw_if_stopped();
  writer_.add<Chunk>(kChunks, chunks_);
  write_codes();
  for (size_t p = 0; p < options_.properties.size(); ++p) write_texts(p);
  std::vector<std::string> names;
  for (const ShardFile& shard : shards_) {
    names.push_back(shard.path().substr(shard.path().rfind('/') + 1));
  }
  for (size_t s = 0; s < num_inputs(); ++s) {
    const ShardCounters& counters = shards_[s].counters;
    report_->num_static_events += counters.num_static_events;
    report_->non_finite_values += counters.non_finite_values;
    report_->clipped_times += counters.clipped_times;
    report_->rounded_values += counters.rounded_values;
  }
  writer_.add_text(kDescription, describe(options_, names, *report_));
  writer_.commit(options_.fingerprint);
}

void IndexWriter::write_subjects() {
  size_t count = 0;
  for (const ShardFile& shard : shards_) count += shard.subjects.size();
  writer_.reserve(kPlaces, (count - num_twins_) * sizeof(SubjectPlace));
  SectionAppender<SubjectPlace> places(&writer_, kPlaces);
  merge_last_subjects(shards_, [&](const SubjectPlace& place) {
    places.push(place);
    count_subject(shards_[place.shard].subjects[place.row]);
  });
  places.flush();
}

void IndexWriter::count_subject(const SubjectRow& row) {
  if (chunks_.empty() || chunks_.back().num_events >= kEventsPerChunk) {
    chunks_.push_back({.first_subject = report_->num_subjects});
  }
  ++chunks_.back().num_subjects;
  chunks_.back().num_events += row.num_events;
  ++report_->num_subjects;
  report_->num_events += row.num_events;
  report_->subjects_without_birth += row.birth_us == kNoTime;
  report_->subjects_with_several_births += row.num_births > 1;
  report_->events_before_birth += row.num_before_birth;
}

void IndexWriter::write_codes() {
  std::vector<LocalStrings> tables;
  for (const ShardFile& shard : shards_) {
    tables.push_back({shard.code_table, [&shard](int32_t i) { return shard.code_counts[i] > 0; }});
  }
  const std::vector<std::string_view> codes = write_merged(tables, kAllCodeEnds, kCodeMaps);
  report_->num_codes = static_cast<int64_t>(codes.size());
  writer_.add<int64_t>(kAllCodeCounts, code_counts_);
}

void IndexWriter::write_texts(size_t property) {
  const int section = text_section(property);
  if (!options_.properties[property].is_text) {
    for (int i = 0; i < 5; ++i) writer_.reserve(section + i, 0);
    return;
  }
  std::vector<LocalStrings> tables;
  for (const ShardFile& shard : shards_) {
    tables.push_back({shard.text_tables[property], [](int32_t) { return true; }});
  }
  std::vector<float> numbers;
  for (std::string_view text : write_merged(tables, section, section + 3)) {
    numbers.push_back(number_of(text));
  }
  writer_.add<float>(section + 2, numbers);
}

// Writes the distinct strings at `section` and where each shard's strings are among them at
// `map_section`.
std::vector<std::string_view> IndexWriter::write_merged(const std::vector<LocalStrings>& tables,
                                                        int section, int map_section) {
  StringMerger merger;
  for (const LocalStrings& local : tables) merger.add(local.table, local.is_used);
  merger.sort();
  write_strings(merger.texts(), section, &writer_);
  std::vector<uint64_t> starts(1, 0);
  for (const LocalStrings& local : tables) starts.push_back(starts.back() + local.table.size());
  writer_.reserve(map_section, starts.back() * sizeof(int32_t));
  if (map_section == kCodeMaps) code_counts_.assign(merger.texts().size(), 0);
  for (size_t s = 0; s < tables.size(); ++s) {
    throw_if_stopped();
    const std::vector<int32_t> map = merger.map_of(tables[s].table, tables[s].is_used);
    writer_.write_at(map_section, starts[s] * sizeof(int32_t), map.data(),
                     map.size() * sizeof(int32_t));
    if (map_section == kCodeMaps) count_codes(s, map);
  }
  writer_.add<uint64_t>(map_section + 1, starts);
  return merger.texts();
}

// The gathered shard's events are counted where they came from.
void IndexWriter::count_codes(size_t shard, const std::vector<int32_t>& map) {
  if (shard >= num_inputs()) return;
  for (size_t i = 0; i < map.size(); ++i) {
    if (map[i] >= 0) code_counts_[map[i]] += shards_[shard].code_counts[i];
  }
}

}  // namespace

void write_store_index(const StoreIndexOptions& options, IngestReport* report) {
  std::vector<ShardFile> shards;
  for (const StoreShard& shard : options.shards) {
    shards.emplace_back(options.folder + "/" + shard.name, options.properties);
  }
  const std::vector<SubjectPart> twins = find_twins(shards, options);
  const size_t num_twins = twins.size();
  if (num_twins > 0) {
    const std::string name = write_gathered_shard(twins, options);
    shards.emplace_back(options.folder + "/" + name, options.properties);
  }
  report->num_shards = static_cast<int64_t>(options.shards.size());
  IndexWriter(options, shards, num_twins, report).write();
}

StoreDescription read_description(const SectionFile& index) {
  const Json json = parse_json(std::string(index.text(kDescription)), index.path());
  StoreDescription description;
  try {
    description.shards = json.at("shards").get<std::vector<std::string>>();
    for (const Json& property : json.at("properties")) {
      description.properties.push_back({property.at("name"), property.at("is_text")});
    }
    for (const auto& [name, field] : report_fields()) {
      description.report.*field = json.at("report").at(name).get<int64_t>();
    }
  } catch (const nlohmann::json::exception&) {
    index.fail("its description is damaged");
  }
  return description;
}

}  // namespace sequela
