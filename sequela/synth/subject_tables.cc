#include "sequela/synth/subject_tables.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/synth/shards.h"

namespace sequela {
namespace {

Table to_split_table(const std::vector<SubjectTruth>& subjects) {
  std::vector<int64_t> ids;
  std::vector<std::string> splits;
  for (const SubjectTruth& subject : subjects) {
    ids.push_back(subject.person.id);
    splits.emplace_back(kSynthSplits[synth_split_of(subject.person.id)]);
  }
  return {{.name = "subject_id", .values = ids}, {.name = "split", .values = splits}};
}

}  // namespace

SubjectTables::SubjectTables(const std::string& folder, Flares flares) {
  for (const char* below : {"/meds/metadata", "/labels", "/truth"})
    std::filesystem::create_directories(folder + below);
  const auto add = [&](const std::string& path, auto table) {
    outputs_.push_back({std::make_unique<ParquetWriter>(folder + path + ".parquet"), table});
  };
  add("/meds/metadata/subject_splits",
      [](const SynthRows& rows) { return to_split_table(rows.subjects); });
  for (int i = 0; i < num_synth_tasks(flares); ++i) {
    const auto task = static_cast<SynthTask>(i);
    add(str("/labels/", task_name(task)),
        [task](const SynthRows& rows) { return to_label_table(rows.labels, task); });
  }
  add("/labels",
      [](const SynthRows& rows) { return to_label_table(rows.labels, SynthTask::count); });
  add("/truth/subjects", [](const SynthRows& rows) { return to_subject_table(rows.subjects); });
  add("/truth/diseases", [](const SynthRows& rows) { return to_disease_table(rows.subjects); });
  add("/truth/label_probabilities",
      [](const SynthRows& rows) { return to_probability_table(rows.labels); });
}

void SubjectTables::add(int64_t shard, SynthRows rows) {
  const std::lock_guard lock(mutex_);
  report_.num_shards += !rows.subjects.empty();
  Block& block = waiting_[shard / kShardsPerBlock];
  std::ranges::move(rows.subjects, std::back_inserter(block.rows.subjects));
  std::ranges::move(rows.labels, std::back_inserter(block.rows.labels));
  ++block.num_shards;
  for (auto next = waiting_.begin(); next != waiting_.end() && next->first == next_block_ &&
                                     next->second.num_shards == kShardsPerBlock;
       next = waiting_.erase(next), ++next_block_) {
    write(std::move(next->second.rows));
  }
}

void SubjectTables::write(SynthRows rows) {
  std::ranges::sort(rows.subjects, {}, [](const SubjectTruth& s) { return s.person.id; });
  std::ranges::stable_sort(rows.labels, {}, &TaskLabel::subject_id);
  for (const Output& output : outputs_) output.writer->write(output.table(rows));
  count(rows);
}

void SubjectTables::count(const SynthRows& rows) {
  report_.num_subjects += static_cast<int64_t>(rows.subjects.size());
  for (const SubjectTruth& subject : rows.subjects) {
    report_.num_events += subject.num_events;
    report_.num_deaths += subject.person.is_dead();
  }
  for (const TaskLabel& label : rows.labels) {
    auto& count = report_.tasks[static_cast<size_t>(label.task)];
    ++count.num_labels;
    count.num_positive += label.value;
  }
}

SynthReport SubjectTables::finish() {
  SEQUELA_CHECK(waiting_.empty());
  for (const Output& output : outputs_) output.writer->finish();
  return report_;
}

}  // namespace sequela
