"""How good predictions are, whoever made them: of binary outcomes, times to an event, numbers."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sequela import _core
from sequela._options import fill
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job

__all__ = ["evaluate_predictions", "evaluate_regression", "evaluate_survival"]

Path = str | os.PathLike[str]


def named_files(files: Path | Mapping[str, Path] | None) -> list[str]:
    """A file or a mapping from names to files as the command's arguments."""
    if files is None:
        return []
    if isinstance(files, Mapping):
        return [f"{name}={os.fspath(file)}" for name, file in files.items()]
    return [os.fspath(files)]


def evaluate_predictions(
    predictions: Path | Mapping[str, Path],
    out: Path,
    *,
    labels: Path | Mapping[str, Path] | None = None,
    subgroups: Path | None = None,
    num_bootstraps: int = 1000,
    seed: int = 1,
    time_zone: str = "utc",
    num_threads: int = 0,
    progress: ShowProgress = True,
) -> dict[str, Any]:
    """Metrics of binary predictions with 95 % intervals by a bootstrap of subjects, as `sequela evaluate`.

    Args:
        predictions: Parquet in meds-evaluation's schema: subject_id, prediction_time, predicted_boolean_probability
            and, unless labels are given, boolean_value. A file, or files by method: {"motor": ..., "trees": ...} or, of
            several tasks, {"death:motor": ..., "readmission:motor": ...}.
        out: folder for metrics.json, metrics.csv, curves.json, metrics.txt and report.html.
        labels: outcomes of rows that have none (MEDS label schema): a file, or files by task.
        subgroups: Parquet with subject_id, prediction_time where rows of one subject differ, and columns of groups.
        num_bootstraps, seed: resamples of the subjects.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        num_threads: 0 = all; changes no digit.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        What metrics.json holds: tasks, each with methods (figures {value, low, high, why_not} by name, those of
        subgroups, and gaps between them) and differences between each two methods (with p_value and p_holm).
        None = not defined; why_not tells why.

    Raises:
        DataError, ConfigError, FileError, ResourceError.
    """
    options = fill(
        _core.EvaluateOptions(),
        predictions=named_files(predictions),
        labels=named_files(labels),
        subgroups=subgroups,
        out=out,
        num_bootstraps=num_bootstraps,
        seed=seed,
        time_zone=time_zone,
        num_threads=to_num_threads(num_threads),
    )
    return json.loads(run_job(_core.evaluate_predictions, options, progress))


def _figures(figures: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """By name: value, low, high (None = not defined) and, where one is missing, why_not."""
    found: dict[str, dict[str, Any]] = {}
    for figure in figures:
        interval = {side: getattr(figure.interval, side) for side in ("value", "low", "high")}
        found[figure.name] = {side: None if math.isnan(number) else number for side, number in interval.items()}
        if figure.why_not:
            found[figure.name]["why_not"] = figure.why_not
    return found


def _list(values: Any, dtype: Any) -> list[Any]:
    return np.asarray(values, dtype).ravel().tolist()  # type: ignore[no-any-return]


def evaluate_survival(
    times: Any,
    events: Any,
    scores: Any,
    *,
    horizons: Sequence[float] = (),
    survival: Any = None,
    subjects: Any = None,
    num_resamples: int = 1000,
    seed: int = 1,
) -> dict[str, dict[str, Any]]:
    """Metrics of predicted times to an event, with 95 % intervals by a bootstrap of subjects.

    Args:
        times: [n], to the event or the end of follow-up.
        events: [n], 0 = censored, any other number = an event.
        scores: [n], higher = sooner.
        horizons: [T], ascending, for the figures at times.
        survival: [n, T], probability that no event has come by each horizon; None = no Brier score.
        subjects: [n], ids; None = each row is a subject of its own.
        num_resamples, seed: of the bootstrap.

    Returns:
        By name (harrell_c, uno_c, mean_auc, integrated_brier, auc_at_t, brier_at_t, observed_expected_at_t): value,
        low, high, and why_not where one is None. Definitions: docs/evaluate.md.

    Raises:
        ValueError: sizes that do not fit, numbers that are not finite.
    """
    kinds = (np.asarray(events) != 0).ravel()
    return _figures(
        _core.evaluate_survival(
            _list(times, np.float64),
            kinds.astype(np.uint8).tolist(),
            _list(scores, np.float64),
            _list(horizons, np.float64),
            [] if survival is None else _list(survival, np.float64),
            _list(range(len(kinds)) if subjects is None else subjects, np.int64),
            num_resamples,
            seed,
        )
    )


def evaluate_regression(
    values: Any, predicted: Any, *, subjects: Any = None, num_resamples: int = 1000, seed: int = 1
) -> dict[str, dict[str, Any]]:
    """Metrics of predicted numbers, with 95 % intervals by a bootstrap of subjects.

    Args:
        values, predicted: [n].
        subjects: [n], ids; None = each row is a subject of its own.
        num_resamples, seed: of the bootstrap.

    Returns:
        mae, rmse, r2 and spearman: value, low, high, and why_not where one is None.

    Raises:
        ValueError: sizes that do not fit, numbers that are not finite.
    """
    numbers = _list(values, np.float64)
    groups = _list(range(len(numbers)) if subjects is None else subjects, np.int64)
    return _figures(
        _core.evaluate_regression(numbers, _list(predicted, np.float64), groups, num_resamples, seed)
    )
