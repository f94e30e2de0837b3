"""The encoders' heads against the cehrbert package's numbers, and as modules that train and save."""

import copy
import pickle

import pytest
import sequela
import torch
from safetensors.torch import load_file

FIELDS = {
    "input_ids": "input_ids",
    "attention_mask": "attention_mask",
    "token_type_ids": "visit_segments",
    "visit_concept_orders": "visit_concept_orders",
    "ages": "ages",
    "dates": "dates",
    "concept_values": "concept_values",
    "concept_value_masks": "concept_value_masks",
}
CLASSIFIERS = {
    "classifier": sequela.CehrBertForClassification,
    "lstm_classifier": sequela.CehrBertLstmForClassification,
}


@pytest.fixture(scope="module")
def cehr(reference):
    return reference / "bert" / "b_cehrbert"


@pytest.fixture(scope="module")
def expected(cehr):
    return load_file(cehr / "expected.safetensors")


@pytest.fixture(scope="module")
def batches(cehr):
    return load_file(cehr / "batches.safetensors")


def inputs(batch, prefix="", rows=None):
    return {name: batch[prefix + key][:rows] for name, key in FIELDS.items()}


def assert_close(actual, wanted):
    torch.testing.assert_close(actual.detach(), wanted, atol=2e-5, rtol=0)


def assert_gradients(model, expected, prefix):
    """Relative to their norm. A key's bias has none but for rounding; it is measured by the query's."""
    weights, num_compared = model.weights(), 0
    for key, wanted in expected.items():
        if not key.startswith(prefix):
            continue
        name = key.removeprefix(prefix)
        size = expected[key.replace("self.key.bias", "self.query.bias")].norm()
        assert (weights[name].grad - wanted).norm() <= 1e-4 * size, name
        num_compared += 1
    assert num_compared > 30


@pytest.mark.parametrize("folder", ["pretrain_vp0", "pretrain_vp1"])
def test_masked_language_modelling(cehr, batches, expected, folder):
    model = sequela.BertForMaskedLM.from_pretrained(cehr / folder)
    has_values = folder == "pretrain_vp1"
    batch = inputs(batches, "mlm.")
    is_token = batch["attention_mask"] != 0
    scored = model(**batch)
    assert scored.loss is None and scored.logits.shape == expected[f"{folder}.mlm.logits"].shape
    assert_close(scored.logits[is_token], expected[f"{folder}.mlm.logits"][is_token])
    assert (scored.values is not None) == has_values
    if has_values:
        wanted = expected[f"{folder}.mlm.predicted_values"].squeeze(-1)
        assert_close(scored.values[is_token], wanted[is_token])
    output = model(**batch, labels=batches["mlm.labels"])
    assert output.logits is None and (output.value_loss is not None) == has_values
    assert output.loss.item() == pytest.approx(expected[f"{folder}.mlm.loss"].item(), rel=1e-4)
    output.loss.backward()
    assert_gradients(model, expected, f"{folder}.mlm.grad.")


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_classifiers(cehr, batches, expected, folder):
    model = CLASSIFIERS[folder].from_pretrained(cehr / folder)
    ages, labels = expected["clf.age_at_index"], expected["clf.labels"]
    output = model(**inputs(batches, "tail."), age_at_index=ages, labels=labels)
    assert_close(output.logits, expected[f"{folder}.eval.logits"].flatten())
    assert output.loss.item() == pytest.approx(expected[f"{folder}.eval.loss"].item(), rel=1e-4)
    output.loss.backward()
    assert_gradients(model, expected, f"{folder}.grad.")
    one = model(**inputs(batches, "tail.", 1), age_at_index=ages[:1])
    assert one.loss is None
    assert_close(one.logits, expected[f"{folder}.eval_b1.logits"].flatten())


def test_packed_samples(cehr, expected):
    batch = load_file(cehr / "batch_packed.safetensors")
    model = sequela.CehrBertForClassification.from_pretrained(cehr / "classifier")
    output = model(**inputs(batch), age_at_index=batch["age_at_index"])
    assert_close(output.logits, expected["classifier.packed.logits"].flatten())


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_classifier_on_a_pretrained_encoder(cehr, batches, folder, tmp_path, caplog):
    """Its head is new; it learns what the ages tell; its folder has all of it."""
    build = CLASSIFIERS[folder]
    model = build.from_pretrained(cehr / "pretrain_vp1", seed=3)
    assert "classifier, dense_layer" in caplog.text and "start at random" in caplog.text
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    ages, labels = torch.tensor([40.0, 50.0, 60.0, 70.0]), torch.tensor([0, 0, 1, 1])
    torch.manual_seed(0)
    model.train()
    for _ in range(30):
        output = model(**inputs(batches, "tail."), age_at_index=ages, labels=labels)
        optimizer.zero_grad()
        output.loss.backward()
        optimizer.step()
    model.eval()
    assert model.age_batch_norm.num_batches_tracked == 30
    assert model.age_batch_norm.running_mean.item() == pytest.approx(55 * (1 - 0.9**30), rel=1e-4)
    trained = model(**inputs(batches, "tail."), age_at_index=ages, labels=labels)
    assert trained.loss < 0.5
    caplog.clear()
    model.save_pretrained(tmp_path / "trained")
    for again in (
        build.from_pretrained(tmp_path / "trained"),
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
    ):
        assert torch.equal(again(**inputs(batches, "tail."), age_at_index=ages).logits, trained.logits)
    assert not caplog.text
    fresh = [build.from_pretrained(cehr / "pretrain_vp1", seed=seed).classifier.weight for seed in (3, 3, 4)]
    assert torch.equal(fresh[0], fresh[1]) and not torch.equal(fresh[0], fresh[2])


def test_a_new_head_of_masked_language_modelling(bert):
    model = sequela.BertForMaskedLM.from_pretrained(bert / "model_st")
    with torch.no_grad():
        assert model(torch.tensor([[5, 6, 7]])).logits.shape == (1, 3, 500)
    names = dict(model.named_parameters())
    assert "cls.predictions.transform.dense.weight" in names and "cls.predictions.bias" in names


def test_masked_language_modelling_learns():
    config = sequela.BertConfig()
    config.vocab_size, config.hidden_size, config.num_hidden_layers = 30, 32, 1
    config.num_attention_heads, config.intermediate_size = 4, 64
    model = sequela.BertForMaskedLM(config, seed=1).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    ids = torch.arange(5, 15).repeat(4, 1)
    masked, labels = ids.clone(), torch.full_like(ids, -100)
    for row in range(4):
        masked[row, row], labels[row, row] = 4, ids[row, row]
    losses = []
    for _ in range(30):
        loss = model(masked, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_wrong_input(cehr, batches):
    masked = sequela.BertForMaskedLM.from_pretrained(cehr / "pretrain_vp0")
    batch = inputs(batches, "tail.")
    with pytest.raises(ValueError, match="labels"):
        masked(**batch, labels=torch.zeros(4, 3, dtype=torch.long))
    with pytest.raises(TypeError):
        masked(**batch, age=torch.zeros(4))
    model = sequela.CehrBertForClassification.from_pretrained(cehr / "classifier")
    with pytest.raises(ValueError, match="age"):
        model(**batch, age_at_index=torch.zeros(3))
