"""What several ranks send and wait: measured on this machine, and as a model of a cluster (docs/scaling.md).

    python bench/scaling.py measure PREPARED    # 1, 2 and 4 ranks of this machine, by torchrun
    python bench/scaling.py model               # the tables of docs/scaling.md
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

SHAPE = "--layers 2 --hidden 64 --heads 2 --intermediate 96 --accumulate 4 --max-steps 20 --eval-every 20 --log-every 2".split()

LIMIT = 900  # seconds a run


def run(prepared, folder, num_ranks):
    """Trains; the figures of the last log line."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={num_ranks}"]
    options = ["--data", prepared, "--out", f"{folder}/out", "--model", f"{folder}/model", "--keep-output"]
    command = [*launcher, "-m", "sequela", "pretrain", *options, *SHAPE, "--precision", "fp32", "--threads", "1", "-q"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    try:
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        sys.exit(f"{num_ranks} ranks took over {LIMIT} s. Fix: give a smaller PREPARED, or a machine with a core a rank.")
    if done.returncode != 0:
        sys.exit(f"{num_ranks} ranks failed:\n{done.stderr[-2000:]}")
    return json.loads(pathlib.Path(folder, "out", "metrics.json").read_text())["log"][-1]


def num_values(folder):
    """Parameters of a bundle, from its header."""
    with open(f"{folder}/model/model.safetensors", "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = [tensor for name, tensor in header.items() if name != "__metadata__"]
    return sum((tensor["data_offsets"][1] - tensor["data_offsets"][0]) // 4 for tensor in tensors)


def measure(prepared):
    print("| ranks | bytes a step and rank, the first rank's | 2 (R - 1) / R times 4 P | share of time waiting | tokens/s |")
    print("|---|---|---|---|---|")
    for num_ranks in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder:
            log = run(prepared, folder, num_ranks)
            theory = 2 * (num_ranks - 1) / num_ranks * 4 * num_values(folder)
        sent, waiting = log.get("ranks/bytes_sent_per_step", 0), log.get("ranks/share_of_time_waiting", 0)
        print(f"| {num_ranks} | {sent:,.0f} | {theory:,.0f} | {waiting:.0%} | {log['train/tokens_per_second']:,.0f} |")


# Of `--size base` (12 layers of 768) with 8,192 tasks, and of one ten times as wide in parameters.
MODELS = {"base, 116 M": 116e6, "1.2 G": 1.2e9}
BATCH = 8_192  # tokens
RATE = 400e12  # floating-point operations a second and GPU: 40 % of an H100's 989e12 in bfloat16
LATENCY = 20e-6  # seconds a message
BUCKET = 16 << 20  # values


def step_seconds(values, num_ranks, batches_each, bandwidth, sent_bytes=4):
    """(computing, sending) of one step; none of the sending is hidden behind computing."""
    compute = batches_each * 6 * values * BATCH / RATE
    share = (num_ranks - 1) / num_ranks
    messages = 2 * -(-values // BUCKET) * (num_ranks - 1)
    return compute, share * values * (sent_bytes + 4) / bandwidth + messages * LATENCY


def model():
    for name, values in MODELS.items():
        for batches_each in (1, 8):
            print(f"\n{name}, {batches_each} batches of {BATCH:,} tokens a rank and step\n")
            print("| GPUs | computing, ms | 25 GB/s | 50 GB/s | 100 GB/s | 200 GB/s | 400 GB/s |")
            print("|---|---|---|---|---|---|---|")
            for num_ranks in (8, 16, 32, 64, 128, 256):
                cells = []
                for bandwidth in (25e9, 50e9, 100e9, 200e9, 400e9):
                    compute, sending = step_seconds(values, num_ranks, batches_each, bandwidth)
                    cells.append(f"{1e3 * sending:,.0f} ms, {compute / (compute + sending):.0%}")
                print(f"| {num_ranks} | {1e3 * compute:,.0f} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2])
    else:
        model()
