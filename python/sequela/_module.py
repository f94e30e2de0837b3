"""What the modules have in common."""

import itertools
from collections.abc import Callable
from typing import Any

import torch

from sequela.errors import ConfigError

__all__ = ["CoreModule", "by_layer", "check_inputs", "place_of"]


def check_inputs(**tensors: torch.Tensor | None) -> None:
    """TypeError if one is no tensor, ConfigError if it has no values."""
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, not {type(tensor).__name__}")
        if tensor.device.type == "meta":
            raise ConfigError(f"{name} is on meta, without values. Fix: give a tensor that has them.")


def by_layer(name: str) -> list[tuple[int, int | str]]:
    """Sorts names so that layer 10 comes after layer 9."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in name.split(".")]


def place_of(root: torch.nn.Module, name: str) -> tuple[torch.nn.Module, str]:
    """The module that a parameter's name puts it into, made if it is not there, and its name within."""
    *path, leaf = name.split(".")
    parent = root
    for part, following in itertools.zip_longest(path, path[1:], fillvalue=leaf):
        if part not in parent._modules:
            parent.add_module(part, torch.nn.ModuleList() if following.isdigit() else torch.nn.Module())
        parent = parent._modules[part]
    return parent, leaf


class CoreModule(torch.nn.Module):
    """A module whose parameters the core computes with.

    `.to()`, `.half()`, `.cuda()` and the like raise ConfigError, before any weight moves, where the core could not
    follow: to types that are not among `dtypes`, and to devices that `_check_device` refuses.
    """

    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64)
    half_precision = "leave them so"  # how to compute in half precision instead

    def _check_device(self, device: torch.device) -> None:
        """ConfigError if the core does not compute on this device."""
        if device.type == "meta":
            raise ConfigError(f"{type(self).__name__} cannot go to {device}: no values there. Fix: leave it here.")

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Any:
        name = type(self).__name__
        try:
            moved = fn(torch.zeros(1))
        except (AssertionError, RuntimeError) as error:  # torch without CUDA, a driver that is not there
            reason = str(error).split("\n")[0].rstrip(".")
            raise ConfigError(f"{name} cannot go there: {reason}. Fix: leave it on the CPU.") from error
        self._check_device(moved.device)
        if moved.dtype not in self.dtypes:
            raise ConfigError(
                f"the weights of {name} stay float32, not {moved.dtype}. Fix: {self.half_precision}."
            )
        return super()._apply(fn, recurse)
