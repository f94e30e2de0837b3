"""How the make scripts write what they made: NumPy archives, JSON and safetensors, without compression dates."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
MOTOR = HERE / "motor"


def write_json(path, value, sort_keys=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, sort_keys=sort_keys, ensure_ascii=True, separators=(",", ":")) + "\n")


def flatten(value, prefix=""):
    """{"a": {"b": tensor}} -> {"a.b": array}."""
    arrays = {}
    for name, item in value.items():
        if isinstance(item, dict):
            arrays.update(flatten(item, f"{prefix}{name}."))
        else:
            arrays[prefix + name] = item.numpy() if isinstance(item, torch.Tensor) else np.asarray(item)
    return arrays


def write_npz(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)


def perturbed(model, seed):
    """Moves every parameter off its initial 0 or 1, so that no gradient and no term is lost."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return model


def convert(meds, database):
    """A meds_reader database of a MEDS folder."""
    tool = pathlib.Path(sys.executable).parent / "meds_reader_convert"
    subprocess.run([tool, meds, database, "--num_threads", "1"], check=True)
