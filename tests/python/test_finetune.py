"""Fine-tuning: the trainer's weights are those of a loop in torch, and the bundle predicts."""

import math

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sequela
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

LABELS = "readmission_30d"


@pytest.fixture(scope="module")
def labels(records):
    """Labels of subjects with both outcomes."""
    table = pq.read_table(records / "labels" / f"{LABELS}.parquet")
    assert 0 < pc.sum(table["boolean_value"]).as_py() < table.num_rows
    return table


def tune(records, bundle, labels, folder, **options):
    options = dict(predict=labels, predictions=folder / "predictions.parquet", progress=False) | options
    return sequela.finetune(records / "meds", bundle, labels, folder / "tuned", **options)


def test_weights_are_those_of_a_loop_in_torch(records, bundle, labels, tmp_path):
    tokens = 200_000  # all labels in one batch
    rate, betas, epsilon = 1e-3, (0.9, 0.95), 1e-3
    report = tune(
        records,
        bundle,
        labels,
        tmp_path,
        start="prevalence",
        val_fraction=0,
        max_steps=3,
        schedule="constant",
        learning_rate=rate,
        epsilon=epsilon,
        weight_decay=0,
        tokens_per_batch=tokens,
        num_threads=1,
    )
    assert report.train.steps == 3

    data = sequela.MotorDataset.from_records(
        records / "meds", bundle, labels, tokens_per_batch=tokens, progress=False
    )
    (batch,) = list(data)
    backbone = sequela.Motor.from_pretrained(bundle)
    head = torch.nn.Linear(64, 1)
    prevalence = batch.label_values.mean().item()
    assert report.prevalence == pytest.approx(prevalence)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, math.log(prevalence / (1 - prevalence)))
    weights = [*backbone.transformer.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=betas, eps=epsilon, weight_decay=0)
    for _ in range(3):
        logits = head(backbone(batch).representations).squeeze(1)
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(logits, batch.label_values).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1)
        optimizer.step()

    before = dict(sequela.Motor.from_pretrained(bundle).transformer.named_parameters())
    tuned = dict(sequela.Motor.from_pretrained(tmp_path / "tuned").transformer.named_parameters())
    moved = 0.0
    for name, parameter in backbone.transformer.named_parameters():
        np.testing.assert_allclose(tuned[name].detach(), parameter.detach(), atol=1e-5, err_msg=name)
        moved = max(moved, (parameter - before[name]).abs().max().item())
    assert moved > 1e-3
    with torch.no_grad():
        expected = torch.sigmoid(head(backbone(batch).representations)).squeeze(1)
    rows = pq.read_table(tmp_path / "predictions.parquet")
    order = batch.label_rows.argsort()
    np.testing.assert_allclose(rows["predicted_boolean_probability"], expected[order], atol=1e-5)


def test_predictions_have_the_schema_of_meds_evaluation(records, bundle, labels, tmp_path):
    report = tune(records, bundle, labels, tmp_path, tune="head", max_steps=2)
    rows = pq.read_table(tmp_path / "predictions.parquet")
    assert [f"{field.name}: {field.type}" for field in rows.schema] == [
        "subject_id: int64",
        "prediction_time: timestamp[us]",
        "boolean_value: bool",
        "predicted_boolean_value: bool",
        "predicted_boolean_probability: double",
    ]
    assert rows.num_rows == report.num_predicted
    assert rows.num_rows + sum(report.num_skipped.values()) == labels.num_rows

    again = sequela.finetune(
        records / "meds",
        tmp_path / "tuned",
        predict=[{**row, "boolean_value": None} for row in labels.slice(0, 5).to_pylist()],
        predictions=tmp_path / "again.parquet",
        progress=False,
    )
    alone = pq.read_table(tmp_path / "again.parquet")
    assert alone["boolean_value"].null_count == again.num_predicted
    assert math.isnan(again.auroc)


def test_a_tuned_bundle_is_a_bundle(records, bundle, labels, tmp_path):
    tune(records, bundle, labels, tmp_path, epochs=1)
    features = sequela.compute_features(records / "meds", tmp_path / "tuned", labels)
    assert features["features"].shape[1] == 64
    assert "task 'labels', prevalence" in sequela.inspect(tmp_path / "tuned")


def test_labels_that_teach_nothing_are_refused(records, bundle, labels, tmp_path):
    alike = labels.filter(pc.field("boolean_value"))
    with pytest.raises(sequela.DataError, match="same outcome"):
        tune(records, bundle, alike, tmp_path)
    with pytest.raises(sequela.ConfigError, match="all, lora or head"):
        tune(records, bundle, labels, tmp_path, tune="some")
