#include "sequela/tokenizer/sequence/encode_rows.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include "sequela/core/error.h"

namespace sequela {

void fail_row(int64_t row, const std::string& column, const std::string& problem,
              const std::string& fix) {
  Where where;
  where.row = row;
  where.column = column;
  throw DataError(where, problem, fix);
}

int64_t EncodeRows::add_patient() {
  has_nameless_ = true;
  subject_ids_.push_back(static_cast<int64_t>(subject_ids_.size()));
  return subject_ids_.back();
}

int64_t EncodeRows::patient_of(std::optional<int64_t> subject_id) {
  if (!subject_id) {
    if (nameless_ < 0) nameless_ = add_patient();
    return nameless_;
  }
  const auto [entry, is_new] = patients_.try_emplace(*subject_id, 0);
  if (is_new) {
    entry->second = static_cast<int64_t>(subject_ids_.size());
    subject_ids_.push_back(*subject_id);
    input_.has_subject_ids = true;
  }
  return entry->second;
}

int64_t EncodeRows::add_visit(int64_t patient, std::string_view name, int64_t time_us) {
  input_.has_times |= time_us != kNoTime;
  visits_.push_back({patient, time_us, std::string(name)});
  return static_cast<int64_t>(visits_.size()) - 1;
}

int64_t EncodeRows::visit_of(const RowPlace& place) {
  const int64_t patient = patient_of(place.subject_id);
  if (place.visit_name.empty() && place.is_own_visit) {
    return add_visit(patient, "", place.time_us);
  }
  // Patient and visit in one text: "7 v12", "7 #18262" (a day), "7 ".
  key_ = std::to_string(patient);
  if (!place.visit_name.empty())
    key_.append(" v").append(place.visit_name);
  else if (place.time_us != kNoTime)
    key_.append(" #").append(std::to_string(day_of(place.time_us)));
  if (last_visit_ < 0 || key_ != last_key_) {
    const auto [entry, is_new] = visits_by_key_.try_emplace(key_, -1);
    if (is_new) entry->second = add_visit(patient, place.visit_name, place.time_us);
    last_visit_ = entry->second;
    last_key_.swap(key_);
  }
  int64_t& time_us = visits_[static_cast<size_t>(last_visit_)].time_us;
  if (place.time_us != kNoTime) {
    time_us = time_us == kNoTime ? place.time_us : std::min(time_us, place.time_us);
    input_.has_times = true;
  }
  return last_visit_;
}

void EncodeRows::decide(Kind kind, int64_t row) {
  if (kind_ == Kind::undecided) kind_ = kind;
  if (kind_ == kind) return;
  fail_row(row, "code", "codes are numbers here and texts elsewhere",
           "give all codes as texts, or all as ids");
}

int32_t EncodeRows::know(std::string_view code, int64_t row) {
  if (code.empty()) fail_row(row, "code", "the code is missing");
  if (options_.code_kind != "ids") {
    decide(Kind::codes, row);
    return input_.code_texts.add(code);
  }
  int64_t id = 0;
  const auto [end, problem] = std::from_chars(code.data(), code.data() + code.size(), id);
  if (problem != std::errc() || end != code.data() + code.size() || id < 0 ||
      id > std::numeric_limits<int32_t>::max()) {
    fail_row(row, "code", "the id is not a whole number from 0 up");
  }
  decide(Kind::ids, row);
  return static_cast<int32_t>(id);
}

void EncodeRows::add_code(int64_t visit, std::string_view code, int64_t row) {
  add_known(visit, know(code, row));
}

void EncodeRows::add_id(int64_t visit, int64_t id, int64_t row) {
  if (options_.code_kind == "codes") return add_code(visit, std::to_string(id), row);
  if (id < 0 || id > std::numeric_limits<int32_t>::max()) {
    fail_row(row, "code", "the id is not a whole number from 0 up");
  }
  decide(Kind::ids, row);
  add_known(visit, static_cast<int32_t>(id));
}

// By patient, then by time, then as they came.
void EncodeRows::sort_visits(std::vector<int64_t>* order) const {
  order->resize(visits_.size());
  std::iota(order->begin(), order->end(), 0);
  std::stable_sort(order->begin(), order->end(), [&](int64_t a, int64_t b) {
    return std::pair(visits_[a].patient, visits_[a].time_us) <
           std::pair(visits_[b].patient, visits_[b].time_us);
  });
}

EncodeInput EncodeRows::finish(EncodeLevel level) {
  if (!options_.level.empty()) level = parse_encode_level(options_.level);
  input_.level = level;
  input_.has_ids = kind_ == Kind::ids;
  if (level == EncodeLevel::texts) return std::move(input_);
  if (has_nameless_ && input_.has_subject_ids) {
    fail_row(-1, "subject_id", "some rows have an id and others none", "give all of them an id");
  }
  std::vector<int64_t> order;
  sort_visits(&order);
  write_visits(order, level);
  return std::move(input_);
}

void EncodeRows::write_visits(const std::vector<int64_t>& order, EncodeLevel level) {
  // Codes of each visit, in their order: a counting sort.
  std::vector<int64_t> starts(visits_.size() + 1, 0);
  for (const Item& item : items_) ++starts[static_cast<size_t>(item.visit) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<int32_t> codes(items_.size());
  std::vector<int64_t> next(starts.begin(), starts.end() - 1);
  for (const Item& item : items_) codes[next[static_cast<size_t>(item.visit)]++] = item.code;

  PatientVisits& out = input_.visits;
  out.subject_ids = subject_ids_;
  const bool has_names =
      std::any_of(visits_.begin(), visits_.end(), [](const Visit& v) { return !v.name.empty(); });
  const bool drops = options_.max_visits > 0 && level == EncodeLevel::patients;
  const bool cuts = options_.max_codes > 0 && level != EncodeLevel::codes;
  size_t at = 0;
  for (size_t patient = 0; patient < subject_ids_.size(); ++patient) {
    size_t end = at;
    while (end < order.size() && visits_[order[end]].patient == static_cast<int64_t>(patient))
      ++end;
    const auto num_visits = static_cast<int64_t>(end - at);
    const int64_t num_dropped = drops ? std::max<int64_t>(0, num_visits - options_.max_visits) : 0;
    input_.num_visits_dropped += num_dropped;
    for (at += static_cast<size_t>(num_dropped); at < end; ++at) {
      const auto visit = static_cast<size_t>(order[at]);
      const int64_t size = starts[visit + 1] - starts[visit];
      const int64_t kept = cuts ? std::min(size, options_.max_codes) : size;
      input_.num_codes_cut += size - kept;
      const auto first = codes.begin() + starts[visit];
      out.codes.insert(out.codes.end(), first, first + kept);
      out.code_offsets.push_back(out.num_codes());
      out.visit_times_us.push_back(visits_[visit].time_us);
      out.visit_end_times_us.push_back(visits_[visit].time_us);
      if (has_names) input_.visit_names.push_back(visits_[visit].name);
    }
    out.visit_offsets.push_back(out.num_visits());
  }
}

}  // namespace sequela
