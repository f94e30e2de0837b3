"""Batches of records as MOTOR takes them, for torch's DataLoader."""

import dataclasses
import os
import pathlib
import tempfile
from typing import Any, Self

import torch

from sequela import _core
from sequela._module import check_inputs
from sequela._options import fill, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, logger, run_job, stopped_in_order_by_sigterm
from sequela._records import LABEL_VALUES, path_of_database, path_of_labels, path_of_ontology
from sequela.errors import ConfigError
from sequela.hub import folder_of

__all__ = ["MotorBatch", "MotorDataset"]

Path = str | os.PathLike[str]

_FOLDERS = {"train": "train_batches", "val": "val_batches"}
_CORE_FIELDS = tuple(name for name in dir(_core.MotorBatch) if not name.startswith("_"))


@dataclasses.dataclass
class MotorBatch:
    """Sequences of tokens that lie one after another, without padding, and the labels on them.

    S = sequences, T = tokens of all, N = entries of the tokens' bags, L = labels, Z = entries of the targets.

    Attributes:
        subject_ids: int64 [S].
        lengths: int32 [S], tokens of each sequence.
        token_ids, token_weights: int32 and float32 [N].
        token_offsets: int32 [T + 1]; token t owns the entries offsets[t] to offsets[t + 1].
        ages_days: float32 [T].
        time_data: float32 [T, 5].
        timestamps: int64 [T], seconds since 1970.
        label_indices: int32 [L], the token of each label, ascending.
        censor_seconds, row_offsets, task_ids, event_seconds: the targets of pretraining, float32 [L],
            int32 [L + 1], int32 [Z], float32 [Z]; None in a batch without.
        label_rows: int64 [L], the row of each label in the table given to `from_records`; else None.
        label_values: float32 [L], its value (True = 1), NaN if it has none; else None.
    """

    subject_ids: torch.Tensor | None
    lengths: torch.Tensor
    token_ids: torch.Tensor
    token_weights: torch.Tensor | None
    token_offsets: torch.Tensor | None
    ages_days: torch.Tensor
    time_data: torch.Tensor | None
    timestamps: torch.Tensor | None
    label_indices: torch.Tensor
    censor_seconds: torch.Tensor | None = None
    row_offsets: torch.Tensor | None = None
    task_ids: torch.Tensor | None = None
    event_seconds: torch.Tensor | None = None
    label_rows: torch.Tensor | None = None
    label_values: torch.Tensor | None = None

    @property
    def num_tokens(self) -> int:
        return len(self.ages_days)

    def to_core(self) -> _core.MotorBatch:
        """The same tensors, as the core takes them."""
        tensors = {name: getattr(self, name) for name in _CORE_FIELDS}
        check_inputs(**tensors)
        for name, tensor in tensors.items():
            if tensor is not None and tensor.device.type != "cpu":
                raise ConfigError(f"{name} is on {tensor.device}; a batch is moved by its model. Fix: {name}.cpu().")
        return fill(_core.MotorBatch(), **tensors)


def _from_core(batch: _core.MotorBatch, **labels: torch.Tensor) -> MotorBatch:
    return MotorBatch(**{name: getattr(batch, name) for name in _CORE_FIELDS}, **labels)


class MotorDataset(torch.utils.data.Dataset[MotorBatch]):
    """The batches that `prepare` made, or those of labels (`from_records`), as a Dataset whose items are MotorBatch.

    They are batches already: `DataLoader(dataset, batch_size=None, shuffle=True)`. Workers may be forked; spawned, too,
    unless the batches are those of labels.

    Args:
        prepared: the folder that `prepare` made.
        split: "train" or "val".

    Attributes:
        num_skipped: of `from_records`, how many labels are in no batch, by reason.

    Raises:
        FileError: no such batches, or (when one is read) a damaged one. ConfigError: another split.
    """

    num_skipped: dict[str, int]

    def __init__(self, prepared: Path, split: str = "train"):
        if split not in _FOLDERS:
            raise ConfigError(f"split: '{split}' is not allowed. Fix: give {' or '.join(_FOLDERS)}.")
        self._path = os.path.join(os.fspath(prepared), _FOLDERS[split])
        self._source: _core.BatchFolder | _core.RecordBatches = _core.BatchFolder(self._path)
        self.num_skipped = {}

    @classmethod
    def from_records(
        cls,
        meds: Any,
        model: Path,
        labels: Any,
        *,
        ontology: Any = None,
        time_zone: str = "utc",
        tokens_per_batch: int = 8_192,
        num_threads: int = 0,
        memory: int | str | None = None,
        progress: ShowProgress = True,
    ) -> Self:
        """The histories behind labels, as `write_features` embeds them: what heads and fine-tuning learn from.

        Each label reads the last token at or before its prediction time; labels of a subject share its sequence where
        it fits. The records are decoded once, into memory-mapped files that go with the dataset; a batch is made of
        them whenever it is asked for.

        Args:
            meds: MEDS data set or meds_reader database: a path, or a meds_reader.SubjectDatabase.
            model: the bundle whose dictionary reads the records: folder, or "org/name" of a hub.
            labels: MEDS labels (dicts or objects with subject_id, prediction_time and a value), a PyArrow table, a
                pandas or polars frame, or a path of labels.
            ontology: femr.ontology.Ontology or a Parquet path (code, parent_codes); None = the bundle's own.
            time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
            tokens_per_batch: at the most; a label's history is its last min(4096, tokens_per_batch) tokens.
            num_threads: 0 = all. memory: to stay under, such as "8G"; None = half the machine.
            progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

        Raises:
            DataError, ConfigError, FileError, ResourceError.
        """
        with stopped_in_order_by_sigterm(), tempfile.TemporaryDirectory(prefix="sequela-") as name:
            folder = pathlib.Path(name)
            options = fill(
                _core.FeaturesOptions(),
                meds=path_of_database(meds),
                model=folder_of(model),
                labels=path_of_labels(labels, folder, LABEL_VALUES),
                out=folder,
                ontology=path_of_ontology(ontology, folder),
                time_zone=time_zone,
                tokens_per_batch=tokens_per_batch,
                num_threads=to_num_threads(num_threads),
                memory_bytes=memory_bytes(memory),
            )
            source = run_job(_core.RecordBatches, options, progress)
        dataset = cls.__new__(cls)
        dataset._path = ""
        dataset._source = source
        dataset.num_skipped = {reason: count for reason, count in source.num_skipped.items() if count}
        for reason, count in dataset.num_skipped.items():
            logger.warning("%d of %d labels are in no batch: %s", count, source.num_labels, reason)
        return dataset

    def __len__(self) -> int:
        return self._source.num_batches

    def __getitem__(self, index: int) -> MotorBatch:
        if not -len(self) <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        index %= len(self)
        if isinstance(self._source, _core.BatchFolder):
            return _from_core(self._source.read(index))
        batch, rows, values = self._source.read(index)
        return _from_core(batch, label_rows=rows, label_values=values)

    def __getstate__(self) -> dict:
        """For pickle, as spawned workers need it: the folder is opened again."""
        if not self._path:
            raise ConfigError("batches of labels cannot be pickled. Fix: fork workers, or take none.")
        return {**self.__dict__, "_source": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._source = _core.BatchFolder(self._path)
