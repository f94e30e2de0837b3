"""How good a model is, and whether pretraining helped."""

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from sequela import _core
from sequela._options import fill, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job
from sequela.errors import ConfigError
from sequela.hub import folder_of

__all__ = ["compare", "evaluate"]

Path = str | os.PathLike[str]


def _parts(batch: Any) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None, torch.Tensor]:
    """Of a batch: patient_visits, time_features, visit_mask, labels."""
    if isinstance(batch, dict):
        return batch["patient_visits"], batch.get("time_features"), batch.get("visit_mask"), batch["labels"]
    if len(batch) != 4:
        raise ConfigError(
            f"test_data: a batch of {len(batch)} parts is not allowed. Fix: give dicts with patient_visits and "
            "labels, or tuples (patient_visits, time_features, visit_mask, labels)."
        )
    return tuple(batch)


def evaluate(
    model: torch.nn.Module, test_data: Iterable[Any], num_resamples: int = 1000, seed: int = 1
) -> dict[str, float]:
    """How well a model tells the stages of visits it has not seen.

    Args:
        model: called as model(patient_visits, time_features, visit_mask) -> (stage_logits [B, N, S], ...).
        test_data: batches: dicts with patient_visits, labels and, if there are, time_features and visit_mask; or
            tuples of the four in the order of the call, then labels. labels: int64 [B, N], -100 = none. Each row is
            a patient of its own.
        num_resamples, seed: of the bootstrap by patient that gives the 95 % intervals.

    Returns:
        auc (each stage against the others, then the mean; of two stages, the second), auc_low, auc_high, auprc,
        auprc_low, auprc_high, hand_till, hand_till_low, hand_till_high (the mean AUROC between each two stages),
        accuracy, loss (nats), num_labels. NaN where not defined.

    The model is in its own mode again afterwards.
    """
    probabilities, labels, patients = [], [], []
    num_patients = 0
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for batch in test_data:
                patient_visits, time_features, visit_mask, batch_labels = _parts(batch)
                logits = model(patient_visits, time_features, visit_mask)[0].cpu()
                is_labelled = batch_labels.cpu() != -100
                rows = torch.arange(num_patients, num_patients + len(batch_labels))
                probabilities.append(logits[is_labelled].double().softmax(-1))
                labels.append(batch_labels.cpu()[is_labelled])
                patients.append(rows.unsqueeze(1).expand_as(is_labelled)[is_labelled])
                num_patients += len(batch_labels)
    finally:
        model.train(was_training)
    if not labels:
        raise ConfigError("test_data: no batches. Fix: give at least one.")
    result = _core.evaluate_multiclass(
        torch.cat(probabilities).flatten().tolist(),
        torch.cat(labels).tolist(),
        torch.cat(patients).tolist(),
        num_resamples,
        seed,
    )
    return {
        "auc": result.auroc.value,
        "auc_low": result.auroc.low,
        "auc_high": result.auroc.high,
        "auprc": result.average_precision.value,
        "auprc_low": result.average_precision.low,
        "auprc_high": result.average_precision.high,
        "hand_till": result.hand_till.value,
        "hand_till_low": result.hand_till.low,
        "hand_till_high": result.hand_till.high,
        "accuracy": result.accuracy.value,
        "loss": result.log_loss.value,
        "num_labels": result.num_rows,
    }


def compare(
    meds: Path,
    labels: Path,
    pretrained: Path,
    out: Path,
    *,
    athena: Path | None = None,
    time_zone: str = "utc",
    num_seeds: int = 5,
    num_labels: Sequence[int] = (32, 128, 512),
    has_trees: bool = True,
    visit_embed_dim: int = 128,
    hidden_dim: int = 128,
    num_layers: int = 1,
    dropout: float = 0.1,
    max_visits: int = 100,
    max_codes: int = 100,
    learning_rate: float = 1e-3,
    embedding_learning_rate: float = 1e-5,
    epochs: int = 30,
    min_steps: int = 300,
    batch_size: int = 32,
    patience: int = 5,
    seed: int = 1,
    num_resamples: int = 1000,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> dict[str, Any]:
    """Does a pretrained table of code embeddings help a progression model that learns from few labels?

    For each number of labels and seed it trains the model from the pretrained table (fine-tuned, and frozen) and
    from a random start, all on the same labels, a probe of the pretrained and of the random table (logistic
    regression on the mean embedding of a history's codes) and boosted trees on counts of codes; then evaluates all
    on the same held-out labels. The pretrained table is scaled to the spread of the random one, so that both starts are
    alike but for what was learnt. `sequela compare` is the same. It works outside the GIL; Ctrl-C ends it.

    Args:
        meds: MEDS data set or meds_reader database.
        labels: Parquet in the MEDS label schema, boolean.
        pretrained: an encoder with its vocabulary: folder, or "org/name[@revision]" of a hub.
        out: folder for compare.json and compare.txt (the tables).
        athena: Athena folder or ontology.parquet, for codes that the vocabulary lacks.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        num_seeds: samples of labels, each with its own start.
        num_labels: numbers of labels to learn from; more than there are: all.
        has_trees: with the baseline of boosted trees.
        visit_embed_dim, hidden_dim, num_layers, dropout: of the progression model.
        max_visits: most recent ones kept. max_codes: codes of a visit kept.
        learning_rate: of all but pretrained embeddings, which have embedding_learning_rate.
        epochs: passes over the training labels. min_steps: optimizer steps at least.
        batch_size: labels in a batch. patience: evaluations without gain before a run ends; 0 = never.
        seed: of splits, samples and starts.
        num_resamples: of the bootstrap over test subjects.
        num_threads: 0 = all. memory: to stay under while reading, such as "8G"; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        What compare.json holds: num_train, num_validation, num_test, num_test_positive (labels), coverage (share
        of the events whose code the vocabulary knows), seconds, results (of each method and number of labels:
        method, num_labels, auroc and average_precision {value, low, high}, auroc_by_seed) and differences (first,
        second, num_labels, auroc and average_precision {value, low, high, p_value}). Intervals are of 95 %.

    Raises:
        DataError, ConfigError, FileError, ResourceError.
    """
    options = fill(
        _core.CompareOptions(),
        meds=meds,
        labels=labels,
        pretrained=folder_of(pretrained, progress=progress),
        out=out,
        athena=athena,
        time_zone=time_zone,
        num_seeds=num_seeds,
        num_labels=list(num_labels),
        has_trees=has_trees,
        visit_embed_dim=visit_embed_dim,
        hidden_dim=hidden_dim,
        num_layers=num_layers,
        dropout=dropout,
        max_visits=max_visits,
        max_codes=max_codes,
        learning_rate=learning_rate,
        embedding_learning_rate=embedding_learning_rate,
        epochs=epochs,
        min_steps=min_steps,
        batch_size=batch_size,
        patience=patience,
        seed=seed,
        num_resamples=num_resamples,
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return json.loads(run_job(_core.compare, options, progress))
