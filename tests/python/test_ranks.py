"""Several ranks on this machine, by torchrun and by hand: the bytes of one rank, and what happens when one is lost."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import SMALL
from ranks import Ranks, environment, figures, free_port, pretrain, run_alone, run_on_ranks, torchrun, weights

WAIT = 60


@pytest.fixture(scope="session")
def one(prepared, tmp_path_factory):
    """What one rank trains."""
    folder = tmp_path_factory.mktemp("one")
    done = run_alone(pretrain(prepared, folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_ranks_end_with_the_bytes_of_one(prepared, one, tmp_path, num_ranks):
    done = run_on_ranks(num_ranks, pretrain(prepared, tmp_path))
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path) == weights(one)
    assert figures(tmp_path) == figures(one)
    assert done.stdout.count("Trained") == 1  # the first rank alone speaks
    shards = {path.name for path in (tmp_path / "out" / "checkpoint-2").glob("model-*")}
    assert shards == {f"model-{rank:05}-of-{num_ranks:05}.safetensors" for rank in range(1, num_ranks + 1)}


def test_a_finished_run_is_up_to_date_on_any_number_of_ranks(prepared, one):
    done = run_on_ranks(2, pretrain(prepared, one))
    assert done.returncode == 0, done.stderr
    assert "up to date" in done.stderr


def wait_for(condition):
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def trained(folder, step):
    return lambda: (pathlib.Path(folder) / "out" / f"checkpoint-{step}").is_dir()


def test_a_killed_rank_ends_all_and_the_rest_of_the_run_has_the_same_bytes(prepared, one, tmp_path):
    command = pretrain(prepared, tmp_path)
    with Ranks([command] * 2, free_port()) as ranks:
        wait_for(trained(tmp_path, 2))
        ranks.processes[1].kill()
        outputs = ranks.outputs()
    assert ranks.processes[0].returncode == 5
    assert "rank 0: lost touch with the other ranks" in outputs[0]
    done = run_on_ranks(2, command)
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path) == weights(one)


def test_torchrun_starts_a_killed_rank_again(prepared, one, tmp_path):
    process = subprocess.Popen(
        torchrun(2, pretrain(prepared, tmp_path), "--max-restarts", "2", "--monitor-interval", "0.2"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
    )  # fmt: skip
    wait_for(trained(tmp_path, 2))
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert weights(tmp_path) == weights(one)


def test_a_rank_that_gives_no_sign_is_named(prepared, tmp_path):
    with Ranks([pretrain(prepared, tmp_path, max_steps=2000)] * 2, free_port(), SEQUELA_RANK_TIMEOUT=6) as ranks:
        wait_for(trained(tmp_path, 2))
        ranks.processes[1].send_signal(signal.SIGSTOP)
        start = time.monotonic()
        output, _ = ranks.processes[0].communicate(timeout=WAIT)
        assert time.monotonic() - start < 30
    assert ranks.processes[0].returncode == 5
    assert "rank 1 on " in output and "has given no sign for 6 s" in output


@pytest.mark.parametrize(
    "difference, words",
    [
        (dict(learning_rate=0.001), "learning-rate changed from 0.0001 to 0.001"),
        (dict(accumulate=8), "accumulate changed from 4 to 8"),
    ],
)
def test_ranks_with_other_options_are_refused(prepared, tmp_path, difference, words):
    commands = [pretrain(prepared, tmp_path), pretrain(prepared, tmp_path, **difference)]
    with Ranks(commands, free_port()) as ranks:
        outputs = ranks.outputs()
    for process, output in zip(ranks.processes, outputs, strict=True):
        assert process.returncode == 2, output
        assert f"from rank 0 to rank 1, {words}" in output
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("checkpoint-*"))


def test_ranks_with_other_data_are_refused(prepared, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(prepared, other)
    path = other / "motor_task.json"
    path.write_text(path.read_text().replace('"final_layer_size": 512', '"final_layer_size": 256'))
    with Ranks([pretrain(prepared, tmp_path), pretrain(other, tmp_path)], free_port()) as ranks:
        outputs = ranks.outputs()
    for process, output in zip(ranks.processes, outputs, strict=True):
        assert process.returncode == 2, output
        assert "the ranks were started for different runs" in output


def test_a_rank_whose_data_are_missing_ends_all_with_its_reason(prepared, tmp_path):
    with Ranks([pretrain(prepared, tmp_path), pretrain(tmp_path / "none", tmp_path)], free_port()) as ranks:
        outputs = ranks.outputs()
    assert "rank 1 failed: " in outputs[0] and str(tmp_path / "none") in outputs[0]


def test_a_full_disk_on_one_rank_leaves_no_checkpoint(prepared, tmp_path):
    with Ranks([pretrain(prepared, tmp_path)] * 2, free_port(), file_limits={1: 20_000}) as ranks:
        outputs = ranks.outputs()
    assert [process.returncode for process in ranks.processes] != [0, 0]
    assert "rank 1 failed: " in outputs[0] and "-00002-of-00002.safetensors" in outputs[0]
    assert not list((tmp_path / "out").glob("checkpoint-*"))


def test_a_stop_signal_on_one_rank_stops_all_with_a_checkpoint(prepared, one, tmp_path):
    command = pretrain(prepared, tmp_path)
    with Ranks([command] * 2, free_port()) as ranks:
        wait_for(trained(tmp_path, 2))
        ranks.processes[1].send_signal(signal.SIGTERM)
        outputs = ranks.outputs()
    assert [process.returncode for process in ranks.processes] == [0, 0], outputs
    done = run_on_ranks(2, command)
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path) == weights(one)


def test_more_ranks_than_batches_a_step_are_refused(prepared, tmp_path):
    done = run_on_ranks(2, pretrain(prepared, tmp_path, accumulate=1))
    assert done.returncode != 0
    assert "2 or more: a step needs a batch for each rank" in done.stderr


def test_other_commands_run_alone(tmp_path):
    done = run_on_ranks(2, ["inspect", tmp_path])
    assert "`sequela inspect` runs alone, not on 2 ranks" in done.stderr


def test_ranks_embed_in_the_order_of_the_labels(records, bundle, tmp_path):
    command = ["features", "--meds", records / "meds", "--model", bundle, "--threads", "1"]
    command += ["--labels", records / "labels" / "readmission_30d.parquet"]
    alone = run_alone([*command, "--out", tmp_path / "alone"])
    assert alone.returncode == 0, alone.stderr
    ranks = run_on_ranks(3, [*command, "--out", tmp_path / "ranks"])
    assert ranks.returncode == 0, ranks.stderr
    expected, given = (np.load(tmp_path / out / "features.npz") for out in ("alone", "ranks"))
    assert expected["features"].shape[0] > 20
    for name in ("subject_ids", "prediction_times", "feature_times"):
        np.testing.assert_array_equal(given[name], expected[name])
    np.testing.assert_allclose(given["features"], expected["features"], atol=1e-5)
    assert (tmp_path / "ranks" / "skipped.csv").read_bytes() == (tmp_path / "alone" / "skipped.csv").read_bytes()
    assert not (tmp_path / "ranks" / ".events").exists()


PREPARE = [f"--{key.replace('_', '-')}={value}" for key, value in SMALL.items()]


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def prepare(records, out):
    return ["prepare", "--meds", records / "meds", "--athena", records / "athena", "--out", out, *PREPARE, "--threads=1"]


@pytest.mark.parametrize("how", ["together", "one after another", "torchrun"])
def test_ranks_prepare_the_same_bytes(records, prepared, tmp_path, how):
    out = tmp_path / "files"
    command = prepare(records, out)
    if how == "torchrun":
        done = run_on_ranks(2, command)
        assert done.returncode == 0, done.stderr
    elif how == "together":
        processes = [
            subprocess.Popen(
                [str(w) for w in [sys.executable, "-m", "sequela", *command, "--rank", f"{rank}/3"]],
                env=environment(), stderr=subprocess.PIPE, text=True,
            )
            for rank in range(3)
        ]  # fmt: skip
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    else:
        for rank in (2, 0, 1):
            done = run_alone([*command, "--rank", f"{rank}/3"])
            assert done.returncode == 0, done.stderr
    assert contents(out) == contents(prepared)

