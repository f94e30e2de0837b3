#include "sequela/pipeline/live/event_line.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"

namespace sequela {
namespace {

constexpr const char* kForm =
    R"(write {"subject_id": 1, "time": "2020-01-31T23:59:59", "code": "...", )"
    R"("numeric_value": 1.5})";

[[noreturn]] void refuse(const char* column, const char* problem, const char* fix = kForm) {
  throw DataError({.column = column}, problem, fix);
}

// The value of a key, null if it is absent.
const Json& value_of(const Json& json, const char* key) {
  static const Json kNull;
  const auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

int64_t subject_id_of(const Json& json) {
  const Json& id = value_of(json, "subject_id");
  const bool is_too_large =
      id.is_number_unsigned() && id.get<uint64_t>() > std::numeric_limits<int64_t>::max();
  if (!id.is_number_integer() || is_too_large) refuse("subject_id", "no integer");
  return id.get<int64_t>();
}

int64_t time_of(const Json& json, ZoneRule zone_rule, TimeNotes* notes) {
  const Json& time = value_of(json, "time");
  if (time.is_null()) return kNoTime;
  const auto time_us = time.is_string()
                           ? text_time(time.get_ref<const std::string&>(), zone_rule, notes)
                           : std::nullopt;
  if (!time_us) refuse("time", "no time", "write times as 2020-01-31T23:59:59, or null if static");
  return *time_us;
}

std::optional<float> number_of(const Json& json) {
  const Json& number = value_of(json, "numeric_value");
  if (number.is_null()) return std::nullopt;
  try {
    return static_cast<float>(json_number(number, ""));
  } catch (const FileError&) {
    refuse("numeric_value", "no number", "write a number, or null");
  }
}

// Of a string or null.
std::string text_of(const Json& json, const char* key) {
  const Json& text = value_of(json, key);
  if (text.is_null()) return {};
  if (!text.is_string()) refuse(key, "no text");
  return text.get<std::string>();
}

void append_number(float value, std::string& out) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

std::string time_text(int64_t time_us) {
  std::string text = to_text(time_us);
  text[text.find(' ')] = 'T';
  return text;
}

}  // namespace

OwnedEvent to_event(const Json& json, ZoneRule zone_rule, TimeNotes* notes) {
  if (!json.is_object()) refuse("", "no JSON object");
  OwnedEvent event;
  event.subject_id = subject_id_of(json);
  try {
    event.time_us = time_of(json, zone_rule, notes);
    event.code = text_of(json, "code");
    if (event.code.empty()) refuse("code", "missing or empty", "give every event a code");
    event.number = number_of(json);
    event.text = text_of(json, "text_value");
  } catch (const DataError& error) {
    throw error.within({.subject_id = event.subject_id});
  }
  return event;
}

OwnedEvent parse_event_line(std::string_view line, ZoneRule zone_rule, TimeNotes* notes) {
  Json json;
  try {
    json = parse_json(std::string(line), "");
  } catch (const FileError&) {
    refuse("", "no JSON object");
  }
  return to_event(json, zone_rule, notes);
}

Json to_json(const OwnedEvent& event) {
  Json json = {{"subject_id", event.subject_id}};
  if (event.time_us != kNoTime) json["time"] = time_text(event.time_us);
  json["code"] = event.code;
  if (event.number) json["numeric_value"] = json_double(*event.number);
  if (!event.text.empty()) json["text_value"] = event.text;
  return json;
}

AnswerLines::AnswerLines(const std::vector<std::string>& tasks, int64_t hidden_size,
                         bool with_embedding)
    : hidden_size_(hidden_size), with_embedding_(with_embedding) {
  for (const std::string& task : tasks) quoted_tasks_.push_back(Json(task).dump());
}

void AnswerLines::append(const OwnedEvent& event, EventOutcome outcome, const float* embedding_H,
                         const float* risks_S, std::string& out) const {
  const bool has_answer = outcome != EventOutcome::nothing_yet;
  append_line(event, to_text(outcome), has_answer ? embedding_H : nullptr,
              has_answer ? risks_S : nullptr, out);
}

void AnswerLines::append_waiting(const OwnedEvent& event, std::string& out) const {
  append_line(event, "waits_for_birth", nullptr, nullptr, out);
}

void AnswerLines::append_line(const OwnedEvent& event, const char* outcome,
                              const float* embedding_H, const float* risks_S,
                              std::string& out) const {
  out += str("{\"subject_id\":", event.subject_id, ",\"time\":");
  out += event.time_us == kNoTime ? "null" : str('"', time_text(event.time_us), '"');
  out += str(",\"outcome\":\"", outcome, "\"");
  if (!quoted_tasks_.empty()) {
    out += ",\"risks\":";
    if (risks_S == nullptr) out += "null";
    for (size_t s = 0; s < quoted_tasks_.size() && risks_S != nullptr; ++s) {
      out += (s == 0 ? "{" : ",") + quoted_tasks_[s] + ":";
      append_number(risks_S[s], out);
      if (s + 1 == quoted_tasks_.size()) out += "}";
    }
  }
  if (with_embedding_) {
    out += ",\"embedding\":";
    if (embedding_H == nullptr) out += "null";
    for (int64_t h = 0; h < hidden_size_ && embedding_H != nullptr; ++h) {
      out += h == 0 ? "[" : ",";
      append_number(embedding_H[h], out);
      if (h + 1 == hidden_size_) out += "]";
    }
  }
  out += "}\n";
}

}  // namespace sequela
