#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sequela/meds/subject_sets.h"

namespace sequela {

// The names of the sets in a model's subjects.filter.
inline constexpr const char* kPretrainTrain = "pretrain train";
inline constexpr const char* kPretrainValidation = "pretrain validation";
inline constexpr const char* kFinetuneTrain = "finetune train";
inline constexpr const char* kFinetuneValidation = "finetune validation";

// How subjects were dealt, as subjects.filter tells it (JSON).
std::string hash_split_rule(int64_t seed, double val_fraction);

// Writes the sets of what prepare made in `data` into a bundle's folder. False, and nothing is
// written, if there is no split.csv (as where femr prepared).
bool write_prepared_subjects(const std::string& data, const std::string& bundle);

// What a model's folder tells of the subjects it has learned from: subjects.filter, or femr's
// main_split.csv (or split.csv). Nothing if there is neither.
std::optional<SubjectSets> read_learned_subjects(const std::string& model);

}  // namespace sequela
