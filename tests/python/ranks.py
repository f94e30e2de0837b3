"""Starts the command on several ranks of this machine."""

import json
import os
import pathlib
import resource
import socket
import subprocess
import sys

TRAIN = (
    "--layers 2 --hidden 64 --heads 2 --intermediate 96 --eval-every 2 --warmup-steps 2 "
    "--log-every 2 --precision fp32 --threads 1 --keep-output --keep-checkpoints 100"
).split()


def pretrain(prepared, folder, *, max_steps=6, accumulate=4, learning_rate=1e-4):
    """The arguments of a small run into a folder."""
    numbers = ["--max-steps", max_steps, "--accumulate", accumulate, "--learning-rate", learning_rate]
    return ["pretrain", "--data", prepared, "--out", f"{folder}/out", "--model", f"{folder}/model", *TRAIN, *numbers]


def environment(**more):
    """Of a rank: one thread, no launcher of the test's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "OMPI_", "PMI_", "PET_", "TORCHELASTIC"))}
    return {**kept, "OMP_NUM_THREADS": "1", **{k: str(v) for k, v in more.items()}}


def torchrun(num_ranks, arguments, *options):
    """The command line that starts all ranks."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", num_ranks, *options]
    return [str(word) for word in [*launcher, "-m", "sequela", *arguments]]


def run_on_ranks(num_ranks, arguments, *options, timeout=300, **more):
    """Runs to the end; the finished process with its output."""
    return subprocess.run(
        torchrun(num_ranks, arguments, *options), capture_output=True, text=True, timeout=timeout, env=environment(**more)
    )


def run_alone(arguments):
    """The command without a launcher."""
    command = [str(word) for word in [sys.executable, "-m", "sequela", *arguments]]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment())


def limit_files(num_bytes):
    """What a process does before it runs: take a limit of its files' sizes."""
    return num_bytes and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes)))


class Ranks:
    """Ranks that no launcher watches: each a process of its own, which a test may stop or kill."""

    def __init__(self, commands, port, file_limits=(), **more):
        """file_limits: by rank, the bytes that a file of its may have; a stand-in for a full disk."""
        limits = dict(file_limits)
        self.processes = [
            subprocess.Popen(
                [str(word) for word in [sys.executable, "-m", "sequela", *arguments]],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=limit_files(limits.get(rank)),
                env=environment(
                    RANK=rank, WORLD_SIZE=len(commands), LOCAL_WORLD_SIZE=len(commands), MASTER_ADDR="127.0.0.1",
                    MASTER_PORT=port, **more,
                ),
            )
            for rank, arguments in enumerate(commands)
        ]  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()

    def outputs(self, timeout=120):
        """What each printed until its end."""
        return [process.communicate(timeout=timeout)[0] for process in self.processes]


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def weights(folder):
    """The bytes of a bundle's weights."""
    return (pathlib.Path(folder) / "model" / "model.safetensors").read_bytes()


def figures(folder):
    """metrics.json without what depends on a clock."""
    metrics = json.loads((pathlib.Path(folder) / "out" / "metrics.json").read_text())
    for entry in metrics["log"]:
        for name in [name for name in entry if name.startswith("ranks/")]:
            del entry[name]
        del entry["train/tokens_per_second"], entry["train/mfu"]
    return metrics
