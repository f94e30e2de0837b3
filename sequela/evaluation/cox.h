#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sequela/evaluation/matrix.h"
#include "sequela/evaluation/survival_curves.h"

namespace sequela {

struct CoxOptions {
  // Minimises the mean over rows of the negative log partial likelihood + l2 / 2 * the sum of
  // squares of the weights of standardised features.
  double l2 = 1e-2;
  int max_steps = 500;
  double tolerance = 1e-6;  // largest absolute gradient entry at which it stops
};

// The hazard at time t is h(t) * exp(weights . (features - means)). What ends follow-up otherwise
// counts as censoring: the risk is that of the event where nothing else comes before.
struct CoxModel {
  std::vector<float> weights;
  std::vector<double> means;    // of the columns it was fitted on: no score is too large for exp
  StepCurve cumulative_hazard;  // of a row whose score is 0, as that of the means is; 0 at first

  std::vector<double> scores(const DenseMatrix& features) const;  // weights . (features - means)
  // Probability that no event has come by a time.
  double survival(double score, double time) const;
};

// Fits by L-BFGS; of events at one time each has all rows at risk then as rivals (Breslow's way),
// as has the cumulative hazard. Columns are brought to mean 0 and standard deviation 1, constant
// ones get weight 0. rows.weights are not used. std::invalid_argument if sizes do not fit, there is
// no event, or a feature is not finite.
//
// Source: Cox, Regression models and life-tables, Journal of the Royal Statistical Society B 34
// (1972), 187-220, and Breslow's discussion of it. Equals statsmodels' PHReg(ties="breslow").
CoxModel fit_cox(const DenseMatrix& features, const FollowUp& rows, const CoxOptions& options);

// The mean over events of the negative log partial likelihood of scores on other rows; NaN without
// an event.
double cox_loss(std::span<const double> scores, const FollowUp& rows);

// The regularisation, of these, with the least cox_loss on validation rows (the strongest of
// equals; the first without an event there).
struct CoxRows {
  const DenseMatrix& features;
  FollowUp rows;
};
CoxModel fit_cox_by_validation(const CoxRows& train, const CoxRows& validation,
                               std::span<const double> l2_choices);

}  // namespace sequela
