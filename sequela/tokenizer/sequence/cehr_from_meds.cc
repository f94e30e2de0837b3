#include "sequela/tokenizer/sequence/cehr_from_meds.h"

#include <algorithm>

#include "sequela/core/iso_time.h"

namespace sequela {
namespace {

constexpr const char* kInpatient = "Visit/IP";
constexpr const char* kEmergency = "Visit/ER";

bool begins_with_any(const std::string& code, const std::vector<std::string>& starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](const std::string& start) { return code.starts_with(start); });
}

// Types that name a stay outweigh an emergency, and that the rest.
int8_t type_weight(const std::string& type) {
  const CehrRecordOptions usual;
  const auto& stays = usual.stay_types;
  if (std::find(stays.begin(), stays.end(), type) == stays.end()) return 1;
  return type == kEmergency ? 2 : 3;
}

// Grouped by time alone, and without codes left out: they have their own roles here.
VisitOptions grouping_of(const CehrMedsOptions& options) {
  VisitOptions visits = options.visits;
  visits.group_by_type = false;
  return visits;
}

}  // namespace

CehrMedsConverter::CehrMedsConverter(const EventStore& store, CehrMedsOptions options)
    : store_(store),
      options_(std::move(options)),
      grouper_(store, grouping_of(options_)),
      number_column_(store.find_property("numeric_value")),
      text_column_(store.find_property("text_value")),
      unit_column_(store.find_property(options_.unit_column)),
      end_column_(store.find_property(options_.end_column)),
      unknown_type_(texts_.add("0")) {
  for (const std::string& code : store.codes()) roles_.push_back(role_of(code));
  for (const Property& property : store.properties()) {
    property_texts_.emplace_back(property.texts.size(), -1);
  }
}

CehrMedsConverter::CodeRole CehrMedsConverter::role_of(const std::string& code) {
  if (begins_with_any(code, options_.visit_types)) {
    return {Role::visit_type, type_weight(code), texts_.add(code)};
  }
  if (begins_with_any(code, options_.admissions)) {
    return {Role::visit_type, 3, texts_.add(kInpatient)};
  }
  if (begins_with_any(code, options_.emergencies)) {
    return {Role::visit_type, 2, texts_.add(kEmergency)};
  }
  for (const std::string& start : options_.discharges) {
    if (code.starts_with(start)) return {Role::discharge, 0, texts_.add(code.substr(start.size()))};
  }
  if (begins_with_any(code, options_.genders)) return {Role::gender, 0, texts_.add(code)};
  if (begins_with_any(code, options_.races)) return {Role::race, 0, texts_.add(code)};
  return {Role::event, 0, texts_.add(code)};
}

bool CehrMedsConverter::convert(const Subject& subject, CehrPatient* patient) {
  patient->id = subject.id;
  patient->birth_us = subject.birth_us;
  patient->gender = patient->race = unknown_type_;
  patient->visits.clear();
  patient->events.clear();
  if (subject.birth_us == kNoTime) return false;
  find_demographics(subject, patient);
  grouper_.group(subject);
  const auto items = grouper_.items();
  size_t at = 0;
  for (size_t v = 0; v < grouper_.spans().size(); ++v) {
    CehrVisit visit;
    visit.start_us = grouper_.spans()[v].start_us;
    visit.end_us = grouper_.spans()[v].end_us;
    visit.type = unknown_type_;
    visit.first_event = static_cast<int64_t>(patient->events.size());
    int8_t weight = 0;
    for (; at < items.size() && items[at].visit == static_cast<int64_t>(v); ++at) {
      add_item(subject, items[at], &visit, &weight, patient);
    }
    visit.num_events = static_cast<int64_t>(patient->events.size()) - visit.first_event;
    patient->visits.push_back(visit);
  }
  return !patient->visits.empty();
}

void CehrMedsConverter::find_demographics(const Subject& subject, CehrPatient* patient) const {
  for (int64_t i = 0; i < subject.num_events; ++i) {
    const CodeRole& role = roles_[static_cast<size_t>(subject.code(i))];
    if (role.role == Role::gender) patient->gender = role.text;
    if (role.role == Role::race) patient->race = role.text;
  }
}

void CehrMedsConverter::add_item(const Subject& subject, const VisitGrouper::Item& item,
                                 CehrVisit* visit, int8_t* weight, CehrPatient* patient) {
  const CodeRole& role = roles_[static_cast<size_t>(item.code)];
  if (role.role == Role::event) {
    patient->events.push_back(make_event(subject, item.event, role.text));
    return;
  }
  if (role.role == Role::discharge) visit->discharge = role.text;
  if (role.role != Role::visit_type || role.weight <= *weight) return;
  *weight = role.weight;
  visit->type = role.text;
  if (end_column_ < 0) return;
  const auto& property = store_.properties()[static_cast<size_t>(end_column_)];
  const int32_t text = subject.properties[static_cast<size_t>(end_column_)].text(item.event);
  if (text < 0) return;
  const auto end_us = parse_iso_time(property.texts[static_cast<size_t>(text)]);
  if (end_us) visit->end_us = std::max(visit->start_us, *end_us);
}

CehrEvent CehrMedsConverter::make_event(const Subject& subject, int64_t event, int32_t code) {
  CehrEvent out;
  out.time_us = subject.time_us(event);
  out.code = code;
  const auto values = [&](int column) { return subject.properties[static_cast<size_t>(column)]; };
  if (number_column_ >= 0) {
    if (const auto number = values(number_column_).number(event)) {
      out.has_number = true;
      out.number = *number;
    }
  }
  if (text_column_ >= 0) out.text = text_of(text_column_, values(text_column_).text(event));
  if (unit_column_ >= 0) out.unit = text_of(unit_column_, values(unit_column_).text(event));
  return out;
}

// The number of a property's text among ours.
int32_t CehrMedsConverter::text_of(int property, int32_t text) {
  if (text < 0) return -1;
  int32_t& known = property_texts_[static_cast<size_t>(property)][static_cast<size_t>(text)];
  if (known < 0) {
    const auto& texts = store_.properties()[static_cast<size_t>(property)].texts;
    known = texts_.add(texts[static_cast<size_t>(text)]);
  }
  return known;
}

}  // namespace sequela
