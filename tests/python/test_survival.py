"""The survival models against the published classes' numbers, and as modules."""

import pytest
import sequela
import torch
from safetensors.torch import load_file

KINDS = {
    "survival": dict(),
    "survival_time": dict(time_encoding_dim=16),
    "competing": dict(num_event_kinds=3),
}


@pytest.fixture(scope="module")
def lstm(reference):
    return reference / "bert" / "e_lstm"


@pytest.fixture(scope="module")
def expected(lstm):
    return load_file(lstm / "expected_upstream_src.safetensors")


def build(lstm, name):
    model = sequela.SurvivalLSTM(100, 32, 24, num_layers=2, **KINDS[name])
    weights = load_file(lstm / "weights_upstream_src.safetensors")
    prefix = name + "."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
    return model.eval()


def assert_close(actual, wanted):
    torch.testing.assert_close(actual.detach(), wanted, atol=2e-5, rtol=0)


@pytest.mark.parametrize("name", KINDS)
def test_hazards(lstm, expected, name):
    times = expected["survival_time.time_features"] if name == "survival_time" else None
    hazards = build(lstm, name)(expected["visit_codes"], expected["visit_mask"], times)
    assert_close(hazards, expected[f"{name}.hazards"])


def test_loss_curves_and_concordance(expected):
    hazards, visits = expected["survival.hazards"], expected["survival.event_times"]
    is_event = expected["survival.event_ind"]
    loss = sequela.survival_loss(hazards, visits, is_event, expected["sequence_mask"])
    assert_close(loss, expected["survival.loss"])
    survival, cumulative = sequela.survival_curves(hazards)
    assert_close(survival, expected["survival.S"])
    assert_close(cumulative, expected["survival.H"])
    concordance = sequela.concordance_index(hazards.sum(1), visits, is_event)
    assert concordance == pytest.approx(expected["survival.cindex"].item())
    with pytest.raises(ValueError):
        sequela.survival_loss(hazards, visits[:2], is_event, expected["sequence_mask"])


@pytest.mark.parametrize("num_event_kinds", [1, 2])
def test_it_learns_when_an_event_comes(num_event_kinds):
    """Code 3 brings the event at its visit (of the first kind)."""
    torch.manual_seed(0)
    visits = torch.randint(4, 12, (40, 5, 3))
    places = torch.randint(0, 5, (40,))
    is_event = (torch.arange(40) % 2).long()
    visits[is_event == 1, places[is_event == 1], 0] = 3
    model = sequela.SurvivalLSTM(12, 8, 12, num_event_kinds=num_event_kinds, dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    losses = []
    for _ in range(60):
        loss = sequela.survival_loss(model(visits), places, is_event, torch.ones(40, 5))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_a_hazard_head_on_a_progression_model():
    model = sequela.LSTMProgressionModel(20, 8, 6, 10, 3)
    head = sequela.HazardHead(model.hidden_dim)
    visits = torch.randint(1, 20, (4, 3, 5))
    hazards = head(model.encode(visits).sequence_output)
    assert hazards.shape == (4, 3) and hazards.min() > 0 and hazards.max() < 1
    loss = sequela.survival_loss(hazards, torch.tensor([0, 1, 2, 2]), torch.tensor([1, 0, 1, 0]), torch.ones(4, 3))
    loss.backward()
    assert model.encoder.code_embeddings.weight.grad.abs().sum() > 0
    assert head[3].weight.grad is not None


def test_padding_changes_nothing_and_wrong_input_is_refused():
    model = sequela.SurvivalLSTM(20, 8, 10).eval()
    visits = torch.tensor([[[1, 2], [3, 0]]])
    padded = torch.zeros(1, 4, 5, dtype=torch.long)
    padded[:, :2, :2] = visits
    torch.testing.assert_close(model(padded)[:, :2], model(visits))
    assert model(padded)[:, 2:].abs().sum() == 0
    with pytest.raises(sequela.ConfigError, match="20"):
        model(torch.tensor([[[20]]]))
    with pytest.raises(ValueError):
        model(torch.tensor([[1, 2]]))
    with pytest.raises(sequela.ConfigError, match="num_event_kinds"):
        sequela.SurvivalLSTM(20, num_event_kinds=0)
