#pragma once

#include <memory>
#include <string>

#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/method.h"

namespace sequela {

// Logistic regression whose regularisation is the one with the least log loss on the validation
// rows, fitted to the train rows alone (evaluation/probe.h). Rows of whose history nothing is known
// take no part in it; test rows among them get the share of positives among the train rows. Of
// times to an event it is Cox regression (evaluation/cox.h), and a row of which nothing is known
// gets the mean of the test rows' scores.
class DenseProbe : public Method {
 public:
  enum class Origin : uint8_t { pretrained, other };  // of the features

  DenseProbe(std::string name, std::string title, std::shared_ptr<Lazy<DenseFeatures>> features,
             int num_threads, Origin origin = Origin::other);
  std::string why_not(const LabelTask& /*task*/) const override { return ""; }
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;
  SurvivalScores predict_survival(const LabelTask& task, const LearningRows& rows,
                                  const std::vector<double>& horizons) override;
  const DenseFeatures* embeddings() override { return &features_->get(); }
  bool is_pretrained() const override { return origin_ == Origin::pretrained; }

 private:
  std::vector<int64_t> known_rows(const LabelTask& task, const std::vector<int64_t>& rows);

  const std::shared_ptr<Lazy<DenseFeatures>> features_;
  const int num_threads_;
  const Origin origin_;
};

// The same on sparse features, which every row has.
class SparseProbe : public Method {
 public:
  SparseProbe(std::string name, std::string title, std::shared_ptr<Lazy<SparseMatrix>> features,
              int num_threads);
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;

 private:
  const std::shared_ptr<Lazy<SparseMatrix>> features_;
  const int num_threads_;
};

// Gradient-boosted trees (evaluation/boosted_trees.h), as many as are best on the validation rows.
// With few rows to learn from, every tree sees all of them and a leaf may hold a single one.
class SparseTrees : public Method {
 public:
  SparseTrees(std::string name, std::string title, std::shared_ptr<Lazy<SparseMatrix>> features,
              int num_threads);
  std::string why_not(const LabelTask& task) const override;
  std::vector<double> predict(const LabelTask& task, const LearningRows& rows) override;

 private:
  const std::shared_ptr<Lazy<SparseMatrix>> features_;
  const int num_threads_;
};

}  // namespace sequela
