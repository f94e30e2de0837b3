#include "sequela/pipeline/evaluation/history_subgroups.h"

#include <algorithm>

#include "sequela/core/error.h"
#include "sequela/core/time.h"
#include "sequela/meds/subgroups.h"
#include "sequela/pipeline/evaluation/person_reader.h"

namespace sequela {
namespace {

// A column from the group of each label, empty = none; its values ascending.
SubgroupColumn to_column(std::string name, const std::vector<std::string>& groups) {
  SubgroupColumn column{.name = std::move(name)};
  column.values = groups;
  std::ranges::sort(column.values);
  column.values.erase(std::unique(column.values.begin(), column.values.end()), column.values.end());
  std::erase(column.values, "");
  for (const std::string& group : groups) {
    const auto place = std::ranges::find(column.values, group) - column.values.begin();
    column.value_of.push_back(group.empty() ? -1 : static_cast<int32_t>(place));
  }
  return column;
}

const char* sex_group(AgeAndSex::Sex sex) {
  if (sex == AgeAndSex::Sex::unknown) return "";
  return sex == AgeAndSex::Sex::female ? "female" : "male";
}

// Which codes of the records are a concept or stand below it.
std::vector<uint8_t> codes_under(const EvaluationRecords& records,
                                 const std::string& concept_code) {
  const auto node = records.ontology().find(concept_code);
  if (!node) {
    throw ConfigError("subgroup-code", concept_code,
                      "a code of the records, or an ancestor of one in their ontology");
  }
  std::vector<uint8_t> is_under;
  for (const int32_t own : records.ontology().nodes_of(records.store().codes()))
    is_under.push_back(std::ranges::binary_search(records.ontology().all_parents(own), *node));
  return is_under;
}

}  // namespace

std::vector<SubgroupColumn> history_subgroups(const EvaluationRecords& records,
                                              std::span<const Label> labels,
                                              const std::vector<std::string>& codes) {
  const PersonReader reader(records.store());
  std::vector<std::vector<uint8_t>> is_under;
  for (const std::string& code : codes) is_under.push_back(codes_under(records, code));
  std::vector<std::string> sexes, ages;
  std::vector<std::vector<std::string>> before(codes.size());
  for (const Label& label : labels) {
    const Subject history = records.history(label).value_or(Subject{});
    const AgeAndSex person = reader.at(history, label.prediction_time_us);
    sexes.emplace_back(sex_group(person.sex));
    ages.emplace_back(history.birth_us == kNoTime ? "" : age_band(person.age_days / kDaysPerYear));
    for (size_t c = 0; c < codes.size(); ++c) {
      bool is_there = false;
      for (int64_t i = 0; i < history.num_events && !is_there; ++i)
        is_there = is_under[c][history.code(i)] != 0;
      before[c].emplace_back(is_there ? "yes" : "no");
    }
  }
  std::vector<SubgroupColumn> columns = {to_column("sex", sexes), to_column("age", ages)};
  for (size_t c = 0; c < codes.size(); ++c)
    columns.push_back(to_column(codes[c] + " before", before[c]));
  std::erase_if(columns, [](const SubgroupColumn& column) { return column.values.empty(); });
  return columns;
}

}  // namespace sequela
