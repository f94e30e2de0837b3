"""What the modules have in common."""

from collections.abc import Callable
from typing import Any

import torch

from sequela.errors import ConfigError

__all__ = ["CoreModule", "check_inputs"]


def check_inputs(**tensors: torch.Tensor | None) -> None:
    """Of what computes on the CPU: TypeError if one is no tensor, ConfigError if it is on another device."""
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, not {type(tensor).__name__}")
        if tensor.device.type != "cpu":
            raise ConfigError(f"{name} is on {tensor.device}, the encoder on the CPU. Fix: {name}.cpu().")


class CoreModule(torch.nn.Module):
    """A module whose parameters the core computes with.

    `.to()`, `.half()`, `.cuda()` and the like raise ConfigError, before any weight moves, where the core could not
    follow: to types that are not among `dtypes`, and of `cpu_only` modules to another device.
    """

    cpu_only = False
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64)
    half_precision = "leave them so"  # how to compute in half precision instead

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        name = type(self).__name__
        try:
            moved = fn(torch.zeros(1))
        except (AssertionError, RuntimeError) as error:  # torch without CUDA, a driver that is not there
            reason = str(error).split("\n")[0].rstrip(".")
            raise ConfigError(f"{name} cannot go there: {reason}. Fix: leave it on the CPU.") from error
        if self.cpu_only and moved.device.type != "cpu":
            raise ConfigError(f"{name} computes on the CPU, not on {moved.device}. Fix: leave it there.")
        if moved.dtype not in self.dtypes:
            raise ConfigError(
                f"the weights of {name} stay float32, not {moved.dtype}. Fix: {self.half_precision}."
            )
        return super()._apply(fn, recurse)
