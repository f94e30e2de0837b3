"""Patients scored event by event: embedding and risks after each update, in constant work per event."""

import dataclasses
import os
import pathlib
import tempfile
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from sequela import _core
from sequela._events import columns_of, to_table
from sequela._options import fill, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job
from sequela._records import path_of_ontology
from sequela.errors import DataError
from sequela.hub import folder_of

__all__ = ["LiveAnswer", "LiveAnswers", "LiveModel"]

Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class LiveAnswer:
    """What is known of a patient after the last event.

    Attributes:
        subject_id: the patient.
        embedding: float32 [hidden]; NaN while the patient has no token (bundles with a flat dictionary alone).
        risks: by task, the probability that its event happens within the model's horizon.
    """

    subject_id: int
    embedding: np.ndarray
    risks: dict[str, float]


@dataclasses.dataclass(frozen=True)
class LiveAnswers:
    """What is known of several patients, each after the last event; `answers[subject_id]` is one patient's.

    Attributes:
        subject_ids: int64 [n], in the order of the patients' first events in the call.
        embeddings: float32 [n, hidden].
        risks: by task, float32 [n].
    """

    subject_ids: np.ndarray
    embeddings: np.ndarray
    risks: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.subject_ids)

    def __getitem__(self, subject_id: int) -> LiveAnswer:
        (rows,) = np.nonzero(self.subject_ids == subject_id)
        if len(rows) == 0:
            raise KeyError(subject_id)
        risks = {task: float(values[rows[0]]) for task, values in self.risks.items()}
        return LiveAnswer(int(subject_id), self.embeddings[rows[0]], risks)


class LiveModel:
    """A bundle that scores patients event by event, from a state of constant size for each.

    An event costs the same whatever the length of the record before it. After each event the embedding is the hidden
    state of the patient's last token, as of the whole record up to there: that of `compute_features` and
    `write_features` (to 1e-5 in fp32) for records up to 4,096 tokens, which these cut longer ones to. CPU only. Calls
    of several threads take turns.

    The events of a patient come in order of time, static ones (without a time) first. A patient is admitted by the
    first update, which must bring MEDS_BIRTH with its time.

    A risk is the probability that the task's event happens within the horizon, 1 - exp(-sum over the model's time bins
    of rate * length of the bin within the horizon), death and the like not taken into account.

    Args:
        bundle: of `pretrain` or of femr: folder, or "org/name[@revision]" of a hub.
        tasks: codes of the model's tasks whose risks are wanted; `known_tasks` lists all.
        horizon: in days, of the risks.
        ontology, athena: an ontology in Parquet (or a femr.ontology.Ontology) or an Athena folder, for bundles that
            lack one.
        codes: codes.parquet of the data, with the parents of codes that the ontology lacks.
        precision: of the matrices: "fp32", "bf16" or "auto", the faster one.
        keys: what states hold for attention: "fp32", or "bf16", half the memory, rounded.
        memory: that the patients' states may take, such as "8G"; None = half the machine.
        spill_folder: a folder of its own for states that memory does not hold, those used longest ago first; None = a
            full memory is a ResourceError.
        num_threads: 0 = all.
        progress: of opening; True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Raises:
        ConfigError (of a task that the model does not have, with the nearest one), DataError, FileError, ResourceError.

    Source: the risk is that of the piecewise exponential model of MOTOR, arXiv:2301.03150, section 3.
    """

    def __init__(
        self,
        bundle: Path,
        *,
        tasks: Iterable[str] = (),
        horizon: float = 365,
        ontology: Any = None,
        athena: Path | None = None,
        codes: Path | None = None,
        precision: str = "fp32",
        keys: str = "fp32",
        memory: int | str | None = None,
        spill_folder: Path | None = None,
        num_threads: int = 0,
        progress: ShowProgress = True,
    ):
        if isinstance(tasks, str):
            tasks = [tasks]
        self.tasks = list(tasks)
        self.horizon = float(horizon)
        self._lock = threading.RLock()
        with tempfile.TemporaryDirectory(prefix="sequela-") as name:
            options = fill(
                _core.LiveOptions(),
                model=folder_of(bundle, progress=progress),
                tasks=self.tasks,
                horizon_days=self.horizon,
                ontology=path_of_ontology(ontology, pathlib.Path(name)),
                athena=athena,
                codes=codes,
                precision=_core.to_precision(precision, "cpu"),
                keys=keys,
                memory_bytes=memory_bytes(memory),
                spill_folder=spill_folder,
                num_threads=to_num_threads(num_threads),
            )
            self._scorer = run_job(_core.LiveScorer, options, progress)

    @property
    def known_tasks(self) -> list[str]:
        """The codes of all tasks of the model."""
        return self._scorer.known_tasks

    @property
    def hidden_size(self) -> int:
        """Width of an embedding."""
        return self._scorer.hidden_size

    @property
    def max_bytes_per_patient(self) -> int:
        """Memory that a patient's state takes at the most, however long the record."""
        return self._scorer.max_bytes_per_patient

    @property
    def subject_ids(self) -> list[int]:
        """The patients that are admitted, ascending."""
        with self._lock:
            return self._scorer.subject_ids

    def __len__(self) -> int:
        with self._lock:
            return len(self._scorer)

    def __contains__(self, subject_id: int) -> bool:
        with self._lock:
            return subject_id in self._scorer

    def update(self, subject_id: int, events: Any) -> LiveAnswer:
        """Takes a patient's next events.

        Args:
            subject_id: the patient.
            events: dicts with time, code, numeric_value, text_value (the last two may be left out), tuples of these
                in this order, or a table or data frame with these columns. A time is a datetime (with a zone: taken
                in UTC), or None for a static event.

        Returns:
            What is known after the last one.

        Raises:
            DataError: an event out of order, or a new patient without MEDS_BIRTH; then none of them is taken.
            ResourceError: the states need more than `memory`.
        """
        answers = self._add(to_table(events, subject_id))
        if len(answers) == 0:
            raise DataError("no events. Fix: give one at least.")
        return answers[subject_id]

    def update_many(self, events: Any) -> LiveAnswers:
        """Takes the next events of any number of patients together, which is much faster than one by one.

        Args:
            events: a PyArrow table or a data frame in MEDS's form (subject_id, time, code, numeric_value, text_value),
                or dicts or tuples of these. Patients may stand mixed; the events of each are in order of time.

        Returns:
            What is known of each of the patients after the last event.

        Raises:
            As `update`; an error's `row` is the event. Stopped by Ctrl-C, it keeps the events taken so far.
        """
        return self._add(to_table(events, None))

    def discharge(self, subject_id: int) -> None:
        """Forgets a patient. ValueError if there is none of that id."""
        with self._lock:
            self._scorer.discharge(subject_id)

    def save(self, subject_id: int, path: Path) -> None:
        """Writes a patient's state to a file, for a restart or another process with the same bundle and `keys`."""
        with self._lock:
            self._scorer.save(subject_id, os.fspath(path))

    def load(self, path: Path) -> int:
        """Admits the patient whose state `save` wrote; returns the subject id. ValueError if it is there already."""
        with self._lock:
            return self._scorer.load(os.fspath(path))

    def _add(self, table: pa.Table) -> LiveAnswers:
        columns = columns_of(table)
        with self._lock:
            subject_ids, embeddings, risks = self._scorer.add(*columns)
        return LiveAnswers(subject_ids, embeddings, {task: risks[:, i] for i, task in enumerate(self.tasks)})
