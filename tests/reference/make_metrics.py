"""Reference numbers of metrics with scikit-learn, statsmodels, dcurves, lifelines, scikit-survival and scipy.

    python -m venv metrics && metrics/bin/pip install scikit-learn==1.9.1 statsmodels==0.15.0 dcurves==1.1.7 \\
        lifelines==0.30.3 scikit-survival==0.28.0 scipy==1.17.1 numpy==2.4.6 pandas==2.3.3
    metrics/bin/python tests/reference/make_metrics.py

Writes metrics/binary.json, metrics/survival.json and metrics/classes.json: by case the inputs and what the peers make of them.
A case with "weights" has whole ones: the peers see each row as many times. DeLong's variance, which no peer has, and the
alert rates are computed here as they are defined, pair by pair and row by row.
"""

import json
import pathlib
import warnings

import dcurves
import lifelines
import numpy as np
import pandas as pd
import scipy.stats
import sklearn.calibration
import sklearn.metrics
import sksurv.metrics
import sksurv.nonparametric
import statsmodels.api as sm

FOLDER = pathlib.Path(__file__).resolve().parent / "metrics"
ALERT_RATES = (0.01, 0.05, 0.1)
THRESHOLDS = (0.05, 0.1, 0.2)


def calibration(scores, outcomes):
    """The slope and intercept of a logistic regression on the logit, and the intercept beside slope 1."""
    logits = np.log(scores / (1 - scores))
    fit = sm.Logit(outcomes, sm.add_constant(logits)).fit(disp=0, tol=1e-12, maxiter=200)
    offset = sm.GLM(outcomes, np.ones_like(logits), family=sm.families.Binomial(), offset=logits).fit(tol=1e-14)
    return {
        "calibration_slope": fit.params[1],
        "calibration_intercept": fit.params[0],
        "calibration_in_the_large": offset.params[0],
    }


def calibration_errors(scores, outcomes):
    rates, means = sklearn.calibration.calibration_curve(outcomes, scores, n_bins=10, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], scores)
    counts = np.bincount(bins, minlength=10)
    counts = counts[counts > 0]
    smooth = sm.nonparametric.lowess(outcomes, scores, frac=2 / 3, it=0, delta=np.ptp(scores) / 100, return_sorted=False)
    exact = sm.nonparametric.lowess(outcomes, scores, frac=2 / 3, it=0, delta=0)
    _, first = np.unique(exact[:, 0], return_index=True)
    return {
        "ece": np.sum(counts * np.abs(rates - means)) / len(scores),
        "ici": np.mean(np.abs(smooth - scores)),
    }, {"lowess_x": exact[first, 0], "lowess_y": exact[first, 1]}


def alerts(scores, outcomes):
    """Of the rows tied at the threshold, each is alerted with the probability that fills the rate."""
    found = {}
    for rate in ALERT_RATES:
        left, alerted = rate * len(scores), 0.0
        for score in -np.unique(-scores):
            tied = scores == score
            share = min(1.0, left / tied.sum())
            alerted += share * outcomes[tied].sum()
            left -= share * tied.sum()
        found[f"sensitivity_at_{rate:g}"] = alerted / outcomes.sum()
        found[f"ppv_at_{rate:g}"] = alerted / (rate * len(scores))
    return found


def net_benefits(scores, outcomes):
    frame = pd.DataFrame({"outcome": outcomes.astype(bool), "model": scores})
    table = dcurves.dca(frame, outcome="outcome", modelnames=["model"], thresholds=THRESHOLDS)
    table = table[table.model == "model"].set_index("threshold").net_benefit
    return {f"net_benefit_at_{threshold:g}": table[threshold] for threshold in THRESHOLDS}


def binary_figures(scores, outcomes):
    found = {
        "auroc": sklearn.metrics.roc_auc_score(outcomes, scores),
        "auprc": sklearn.metrics.average_precision_score(outcomes, scores),
        "brier": sklearn.metrics.brier_score_loss(outcomes, scores),
        "log_loss": sklearn.metrics.log_loss(outcomes, scores, labels=[0, 1]),
    }
    errors, curve = calibration_errors(scores, outcomes)
    found |= calibration(scores, outcomes) | errors | alerts(scores, outcomes) | net_benefits(scores, outcomes)
    return found, curve


