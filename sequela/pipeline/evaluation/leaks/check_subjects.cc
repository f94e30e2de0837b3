// Checks of who is on which side.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "sequela/core/error.h"
#include "sequela/core/random.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/leaks/leak_check.h"
#include "sequela/pipeline/learned_subjects.h"

namespace sequela {
namespace {

constexpr int64_t kMinEventsOfTwins = 5;

std::set<int64_t> subjects_of(const LabelTask& task, const std::vector<int64_t>& rows) {
  std::set<int64_t> subjects;
  for (const int64_t row : rows) subjects.insert(task.subject_ids[row]);
  return subjects;
}

std::set<int64_t> learned_from(const LabelTask& task) {
  std::set<int64_t> subjects = subjects_of(task, task.train);
  subjects.merge(subjects_of(task, task.validation));
  return subjects;
}

// Of a model's folder: how many of the subjects it has learned from, by set, as words.
struct LearnedCount {
  int64_t num = 0;
  std::string text;
};
LearnedCount count_learned(const SubjectSets& sets, const std::set<int64_t>& subjects) {
  LearnedCount count;
  std::set<int64_t> learned;
  for (const SubjectSets::Named& named : sets.sets()) {
    int64_t own = 0;
    for (const int64_t subject : subjects) {
      if (!named.filter.may_hold(subject)) continue;
      ++own;
      learned.insert(subject);
    }
    if (own > 0) count.text += str(count.text.empty() ? "" : ", ", own, " (", named.name, ")");
  }
  count.num = static_cast<int64_t>(learned.size());
  return count;
}

// A hash of all events of a subject: codes, values, and times since the first one, so that a copy
// whose dates were shifted is one, too.
uint64_t hash_of_record(const Subject& subject, int number) {
  uint64_t hash = hash_key(subject.num_events, 1);
  int64_t first_us = kNoTime;
  for (int64_t i = 0; i < subject.num_events; ++i) {
    int64_t time_us = subject.time_us(i);
    if (time_us != kNoTime) {
      if (first_us == kNoTime) first_us = time_us;
      time_us -= first_us;
    }
    hash = hash_key(hash, static_cast<uint64_t>(subject.code(i)), static_cast<uint64_t>(time_us));
    if (number < 0) continue;
    if (const auto value = subject.properties[number].number(i))
      hash = hash_key(hash, __builtin_bit_cast(uint32_t, *value));
  }
  return hash;
}

}  // namespace

LeakResult check_sides(const LabelTask& task) {
  LeakResult result{.check = "subjects_on_two_sides",
                    .title = "test subjects among those that are learned from",
                    .task = task.name};
  const std::set<int64_t> learned = learned_from(task), test = subjects_of(task, task.test);
  result.num_checked = static_cast<int64_t>(test.size());
  result.num_found =
      std::ranges::count_if(test, [&](int64_t subject) { return learned.contains(subject); });
  result.text = str(result.num_found, " of ", result.num_checked,
                    " test subjects have labels on the train or tuning side, too");
  if (result.num_found > 0) result.status = LeakStatus::found;
  return result;
}

LeakResult check_learned_subjects(const EvaluateMethodsOptions& options, const LabelTask& task) {
  LeakResult result{.check = "pretraining_subjects",
                    .title = "test subjects that a model was pretrained or tuned on",
                    .task = task.name};
  std::vector<std::string> models;
  if (!options.model.empty()) models.push_back(options.model);
  for (const std::string& encoder : options.encoders)
    models.push_back(parse_encoder_argument(encoder).path);
  if (models.empty()) {
    result.status = LeakStatus::not_checked;
    result.text = "there is no pretrained model";
    return result;
  }
  const std::set<int64_t> test = subjects_of(task, task.test);
  result.num_checked = static_cast<int64_t>(test.size());
  std::string silent;
  for (const std::string& model : models) {
    const std::string name = parse_encoder_argument(model).method;
    const std::optional<SubjectSets> sets = read_learned_subjects(model);
    if (!sets) {
      silent += (silent.empty() ? "" : ", ") + name;
      continue;
    }
    const LearnedCount count = count_learned(*sets, test);
    result.num_found = std::max(result.num_found, count.num);
    if (count.num > 0) {
      result.text += str(result.text.empty() ? "" : "; ", name, " has learned from ", count.num,
                         " of ", result.num_checked, " test subjects: ", count.text);
    }
  }
  if (result.num_found > 0) {
    result.status = LeakStatus::found;
  } else if (!silent.empty()) {
    result.status = LeakStatus::not_checked;
    result.text = silent + " does not say which subjects it has learned from";
  } else {
    result.text = str("none of ", result.num_checked, " test subjects");
  }
  return result;
}

LeakResult check_duplicates(const EvaluationRecords& records, const LabelTask& task) {
  LeakResult result{.check = "duplicated_patients",
                    .title = "test subjects whose record another one has, too",
                    .task = task.name};
  const std::set<int64_t> learned = learned_from(task), test = subjects_of(task, task.test);
  std::set<int64_t> all = learned;
  all.insert(test.begin(), test.end());
  const int number = records.store().find_property("numeric_value");
  std::unordered_map<uint64_t, std::vector<int64_t>> by_hash;
  for (const int64_t id : all) {
    const Subject subject = records.store().subject(*records.store().find_subject(id));
    if (subject.num_events < kMinEventsOfTwins) continue;
    by_hash[hash_of_record(subject, number)].push_back(id);
    ++result.num_checked;
  }
  int64_t num_of_one_side = 0;
  for (const auto& [hash, twins] : by_hash) {
    if (twins.size() < 2) continue;
    const auto is_learned = [&](int64_t id) { return learned.contains(id); };
    const auto num_test =
        std::ranges::count_if(twins, [&](int64_t id) { return test.contains(id); });
    if (num_test > 0 && std::ranges::any_of(twins, is_learned)) {
      result.num_found += num_test;
    } else {
      num_of_one_side += static_cast<int64_t>(twins.size());
    }
  }
  result.text = str(result.num_found, " of ", test.size(),
                    " test subjects have the same events as a subject on the train or tuning side");
  if (num_of_one_side > 0) {
    result.text += str("; ", num_of_one_side, " subjects have a double on their own side");
    result.status = LeakStatus::look;
  }
  if (result.num_found > 0) result.status = LeakStatus::found;
  return result;
}

}  // namespace sequela
