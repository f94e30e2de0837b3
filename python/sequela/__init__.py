"""Sequela: foundation models for electronic health records.

MOTOR: `prepare`, `pretrain`, `compute_features`, `write_features`; `synth` makes up data to try them on, `inspect`
says what any artifact holds.
Encoders of the BERT family: `pretrain_mlm` makes one from records, `CEHRBERTWrapper` embeds codes, visits and patients,
`VocabularyMapper` maps codes to its ids, `LSTMProgressionModel` stands on its embeddings, `evaluate` tells how good that
is, `compare` whether pretraining helped.
Errors are in `sequela.errors`, all derived from `Error`.
"""

import pyarrow.parquet  # noqa: F401  (these two bring the libraries that the core is linked to)
import torch  # noqa: F401

from sequela import _core
from sequela._progress import ProgressState
from sequela.bert_encoder import BertConfig, BertEncoder, BertOutput
from sequela.cehrbert_wrapper import CEHRBERTWrapper
from sequela.data import inspect, synth
from sequela.errors import ConfigError, DataError, Error, FileError, ResourceError
from sequela.evaluation import compare, evaluate
from sequela.features import compute_features, write_features
from sequela.mlm import pretrain_mlm
from sequela.motor import prepare, pretrain
from sequela.progression import (
    LSTMProgressionModel,
    ProgressionOutput,
    progression_preset,
    stage_loss,
    to_time_features,
)
from sequela.vocabulary import VocabularyMapper

__version__ = _core.__version__

__all__ = [
    "BertConfig",
    "BertEncoder",
    "BertOutput",
    "CEHRBERTWrapper",
    "ConfigError",
    "DataError",
    "Error",
    "FileError",
    "LSTMProgressionModel",
    "ProgressionOutput",
    "ProgressState",
    "ResourceError",
    "VocabularyMapper",
    "compare",
    "compute_features",
    "evaluate",
    "inspect",
    "prepare",
    "pretrain",
    "pretrain_mlm",
    "progression_preset",
    "stage_loss",
    "synth",
    "to_time_features",
    "write_features",
]
