#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/label/subject_scan.h"

namespace sequela {
namespace {

class StoreScan {
 public:
  StoreScan(const EventStore& store, const ScanTask& task) : store_(store), task_(task) {
    std::vector<std::string_view> codes(store.codes().begin(), store.codes().end());
    task.matcher->number(codes, &codes_);
    value_ = store.find_property("numeric_value");
    for (const ColumnRule& rule : task.rules.rules()) {
      rules_.push_back(store.find_property(rule.column));
    }
  }

  const SubjectRecord& read(int64_t index) {
    const Subject subject = store_.subject(index);
    record_.clear();
    record_.id = subject.id;
    record_.num_events = subject.num_events;
    for (int64_t i = 0; i < subject.num_events; ++i) add(subject, i);
    record_.order();
    return record_;
  }

 private:
  void add(const Subject& subject, int64_t i) {
    const int64_t time_us = subject.time_us(i);
    if (time_us != kNoTime) record_.add_time(time_us);
    const int32_t code = codes_[subject.code(i)];
    if (code == 0) return;
    MatchedEvent event{.time_us = time_us, .code = code, .value = kNullFloat};
    if (value_ >= 0) event.value = subject.properties[value_].number(i).value_or(kNullFloat);
    for (size_t r = 0; r < rules_.size(); ++r) {
      if (holds(task_.rules.rules()[r], rules_[r], subject, i)) event.columns |= uint32_t{1} << r;
    }
    (time_us == kNoTime ? record_.statics : record_.events).push_back(event);
  }

  bool holds(const ColumnRule& rule, int property, const Subject& subject, int64_t i) const {
    if (property < 0) return false;
    const PropertyValues values = subject.properties[property];
    if (!values.has_value(i)) return false;
    const Property& column = store_.properties()[property];
    if (column.is_text) return column.texts[values.text(i)] == rule.value;
    return is_rule_number(rule, *values.number(i));
  }

  const EventStore& store_;
  const ScanTask& task_;
  std::vector<int32_t> codes_;  // by code of the store
  int value_ = -1;
  std::vector<int> rules_;  // by rule: its property
  SubjectRecord record_;
};

}  // namespace

void scan_store(const EventStore& store, int64_t first_subject, int64_t end_subject,
                const ScanTask& task, const SubjectVisitor& visit) {
  StoreScan scan(store, task);
  for (int64_t s = first_subject; s < end_subject; ++s) visit(scan.read(s));
}

}  // namespace sequela
