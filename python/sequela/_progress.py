"""How long calls show what they do: a bar in a notebook, a line on a terminal, or the caller's own."""

import contextlib
import dataclasses
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sequela import _core

logger = logging.getLogger("sequela")

_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
_PLAIN_SECONDS = 15  # between lines of a job when stderr is no terminal


@dataclasses.dataclass(frozen=True)
class ProgressState:
    """What a job has done so far.

    Attributes:
        label: the job, such as "tokenizer".
        unit: what it counts, such as "events".
        done, total: how many so far, and in all (0 = not known).
        seconds: since its start.
        is_finished: True in the job's last report.
    """

    label: str
    unit: str
    done: int
    total: int
    seconds: float
    is_finished: bool

    def __str__(self) -> str:
        share = f" {100 * self.done // self.total:3d} %" if self.total else ""
        rate = self.done / self.seconds if self.seconds > 0 else 0.0
        text = f"{self.label:<12}{share}  {self.done:,} {self.unit}, {rate:,.0f}/s, {self.seconds:.1f} s"
        if not self.is_finished and 0 < self.done < self.total:
            text += f", {(self.total - self.done) / rate:.0f} s left" if rate else ""
        return text


# True = a bar or a line; False = none; or a callable that takes a state.
ShowProgress = bool | Callable[[ProgressState], Any]


class _Listener:
    """Takes the core's reports. This one keeps to the logger `sequela` and a callable, if any."""

    def __init__(self, on_progress: Callable[[ProgressState], Any] | None = None):
        self._on_progress = on_progress

    def log(self, level: int, message: str) -> None:
        logger.log(_LEVELS[level], "%s", message)

    def progress(self, *fields: Any) -> None:
        if self._on_progress is not None:
            self._on_progress(ProgressState(*fields))


class _Terminal(_Listener):
    """One line of stderr that is written over, or now and then a line where stderr is no terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._is_terminal = sys.stderr.isatty()
        self._has_line = False
        self._last_seconds = 0.0

    def log(self, level: int, message: str) -> None:
        if level == 0:
            return
        if self._has_line:
            sys.stderr.write("\r\033[K")
        self._has_line = False
        print(("warning: " if level == 2 else "") + message, file=sys.stderr, flush=True)

    def progress(self, *fields: Any) -> None:
        state = ProgressState(*fields)
        if self._is_terminal:
            sys.stderr.write(f"\r\033[K{state}" + ("\n" if state.is_finished else ""))
            sys.stderr.flush()
            self._has_line = not state.is_finished
            return
        is_due = state.seconds - self._last_seconds >= _PLAIN_SECONDS
        if is_due or state.is_finished:
            print(state, file=sys.stderr, flush=True)
        self._last_seconds = 0.0 if state.is_finished else max(self._last_seconds, state.seconds * is_due)


class _Bar:
    """A job as a notebook draws it; plain text where HTML is not drawn."""

    def __init__(self, state: ProgressState):
        self._state = state

    def __repr__(self) -> str:
        return str(self._state)

    def _repr_html_(self) -> str:
        state = self._state
        value = f'value="{state.done}" max="{state.total}"' if state.total else ""
        if state.is_finished:
            value = 'value="1" max="1"'
        return f'<progress {value} style="width:16em"></progress> <code>{state}</code>'


class _Notebook(_Listener):
    """A bar for each job below the cell."""

    def __init__(self, display: Callable[..., Any]):
        super().__init__()
        self._display = display
        self._bars: dict[str, Any] = {}

    def log(self, level: int, message: str) -> None:
        if level > 0:
            print(("warning: " if level == 2 else "") + message)

    def progress(self, *fields: Any) -> None:
        state = ProgressState(*fields)
        if state.label in self._bars:
            self._bars[state.label].update(_Bar(state))
        else:
            self._bars[state.label] = self._display(_Bar(state), display_id=True)
        if state.is_finished:
            del self._bars[state.label]


def _notebook_display() -> Callable[..., Any] | None:
    """IPython's display if this is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display

    return display


def listener(progress: ShowProgress) -> _Listener:
    """The listener that a call's argument `progress` means."""
    if callable(progress):
        return _Listener(progress)
    if not progress:
        return _Listener()
    display = _notebook_display()
    return _Notebook(display) if display is not None else _Terminal()


@contextlib.contextmanager
def stopped_in_order_by_sigterm() -> Iterator[None]:
    """Within, SIGTERM stops a long call in order, as Ctrl-C does, and ends the process at the block's end.

    Of nested blocks the outermost counts. Does nothing outside the main thread or where the program has a handler of its own.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    came = []

    def stop(number: int, _frame: Any) -> None:
        came.append(number)
        _core.request_stop(number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if came:
            os.kill(os.getpid(), signal.SIGTERM)


def run_job(job: Callable[[Any, _Listener], Any], options: Any, progress: ShowProgress) -> Any:
    """A long call of the core, with its progress shown, that Ctrl-C and SIGTERM stop in order."""
    with stopped_in_order_by_sigterm():
        return job(options, listener(progress))
