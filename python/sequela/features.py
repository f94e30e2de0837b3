"""Embeddings of patients at the prediction times of labels, as arrays or as files.

`compute_features` has the signature and the result of femr.models.transformer.compute_features.
"""

import os
import pathlib
import tempfile
from typing import Any

import numpy as np
import torch

from sequela import _core
from sequela._options import fill, kernel_cache, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, logger, run_job, stopped_in_order_by_sigterm
from sequela._records import path_of_database, path_of_labels, path_of_ontology
from sequela.hub import folder_of

__all__ = ["compute_features", "write_features"]

Path = str | os.PathLike[str]

FeaturesReport = _core.FeaturesReport


def compute_features(
    db: Any,
    model_path: Path,
    labels: Any,
    num_proc: int = 1,
    tokens_per_batch: int = 1024,
    device: torch.device | str | None = None,
    ontology: Any = None,
    time_zone: str = "utc",
    kernels: str = "auto",
) -> dict[str, np.ndarray]:
    """Embeds patients at the prediction times of labels.

    Takes the arguments of femr's function of that name, and gives its result, but with exactly one row per label
    in the labels' order; femr merges labels that share a token and repeats rows of overlapping windows.

    Args:
        db: path of a MEDS data set or a meds_reader database, or a meds_reader.SubjectDatabase.
        model_path: bundle of `sequela.pretrain` or of femr (MOTOR, CLMBR): folder, or "org/name" of a hub.
        labels: MEDS labels (dicts or objects with subject_id and prediction_time), a PyArrow table, a pandas or
            polars frame, or the path of a labels.parquet.
        num_proc: threads to use, at least those that torch is set to.
        tokens_per_batch: tokens that go through the model together; a label's history is its last
            min(4096, tokens_per_batch) tokens.
        device: None = the CPU; "cuda", torch.device("cuda"), ... On CUDA the model works in bfloat16, as femr's.
        ontology: femr.ontology.Ontology or path of a Parquet file (code, parent_codes); None = the bundle's own.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        kernels: "auto", "plain" or "own", as `write_features` has it.

    Returns:
        {"subject_ids": int64 [n], "feature_times": datetime64[s] [n], "features": float32 [n, hidden]}.
        n = labels that have an embedding; the others (unknown subject, nothing known yet) are counted in
        a warning of the logger "sequela".

    Raises:
        DataError, ConfigError, FileError, ResourceError.

    Source: femr 0.2.4, femr.models.transformer.compute_features.
    """
    with stopped_in_order_by_sigterm(), tempfile.TemporaryDirectory(prefix="sequela-") as name:
        folder = pathlib.Path(name)
        options = fill(
            _core.FeaturesOptions(),
            meds=path_of_database(db),
            model=folder_of(model_path),
            labels=path_of_labels(labels, folder),
            out=folder / "features",
            ontology=path_of_ontology(ontology, folder),
            time_zone=time_zone,
            tokens_per_batch=tokens_per_batch,
            device="cpu" if device is None else str(device),
            kernels=kernels,
            kernel_cache=kernel_cache(),
            num_threads=max(to_num_threads(num_proc), torch.get_num_threads()),
            memory_bytes=memory_bytes(None),
        )
        report = run_job(_core.compute_features, options, True)
        for reason, count in report.num_skipped.items():
            if count:
                logger.warning("%d of %d labels have no features: %s", count, report.num_labels, reason)
        with np.load(folder / "features" / "features.npz") as arrays:
            return {
                "subject_ids": arrays["subject_ids"],
                "feature_times": arrays["feature_times"].view("datetime64[us]").astype("datetime64[s]"),
                "features": arrays["features"],
            }


def write_features(
    meds: Path,
    model: Path,
    labels: Path,
    out: Path,
    *,
    ontology: Path | None = None,
    athena: Path | None = None,
    time_zone: str = "utc",
    cohort: Path | None = None,
    cohort_db: str | None = None,
    cohort_query: str | None = None,
    label_column: str | None = None,
    precision: str | None = None,
    read_out: str = "last",
    tokens_per_batch: int = 8_192,
    device: Any = "auto",
    kernels: str = "auto",
    is_femr_compatible: bool = False,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> FeaturesReport:
    """Embeds each row of a labels.parquet at its prediction time, into files.

    Args:
        meds: MEDS data set or meds_reader database.
        model: bundle of `pretrain` or of femr (MOTOR, CLMBR): folder, or "org/name[@revision]" of a hub.
        labels: Parquet in the MEDS label schema.
        out: folder for features.parquet (subject_id, prediction_time, feature_time, embedding), features.npz,
            skipped.csv and, with a cohort, {train,valid,test}_embeddings.pt.
        ontology, athena: an ontology in Parquet or an Athena folder, for bundles that lack one.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        cohort: Parquet or CSV with subject_id, dataset_split, a label; or cohort_db, a postgresql:// URI,
            and cohort_query, which gives these columns.
        label_column: of the cohort; None = the only other one.
        precision: "fp32", "bf16" or "auto", the faster one; None = fp32 on a CPU, bf16 on CUDA.
        read_out: "last", the last token's state, as femr; or "last+history": beside it the mean state of all tokens
            and the mean embedded token of all and of the last year, four times as wide.
        tokens_per_batch: tokens that go through the model together.
        device: "auto", "cpu", "cuda", "cuda:N" or a torch.device.
        kernels: "auto" = own kernels, on a GPU those that pass their check; "plain" = torch's operations alone, slow, to
            compare with; "own" = none of them.
        is_femr_compatible: the first token's time as femr writes it.
        num_threads: 0 = all. memory: to stay under, such as "8G"; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        A report: num_labels, num_embedded, num_skipped {reason: count}, num_tokens, seconds.

    Raises:
        DataError, ConfigError, FileError, ResourceError.
    """
    options = fill(
        _core.FeaturesOptions(),
        meds=meds,
        model=folder_of(model, progress=progress),
        labels=labels,
        out=out,
        ontology=ontology,
        athena=athena,
        time_zone=time_zone,
        cohort=cohort,
        cohort_db=cohort_db,
        cohort_query=cohort_query,
        label_column=label_column,
        precision=None if precision is None else _core.to_precision(precision, str(device)),
        read_out=read_out,
        tokens_per_batch=tokens_per_batch,
        device=str(device),
        kernels=kernels,
        kernel_cache=kernel_cache(),
        is_femr_compatible=is_femr_compatible,
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return run_job(_core.compute_features, options, progress)
