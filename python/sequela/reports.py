"""The page of finished runs."""

import os
import pathlib
from collections.abc import Sequence

from sequela import _core
from sequela._options import fill, memory_bytes
from sequela._options import num_threads as to_num_threads
from sequela.hub import folder_of

__all__ = ["report"]

Path = str | os.PathLike[str]


def report(
    runs: Path | Sequence[Path],
    out: Path | None = None,
    *,
    patient: int | None = None,
    meds: Path | None = None,
    model: Path | None = None,
    tasks: Sequence[str] = (),
    horizon: float = 365,
    num_threads: int = 0,
    memory: str | int | None = None,
) -> pathlib.Path:
    """Makes one HTML page of finished runs, as `sequela report`: tables, figures, manifests. It needs no network.

    Args:
        runs: the output folder of evaluate, pretrain, finetune, prepare, compare, label or etl, a bundle, or several.
        out: the page; default: report.html in the first folder.
        patient: subject_id of a patient whose codes, ages and risks the page shows; needs meds and model.
        meds: the patient's MEDS data set.
        model: a bundle with a MOTOR head: folder, or "org/name[@revision]" of a hub.
        tasks: codes of the head whose risks are shown; none = the five likeliest.
        horizon: days within which the risk is that the event happens.
        num_threads: 0 = all.
        memory: "8G" or bytes; None = half the machine's.

    Returns:
        Where the page lies.

    Raises:
        ConfigError: a folder is no run. DataError, FileError.
    """
    folders = [runs] if isinstance(runs, str | os.PathLike) else runs
    options = fill(
        _core.ReportOptions(),
        runs=[os.fspath(folder) for folder in folders],
        out=out,
        patient=patient,
        meds=meds,
        model=None if model is None else folder_of(model),
        tasks=list(tasks),
        horizon_days=horizon,
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return pathlib.Path(_core.report(options))
