"""What may happen to a MOTOR module between its passes: torch's graph, copies, threads, other types and places."""

import copy
import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import sequela
import torch
from conftest import gradients_of
from sequela import _core


def test_two_passes_before_backward(model, prepared):
    """The core keeps one pass; the gradients of both come out right all the same."""
    data = sequela.MotorDataset(prepared)
    (model(data[0]).loss + 2 * model(data[1]).loss).backward()
    together = {name: gradient.clone() for name, gradient in gradients_of(model).items()}
    model.zero_grad()
    model(data[0]).loss.backward()
    with torch.no_grad():
        model(data[1])
    (2 * model(data[1]).loss).backward()
    for name, gradient in gradients_of(model).items():
        torch.testing.assert_close(gradient, together[name], atol=1e-6, rtol=1e-5)


def test_backward_twice_over_one_graph(model, batch):
    hidden = model(batch).last_hidden_state
    hidden.sum().backward(retain_graph=True)
    once = {name: g.clone() for name, g in gradients_of(model).items() if g is not None}
    hidden.sum().backward()
    for name, gradient in once.items():
        torch.testing.assert_close(gradients_of(model)[name], 2 * gradient)


def test_weights_changed_before_backward_are_noticed(model, batch):
    loss = model(batch).last_hidden_state.sum()
    with torch.no_grad():
        model.transformer.out_norm.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_frozen_parts(model, batch):
    model.transformer.requires_grad_(False)
    model(batch).loss.backward()
    assert {n.split(".")[0] for n, g in gradients_of(model).items() if g is not None} == {"task_model"}
    model.requires_grad_(False)
    assert not model(batch).last_hidden_state.requires_grad
    model.transformer.in_norm.requires_grad_(True)
    model(batch).loss.backward()
    assert model.transformer.in_norm.weight.grad.abs().sum() > 0
    assert model.transformer.layers[0].norm.weight.grad is None


def test_gradient_checkpointing_changes_no_gradient(bundle, model, batch):
    thrifty = sequela.Motor.from_pretrained(bundle, gradient_checkpointing=True)
    for each in (model, thrifty):
        each(batch).loss.backward()
    for name, gradient in gradients_of(model).items():
        assert torch.equal(gradients_of(thrifty)[name], gradient), name


def test_bfloat16_stays_near(bundle, model, batch):
    fast = sequela.Motor.from_pretrained(bundle, precision="bf16")
    optimizer = torch.optim.SGD(fast.parameters(), lr=0.1)
    output = fast(batch)
    assert output.last_hidden_state.dtype == torch.float32
    assert output.loss.item() == pytest.approx(model(batch).loss.item(), rel=1e-2)
    output.loss.backward()
    optimizer.step()
    new = fast(batch).last_hidden_state
    assert not torch.equal(new, output.last_hidden_state)
    assert torch.equal(copy.deepcopy(fast)(batch).last_hidden_state, new)  # all weights are the new ones


def test_the_fast_path_gives_the_same(model, batch):
    slow = model(batch)
    with torch.no_grad():
        fast = model(batch)
    torch.testing.assert_close(fast.last_hidden_state, slow.last_hidden_state, atol=1e-5, rtol=0)
    assert fast.loss.item() == pytest.approx(slow.loss.item(), rel=1e-6)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_copies_are_their_own(model, batch, again):
    wanted = model(batch).last_hidden_state
    copied = again(model)
    with torch.no_grad():
        model.transformer.embed_bag.weight.zero_()
    assert torch.equal(copied(batch).last_hidden_state, wanted)
    assert not torch.equal(model(batch).last_hidden_state, wanted)


def test_a_pickle_holds_each_weight_once(model, batch):
    model(batch)
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    assert size < len(pickle.dumps(model)) < 1.5 * size


def test_weights_that_are_replaced(model, bundle, batch):
    wanted = model(batch).last_hidden_state
    other = sequela.Motor.from_pretrained(bundle)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.1)
    other(batch)
    other.load_state_dict(model.state_dict(), assign=True)
    assert torch.equal(other(batch).last_hidden_state, wanted)
    other.transformer.out_norm.weight.data = torch.zeros_like(other.transformer.out_norm.weight)
    assert not other(batch).last_hidden_state.any()
    swapped = {"transformer.out_norm.weight": torch.ones(64, requires_grad=True) * 2}
    with pytest.raises(sequela.ConfigError, match=r"out_norm.weight"):
        torch.func.functional_call(model, swapped, (batch,))
    assert torch.equal(model(batch).last_hidden_state, wanted)


def test_where_it_cannot_go(model):
    for convert in (torch.nn.Module.half, torch.nn.Module.double):
        with pytest.raises(sequela.ConfigError, match="precision='bf16'"):
            convert(model)
    with pytest.raises(sequela.ConfigError, match="meta"):
        model.to("meta")
    if not _core.has_cuda_kernels():
        with pytest.raises(sequela.ConfigError, match="Motor") as caught:
            model.to("cuda")
        assert "\n" not in str(caught.value)
    state = {name: tensor.bfloat16() for name, tensor in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    with pytest.raises(sequela.ConfigError, match="bfloat16"):
        model(None)


def test_batches_that_do_not_fit(model, batch):
    def spoilt(**changes):
        return dataclasses.replace(batch, **changes)

    for bad in (
        spoilt(lengths=batch.lengths + 1),
        spoilt(token_ids=batch.token_ids + 100_000),
        spoilt(ages_days=batch.ages_days.double()),
        spoilt(task_ids=batch.task_ids + 100_000),
        spoilt(censor_seconds=batch.censor_seconds[1:]),
    ):
        with pytest.raises(ValueError):
            model(bad)
    with pytest.raises((IndexError, RuntimeError)):
        model(spoilt(label_indices=batch.label_indices + batch.num_tokens, censor_seconds=None))


def test_autocast_changes_nothing(model, batch):
    plain = model(batch).loss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(model(batch).loss, plain)


def test_threads_share_a_model(model, prepared):
    data = sequela.MotorDataset(prepared)
    batches = [data[i % len(data)] for i in range(16)]
    wanted = [model(batch).last_hidden_state.detach() for batch in batches]

    def encode(i):
        with torch.no_grad():
            return model(batches[i]).last_hidden_state

    with ThreadPoolExecutor(4) as pool:
        for state, want in zip(pool.map(encode, range(16)), wanted, strict=True):
            torch.testing.assert_close(state, want, atol=1e-5, rtol=0)
