"""Sequela: foundation models for electronic health records.

MOTOR: `prepare`, `pretrain`, `compute_features`, `write_features`; `finetune` fits a bundle to labels and predicts
others; `synth` makes up data to try them on, `inspect` says what any artifact holds. `Motor` is the model as a module,
`MotorDataset` its batches, for heads and losses of one's own; `LiveModel` scores patients event by event.
Encoders of the BERT family: `pretrain_mlm` makes one from records, `CEHRBERTWrapper` embeds codes, visits and patients,
`BertForMaskedLM` and `CehrBertForClassification` bring its heads, `VocabularyMapper` maps codes to its ids.
Models of visits on its embeddings: `LSTMProgressionModel`, `SurvivalLSTM`, `LSTMBaseline`; `evaluate` tells how good
the first is, `compare` whether pretraining helped. `evaluate_methods` sets a bundle, baselines and predictions of other
programs side by side on one cohort; `evaluate_predictions`, `evaluate_survival` and `evaluate_regression` tell how good
any predictions are. `report` makes a page of finished runs.
Errors are in `sequela.errors`, all derived from `Error`.
"""

import pyarrow.parquet  # noqa: F401  (these two bring the libraries that the core is linked to)
import torch  # noqa: F401

from sequela import _core
from sequela._progress import ProgressState
from sequela.baseline import BaselineOutput, LSTMBaseline
from sequela.bert_encoder import BertConfig, BertEncoder, BertOutput
from sequela.bert_heads import (
    BertForMaskedLM,
    CehrBertForClassification,
    CehrBertLstmForClassification,
    ClassifierOutput,
    MaskedLMOutput,
)
from sequela.cehrbert_wrapper import CEHRBERTWrapper
from sequela.data import inspect, synth
from sequela.errors import ConfigError, DataError, Error, FileError, ResourceError
from sequela.evaluated_methods import evaluate_methods
from sequela.evaluation import compare, evaluate
from sequela.features import compute_features, write_features
from sequela.fine_tuning import finetune
from sequela.live import LiveAnswer, LiveAnswers, LiveModel
from sequela.metrics import evaluate_predictions, evaluate_regression, evaluate_survival
from sequela.mlm import pretrain_mlm
from sequela.motor import prepare, pretrain
from sequela.motor_data import MotorBatch, MotorDataset
from sequela.motor_model import Motor, MotorConfig, MotorOutput, motor_config
from sequela.progression import (
    LSTMProgressionModel,
    ProgressionOutput,
    progression_preset,
    stage_loss,
    to_time_features,
)
from sequela.reports import report
from sequela.survival import (
    HazardHead,
    SurvivalLSTM,
    concordance_index,
    survival_curves,
    survival_loss,
)
from sequela.vocabulary import VocabularyMapper

__version__ = _core.__version__

__all__ = [
    "BaselineOutput",
    "BertConfig",
    "BertEncoder",
    "BertForMaskedLM",
    "BertOutput",
    "CEHRBERTWrapper",
    "CehrBertForClassification",
    "CehrBertLstmForClassification",
    "ClassifierOutput",
    "ConfigError",
    "DataError",
    "Error",
    "FileError",
    "HazardHead",
    "LSTMBaseline",
    "LSTMProgressionModel",
    "LiveAnswer",
    "LiveAnswers",
    "LiveModel",
    "MaskedLMOutput",
    "Motor",
    "MotorBatch",
    "MotorConfig",
    "MotorDataset",
    "MotorOutput",
    "ProgressState",
    "ProgressionOutput",
    "ResourceError",
    "SurvivalLSTM",
    "VocabularyMapper",
    "compare",
    "compute_features",
    "concordance_index",
    "evaluate",
    "evaluate_methods",
    "evaluate_predictions",
    "evaluate_regression",
    "evaluate_survival",
    "finetune",
    "inspect",
    "motor_config",
    "prepare",
    "pretrain",
    "pretrain_mlm",
    "progression_preset",
    "report",
    "stage_loss",
    "survival_curves",
    "survival_loss",
    "synth",
    "to_time_features",
    "write_features",
]