def placements(scores, outcomes):
    difference = scores[outcomes == 1][:, None] - scores[outcomes == 0][None, :]
    return np.where(difference > 0, 1.0, np.where(difference == 0, 0.5, 0.0))


def delong(first, second, outcomes):
    """Equations 4 to 7 of DeLong, DeLong and Clarke-Pearson (1988), pair by pair."""
    kernels = [placements(scores, outcomes) for scores in (first, second)]
    by_positive = np.cov([kernel.mean(1) for kernel in kernels])
    by_negative = np.cov([kernel.mean(0) for kernel in kernels])
    covariance = by_positive / kernels[0].shape[0] + by_negative / kernels[0].shape[1]
    areas = [kernel.mean() for kernel in kernels]
    width = scipy.stats.norm.ppf(0.975)
    deviation = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return {
        "low": max(0.0, areas[0] - width * np.sqrt(covariance[0, 0])),
        "high": min(1.0, areas[0] + width * np.sqrt(covariance[0, 0])),
        "difference": areas[0] - areas[1],
        "difference_low": areas[0] - areas[1] - width * deviation,
        "difference_high": areas[0] - areas[1] + width * deviation,
        "p_value": 2 * scipy.stats.norm.sf(abs(areas[0] - areas[1]) / deviation),
    }


def binary_case(seed, count, decimals, rate, with_weights=False):
    random = np.random.default_rng(seed)
    truth = random.normal(np.log(rate / (1 - rate)), 1.3, count)
    outcomes = (random.random(count) < 1 / (1 + np.exp(-truth))).astype(int)
    first, second = (1 / (1 + np.exp(-(truth * slope + random.normal(0, 1, count)))) for slope in (0.9, 0.4))
    first = np.clip(np.round(first, decimals), 0.5 * 10.0**-decimals, 1 - 0.5 * 10.0**-decimals)
    second = np.round(second, decimals)
    first[-2:] = first.max()  # lowess of R and of statsmodels differ at a single last point
    weights = random.integers(0, 4, count) if with_weights else np.ones(count, dtype=int)
    rows = np.repeat(np.arange(count), weights)
    figures, curve = binary_figures(first[rows], outcomes[rows])
    case = {"scores": first, "other_scores": second, "outcomes": outcomes, "figures": figures, **curve}
    return case | ({"weights": weights} if with_weights else {"delong": delong(first, second, outcomes)})


def binary():
    return {
        "ties": binary_case(1, 300, 1, 0.3),
        "few_positive": binary_case(2, 500, 3, 0.05),
        "distinct": binary_case(3, 400, 9, 0.5),
        "weighted": binary_case(4, 250, 2, 0.2, with_weights=True),
    }


def survival_case(seed, count, decimals, censoring, with_weights=False):
    random = np.random.default_rng(seed)
    risk = random.normal(0, 1, count)
    times = np.round(random.exponential(np.exp(-0.7 * risk)) * 10, decimals) + 10.0**-decimals
    ends = np.round(random.exponential(10 / max(censoring, 1e-9), count), decimals) + 10.0**-decimals
    kinds = np.where(times <= ends, random.integers(1, 4, count).clip(1, 2), 0)
    seconds = np.minimum(times, ends)
    scores = np.round(risk * 0.8 + random.normal(0, 0.6, count), 2)
    horizons = np.quantile(seconds, [0.2, 0.5, 0.7])
    survival = np.exp(-np.outer(np.exp(0.5 * scores), horizons) / 12)
    weights = random.integers(0, 4, count) if with_weights else np.ones(count, dtype=int)
    case = {"times": seconds, "kinds": kinds, "scores": scores, "horizons": horizons, "survival": survival.ravel()}
    rows = np.repeat(np.arange(count), weights)
    case |= survival_figures(seconds[rows], kinds[rows], scores[rows], horizons, survival[rows])
    return case | ({"weights": weights} if with_weights else {})


