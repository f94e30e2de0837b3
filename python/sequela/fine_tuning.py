"""Fine-tuning of MOTOR bundles on labels."""

import os
import pathlib
import tempfile
from typing import Any

from sequela import _core
from sequela._options import fill, kernel_cache, memory_bytes, training_values
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job, stopped_in_order_by_sigterm
from sequela._records import LABEL_VALUES, path_of_database, path_of_labels, path_of_ontology
from sequela.hub import folder_of

__all__ = ["finetune"]

Path = str | os.PathLike[str]

FinetuneReport = _core.FinetuneReport


def finetune(
    meds: Any,
    model: Path,
    labels: Any = None,
    out: Path | None = None,
    *,
    predict: Any = None,
    predictions: Path | None = None,
    splits: Path | None = None,
    val_fraction: float = 0.2,
    task: str | None = None,
    tune: str = "all",
    lora_rank: int = 8,
    start: str = "probe",
    select: str = "loss",
    ontology: Any = None,
    athena: Path | None = None,
    time_zone: str = "utc",
    checkpoints: Path | None = None,
    learning_rate: float = 1e-4,
    schedule: str = "linear",
    beta1: float = 0.9,
    beta2: float = 0.95,
    epsilon: float = 1e-8,
    weight_decay: float = 0.1,
    max_gradient_norm: float = 1.0,
    warmup_steps: int = 0,
    epochs: int = 10,
    max_steps: int = 0,
    accumulate: int = 1,
    eval_every: int = 0,
    patience: int = 3,
    log_every: int = 10,
    keep_checkpoints: int = 2,
    tokens_per_batch: int = 8_192,
    precision: str | None = None,
    gradient_checkpointing: bool = False,
    device: Any = "auto",
    kernels: str = "auto",
    seed: int = 42,
    keep_output: bool = False,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> FinetuneReport:
    """Fine-tunes a bundle on binary labels, and predicts others.

    A label reads the hidden state that `compute_features` gives, and no event after its time. Stopped by Ctrl-C the
    call writes a checkpoint and raises KeyboardInterrupt; made again (with labels in a file), it goes on from there.

    Args:
        meds: MEDS data set or meds_reader database: a path, or a meds_reader.SubjectDatabase.
        model: bundle to start from: folder, or "org/name[@revision]" of a hub; without `labels` a fine-tuned one.
        labels: to learn from, with boolean_value: MEDS labels (dicts or objects), a table, a data frame, or a path of
            Parquet, CSV or a folder of shards. None: `model` predicts as it is.
        out: folder for the fine-tuned bundle.
        predict: labels to predict, in the same forms; None = those of `labels` that `splits` holds out.
        predictions: Parquet file for them: subject_id, prediction_time, boolean_value, predicted_boolean_value,
            predicted_boolean_probability, as meds-evaluation has it.
        splits: MEDS's subject_splits.parquet or a CSV (subject_id; split: train, tuning, held_out). Without it, or
            without tuning, `val_fraction` of the subjects validate.
        task: a name for the labels; None = that of their file.
        tune: "all" = backbone and classifier; "lora" = the classifier, and changes of rank `lora_rank` to the
            backbone's projections; "head" = the classifier alone.
        start: of the classifier: "probe" = logistic regression on the states, "prevalence" = weights 0.
        select: what picks the best checkpoint: validation "loss" or "auroc".
        ontology: femr.ontology.Ontology or a Parquet path; athena: an Athena folder, for bundles that lack one.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        checkpoints: folder of checkpoints and logs; None = <out>_output.
        learning_rate: peak, after `warmup_steps` optimizer steps of linear warm-up; then as `schedule` says:
            "linear" or "cosine" decay to 0, or "constant".
        beta1, beta2, epsilon, weight_decay: of AdamW. max_gradient_norm: 0 = no clipping.
        epochs, max_steps: the end of training; max_steps 0 = epochs decide.
        accumulate: batches per optimizer step.
        eval_every: steps between evaluations and checkpoints; 0 = once an epoch. patience: evaluations without gain
            before the end, 0 = no end.
        log_every: steps between log lines. keep_checkpoints: newest kept, besides the best.
        tokens_per_batch: at the most; a label's history is its last min(4096, tokens_per_batch) tokens.
        precision: "fp32", "bf16" or "auto", the faster one; None = fp32 on a CPU, bf16 on CUDA.
        gradient_checkpointing: the same weights with about half the memory, in a quarter more time.
        device: "auto", "cpu", "cuda", "cuda:N" or a torch.device.
        kernels: "auto" = own kernels, on a GPU those that pass their check; "plain" = torch's operations alone, slow, to
            compare with; "own" = none of them.
        seed: of the order of batches, and of low-rank factors.
        keep_output: keep checkpoints and logs after the bundle is written.
        num_threads: 0 = all. memory: to stay under while records are read; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        A report: num_train, num_validation, prevalence, train (as of `pretrain`), num_predicted, num_skipped {reason:
        labels to predict}, auroc (of the predictions; NaN if not known), is_up_to_date.

    Raises:
        DataError: labels without a boolean_value, or with one outcome alone. ConfigError, FileError, ResourceError.
    """
    arguments = locals()
    with stopped_in_order_by_sigterm(), tempfile.TemporaryDirectory(prefix="sequela-") as name:
        to_learn, to_predict = pathlib.Path(name) / "learn", pathlib.Path(name) / "predict"
        for folder in (to_learn, to_predict):
            folder.mkdir()
        options = fill(
            _core.FinetuneOptions(),
            meds=path_of_database(meds),
            model=folder_of(model, progress=progress),
            labels=None if labels is None else path_of_labels(labels, to_learn, LABEL_VALUES),
            out=out,
            predict=None if predict is None else path_of_labels(predict, to_predict, LABEL_VALUES),
            predictions=predictions,
            splits=splits,
            val_fraction=val_fraction,
            task=task,
            tune=tune,
            lora_rank=lora_rank,
            start=start,
            select=select,
            ontology=path_of_ontology(ontology, to_learn),
            athena=athena,
            time_zone=time_zone,
            checkpoints=checkpoints,
            tokens_per_batch=tokens_per_batch,
            precision=None if precision is None else _core.to_precision(precision, str(device)),
            activations=_core.Activations.recomputed if gradient_checkpointing else _core.Activations.kept,
            device=str(device),
            kernels=kernels,
            kernel_cache=kernel_cache(),
            seed=seed,
            keep_output=keep_output,
            num_threads=to_num_threads(num_threads),
            memory_bytes=memory_bytes(memory),
        )
        fill(options.train, **training_values(arguments))
        return run_job(_core.finetune, options, progress)
