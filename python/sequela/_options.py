"""From Python's arguments to the core's option structs."""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from sequela import _core
from sequela.errors import ConfigError

_P = ParamSpec("_P")
_R = TypeVar("_R")

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def fill(options: Any, **values: Any) -> Any:
    """Sets fields of a struct; None leaves a field's default. Wrong types are a ConfigError."""
    if hasattr(options, "fingerprint_cache"):
        options.fingerprint_cache = _core.fingerprint_cache_folder()
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        try:
            setattr(options, name, value)
        except TypeError as error:
            wanted = type(getattr(options, name)).__name__
            raise ConfigError(
                f"{name}: {type(value).__name__} is not allowed. Fix: give a value of type {wanted}."
            ) from error
    return options


_TRAINING_WORDS = {"schedule": "Schedule", "loss_scale": "LossScale", "optimizer": "OptimizerKind", "gradients_as": "SentAs"}
_TRAINING_NUMBERS = (
    "learning_rate",
    "muon_scale",
    "muon_momentum",
    "beta1",
    "beta2",
    "epsilon",
    "weight_decay",
    "max_gradient_norm",
    "warmup_steps",
    "epochs",
    "max_steps",
    "accumulate",
    "lanes",
    "eval_every",
    "patience",
    "log_every",
    "keep_checkpoints",
)


def training_values(arguments: dict[str, Any]) -> dict[str, Any]:
    """Of a function's arguments those that are fields of TrainOptions, words as members of their enums."""
    numbers = {name: arguments[name] for name in _TRAINING_NUMBERS if name in arguments}
    words = {
        name: choose(getattr(_core, enum), name, arguments[name])
        for name, enum in _TRAINING_WORDS.items()
        if name in arguments
    }
    return numbers | words


def fill_given(options: Any, given: frozenset[str], **values: Any) -> Any:
    """As `fill`, but only the values that the caller gave (`knows_given`)."""
    return fill(options, **{name: value for name, value in values.items() if name in given})


def knows_given(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Calls `function` with `given`, the names of the arguments that the caller gave.

    So a default that is stated can still give way to another one that depends on a further argument.
    """
    signature = inspect.signature(function)
    stated = [parameter for name, parameter in signature.parameters.items() if name != "given"]

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        kwargs["given"] = frozenset(kwargs)
        return function(*args, **kwargs)

    call.__signature__ = signature.replace(parameters=stated)  # type: ignore[attr-defined]
    return call


def memory_bytes(memory: int | str | None) -> int:
    """Bytes of a size such as "8G"; None = half the machine."""
    if memory is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    text = str(memory).strip().upper().removesuffix("B")
    unit = _UNITS.get(text[-1:], 1)
    try:
        size = int(float(text.rstrip("KMGT")) * unit)
    except ValueError:
        size = 0
    if size < 2**28:
        raise ConfigError(f"memory: '{memory}' is not allowed. Fix: give at least 256M, such as 8G or 512M.")
    return size


def kernel_cache() -> str:
    """Where the checks of a GPU's kernels are kept: $XDG_CACHE_HOME/sequela, else ~/.cache/sequela."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "sequela")


def num_threads(wanted: int) -> int:
    """Threads to use; 0 = as many as this process may."""
    return wanted if wanted > 0 else _core.default_num_threads()


def choose(enum: Any, name: str, value: str) -> Any:
    """The member of an enum that a word names."""
    members = enum.__members__
    if value not in members:
        raise ConfigError(f"{name}: '{value}' is not allowed. Fix: give {' or '.join(sorted(members))}.")
    return members[value]


def output_folder(model: str | os.PathLike[str], out: str | os.PathLike[str] | None) -> str:
    """Where a training run keeps checkpoints and logs: `out`, or beside the model."""
    return os.fspath(out) if out is not None else os.fspath(model).rstrip("/") + "_output"
