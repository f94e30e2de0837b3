#include "sequela/pipeline/evaluation/few_shot_curve.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/random.h"
#include "sequela/evaluation/few_shot.h"
#include "sequela/pipeline/evaluation/label_features.h"
#include "sequela/pipeline/evaluation/report.h"

namespace sequela {
namespace {

constexpr int64_t kAllLabels = -1;

class FewShotRun {
 public:
  FewShotRun(const LabelTask& task, const BinaryTask& scored, const EvaluateMethodsOptions& options)
      : task_(task),
        scored_(scored),
        options_(options),
        max_k_(*std::ranges::max_element(options.shots)),
        test_outcomes_(values_at(task.outcomes, task.test)) {}

  FewShotCurve run(std::span<Method* const> methods) {
    std::vector<Method*> learning;
    for (Method* method : methods) {
      if (method->learns_from_few() && method->why_not(task_).empty()) learning.push_back(method);
    }
    fit(learning);
    for (const MethodScores& method : scored_.methods) {
      if (method.rows.size() != test_outcomes_.size()) continue;  // of outside, without some rows
      runs_.push_back({method.name, kAllLabels, {}});
      runs_.back().by_draw.emplace_back(method.probabilities, test_outcomes_);
    }
    return summarise();
  }

 private:
  void fit(const std::vector<Method*>& methods) {
    Progress progress(
        "few-shot " + task_.name,
        static_cast<int64_t>(methods.size() * options_.shots.size()) * options_.num_draws, "fits");
    for (Method* method : methods) {
      for (const int64_t k : options_.shots) {
        runs_.push_back({method->name(), k, {}});
        for (int draw = 0; draw < options_.num_draws; ++draw) {
          throw_if_stopped();
          runs_.back().by_draw.emplace_back(method->predict(task_, rows_of(k, draw)),
                                            test_outcomes_);
          progress.advance(1);
        }
      }
    }
  }

  // Both sides are drawn by their own key, as EHRSHOT draws either from one seed.
  LearningRows rows_of(int64_t k, int draw) const {
    const auto take = [&](const std::vector<int64_t>& rows, uint64_t side) {
      return draw_few_shots(rows, task_.outcomes, k, max_k_,
                            hash_key(options_.seed, static_cast<uint64_t>(draw), side));
    };
    return {take(task_.train, 0), take(task_.validation, 1)};
  }

  FewShotCurve summarise() const {
    const DrawnSummary summary(runs_, values_at(task_.subject_ids, task_.test),
                               {.num_resamples = options_.num_bootstraps,
                                .seed = options_.seed,
                                .num_threads = options_.num_threads});
    FewShotCurve curve;
    for (const DrawnResult& result : summary.results()) {
      const bool is_all = result.num_labels == kAllLabels;
      curve.points.push_back(
          {is_all ? std::nullopt : std::optional(result.num_labels),
           is_all ? static_cast<int64_t>(task_.train.size()) : 2 * result.num_labels, result});
    }
    for (size_t a = 0; a < runs_.size(); ++a) {
      for (size_t b = a + 1; b < runs_.size(); ++b) {
        if (runs_[a].num_labels == runs_[b].num_labels)
          curve.differences.push_back({a, b, summary.difference(a, b)});
      }
    }
    return curve;
  }

  const LabelTask& task_;
  const BinaryTask& scored_;
  const EvaluateMethodsOptions& options_;
  const int64_t max_k_;
  const std::vector<uint8_t> test_outcomes_;
  std::vector<DrawnScores> runs_;
};

Json k_json(const std::optional<int64_t>& k) {
  return k ? Json(*k) : Json();
}

Json test_with_holm(const PairedTest& test, double p_holm) {
  Json json = interval_json(test.difference);
  json["p_value"] = number_json(test.p_value);
  json["p_holm"] = number_json(p_holm);
  return json;
}

}  // namespace

FewShotCurve find_few_shot_curve(const LabelTask& task, std::span<Method* const> methods,
                                 const BinaryTask& scored, const EvaluateMethodsOptions& options) {
  if (options.shots.empty()) return {};
  return FewShotRun(task, scored, options).run(methods);
}

void adjust_few_shot_p_values(std::vector<FewShotCurve>& curves) {
  std::map<std::optional<int64_t>, std::vector<FewShotDifference*>> by_k;
  for (FewShotCurve& curve : curves) {
    for (FewShotDifference& difference : curve.differences)
      by_k[curve.points[difference.first].k].push_back(&difference);
  }
  for (const auto& [k, family] : by_k) {
    std::vector<double> aurocs, precisions;
    for (const FewShotDifference* difference : family) {
      aurocs.push_back(difference->test.auroc.p_value);
      precisions.push_back(difference->test.average_precision.p_value);
    }
    aurocs = adjust_by_holm(aurocs);
    precisions = adjust_by_holm(precisions);
    for (size_t i = 0; i < family.size(); ++i) {
      family[i]->auroc_p_holm = aurocs[i];
      family[i]->average_precision_p_holm = precisions[i];
    }
  }
}

Json to_json(const FewShotCurve& curve, const EvaluateMethodsOptions& options) {
  if (curve.points.empty()) return {};
  Json json = {{"rule", "EHRSHOT: k labels of each outcome to learn from and k to validate"},
               {"draws", options.num_draws},
               {"points", Json::array()},
               {"differences", Json::array()}};
  for (const FewShotCurve::Point& point : curve.points) {
    json["points"].push_back({{"method", point.result.method},
                              {"k", k_json(point.k)},
                              {"num_train", point.num_train},
                              {"auroc", interval_json(point.result.auroc)},
                              {"auprc", interval_json(point.result.average_precision)},
                              {"auroc_by_draw", point.result.auroc_by_draw},
                              {"auprc_by_draw", point.result.average_precision_by_draw}});
  }
  for (const FewShotDifference& row : curve.differences) {
    json["differences"].push_back(
        {{"first", curve.points[row.first].result.method},
         {"second", curve.points[row.second].result.method},
         {"k", k_json(curve.points[row.first].k)},
         {"auroc", test_with_holm(row.test.auroc, row.auroc_p_holm)},
         {"auprc", test_with_holm(row.test.average_precision, row.average_precision_p_holm)}});
  }
  return json;
}

}  // namespace sequela
