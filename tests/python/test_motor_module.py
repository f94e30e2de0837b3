"""MOTOR as a module of torch: the core's numbers, gradients and files."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import sequela
import torch
from conftest import TINY, gradients_of
from safetensors.torch import load_file
from sequela import _core

SIZES = {name: TINY[name] for name in ("n_layers", "hidden_size", "n_heads", "intermediate_size")}


def relative(a, b):
    """|a - b| / |b|, by the 2-norm."""
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


@pytest.fixture(scope="module", params=["model_main", "model_main_allattn", "model_prehawk"])
def femr(request, reference, tmp_path_factory):
    """A tiny model of femr's with its weights as a bundle, and the folder of its reference numbers."""
    folder = tmp_path_factory.mktemp("femr") / "model"
    folder.mkdir()
    numbers = reference / "motor" / request.param
    shutil.copy(numbers / "config.json", folder)
    shutil.copy(numbers / "weights.safetensors", folder / "model.safetensors")
    return folder, numbers


@pytest.fixture(scope="module")
def femr_batch(reference):
    """A batch that femr made, its targets in ascending order."""
    arrays = np.load(reference / "motor" / "g60" / "batches_seeded" / "batch_0.npz")
    offsets, tasks = arrays["task.time_sparse.indptr"], arrays["task.time_sparse.indices"]
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((tasks, row))

    def tensor(name, dtype):
        return torch.from_numpy(np.ascontiguousarray(arrays[name], dtype))

    return sequela.MotorBatch(
        subject_ids=None,
        lengths=tensor("transformer.subject_lengths", np.int32),
        token_ids=tensor("transformer.hierarchical_tokens", np.int32),
        token_weights=tensor("transformer.hierarchical_weights", np.float32),
        token_offsets=tensor("transformer.token_indices", np.int32),
        ages_days=tensor("transformer.ages", np.float32),
        time_data=tensor("transformer.time_data", np.float32),
        timestamps=tensor("transformer.timestamps", np.int64),
        label_indices=tensor("transformer.label_indices", np.int32),
        censor_seconds=tensor("task.censor_time", np.float32),
        row_offsets=tensor("task.time_sparse.indptr", np.int32),
        task_ids=torch.from_numpy(tasks[order].astype(np.int32)),
        event_seconds=torch.from_numpy(arrays["task.time_sparse.data"][order].astype(np.float32)),
    )


def test_outputs_are_femr_s(femr, femr_batch):
    folder, numbers = femr
    expected = load_file(numbers / "forward_out.safetensors")
    output = sequela.Motor.from_pretrained(folder)(femr_batch, output_logits=True)
    torch.testing.assert_close(output.last_hidden_state, expected["final_hidden"], atol=1e-4, rtol=0)
    labels = femr_batch.label_indices.long()
    assert torch.equal(output.representations, output.last_hidden_state[labels])
    torch.testing.assert_close(output.logits, expected["time_dependent_logits"], atol=1e-4, rtol=0)
    assert output.loss.item() == pytest.approx(expected["loss"].item(), abs=1e-4)


def test_gradients_are_femr_s(femr, femr_batch):
    folder, numbers = femr
    expected = load_file(numbers / "grads.safetensors")
    model = sequela.Motor.from_pretrained(folder)
    # femr's own loss rounds the seconds at risk to float16 logarithms, which its numbers keep.
    model._bound().core.set_time_at_risk(_core.TimeAtRisk.log2_float16)
    model(femr_batch).loss.backward()
    gradients = gradients_of(model)
    assert gradients.keys() == expected.keys() == load_file(folder / "model.safetensors").keys()
    for name, gradient in gradients.items():
        assert relative(gradient, expected[name]) < 1e-3, name


def test_gradients_of_logits_are_those_of_the_loss_s_kernel(femr, femr_batch):
    """The loss written out in torch over the logits: the same number, the same gradients."""
    folder, _ = femr
    model, other = (sequela.Motor.from_pretrained(folder) for _ in range(2))
    output = model(femr_batch, output_logits=True)
    motor = model.config.motor
    edges = torch.tensor(motor.time_bins, dtype=torch.float64)
    at_risk_until = femr_batch.censor_seconds.double()[:, None].repeat(1, len(motor.tasks))
    row = torch.repeat_interleave(
        torch.arange(len(at_risk_until)), femr_batch.row_offsets.diff().long(), output_size=len(femr_batch.task_ids)
    )
    tasks = femr_batch.task_ids.long()
    at_risk_until[row, tasks] = femr_batch.event_seconds.double()
    is_event = torch.zeros_like(at_risk_until, dtype=torch.bool)
    is_event[row, tasks] = True
    starts, ends = edges[:-1, None], edges[1:, None]
    seconds = (at_risk_until[:, None].minimum(ends) - starts).clamp_min(0)
    has_event = is_event[:, None] & (at_risk_until[:, None] >= starts) & (at_risk_until[:, None] < ends)
    rates = output.logits.double()
    loss = (torch.exp2(rates) * seconds - has_event * rates * np.log(2)).mean()
    assert loss.item() == pytest.approx(output.loss.item(), rel=1e-5)
    loss.backward()
    other(femr_batch).loss.backward()
    for name, gradient in gradients_of(model).items():
        assert relative(gradient, gradients_of(other)[name]) < 1e-4, name


