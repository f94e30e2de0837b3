"""Builds gpu_probe and test_gpu from sources with torch alone."""

import math
import os
import pathlib
import shutil
import sys


def find_nvcc():
    found = shutil.which("nvcc")
    if found:
        return found
    for folder in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"):
        if folder and (pathlib.Path(folder) / "bin/nvcc").exists():
            return str(pathlib.Path(folder) / "bin/nvcc")
    return None


def capability():
    """The GPU's architecture as nvcc names it: "90"."""
    import torch
    return "".join(str(part) for part in torch.cuda.get_device_capability())


def configure_command(root, folder, is_cuda, nvcc):
    command = ["cmake", "-S", root, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DSEQUELA_PARTS=gpu",
               f"-DSEQUELA_PYTHON={sys.executable}", f"-DSEQUELA_CUDA={'ON' if is_cuda else 'OFF'}"]
    if shutil.which("ninja"):
        command += ["-G", "Ninja"]
    if is_cuda:
        command += [f"-DCMAKE_CUDA_COMPILER={nvcc}", f"-DSEQUELA_CUDA_ARCHITECTURES={capability()}"]
    return command


def build(runner, root, folder, is_cuda, jobs, targets=("gpu_probe", "test_gpu")):
    """Until the runner's time is up. The folder of the programs; whether they have the CUDA kernels. A build with kernels that fails is followed by one
    without: the plain way is worth being measured too."""
    nvcc = find_nvcc() if is_cuda else None
    for has_kernels in ([True, False] if is_cuda else [False]):
        if has_kernels and nvcc is None:
            runner.run("configure", "configure with the CUDA kernels", ["nvcc", "--version"], 60, reads_json=False)
            continue
        suffix = "" if has_kernels or not is_cuda else "_plain"
        kind = "with" if has_kernels else "without"
        place = folder / f"build{suffix}"
        done = runner.run(f"configure{suffix}", f"configure {kind} the CUDA kernels",
                          configure_command(root, place, has_kernels, nvcc), 120, reads_json=False)
        for target in targets:
            if done.is_good:
                done = runner.run(f"build_{target}{suffix}", f"build {target} {kind} the CUDA kernels",
                                  ["cmake", "--build", place, "-j", jobs, "--target", target], math.inf, reads_json=False)
        if (place / "bin/gpu_probe").exists():
            return place / "bin", has_kernels
    return None, False
