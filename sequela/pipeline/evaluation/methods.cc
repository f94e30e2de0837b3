#include "sequela/pipeline/evaluation/methods.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "sequela/core/error.h"
#include "sequela/core/suggest.h"
#include "sequela/pipeline/evaluation/inputs.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/methods/code_vector_features.h"
#include "sequela/pipeline/evaluation/methods/encoder_features.h"
#include "sequela/pipeline/evaluation/methods/feature_methods.h"
#include "sequela/pipeline/evaluation/methods/finetuned.h"
#include "sequela/pipeline/evaluation/methods/hazards.h"
#include "sequela/pipeline/evaluation/methods/kaplan_meier.h"
#include "sequela/pipeline/evaluation/methods/motor_features.h"
#include "sequela/pipeline/evaluation/task_files.h"

namespace sequela {
namespace {

// What a method needs that an option gives; empty = nothing.
std::string needed_option(std::string_view word, const EvaluateMethodsOptions& options) {
  const bool is_of_bundle = word == "probe" || word == "finetune" || word == "lora" ||
                            word == "hazards" || word == "random";
  if (is_of_bundle && options.model.empty()) return "--model";
  if (word == "hazards" && options.hazards.empty()) return "--hazard";
  if (word == "encoder" && options.encoders.empty()) return "--encoder";
  return "";
}

// An encoder's name is that of its method: in tables, and of its file.
void check_encoder_names(const EvaluateMethodsOptions& options) {
  std::set<std::string> taken = {"kaplan_meier"};
  for (const std::string_view word : kMethodWords) {
    if (word != "encoder") taken.emplace(word);
  }
  for (const std::string& argument : options.encoders) {
    const std::string name = parse_encoder_argument(argument).method;
    if (taken.insert(to_file_name(name)).second) continue;
    throw ConfigError(str("--encoder: there is a method named '", name,
                          "' already. Fix: give it another name, NAME=FOLDER."));
  }
}

// What features are made of; the methods keep copies.
struct FeatureInputs {
  const EvaluateMethodsOptions& options;
  const EvaluationRecords& records;
  std::span<const Label> labels;
  std::unordered_set<int64_t> held_out = {};  // subjects that nothing may be learned from

  std::shared_ptr<Lazy<DenseFeatures>> motor(MotorWeights weights) const {
    return std::make_shared<Lazy<DenseFeatures>>([inputs = *this, weights] {
      return motor_features(inputs.options, inputs.records, inputs.labels, weights);
    });
  }
  std::shared_ptr<Lazy<DenseFeatures>> age_and_sex() const {
    return std::make_shared<Lazy<DenseFeatures>>(
        [inputs = *this] { return age_and_sex_features(inputs.records, inputs.labels); });
  }
  std::shared_ptr<Lazy<DenseFeatures>> encoder(const std::string& folder) const {
    return std::make_shared<Lazy<DenseFeatures>>([inputs = *this, folder] {
      return encoder_features(inputs.options, folder, inputs.records, inputs.labels);
    });
  }
  std::shared_ptr<Lazy<DenseFeatures>> code_vectors() const {
    return std::make_shared<Lazy<DenseFeatures>>([inputs = *this] {
      return code_vector_features(inputs.records, inputs.labels, inputs.held_out,
                                  inputs.options.seed);
    });
  }
  std::shared_ptr<Lazy<SparseMatrix>> counts() const {
    return std::make_shared<Lazy<SparseMatrix>>(
        [inputs = *this] { return count_features(inputs.records, inputs.labels); });
  }
};

// Makes methods that share their features.
class MethodMaker {
 public:
  explicit MethodMaker(const FeatureInputs& inputs)
      : inputs_(inputs),
        embeddings_(inputs.motor(MotorWeights::bundle)),
        counts_(inputs.counts()) {}

