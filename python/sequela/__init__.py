"""Sequela: foundation models for electronic health records.

MOTOR: `prepare`, `pretrain`, `compute_features`, `write_features`; `synth` makes up data to try them on, `inspect`
says what any artifact holds. Errors are in `sequela.errors`, all derived from `Error`.
"""

import pyarrow.parquet  # noqa: F401  (these two bring the libraries that the core is linked to)
import torch  # noqa: F401

from sequela import _core
from sequela._progress import ProgressState
from sequela.errors import ConfigError, DataError, Error, FileError, ResourceError
from sequela.features import compute_features
from sequela.motor import inspect, prepare, pretrain, synth, write_features

__version__ = _core.__version__

__all__ = [
    "ConfigError",
    "DataError",
    "Error",
    "FileError",
    "ProgressState",
    "ResourceError",
    "compute_features",
    "inspect",
    "prepare",
    "pretrain",
    "synth",
    "write_features",
]
