"""LSTMProgressionModel against the reference numbers, and as a torch module; evaluate."""

import json
import math

import pytest
import sequela
import torch
from safetensors.torch import load_file


@pytest.fixture(scope="module")
def lstm(reference):
    return reference / "bert" / "e_lstm"


@pytest.fixture(scope="module")
def expected(lstm):
    return load_file(lstm / "expected.safetensors")


@pytest.fixture
def model(lstm):
    config = json.loads((lstm / "config.json").read_text())
    sizes = (config[name] for name in ("vocab_size", "code_embed_dim", "visit_embed_dim", "hidden_dim"))
    model = sequela.LSTMProgressionModel(*sizes)
    model.load_state_dict(load_file(lstm / "model.safetensors"))
    return model.eval()


def tiny(**options):
    return sequela.LSTMProgressionModel(20, 8, 6, 10, 3, **options)


def test_outputs(model, expected):
    parts = expected["patient_visits"], expected["time_features"], expected["visit_mask"]
    stage_logits, time_pred = model(*parts)
    torch.testing.assert_close(stage_logits, expected["good.stage_logits"], atol=2e-5, rtol=0)
    torch.testing.assert_close(time_pred, expected["good.time_pred"], atol=2e-5, rtol=0)
    output = model.encode(*parts)
    torch.testing.assert_close(output.sequence_output, expected["good.sequence_output"], atol=2e-5, rtol=0)
    assert output.final_hidden.shape == expected["final_hidden"].shape


def test_a_folder(lstm, expected):
    model = sequela.LSTMProgressionModel.from_pretrained(lstm).eval()
    stage_logits, _ = model(expected["patient_visits"], expected["time_features"], expected["visit_mask"])
    torch.testing.assert_close(stage_logits, expected["good.stage_logits"], atol=2e-5, rtol=0)


def test_gradients_reach_every_parameter(model, expected):
    stage_logits, time_pred = model(expected["patient_visits"], expected["time_features"])
    loss = sequela.stage_loss(stage_logits, expected["labels"]) + time_pred.sum()
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
    assert model.encoder.code_embeddings.weight.grad[0].abs().sum() == 0


def test_gradients_are_slopes():
    """Along each weight's own gradient the loss changes as fast as it says."""
    torch.manual_seed(0)
    model = tiny(dropout=0.0).eval()
    visits = torch.randint(1, 20, (4, 3, 5))
    direction = torch.randn(4, 3, 3)

    def loss():
        return (model(visits)[0] * direction).sum()

    loss().backward()
    for name in ("visit_lstm.weight_ih_l0", "visit_projection.weight", "sequence_lstm.weight_hh_l1"):
        weight = model.encoder.get_parameter(name)
        slope = weight.grad.square().sum().sqrt().item()
        step = 0.05 * weight.grad / slope
        values = []
        with torch.no_grad():
            for sign in (1, -2):
                weight += sign * step
                values.append(loss().item())
            weight += step
        assert (values[0] - values[1]) / 0.1 == pytest.approx(slope, rel=2e-2), name


def test_padding_changes_nothing():
    model = tiny().eval()
    visits = torch.tensor([[[1, 2], [3, 0]]])
    padded = torch.zeros(1, 4, 5, dtype=torch.long)
    padded[:, :2, :2] = visits
    torch.testing.assert_close(model(padded)[0][:, :2], model(visits)[0])


def test_dropout_in_training_only():
    model = tiny(dropout=0.5)
    visits = torch.tensor([[[1, 2], [3, 0]]])
    assert model.training
    assert not torch.equal(model(visits)[0], model(visits)[0])
    model.eval()
    assert torch.equal(model(visits)[0], model(visits)[0])


def test_checkpointing_changes_no_gradient():
    torch.manual_seed(0)
    plain, checkpointed = tiny(dropout=0.0), tiny(dropout=0.0, use_checkpoint=True)
    checkpointed.load_state_dict(plain.state_dict())
    visits = torch.randint(0, 20, (3, 4, 5))
    for model in (plain, checkpointed):
        model(visits)[0].square().sum().backward()
    for (name, a), b in zip(plain.named_parameters(), checkpointed.parameters(), strict=True):
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, msg=name)


def test_pretrained_embeddings(bert, tmp_path):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    table = wrapper.get_code_embeddings()
    torch.save(table, tmp_path / "table.pt")
    for source in (bert / "model_st", tmp_path / "table.pt", table):
        model = sequela.LSTMProgressionModel(500, wrapper.embed_dim, 48, 40)
        assert model.load_pretrained_embeddings(source, freeze=True) == 500
        assert torch.equal(model.encoder.code_embeddings.weight[1:], table[1:])
        assert model.encoder.code_embeddings.weight[0].abs().sum() == 0
        assert not model.encoder.code_embeddings.weight.requires_grad


