#include "sequela/meds/event_store.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/meds/store/shard_file.h"
#include "sequela/meds/store/store_index.h"

namespace sequela {
namespace {

bool is_value_property(const Property& property) {
  return property.name == "numeric_value" || property.name == "text_value";
}

// Where each shard's part of a map begins; checked to ascend to the end of the map.
std::span<const uint64_t> map_starts(const SectionFile& index, int section, size_t num_shards) {
  const auto starts = index.section<uint64_t>(section + 1);
  const auto map = index.section<int32_t>(section);
  if (starts.size() != num_shards + 1 || !std::is_sorted(starts.begin(), starts.end()) ||
      starts.back() != map.size()) {
    index.fail("a table of numbers is damaged");
  }
  return starts;
}

}  // namespace

struct EventStore::State {
  // A shard with what its local numbers mean.
  struct Shard {
    ShardFile file;
    const int32_t* code_ids = nullptr;
    std::vector<PropertyValues> properties;  // of the whole shard
  };

  explicit State(const std::string& folder);
  void read_properties(const std::vector<PropertyColumn>& columns);
  void open_shards(const std::string& folder, const StoreDescription& description);
  void check_places() const;
  StringView strings(int section) const;

  SectionFile index;
  std::span<const SubjectPlace> places;
  std::vector<Shard> shards;
  std::vector<std::string> codes;
  std::vector<int64_t> counts;
  std::vector<Property> properties;
  size_t num_value_properties = 0;
  std::vector<Chunk> chunks;
  int64_t num_events = 0;
};

EventStore::State::State(const std::string& folder)
    : index(folder + "/" + std::string(kIndexName), kIndexMagic, kIndexVersion) {
  const StoreDescription description = read_description(index);
  if (index.num_sections() != num_index_sections(description.properties.size())) {
    index.fail("its sections do not agree with its description");
  }
  const StringView code_table = strings(kAllCodeEnds);
  for (int32_t i = 0; i < code_table.size(); ++i) codes.emplace_back(code_table[i]);
  const auto stored_counts = index.section<int64_t>(kAllCodeCounts);
  counts.assign(stored_counts.begin(), stored_counts.end());
  if (counts.size() != codes.size()) index.fail("codes and counts do not agree");
  read_properties(description.properties);
  open_shards(folder, description);
  places = index.section<SubjectPlace>(kPlaces);
  const auto stored_chunks = index.section<Chunk>(kChunks);
  chunks.assign(stored_chunks.begin(), stored_chunks.end());
  check_places();
  num_events = description.report.num_events;
}

StringView EventStore::State::strings(int section) const {
  const StringView table{index.section<uint64_t>(section), index.text(section + 1)};
  if (!table.is_sound()) index.fail("a table of texts is damaged");
  return table;
}

void EventStore::State::read_properties(const std::vector<PropertyColumn>& columns) {
  for (size_t p = 0; p < columns.size(); ++p) {
    Property& property = properties.emplace_back(Property{columns[p].name, columns[p].is_text});
    if (is_value_property(property)) ++num_value_properties;
    if (!property.is_text) continue;
    const StringView table = strings(text_section(p));
    for (int32_t i = 0; i < table.size(); ++i) property.texts.push_back(table[i]);
    const auto numbers = index.section<float>(text_section(p) + 2);
    property.text_numbers.assign(numbers.begin(), numbers.end());
    if (numbers.size() != property.texts.size()) index.fail("texts and numbers do not agree");
  }
}

void EventStore::State::open_shards(const std::string& folder,
                                    const StoreDescription& description) {
  const size_t num_shards = description.shards.size();
  const auto code_starts = map_starts(index, kCodeMaps, num_shards);
  for (size_t s = 0; s < num_shards; ++s) {
    Shard& shard = shards.emplace_back(
        Shard{ShardFile(folder + "/" + description.shards[s], description.properties)});
    shard.code_ids = index.section<int32_t>(kCodeMaps).data() + code_starts[s];
    if (code_starts[s + 1] - code_starts[s] != shard.file.code_counts.size()) {
      index.fail("it does not fit " + shard.file.path());
    }
    for (size_t p = 0; p < properties.size(); ++p) {
      if (!properties[p].is_text) {
        shard.properties.push_back({.numbers = shard.file.numbers[p].data()});
        continue;
      }
      const int section = text_section(p) + 3;
      const auto starts = map_starts(index, section, num_shards);
      shard.properties.push_back({.local_texts = shard.file.texts[p].data(),
                                  .text_ids = index.section<int32_t>(section).data() + starts[s]});
    }
  }
}

void EventStore::State::check_places() const {
  for (const SubjectPlace& place : places) {
    if (place.shard >= shards.size() || place.row >= shards[place.shard].file.subjects.size()) {
      index.fail("a subject's place is outside its shard");
    }
  }
}

EventStore EventStore::open(const std::string& folder) {
  return EventStore(std::make_unique<State>(folder));
}

EventStore::EventStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventStore::EventStore(EventStore&&) noexcept = default;
EventStore& EventStore::operator=(EventStore&&) noexcept = default;
EventStore::~EventStore() = default;

int64_t EventStore::num_subjects() const {
  return static_cast<int64_t>(state_->places.size());
}
int64_t EventStore::num_events() const {
  return state_->num_events;
}
const std::vector<std::string>& EventStore::codes() const {
  return state_->codes;
}
const std::vector<int64_t>& EventStore::counts() const {
  return state_->counts;
}
int EventStore::find_property(const std::string& name) const {
  const std::vector<Property>& all = properties();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Property& property) { return property.name == name; });
  return found == all.end() ? -1 : static_cast<int>(found - all.begin());
}

