#include "sequela/meds/check_dataset.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"
#include "sequela/io/parquet.h"
#include "sequela/meds/check/findings.h"
#include "sequela/meds/check/shard_check.h"
#include "sequela/meds/dataset.h"

namespace sequela {
namespace {

// codes.parquet beside the codes of the data.
void check_codes(const Dataset& dataset, const std::unordered_map<std::string, CheckedCode>& codes,
                 MedsFindings* findings) {
  for (const auto& [code, facts] : codes) {
    if (facts.has_several_units)
      findings->add(FindingWeight::look, "codes with several units", code);
  }
  if (!dataset.codes_path)
    return findings->add(FindingWeight::look, "no metadata/codes.parquet", "");
  std::unordered_set<std::string> known;
  try {
    ParquetReader reader(*dataset.codes_path);
    reader.read({reader.require_column("code", {ColumnType::string})}, [&](const RowBatch& batch) {
      for (int64_t i = 0; i < batch.num_rows; ++i) {
        const std::string code(batch.columns[0].text(i));
        if (!known.insert(code).second)
          findings->add(FindingWeight::fault, "a code twice in codes.parquet", code);
      }
    });
  } catch (const DataError& error) {
    return findings->add(FindingWeight::fault, "a file that cannot be read",
                         "metadata/codes.parquet: " + error.problem());
  }
  std::set<std::string> missing;
  for (const auto& [code, facts] : codes) {
    if (!known.contains(code)) missing.insert(code);
  }
  for (const std::string& code : missing)
    findings->add(FindingWeight::look, "codes without a row in codes.parquet", code);
}

void check_splits(const Dataset& dataset, const std::vector<int64_t>& subjects,
                  MedsFindings* findings) {
  if (!dataset.splits_path) return;
  std::unordered_set<int64_t> split;
  try {
    for (const SubjectSplitRow& row : read_subject_splits(*dataset.splits_path))
      split.insert(row.subject_id);
  } catch (const DataError& error) {
    return findings->add(FindingWeight::fault, "subject_splits.parquet is not as it should be",
                         error.problem());
  }
  size_t num_found = 0;
  for (const int64_t subject : subjects) {
    if (split.contains(subject))
      ++num_found;
    else
      findings->add(FindingWeight::look, "subjects that subject_splits.parquet lacks",
                    str("subject ", subject));
  }
  findings->add(FindingWeight::look, "subjects of subject_splits.parquet without events", "",
                static_cast<int64_t>(split.size() - num_found));
}

}  // namespace

MedsCheck check_meds(const std::string& path, int num_threads) {
  const Dataset dataset = find_dataset(path);
  if (dataset.kind != DatasetKind::parquet) {
    throw DataError({.path = path}, "this is a meds_reader database",
                    "name the MEDS folder that it was made of");
  }
  MedsCheck check;
  check.num_shards = static_cast<int64_t>(dataset.shards.size());
  std::vector<CheckedShard> facts(dataset.shards.size());
  Progress progress("check", check.num_shards, "shards");
  parallel_for(check.num_shards, num_threads, [&](int64_t i, int) {
    facts[i] = check_shard(dataset.shards[i], dataset.name_of(dataset.shards[i]));
    progress.advance(1);
  });
  MedsFindings findings;
  std::vector<int64_t> subjects;
  std::unordered_map<std::string, CheckedCode> codes;
  for (size_t shard = 0; shard < facts.size(); ++shard) {
    findings.add(facts[shard].findings);
    check.num_events += facts[shard].num_events;
    subjects.insert(subjects.end(), facts[shard].subjects.begin(), facts[shard].subjects.end());
    for (const auto& [code, of_shard] : facts[shard].codes) {
      CheckedCode& all = codes[code];
      const bool differs = !all.unit.empty() && !of_shard.unit.empty() && all.unit != of_shard.unit;
      all.has_several_units = all.has_several_units || of_shard.has_several_units || differs;
      if (all.unit.empty()) all.unit = of_shard.unit;
    }
    facts[shard] = {};
  }
  std::ranges::sort(subjects);
  for (size_t i = 1; i < subjects.size(); ++i) {
    if (subjects[i] == subjects[i - 1])
      findings.add(FindingWeight::fault, "a subject in two shards", str("subject ", subjects[i]));
  }
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  check.num_codes = static_cast<int64_t>(codes.size());
  check.num_subjects = static_cast<int64_t>(subjects.size());
  if (subjects.empty()) findings.add(FindingWeight::look, "no subject at all", "");
  check_codes(dataset, codes, &findings);
  check_splits(dataset, subjects, &findings);
  check.findings = findings.list();
  return check;
}

}  // namespace sequela
