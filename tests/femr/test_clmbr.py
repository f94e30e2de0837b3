"""CLMBR's batches and bundle, read by femr 0.2.4."""

import datetime
import json
import math

import datasets
import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.models.transformer
import meds_reader
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.torch
import torch
from conftest import sequela

VOCAB_SIZE = 300
SHAPE = ["--layers", 2, "--hidden", 64, "--heads", 4, "--intermediate", 128, "--attention-width", 32, "--precision", "fp32"]


def prepare(g60, out, tokens_per_batch):
    """The records of g60 in femr's form for next codes."""
    sequela("prepare", "--objective", "clmbr", "--meds", g60["source"] / "meds", "--athena", g60["source"] / "athena",
            "--out", out, "--vocab-size", 1024, "--num-numeric", 128, "--tokens-per-batch", tokens_per_batch,
            "--clmbr-vocab-size", VOCAB_SIZE, "--batch-format", "femr", "--femr-compatible")


@pytest.fixture(scope="module")
def clmbr(g60):
    """Prepared, and trained for ten steps."""
    files, model = g60["folder"] / "clmbr_files", g60["folder"] / "clmbr"
    prepare(g60, files, 2048)
    sequela("pretrain", "--objective", "clmbr", "--data", files, "--model", model, *SHAPE, "--accumulate", 2,
            "--max-steps", 10, "--eval-every", 5, "--warmup-steps", 2, "--learning-rate", 1e-3)
    return {"files": files, "model": model}


def load_batches(folder):
    batches = datasets.load_from_disk(str(folder))
    batches.set_format("pt")
    return batches


def loss_of(model, row):
    processor = femr.models.processor.FEMRBatchProcessor(None, task=femr.models.tasks.CLMBRTask(VOCAB_SIZE))
    batch = processor.collate([row])["batch"]
    batch["task"]["labels"] = batch["task"]["labels"].long()
    return model(batch)[0]


def test_femr_opens_the_bundle_and_finds_our_loss(clmbr):
    model = femr.models.transformer.FEMRModel.from_pretrained(str(clmbr["model"])).eval()
    assert model.config.task_config.task_kwargs == {"clmbr_vocab_size": VOCAB_SIZE}
    with torch.no_grad():
        losses = [float(loss_of(model, row)) for row in load_batches(clmbr["files"] / "val_batches")]
    manifest = json.loads((clmbr["model"] / "manifest.json").read_text())
    best_loss = manifest["artifacts"]["pretrain"]["report"]["best_loss"]
    assert math.isclose(sum(losses) / len(losses), best_loss, rel_tol=1e-4)


def test_every_gradient_equals_femrs(g60, tmp_path):
    """Read off one step of AdamW: with an epsilon of 1000 the step is 100 times the gradient."""
    prepare(g60, tmp_path / "files", 8192)
    [row] = load_batches(tmp_path / "files/train_batches")
    step = ["--max-steps", 1, "--eval-every", 1, "--accumulate", 1, "--warmup-steps", 0, "--schedule", "constant",
            "--optimizer", "adamw", "--beta1", 0, "--beta2", 0, "--epsilon", 1e3, "--weight-decay", 0, "--recipe", "femr",
            "--max-gradient-norm", 0]
    weights = {}
    for rate in (1e-20, 1e5):
        model = tmp_path / f"model {rate}"
        sequela("pretrain", "--data", tmp_path / "files", "--model", model, *SHAPE, *step, "--learning-rate", rate)
        weights[rate] = safetensors.torch.load_file(model / "model.safetensors")
    model = femr.models.transformer.FEMRModel.from_pretrained(str(tmp_path / f"model {1e-20}"))
    loss_of(model, row).backward()
    for name, parameter in model.named_parameters():
        moved = weights[1e-20][name].double() - weights[1e5][name].double()
        gradient = parameter.grad.double()
        expected = 1e5 * gradient / (gradient.abs() + 1e3)
        assert float((moved - expected).norm() / expected.norm()) < 1e-3, name


def test_labels_are_the_next_tokens_own_codes(clmbr, ontology, g60):
    """Each label is a token of the bag that follows, as femr's tokenizer makes it."""
    tokenizer = femr.models.tokenizer.HierarchicalTokenizer.from_pretrained(
        str(clmbr["files"] / "tokenizer"), ontology=ontology)
    vocabulary = tokenizer.dictionary["vocab"]
    num_codes = 0
    for row in load_batches(clmbr["files"] / "train_batches").with_format(None):
        transformer = row["transformer"]
        offsets, tokens = transformer["token_indices"], transformer["hierarchical_tokens"]
        ends = set(np.cumsum(transformer["subject_lengths"]) - 1)
        for index, label in zip(transformer["label_indices"], row["task"]["labels"]):
            assert 0 <= label < VOCAB_SIZE
            if index in ends:
                continue
            bag = tokens[offsets[index + 1]:offsets[index + 2]]
            assert label in bag
            codes = [token for token in bag if vocabulary[token]["type"] == "code"]
            if codes:  # the label is the most special of them: no other is below it
                code = vocabulary[label]["code_string"]
                below = ontology.get_all_children(code) - {code}
                assert not below & {vocabulary[token]["code_string"] for token in codes}
                num_codes += 1
    assert num_codes > 1000


def test_features_equal_femrs(clmbr, ontology, g60):
    labels = []
    with meds_reader.SubjectDatabase(str(g60["database"]), num_threads=1) as database:
        for subject_id in sorted(database):
            times = [event.time for event in database[subject_id].events if event.time is not None]
            labels.append({"subject_id": subject_id, "boolean_value": True,
                           "prediction_time": times[-1] + datetime.timedelta(days=1)})
    path = g60["folder"] / "clmbr_labels.parquet"
    pq.write_table(pa.table({
        "subject_id": [label["subject_id"] for label in labels],
        "prediction_time": pa.array([label["prediction_time"] for label in labels], pa.timestamp("us"))}), path)
    out = g60["folder"] / "clmbr_embeddings"
    sequela("features", "--meds", g60["source"] / "meds", "--model", clmbr["model"], "--labels", path, "--out", out,
            "--precision", "fp32")
    ours = pq.read_table(out / "features.parquet").to_pydict()
    with meds_reader.SubjectDatabase(str(g60["database"]), num_threads=4) as database:
        theirs = femr.models.transformer.compute_features(
            database, str(clmbr["model"]), labels, num_proc=4, tokens_per_batch=8192, ontology=ontology)
    rows = {int(subject_id): row for row, subject_id in enumerate(theirs["subject_ids"])}
    assert len(ours["subject_id"]) == len(labels) == len(rows)
    for subject_id, embedding in zip(ours["subject_id"], ours["embedding"]):
        np.testing.assert_allclose(embedding, theirs["features"][rows[subject_id]], rtol=1e-4, atol=1e-4)