def test_validation_loss_is_the_trainer_s(prepared, bundle, model):
    with torch.no_grad():
        losses = [model(batch).loss.item() for batch in sequela.MotorDataset(prepared, "val")]
    told = json.loads((bundle / "manifest.json").read_text())
    assert np.mean(losses) == pytest.approx(told["artifacts"]["pretrain"]["report"]["best_loss"], rel=1e-6)


def test_gradients_are_the_trainer_s(prepared, tmp_path):
    """Of all batches, read off a step of the trainer that is nearly plain gradient descent.

    With epsilon 1 a first step of Adam is d = lr * g / (|g| + 1), so |g| = |d| / (lr - |d|), but for the rounding of
    the weights that it leaves.
    """
    data = sequela.MotorDataset(prepared)
    rate = 3000.0
    step = dict(max_steps=1, accumulate=len(data), learning_rate=rate, epsilon=1.0, warmup_steps=0)
    plain = dict(optimizer="adamw", weight_decay=0.0, max_gradient_norm=0.0, schedule="constant")
    sequela.pretrain(prepared, tmp_path / "model", **{**TINY, **step, **plain}, seed=5)
    after = load_file(tmp_path / "model" / "model.safetensors")

    model = sequela.Motor(sequela.motor_config(prepared, **SIZES), seed=5)
    before = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    for batch in data:
        (model(batch).loss / len(data)).backward()
    assert before.keys() == after.keys()
    for name, gradient in gradients_of(model).items():
        change = before[name].double() - after[name].double()
        trainers = change / (rate - change.abs())
        rounding = 2**-24 * before[name].norm() / rate
        assert (gradient - trainers).norm() <= 1e-5 * trainers.norm() + rounding, name


def test_adamw_lowers_the_loss(model, batch):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = model(batch).loss
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


def test_weights_come_back_as_the_same_bytes(bundle, model, batch, tmp_path):
    model(batch)
    model.save_pretrained(tmp_path / "copy")
    for name in ("config.json", "model.safetensors", "dictionary.msgpack", "ontology.parquet"):
        assert (tmp_path / "copy" / name).read_bytes() == (bundle / name).read_bytes(), name
    again = sequela.Motor.from_pretrained(tmp_path / "copy")
    again.save_pretrained(tmp_path / "copy")  # onto itself
    assert (tmp_path / "copy" / "ontology.parquet").read_bytes() == (bundle / "ontology.parquet").read_bytes()


def test_a_trained_model_is_a_bundle(records, bundle, model, batch, tmp_path):
    labels = pq.read_table(next((records / "labels").glob("*.parquet"))).slice(0, 20)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(batch).last_hidden_state.square().mean().backward()
    optimizer.step()
    model.save_pretrained(tmp_path / "trained")
    old, new = (
        sequela.compute_features(records / "meds", path, labels)["features"]
        for path in (bundle, tmp_path / "trained")
    )
    assert old.shape == new.shape and np.abs(old - new).max() > 1e-3


def test_a_fresh_model_needs_a_tokenizer_to_be_saved(prepared, tmp_path):
    model = sequela.Motor(sequela.motor_config(prepared, **SIZES))
    with pytest.raises(sequela.ConfigError, match="tokenizer"):
        model.save_pretrained(tmp_path / "model")
    with pytest.raises(sequela.FileError, match=r"dictionary.msgpack"):
        model.save_pretrained(tmp_path / "model", tokenizer=tmp_path)
    assert not (tmp_path / "model").exists()
    model.save_pretrained(tmp_path / "model", tokenizer=prepared)
    assert (tmp_path / "model" / "ontology.parquet").exists()
    assert "64" in sequela.inspect(tmp_path / "model")


def test_sizes_of_a_fresh_model(prepared):
    config = sequela.motor_config(prepared, size="tiny", hidden_size=64)
    options = _core.PretrainOptions()
    _core.apply_size("tiny", options)
    assert (config.encoder.n_layers, config.encoder.hidden_size) == (options.encoder.n_layers, 64)
    assert config.motor.final_layer_size > 0 and config.clmbr_vocab_size == 0
    with pytest.raises(sequela.ConfigError, match="huge"):
        sequela.motor_config(prepared, size="huge")
    with pytest.raises(sequela.Error, match="2 heads"):
        sequela.motor_config(prepared, hidden_size=65, n_heads=2)


def test_a_clmbr_bundle(tutorial):
    """Its head gives the vocabulary's logits; it has no time-to-event loss."""
    folder = tutorial / "clmbr_model"
    model = sequela.Motor.from_pretrained(folder)
    data = sequela.MotorDataset.from_records(
        tutorial / "meds", folder, tutorial / "labels.parquet", ontology=tutorial / "ontology.parquet", progress=False
    )
    output = model(data[0], output_logits=True)
    assert output.loss is None
    assert output.logits.shape == (len(data[0].label_rows), model.config.clmbr_vocab_size)
    output.logits.logsumexp(1).sum().backward()
    assert all(gradient.abs().sum() > 0 for gradient in gradients_of(model).values())


def test_a_model_by_its_name(hub, bundle, batch):
    hub.add("org/motor", {path.name: path.read_bytes() for path in bundle.iterdir()})
    here, there = (sequela.Motor.from_pretrained(model) for model in (bundle, "org/motor"))
    assert torch.equal(there(batch).last_hidden_state, here(batch).last_hidden_state)
