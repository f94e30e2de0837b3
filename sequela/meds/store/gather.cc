#include "sequela/meds/store/gather.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "sequela/core/interrupt.h"

namespace sequela {
namespace {

// Numbers of a shard's codes and texts in the new shard.
struct Translation {
  std::vector<int32_t> codes;               // -1 = not met yet
  std::vector<std::vector<int32_t>> texts;  // by property
};

struct GatheredEvent {
  int64_t time_us = 0;
  std::string_view code;
  const ShardFile* shard = nullptr;
  int64_t place = 0;  // in the shard
};

bool is_birth(const GatheredEvent& event) {
  return event.code == kBirthCode;
}

bool is_before(const GatheredEvent& a, const GatheredEvent& b) {
  if (a.time_us != b.time_us) return a.time_us < b.time_us;
  if (is_birth(a) != is_birth(b)) return is_birth(a);
  return a.code < b.code;
}

class Gatherer {
 public:
  Gatherer(const std::vector<PropertyColumn>& properties, ShardBuilder* builder)
      : properties_(properties), builder_(builder), block_(properties) {}

  void add_subject(std::span<const SubjectPart> parts);
  void flush();

 private:
  void add_event(int64_t subject_id, const GatheredEvent& event);
  Translation& translation_of(const ShardFile* shard);
  int32_t translate_text(const ShardFile* shard, Translation* translation, size_t property,
                         int32_t local);

  const std::vector<PropertyColumn>& properties_;
  ShardBuilder* builder_;
  EventBlock block_;
  std::map<const ShardFile*, Translation> translations_;
  std::vector<GatheredEvent> events_;
};

void Gatherer::add_subject(std::span<const SubjectPart> parts) {
  events_.clear();
  for (const SubjectPart& part : parts) {
    const SubjectRow& row = part.subject();
    for (int64_t i = row.first_event; i < row.first_event + row.num_events; ++i) {
      events_.push_back(
          {part.shard->times_us[i], part.shard->code_table[part.shard->codes[i]], part.shard, i});
    }
  }
  const bool is_ordered =
      std::is_sorted(events_.begin(), events_.end(),
                     [](const auto& a, const auto& b) { return a.time_us < b.time_us; });
  if (parts.size() > 1 || !is_ordered) std::stable_sort(events_.begin(), events_.end(), is_before);
  for (const GatheredEvent& event : events_) add_event(parts[0].subject().id, event);
}

void Gatherer::add_event(int64_t subject_id, const GatheredEvent& event) {
  const ShardFile* shard = event.shard;
  Translation& translation = translation_of(shard);
  int32_t& code = translation.codes[shard->codes[event.place]];
  if (code < 0) code = builder_->add_code(event.code);
  const int64_t i = block_.size++;
  block_.subject_ids[i] = subject_id;
  block_.times_us[i] = event.time_us;
  block_.codes[i] = code;
  for (size_t p = 0; p < properties_.size(); ++p) {
    if (properties_[p].is_text) {
      block_.texts[p][i] = translate_text(shard, &translation, p, shard->texts[p][event.place]);
    } else {
      block_.numbers[p][i] = shard->numbers[p][event.place];
    }
  }
  if (block_.size == EventBlock::kMaxEvents) flush();
}

void Gatherer::flush() {
  if (block_.size > 0) builder_->append(block_);
  block_.size = 0;
}

Translation& Gatherer::translation_of(const ShardFile* shard) {
  Translation& translation = translations_[shard];
  if (translation.codes.empty()) {
    translation.codes.assign(shard->code_table.size(), -1);
    for (size_t p = 0; p < properties_.size(); ++p) {
      const int32_t size = properties_[p].is_text ? shard->text_tables[p].size() : 0;
      translation.texts.emplace_back(size, -1);
    }
  }
  return translation;
}

int32_t Gatherer::translate_text(const ShardFile* shard, Translation* translation, size_t property,
                                 int32_t local) {
  if (local < 0) return -1;
  int32_t& id = translation->texts[property][local];
  if (id < 0) id = builder_->add_text(property, shard->text_tables[property][local]);
  return id;
}

}  // namespace

void gather_subjects(const std::vector<SubjectPart>& parts,
                     const std::vector<PropertyColumn>& properties, ShardBuilder* builder) {
  Gatherer gatherer(properties, builder);
  for (size_t begin = 0; begin < parts.size();) {
    throw_if_stopped();
    size_t end = begin + 1;
    while (end < parts.size() && parts[end].subject().id == parts[begin].subject().id) ++end;
    gatherer.add_subject(std::span(parts).subspan(begin, end - begin));
    begin = end;
  }
  gatherer.flush();
}

void write_ordered_shard(const std::string& from, const ShardOptions& options,
                         const Digest& fingerprint) {
  {
    const ShardFile shard(from, options.properties);
    std::vector<SubjectPart> parts;
    for (size_t row = 0; row < shard.subjects.size(); ++row) {
      parts.push_back({&shard, static_cast<int64_t>(row)});
    }
    ShardBuilder builder(options);
    gather_subjects(parts, options.properties, &builder);
    builder.carry_over(shard.counters);
    builder.finish(fingerprint);
  }
  std::filesystem::remove(from);
}

}  // namespace sequela
