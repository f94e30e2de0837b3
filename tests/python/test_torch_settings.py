"""What torch and the process were told before a call holds after it, too."""

import signal
import subprocess

import pytest
import sequela
import torch
from conftest import SMALL, TINY


def environment():
    """As the process has it: os.environ does not see what C++ sets. pytest's own note changes."""
    lines = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(line for line in lines if not line.startswith(("PYTEST_CURRENT_TEST=", "_=")))


def settings():
    return {
        "threads": torch.get_num_threads(),
        "threads between operations": torch.get_num_interop_threads(),
        "float32 products": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "gradients": torch.is_grad_enabled(),
        "type": torch.get_default_dtype(),
        "oneDNN": torch.backends.mkldnn.enabled,
        "chance": torch.get_rng_state().tolist(),
        "environment": environment(),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
    }


@pytest.fixture
def unusual():
    """Settings that no default has."""
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(3)
    torch.set_float32_matmul_precision("high")
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield settings()
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision(before[1])
    torch.set_num_threads(before[0])


def test_calls_leave_them(unusual, records, prepared, bundle, tmp_path):
    labels = records / "labels.parquet"
    meds = records / "meds"
    quiet = dict(num_threads=2, progress=False)
    calls = {
        "synth": lambda: sequela.synth(tmp_path / "synth", subjects=10, **quiet),
        "prepare": lambda: sequela.prepare(meds, tmp_path / "files", athena=records / "athena", **SMALL, **quiet),
        "pretrain": lambda: sequela.pretrain(prepared, tmp_path / "model", **TINY),
        "write_features": lambda: sequela.write_features(meds, bundle, labels, tmp_path / "features", **quiet),
        "compute_features": lambda: sequela.compute_features(meds, bundle, labels, num_proc=2),
        "inspect": lambda: sequela.inspect(bundle),
    }
    for name, call in calls.items():
        call()
        assert settings() == unusual, name


def test_a_call_that_fails_leaves_them(unusual, bundle, tmp_path):
    with pytest.raises(sequela.Error):
        sequela.write_features(tmp_path, bundle, tmp_path / "none", tmp_path / "out", num_threads=2, progress=False)
    assert settings() == unusual
