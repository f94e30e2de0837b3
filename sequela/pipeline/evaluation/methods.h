#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sequela/pipeline/evaluation/method.h"
#include "sequela/pipeline/evaluation/records.h"

namespace sequela {

// What `sequela evaluate --methods` knows, in the order of the table.
inline constexpr std::string_view kMethodWords[] = {
    "probe",            // logistic regression on the bundle's embeddings
    "finetune",         // the bundle trained end to end
    "lora",             // likewise, low-rank changes of it
    "hazards",          // the bundle's own hazards, nothing trained
    "random",           // the probe on a random start of the bundle's shape
    "encoder",          // a probe on the embeddings of each --encoder
    "counts_trees",     // boosted trees on counts of codes and ancestors
    "counts_logistic",  // logistic regression on them
    "code_vectors",     // a probe on mean vectors of codes, learned from which stand together
    "age_sex",          // a probe on age and sex
};

// ConfigError for a word that is none of them, or one that lacks what it needs (--model, --hazard,
// --encoder), or an encoder whose name is another method's.
void check_method_words(const EvaluateMethodsOptions& options);

// The words that the options stand for: those given, else all that can be had but what trains a
// network.
std::vector<std::string> chosen_method_words(const EvaluateMethodsOptions& options);

// The methods of these words, an encoder's by its name; labels are those of the tasks, joined. All
// refer to the arguments, which must outlive them, and share features, which are made when they are
// first needed.
std::vector<std::unique_ptr<Method>> make_methods(const EvaluateMethodsOptions& options,
                                                  const EvaluationRecords& records,
                                                  std::span<const Label> labels,
                                                  const std::vector<LabelTask>& tasks,
                                                  const SubjectParts& parts);

}  // namespace sequela