def survival_figures(times, kinds, scores, horizons, survival):
    events = kinds > 0
    rows = sksurv.util.Surv.from_arrays(events, times)
    tau = horizons[-1]
    areas, mean_area = sksurv.metrics.cumulative_dynamic_auc(rows, rows, scores, horizons)
    curve = lifelines.KaplanMeierFitter().fit(times, events).survival_function_at_times(horizons)
    steps, incidence = sksurv.nonparametric.cumulative_incidence_competing_risks(kinds, times)
    places = np.searchsorted(steps, horizons, side="right") - 1
    return {
        "harrell": lifelines.utils.concordance_index(times, -scores, events),
        "harrell_sksurv": sksurv.metrics.concordance_index_censored(events, times, scores)[0],
        "uno": sksurv.metrics.concordance_index_ipcw(rows, rows, scores, tau)[0],
        "auc": areas,
        "mean_auc": mean_area,
        "brier": sksurv.metrics.brier_score(rows, rows, survival, horizons)[1],
        "integrated_brier": sksurv.metrics.integrated_brier_score(rows, rows, survival, horizons),
        "kaplan_meier": curve.to_numpy(),
        "incidence": incidence[1:, places].T.ravel(),
        "observed_by_group": observed_by_group(times, events, 1 - survival[:, 1], horizons[1]),
    }


def observed_by_group(times, events, risks, horizon, num_groups=5):
    """1 - Kaplan-Meier at the horizon in groups of nearly equal size by predicted risk, equal risks by row."""
    order = np.argsort(risks, kind="stable")
    edges = [len(order) * group // num_groups for group in range(num_groups + 1)]
    found = []
    for first, end in zip(edges, edges[1:]):
        rows = order[first:end]
        curve = lifelines.KaplanMeierFitter().fit(times[rows], events[rows])
        found.append(1 - curve.survival_function_at_times(horizon).iloc[0])
    return found


def survival():
    return {
        "ties": survival_case(11, 200, 0, 0.6),
        "distinct": survival_case(12, 250, 6, 0.4),
        "mostly_censored": survival_case(13, 300, 1, 4),
        "weighted": survival_case(14, 150, 0, 0.5, with_weights=True),
    }


def class_case(seed, count, num_classes, decimals, with_weights=False):
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, count)
    raw = random.gamma(0.7, size=(count, num_classes)) + 0.6 * np.eye(num_classes)[labels]
    probabilities = np.round(raw / raw.sum(1, keepdims=True), decimals)
    probabilities = np.round((probabilities + 0.01) / (probabilities + 0.01).sum(1, keepdims=True), 10)
    weights = random.integers(0, 4, count) if with_weights else np.ones(count, dtype=int)
    rows = np.repeat(np.arange(count), weights)
    y, p = labels[rows], probabilities[rows]
    case = {
        "probabilities": probabilities.ravel(),
        "labels": labels,
        "auroc": sklearn.metrics.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "hand_till": sklearn.metrics.roc_auc_score(y, p, multi_class="ovo", average="macro"),
        "log_loss": sklearn.metrics.log_loss(y, p),
        "accuracy": sklearn.metrics.accuracy_score(y, p.argmax(1)),
        "average_precision": sklearn.metrics.average_precision_score(np.eye(num_classes)[y], p, average="macro"),
        "confusion": sklearn.metrics.confusion_matrix(y, p.argmax(1), labels=range(num_classes)).ravel(),
    }
    return case | ({"weights": weights} if with_weights else {})


def regression_case(seed, count, decimals, with_weights=False):
    random = np.random.default_rng(seed)
    values = np.round(random.gamma(2, 3, count), decimals)
    predicted = np.round(values * 0.7 + random.normal(1, 2, count), decimals)
    weights = random.integers(0, 4, count) if with_weights else np.ones(count, dtype=int)
    rows = np.repeat(np.arange(count), weights)
    y, p = values[rows], predicted[rows]
    case = {
        "values": values,
        "predicted": predicted,
        "mae": sklearn.metrics.mean_absolute_error(y, p),
        "rmse": sklearn.metrics.root_mean_squared_error(y, p),
        "r2": sklearn.metrics.r2_score(y, p),
        "spearman": scipy.stats.spearmanr(y, p).statistic,
    }
    return case | ({"weights": weights} if with_weights else {})


def classes():
    return {
        "three": class_case(21, 200, 3, 1),
        "five_weighted": class_case(22, 300, 5, 2, with_weights=True),
        "regression_ties": regression_case(23, 150, 0),
        "regression_weighted": regression_case(24, 120, 3, with_weights=True),
    }


def plain(value):
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    return float(f"{value:.12g}") if isinstance(value, (float, np.floating)) else int(value)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    for name, numbers in {"binary": binary(), "survival": survival(), "classes": classes()}.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(plain(numbers), separators=(",", ":")) + "\n")