def test_a_table_of_another_size(bert):
    width = json.loads((bert / "model_st" / "config.json").read_text())["hidden_size"]
    model = sequela.LSTMProgressionModel(400, width, 48, 40)
    with pytest.raises(sequela.ConfigError, match="500"):
        model.load_pretrained_embeddings(bert / "model_st")
    assert model.load_pretrained_embeddings(bert / "model_st", resize=True) == 500
    assert model.encoder.code_embeddings.num_embeddings == model.config.vocab_size == 500
    model(torch.tensor([[[499]]]))
    with pytest.raises(sequela.ConfigError):
        sequela.LSTMProgressionModel(500, width // 2).load_pretrained_embeddings(bert / "model_st", resize=True)


def test_other_embeddings_may_be_put_in():
    model = tiny()
    model.encoder.code_embeddings = torch.nn.Embedding(30, 8)
    model(torch.tensor([[[29]]]))
    assert model.config.vocab_size == 30
    model.encoder.code_embeddings = torch.nn.Embedding(30, 9)
    with pytest.raises(sequela.ConfigError, match="9 columns"):
        model(torch.tensor([[[29]]]))


def test_wrong_input():
    with pytest.raises(sequela.ConfigError):
        tiny()(torch.tensor([[[20]]]))
    with pytest.raises(ValueError):
        tiny()(torch.tensor([[1, 2]]))
    for sizes in (dict(vocab_size=0), dict(vocab_size=5, hidden_dim=-1), dict(vocab_size=...)):
        with pytest.raises(sequela.ConfigError):
            sequela.LSTMProgressionModel(**sizes)


def test_presets():
    small = sequela.progression_preset("small")
    assert (small.config.code_embed_dim, small.config.hidden_dim) == (128, 256)
    model = sequela.LSTMProgressionModel.from_preset(small)
    assert sum(p.numel() for p in model.parameters()) == small.config.num_parameters
    whole = small.estimate_memory_bytes(False)
    small.batch_size = 1
    assert small.estimate_memory_bytes(True) < small.estimate_memory_bytes(False) < whole
    with pytest.raises(sequela.ConfigError):
        sequela.progression_preset("huge")


def test_time_features():
    days = torch.tensor([[10.0, 375.0, 740.0]])
    features = sequela.to_time_features(days, torch.tensor([2]))
    torch.testing.assert_close(features, torch.tensor([[[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]))


def test_time_features_of_no_visits_and_wrong_shapes():
    assert sequela.to_time_features(torch.zeros(2, 0), torch.tensor([0, 0])).shape == (2, 0, 2)
    for days, counts in ((torch.zeros(3), torch.tensor([3])), (torch.zeros(2, 3), torch.tensor([3]))):
        with pytest.raises(ValueError, match="time features"):
            sequela.to_time_features(days, counts)


def test_evaluate():
    class Oracle(torch.nn.Module):
        """Knows the stage from the first code."""

        def forward(self, patient_visits, time_features, visit_mask):
            stages = patient_visits[:, :, 0] - 1
            return 5.0 * torch.nn.functional.one_hot(stages, 3).float(), None

    visits = torch.randint(1, 4, (40, 3, 2), generator=torch.Generator().manual_seed(0))
    labels = visits[:, :, 0] - 1
    labels[:, 2] = -100
    batches = [
        (visits[:20], None, None, labels[:20]),
        dict(patient_visits=visits[20:], labels=labels[20:]),
    ]
    model = Oracle()
    results = sequela.evaluate(model, batches, num_resamples=50)
    assert model.training
    assert results["auc"] == results["auprc"] == results["accuracy"] == 1
    assert results["auc_low"] == results["auc_high"] == 1
    assert results["num_labels"] == 80
    assert results["loss"] == pytest.approx(-math.log(math.exp(5) / (math.exp(5) + 2)), rel=1e-5)
    with pytest.raises(sequela.ConfigError, match="test_data"):
        sequela.evaluate(model, [])
    with pytest.raises(sequela.ConfigError, match="3 parts"):
        sequela.evaluate(model, [(visits, None, labels)])


def test_evaluate_of_a_random_model_is_chance():
    torch.manual_seed(0)
    visits, labels = torch.randint(1, 20, (60, 4, 3)), torch.randint(0, 3, (60, 4))
    results = sequela.evaluate(tiny(), [(visits, None, None, labels)], num_resamples=100)
    assert results["auc_low"] < 0.5 < results["auc_high"] or abs(results["auc"] - 0.5) < 0.1