const std::vector<Property>& EventStore::properties() const {
  return state_->properties;
}
const std::vector<Chunk>& EventStore::chunks() const {
  return state_->chunks;
}
int64_t EventStore::subject_id(int64_t index) const {
  return state_->places[index].id;
}

Subject EventStore::subject(int64_t index) const {
  const SubjectPlace& place = state_->places[index];
  const State::Shard& shard = state_->shards[place.shard];
  const SubjectRow& row = shard.file.subjects[place.row];
  const std::span<const PropertyValues> properties(shard.properties);
  Subject subject;
  subject.id = row.id;
  subject.birth_us = row.birth_us;
  subject.num_events = row.num_events;
  subject.times_us = shard.file.times_us.data() + row.first_event;
  subject.local_codes = shard.file.codes.data() + row.first_event;
  subject.code_ids = shard.code_ids;
  subject.properties = PropertyList(properties, row.first_event);
  subject.value_properties =
      PropertyList(properties.first(state_->num_value_properties), row.first_event);
  return subject;
}

void EventStore::release(int64_t first_subject, int64_t end_subject) const {
  // Neighbours by id lie in several shards, one for each split at least, and together in each: one
  // call to the system for all that a shard has of them.
  struct Span {
    uint32_t shard;
    int64_t first_event, end_event;
  };
  std::vector<Span> spans;
  for (int64_t i = first_subject; i < end_subject; ++i) {
    const uint32_t shard = state_->places[i].shard;
    const SubjectRow& row = state_->shards[shard].file.subjects[state_->places[i].row];
    spans.push_back({shard, row.first_event, row.first_event + row.num_events});
  }
  std::ranges::stable_sort(spans, {}, &Span::shard);
  for (size_t i = 0; i < spans.size();) {
    Span whole = spans[i];
    for (; i < spans.size() && spans[i].shard == whole.shard; ++i) {
      whole.first_event = std::min(whole.first_event, spans[i].first_event);
      whole.end_event = std::max(whole.end_event, spans[i].end_event);
    }
    state_->shards[whole.shard].file.release(whole.first_event, whole.end_event);
  }
}

std::optional<int64_t> EventStore::find_subject(int64_t subject_id) const {
  const auto& places = state_->places;
  const auto place =
      std::lower_bound(places.begin(), places.end(), subject_id,
                       [](const SubjectPlace& place, int64_t id) { return place.id < id; });
  if (place == places.end() || place->id != subject_id) return std::nullopt;
  return place - places.begin();
}

}  // namespace sequela
