"""Ctrl-C and SIGTERM in a long call: it stops in order, and the same call goes on."""

import os
import signal
import subprocess
import sys
import time

import sequela
from conftest import SMALL, TINY

LONG = {**TINY, "max_steps": 100_000, "eval_every": 100_000, "log_every": 1}

SCRIPT = """
import sys, sequela
def tell(state): print(state.label, flush=True)
try:
    sequela.pretrain(sys.argv[1], sys.argv[2], **{options!r}, progress=tell)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def stop_when_it_trains(prepared, model, signal_number):
    options = {key: value for key, value in LONG.items() if key != "progress"}
    script = SCRIPT.replace("{options!r}", repr(options))
    process = subprocess.Popen(
        [sys.executable, "-c", script, prepared, model], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("pretrain"):
            break
    time.sleep(0.3)
    os.kill(process.pid, signal_number)
    rest, _ = process.communicate(timeout=60)
    return process.returncode, rest


def checkpoints(folder):
    return [path.name for path in folder.glob("checkpoint-*")]


def test_ctrl_c_writes_a_checkpoint_and_raises(prepared, tmp_path):
    code, text = stop_when_it_trains(prepared, tmp_path / "model", signal.SIGINT)
    assert code == 0 and text.endswith("interrupted\n")
    assert len(checkpoints(tmp_path / "model_output")) == 1
    assert not (tmp_path / "model").exists()


def test_sigterm_writes_a_checkpoint_and_ends_the_process(prepared, tmp_path):
    code, _ = stop_when_it_trains(prepared, tmp_path / "model", signal.SIGTERM)
    assert code == -signal.SIGTERM
    assert len(checkpoints(tmp_path / "model_output")) == 1


def test_a_call_after_an_interrupted_one_runs(records, tmp_path):
    def interrupt(state):
        os.kill(os.getpid(), signal.SIGINT)

    try:
        sequela.prepare(records / "meds", tmp_path / "out", progress=interrupt)
        raise AssertionError("not interrupted")
    except KeyboardInterrupt:
        pass
    sequela.prepare(records / "meds", tmp_path / "out", **SMALL, progress=False)
    assert (tmp_path / "out" / "split.csv").exists()
