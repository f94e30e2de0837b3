"""How good a model is, and whether pretraining helped."""

from collections.abc import Iterable
from typing import Any

import torch

from sequela import _core
from sequela.errors import ConfigError

__all__ = ["evaluate"]


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
        auprc_low, auprc_high, accuracy, loss (nats), num_labels. NaN where not defined.

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
        "accuracy": result.accuracy,
        "loss": result.log_loss,
        "num_labels": result.num_rows,
    }
