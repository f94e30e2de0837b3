#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sequela/evaluation/survival_report.h"
#include "sequela/pipeline/evaluation/label_task.h"
#include "sequela/run/recipe.h"

namespace sequela {

struct DenseFeatures;  // label_features.h

// Rows of a task to learn from; a row may stand more than once. `key` is of what else is random.
struct LearningRows {
  std::vector<int64_t> train, validation;
  uint64_t key = 0;
};

// One way to predict a task's outcomes: it learns from some rows and says a probability for each
// test row. Not for use by two threads at a time.
class Method {
 public:
  // name: a short word for tables and files; title: what it is, in a few words.
  Method(std::string name, std::string title) : name_(std::move(name)), title_(std::move(title)) {}
  virtual ~Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  const std::string& name() const { return name_; }
  const std::string& title() const { return title_; }

  // Why it can say nothing of a task, in words; empty if it can.
  virtual std::string why_not(const LabelTask& task) const;
  // Whether it learns from labels at all, and fast enough to learn from many draws of few.
  virtual bool learns() const { return true; }
  virtual bool learns_from_few() const { return learns(); }

  // Probabilities of the test rows, in their order. The train rows have both outcomes, the
  // validation rows perhaps not.
  virtual std::vector<double> predict(const LabelTask& task, const LearningRows& rows) = 0;

  // Of times to an event: of each test row a score, and the probability that no event has come by
  // each horizon in days. std::logic_error for a method that why_not() keeps from it.
  virtual SurvivalScores predict_survival(const LabelTask& task, const LearningRows& rows,
                                          const std::vector<double>& horizons);

  // What it learns from, a row a label of all tasks, if that is an embedding of histories; else
  // null.
  virtual const DenseFeatures* embeddings() { return nullptr; }
  // Whether these are a pretrained model's.
  virtual bool is_pretrained() const { return false; }

  // Adds the settings and inputs, beside records, labels and split, that decide what it says.
  virtual void describe(const LabelTask& /*task*/, RunRecipe& /*recipe*/) const {}

 private:
  const std::string name_, title_;
};

}  // namespace sequela
