"""MOTOR's passes in torch's graph: the core's kernels forward and backward."""

import threading
from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from sequela import _core

__all__ = ["Passes", "encode", "head_loss"]


class Passes:
    """The core's model over a module's parameters. One pass at a time; threads take turns.

    The core keeps the activations of its last forward pass alone. A backward pass of another one computes them again.
    """

    def __init__(self, core: _core.MotorModel, device: torch.device):
        self.core = core
        self.device = device
        self.weights = core.weights()
        self.lock = threading.Lock()
        self.kept: _core.MotorBatch | None = None  # the batch whose activations are there

    def refresh(self) -> None:
        with self.lock:
            self.core.refresh_weights()

    def encode(self, batch: _core.MotorBatch) -> torch.Tensor:
        with self.lock:
            self.kept = None
            return self.core.encode(batch)

    def forward(self, batch: _core.MotorBatch) -> torch.Tensor:
        with self.lock:
            hidden = self.core.forward(batch)
            self.kept = batch
            return hidden

    def backward(self, batch: _core.MotorBatch, grad_hidden: torch.Tensor) -> dict[str, torch.Tensor]:
        with self.lock:
            if self.kept is not batch:
                self.core.forward(batch)
            self.kept = None
            return self.core.backward(grad_hidden)

    def head_loss(self, hidden: torch.Tensor, batch: _core.MotorBatch, wants_gradients: bool) -> tuple:
        with self.lock:
            return self.core.head_loss(hidden.detach(), batch, wants_gradients)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, passes: Passes, batch: _core.MotorBatch, names: list[str], *weights: torch.Tensor
    ) -> torch.Tensor:
        ctx.passes, ctx.batch, ctx.names = passes, batch, names
        ctx.save_for_backward(*weights)  # so that torch notices weights that change before backward
        return passes.forward(batch)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: torch.Tensor) -> tuple:  # type: ignore[override]
        _ = ctx.saved_tensors
        gradients = ctx.passes.backward(ctx.batch, grad_hidden)
        wanted = ctx.needs_input_grad[3:]
        found = (gradients[name] if wants else None for name, wants in zip(ctx.names, wanted, strict=True))
        return None, None, None, *found


class _HeadLoss(torch.autograd.Function):
    """The core computes the loss and its gradients at once; backward only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        passes: Passes,
        batch: _core.MotorBatch,
        names: list[str],
        hidden: torch.Tensor,
        *weights: torch.Tensor,
    ) -> torch.Tensor:
        loss, grad_hidden, gradients = passes.head_loss(hidden, batch, True)
        ctx.save_for_backward(grad_hidden, *(gradients[name] for name in names))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_loss: torch.Tensor) -> tuple:  # type: ignore[override]
        wanted = ctx.needs_input_grad[3:]
        found = (
            grad_loss * gradient if wants else None
            for gradient, wants in zip(ctx.saved_tensors, wanted, strict=True)
        )
        return None, None, None, *found


def _wants_graph(tensors: Iterable[torch.Tensor]) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def encode(
    passes: Passes, batch: _core.MotorBatch, weights: dict[str, torch.Tensor]
) -> torch.Tensor:
    """Hidden states of all tokens, float32 [T, H]; `weights`: the encoder's parameters by their names."""
    if _wants_graph(weights.values()):
        return _Encode.apply(passes, batch, list(weights), *weights.values())
    return passes.encode(batch)


def head_loss(
    passes: Passes, batch: _core.MotorBatch, hidden: torch.Tensor, weights: dict[str, torch.Tensor]
) -> torch.Tensor:
    """The time-to-event loss of hidden states; `weights`: the head's parameters by their names."""
    if _wants_graph((hidden, *weights.values())):
        return _HeadLoss.apply(passes, batch, list(weights), hidden, *weights.values())
    return passes.head_loss(hidden, batch, False)[0]
