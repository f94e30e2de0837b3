"""Methods side by side on one split of one set of labels."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sequela import _core
from sequela._options import fill, kernel_cache, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job
from sequela._records import path_of_database
from sequela.hub import folder_of
from sequela.metrics import named_files

__all__ = ["evaluate_methods"]

Path = str | os.PathLike[str]


def evaluate_methods(
    meds: Any,
    labels: Path | Mapping[str, Path] | None,
    out: Path,
    *,
    tasks: Sequence[Path] = (),
    model: Path | None = None,
    methods: Sequence[str] = (),
    encoders: Path | Mapping[str, Path] | None = None,
    hazards: Sequence[str] = (),
    predictions: Path | Mapping[str, Path] | None = None,
    splits: Path | None = None,
    athena: Path | None = None,
    subgroups: Path | None = None,
    subgroup_codes: Sequence[str] = (),
    horizons: Sequence[float] = (30, 90, 180, 365),
    read_out: str = "last+history",
    shots: Sequence[int] | None = None,
    num_draws: int = 5,
    max_labels: int = 0,
    leaks: str = "warn",
    num_bootstraps: int = 1000,
    seed: int = 1,
    precision: str | None = None,
    tokens_per_batch: int = 8_192,
    device: Any = "auto",
    kernels: str = "auto",
    time_zone: str = "utc",
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> dict[str, Any]:
    """Fits methods on one split of one set of labels and evaluates them side by side, as `sequela evaluate --meds`.

    Args:
        meds: MEDS data set or meds_reader database.
        labels: tasks (MEDS label schema): a file, or files by task; None if `tasks` makes them.
        out: folder for evaluation.json, metrics.json, metrics.csv, curves.json, metrics.txt and predictions/.
        tasks: built-in names or YAML files of `sequela label`, whose labels are made.
        model: MOTOR bundle: folder, or "org/name[@revision]" of a hub.
        methods: some of "probe", "finetune", "lora", "hazards", "random", "encoder", "counts_trees", "counts_logistic",
            "code_vectors", "age_sex"; none = all but the fine-tuned ones of which all that they need is given.
        encoders: a folder of the BERT family, or folders by name.
        hazards: whose hazard answers a task, and up to when: "[TASK=]CODE[@DAYS]".
        predictions: of other programs, as `evaluate_predictions` takes them: {"theirs": ...}, {"task:theirs": ...}.
        splits: Parquet with subject_id, split and perhaps prediction_time; None = the data set's own.
        athena: Athena download or ontology.parquet; None = the bundle's ontology, or codes.parquet.
        subgroups: Parquet with columns of groups; None = sex and age by the records.
        subgroup_codes: codes; whether a history has one makes subgroups.
        horizons: days, of times to an event.
        read_out: "last" or "last+history", of the bundle's embeddings.
        shots: labels of each outcome to learn from; None = EHRSHOT's, () = no few-shot curves. num_draws: of each.
        max_labels: of a task and part; 0 = all.
        leaks: what a leak that is found leads to: "warn", "fail", or "off" = none is looked for.
        num_bootstraps, seed: resamples of the subjects; the seed is of draws and starts, too.
        precision: "fp32", "bf16" or "auto"; None = fp32 on a CPU, bf16 on CUDA.
        tokens_per_batch: that go through the model together.
        device: "auto", "cpu", "cuda", "cuda:N" or a torch.device. kernels: "auto", "plain" or "own".
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        num_threads: 0 = all; changes no digit. memory: to stay under while records are read; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        What evaluation.json holds (docs/formats.md): data, model, methods, leaks, tasks.

    Raises:
        DataError, ConfigError, FileError, ResourceError.
    """
    options = fill(
        _core.EvaluateMethodsOptions(),
        meds=path_of_database(meds),
        labels=named_files(labels),
        out=out,
        tasks=[os.fspath(task) for task in tasks],
        model=None if model is None else folder_of(model, progress=progress),
        methods=list(methods),
        encoders=named_files(encoders),
        hazards=list(hazards),
        predictions=named_files(predictions),
        splits=splits,
        athena=athena,
        subgroups=subgroups,
        subgroup_codes=list(subgroup_codes),
        horizons=list(horizons),
        read_out=read_out,
        shots=None if shots is None else list(shots),
        num_draws=num_draws,
        max_labels=max_labels,
        leaks=leaks,
        num_bootstraps=num_bootstraps,
        seed=seed,
        precision=None if precision is None else _core.to_precision(precision, str(device)),
        tokens_per_batch=tokens_per_batch,
        device=str(device),
        kernels=kernels,
        kernel_cache=kernel_cache(),
        time_zone=time_zone,
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return json.loads(run_job(_core.evaluate_methods, options, progress))
