"""Steps of the check: each a program in a process of its own, with a limit of time and a log, so that one that crashes,
hangs or runs out of memory costs its own figures alone."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import time


@dataclasses.dataclass
class Outcome:
    name: str
    what: str
    seconds: float = 0.0
    fault: str = ""  # why there is no result; empty: there is
    result: dict = dataclasses.field(default_factory=dict)
    log: str = ""

    @property
    def is_good(self):
        return not self.fault


def last_line(path):
    """What a program said last: its error."""
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def named_signal(code):
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


class Runner:
    """Runs steps until `deadline` (of time.monotonic()); those after it are left out and say so."""

    def __init__(self, logs: pathlib.Path, deadline: float):
        self.logs = logs
        self.deadline = deadline
        self.outcomes = []
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, name, what, command, limit, reads_json=True, environment=None):
        outcome = Outcome(name, what, log=f"logs/{name}.log")
        left = self.deadline - time.monotonic()
        if left < 2:
            outcome.fault = "left out: the time was up"
        else:
            self._run(outcome, [str(word) for word in command], min(limit, left), reads_json, environment)
        self.outcomes.append(outcome)
        print(f"{'ok' if outcome.is_good else 'NOT':3} {outcome.seconds:6.1f} s  {what}"
              f"{'' if outcome.is_good else ': ' + outcome.fault}", flush=True)
        return outcome

    def _run(self, outcome, command, limit, reads_json, environment):
        log, output = self.logs / f"{outcome.name}.log", self.logs / f"{outcome.name}.out"
        start = time.monotonic()
        with open(log, "wb") as errors, open(output, "wb") as results:
            errors.write((" ".join(command) + "\n").encode())
            errors.flush()
            try:
                process = subprocess.Popen(command, stdout=results if reads_json else errors, stderr=errors,
                                           stdin=subprocess.DEVNULL, start_new_session=True,
                                           env={**os.environ, **(environment or {})})
            except OSError as error:
                outcome.fault = str(error)
                return
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                outcome.fault = f"not done after {limit:.0f} s"
                return
            finally:
                outcome.seconds = time.monotonic() - start
        if code < 0:
            outcome.fault = f"died of {named_signal(code)}: {last_line(log)}"
        elif code > 0:
            outcome.fault = last_line(log)
        elif reads_json:
            try:
                outcome.result = json.loads(output.read_text())
            except ValueError as error:
                outcome.fault = f"its result cannot be read: {error}"
