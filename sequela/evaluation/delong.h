#pragma once

#include "sequela/evaluation/bootstrap.h"
#include "sequela/evaluation/metrics.h"

namespace sequela {

// Intervals and tests of AUROCs without resampling. They hold for rows that are independent; where
// a subject has several, the bootstrap by subject is the one to trust. NaN with fewer than two
// positives or two negatives, and the test where the difference has no variance.
//
// Source: DeLong, DeLong and Clarke-Pearson, Comparing the areas under two or more correlated
// receiver operating characteristic curves, Biometrics 44 (1988), 837-845; O(n log n) as in Sun and
// Xu, IEEE Signal Processing Letters 21 (2014), 1389-1393.

// AUROC and its normal interval, cut to [0, 1].
Interval delong_interval(const ScoredOutcomes& scored, double level = 0.95);

// AUROC of a minus that of b, whose rows are the same in the same order; two-sided p-value.
PairedTest delong_test(const ScoredOutcomes& a, const ScoredOutcomes& b, double level = 0.95);

}  // namespace sequela
