"""LSTMBaseline against the published class's numbers, and as a module."""

import copy

import pytest
import sequela
import torch
from safetensors.torch import load_file


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "attention"])
def test_every_pooling(reference, pooling):
    folder = reference / "bert" / "e_lstm"
    expected = load_file(folder / "expected_upstream_src.safetensors")
    weights = load_file(folder / "weights_upstream_src.safetensors")
    name = f"baseline_{pooling}."
    sizes = dict(bidirectional=pooling == "sum", pooling=pooling, output_dim=3)
    model = sequela.LSTMBaseline(100, 32, 24, **sizes).eval()
    model.load_state_dict({k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)})
    for module in (model, copy.deepcopy(model)):
        output = module(expected["visit_codes"], expected["visit_mask"])
        for part, tensor in output._asdict().items():
            torch.testing.assert_close(tensor.detach(), expected[name + part], atol=2e-5, rtol=0)


def test_attention_learns_which_code_counts():
    """Among many codes of a visit only 3 tells the outcome."""
    torch.manual_seed(0)
    visits = torch.randint(4, 12, (40, 2, 8))
    outcomes = torch.arange(40) % 2
    visits[outcomes == 1, 1, 5] = 3
    model = sequela.LSTMBaseline(12, 8, 12, 1, dropout=0.0, pooling="attention")
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for _ in range(60):
        logits = model(visits).logits.squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, outcomes.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert model.visit_encoder.attention[0].weight.grad is not None
    assert model.embedding.weight.grad[0].abs().sum() == 0


def test_wrong_input():
    with pytest.raises(sequela.ConfigError, match="pooling"):
        sequela.LSTMBaseline(20, pooling="median")
    with pytest.raises(sequela.ConfigError, match="output_dim"):
        sequela.LSTMBaseline(20, output_dim=0)
    with pytest.raises(sequela.ConfigError, match="20"):
        sequela.LSTMBaseline(20)(torch.tensor([[[20]]]))
    with pytest.raises(ValueError):
        sequela.LSTMBaseline(20)(torch.tensor([[1, 2]]))