  void add(const std::string& word, std::vector<std::unique_ptr<Method>>* methods) {
    const int threads = inputs_.options.num_threads;
    using Origin = DenseProbe::Origin;
    const auto add_probe = [&](const std::string& name, const char* title,
                               std::shared_ptr<Lazy<DenseFeatures>> features,
                               Origin origin = Origin::other) {
      methods->push_back(
          std::make_unique<DenseProbe>(name, title, std::move(features), threads, origin));
    };
    if (word == "probe") {
      add_probe(word, "logistic regression on the bundle's embeddings", embeddings_,
                Origin::pretrained);
    } else if (word == "hazards") {
      methods->push_back(std::make_unique<MotorHazards>(inputs_.options, embeddings_));
    } else if (word == "random") {
      add_probe(word, "logistic regression on embeddings of a random start",
                inputs_.motor(MotorWeights::random));
    } else if (word == "counts_trees") {
      methods->push_back(std::make_unique<SparseTrees>(
          word, "boosted trees on counts of codes and ancestors", counts_, threads));
    } else if (word == "counts_logistic") {
      methods->push_back(std::make_unique<SparseProbe>(
          word, "logistic regression on counts of codes and ancestors", counts_, threads));
    } else if (word == "finetune" || word == "lora") {
      methods->push_back(std::make_unique<FinetunedModel>(
          inputs_.options, word, word == "lora" ? Tuning::lora : Tuning::all));
    } else if (word == "encoder") {
      for (const std::string& argument : inputs_.options.encoders) {
        const NamedFile encoder = parse_encoder_argument(argument);
        add_probe(encoder.method, "logistic regression on the encoder's embeddings",
                  inputs_.encoder(encoder.path), Origin::pretrained);
      }
    } else if (word == "code_vectors") {
      add_probe(word, "logistic regression on mean vectors of codes (skip-gram)",
                inputs_.code_vectors());
    } else if (word == "age_sex") {
      add_probe(word, "logistic regression on age and sex", inputs_.age_and_sex());
    }
  }

 private:
  const FeatureInputs& inputs_;
  const std::shared_ptr<Lazy<DenseFeatures>> embeddings_;
  const std::shared_ptr<Lazy<SparseMatrix>> counts_;
};

}  // namespace

void check_method_words(const EvaluateMethodsOptions& options) {
  const std::vector<std::string> known(std::begin(kMethodWords), std::end(kMethodWords));
  for (const std::string& word : options.methods) {
    if (std::ranges::find(known, word) == known.end()) {
      std::string all;
      for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
      const std::string suggestion = did_you_mean(word, known);
      throw ConfigError(str("--methods: '", word, "' is not allowed", suggestion,
                            suggestion.empty() ? "." : "", " Fix: use some of ", all, "."));
    }
    const std::string option = needed_option(word, options);
    if (option.empty()) continue;
    throw ConfigError(
        str("--methods ", word, " needs ", option, ". Fix: give it, or leave out ", word, "."));
  }
  check_encoder_names(options);
}

std::vector<std::string> chosen_method_words(const EvaluateMethodsOptions& options) {
  std::vector<std::string> words;
  for (const std::string_view word : kMethodWords) {
    const bool is_wanted =
        options.methods.empty()
            ? word != "finetune" && word != "lora" && needed_option(word, options).empty()
            : std::ranges::find(options.methods, word) != options.methods.end();
    if (is_wanted) words.emplace_back(word);
  }
  return words;
}

std::vector<std::unique_ptr<Method>> make_methods(const EvaluateMethodsOptions& options,
                                                  const EvaluationRecords& records,
                                                  std::span<const Label> labels,
                                                  const std::vector<LabelTask>& tasks,
                                                  const SubjectParts& parts) {
  FeatureInputs inputs{options, records, labels};
  for (const LabelTask& task : tasks) {
    for (const int64_t row : task.test) inputs.held_out.insert(task.subject_ids[row]);
  }
  for (int64_t index = 0; index < records.store().num_subjects(); ++index) {
    const int64_t subject = records.store().subject_id(index);
    if (parts.of_subject(subject) == SplitPart::held_out) inputs.held_out.insert(subject);
  }
  MethodMaker maker(inputs);
  std::vector<std::unique_ptr<Method>> methods;
  for (const std::string& word : chosen_method_words(options)) maker.add(word, &methods);
  if (std::ranges::any_of(tasks, &LabelTask::is_survival))
    methods.push_back(std::make_unique<KaplanMeierMethod>());
  return methods;
}

}  // namespace sequela
