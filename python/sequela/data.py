"""Made-up records to try things on, and a look at any artifact."""

import os

from sequela import _core
from sequela._options import fill
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job
from sequela.hub import folder_of

__all__ = ["inspect", "synth"]

Path = str | os.PathLike[str]

SynthReport = _core.SynthReport


def synth(
    out: Path,
    *,
    subjects: int = 1000,
    seed: int = 1,
    flares: bool = False,
    num_threads: int = 0,
    progress: ShowProgress = True,
) -> SynthReport:
    """Makes up a data set with planted diseases, to try things on.

    Args:
        out: folder; gets meds/ (MEDS 0.4), athena/, labels/TASK.parquet, truth/.
        subjects: how many.
        seed: the same seed gives the same data.
        flares: also a code, LOCAL/flare, whose coming only the order and spacing of visits tell, and labels of it.
        num_threads: 0 = all; changes no byte.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        Counts of what was made.

    Raises:
        ConfigError: the folder holds something else.
    """
    options = fill(
        _core.SynthOptions(),
        folder=out,
        num_subjects=subjects,
        seed=seed,
        has_flares=flares,
        num_threads=to_num_threads(num_threads),
    )
    return run_job(_core.synth, options, progress)


def inspect(path: Path) -> str:
    """Says in a few lines what an artifact holds: data set, bundle, batches, labels, features, a model by its name, ...

    Raises:
        DataError, FileError: a damaged one. ConfigError: none that Sequela knows.
    """
    return _core.inspect(folder_of(path))
