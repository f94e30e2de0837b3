// Inputs of other people's making: Athena downloads, cohorts, folders of labels; and folders of
// runs.

#include <algorithm>
#include <filesystem>

#include "sequela/core/error.h"
#include "sequela/features/cohort.h"
#include "sequela/io/csv.h"
#include "sequela/io/file.h"
#include "sequela/meds/labels.h"
#include "sequela/ontology/athena_files.h"
#include "sequela/pipeline/inspect_parts.h"

namespace sequela {

namespace fs = std::filesystem;

std::string inspect_athena(const std::string& path) {
  const AthenaFiles files(path);
  Description description(path + ": Athena vocabulary download");
  for (const char* table :
       {AthenaFiles::kConcept, AthenaFiles::kRelationship, AthenaFiles::kAncestor}) {
    description.add(table, std::string(files.has(table) ? "there" : "missing"));
  }
  return description.text();
}

std::string inspect_cohort(const std::string& path) {
  const Cohort cohort = read_cohort_file(path, "");
  Description description(path + ": cohort");
  int64_t counts[3] = {};
  for (const auto& [id, member] : cohort.members) ++counts[static_cast<size_t>(member.split)];
  for (size_t split = 0; split < 3; ++split) {
    description.add(str(kCohortSplitNames[split], " subjects"), counts[split]);
  }
  if (!cohort.without_split.empty()) {
    description.add("rows without a split", static_cast<int64_t>(cohort.without_split.size()));
  }
  description.add("labels", cohort.has_labels ? "of its own" : "none of its own");
  return description.text();
}

std::string inspect_csv(const std::string& path) {
  const CsvReader csv(path, kDelimiterOfHeader, CsvQuoting::rfc4180);
  const auto has = [&](const char* name) { return csv.find_column_of_any_case(name).has_value(); };
  if (has("split_name")) return inspect_split(path);
  if (has("prediction_time") && has("reason")) {
    const std::string text = read_file(path);
    Description description(path + ": what was skipped");
    description.add("rows", std::count(text.begin(), text.end(), '\n') - 1);
    return description.text();
  }
  if (has("prediction_time")) return inspect_labels(path);
  if (has("dataset_split") || has("split")) return inspect_cohort(path);
  Description description(path + ": table of text");
  for (const std::string& name : csv.header()) description.add("column", name);
  return description.text();
}

std::string inspect_run(const std::string& path) {
  std::string text = path + ": folder of a training run\n";
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("checkpoint-") || name == "final")
      folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  for (const std::string& folder : folders) text += inspect(folder);
  return text;
}

}  // namespace sequela
