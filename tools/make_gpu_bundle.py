"""Makes the folder that tools/gpu_check runs in on a machine with a GPU and nothing of ours: the sources that it builds,
the two libraries that they need as sources, batches, and the CPU's numbers to compare with. At most 60 MB.

  make_gpu_bundle.py BUILD FOLDER [--steps N]     BUILD has gpu_data and gpu_probe; N: of the expected loss curves"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT_BYTES = 60_000_000
LIBRARIES = {"nlohmann": "/usr/include/nlohmann", "googletest/src": "/usr/src/googletest/googletest/src",
             "googletest/include": "/usr/src/googletest/googletest/include"}
SOURCES = ["CMakeLists.txt", "LICENSE", "LICENSE-third-party", "docs/gpu.md", "cmake/*.cmake", "tools/gpu_check",
           "tools/gpu/*.py", "tools/gpu/CMakeLists.txt", "tools/gpu/probe/*", "tests/gpu/*.cc", "tests/cuda_on_cpu/*.h",
           "tests/cuda_on_cpu/*_test.cc", "tests/nn/*.h", "tests/nn/plain_test.cc", "tests/model/cuda_twin_*",
           "tests/support/main.cc", "tests/support/isa.h", "tests/support/threads.h",
           *(f"sequela/{layer}/**/*" for layer in ("core", "io", "nn", "distributed", "batch", "model", "train",
                                                 "encoders"))]
README = """# Sequela on this machine's GPU

    python3 tools/gpu_check

builds what it needs (torch with CUDA in that Python, nvcc, cmake 3.25 or newer, gcc 12 or newer; no network), checks and
measures, and writes gpu_check_out/gpu_report.md: what is wrong stands first. docs/gpu.md tells what is measured.
"""


def copy_sources(folder):
    for pattern in SOURCES:
        found = [path for path in ROOT.glob(pattern) if path.is_file()]
        if not found:
            sys.exit(f"make_gpu_bundle: there is no {pattern}")
        for path in found:
            place = folder / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    for name, source in LIBRARIES.items():
        if not pathlib.Path(source).is_dir():
            sys.exit(f"make_gpu_bundle: there is no {source}. Fix: make setup.")
        shutil.copytree(source, folder / "third_party" / name)
    (folder / "README.md").write_text(README)


def losses(build, data, precision, steps, scratch):
    """The CPU's loss curve."""
    command = [build / "bin/gpu_probe", "training", "--device", "cpu", "--data", data / "tiny", "--size", "tiny",
               "--precision", precision, "--steps", str(steps), "--out", scratch]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"make_gpu_bundle: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)["losses"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    partial = options.folder.with_name(options.folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    copy_sources(partial)
    data = partial / "gpu_data"
    subprocess.run([str(options.build / "bin/gpu_data"), str(data)], check=True)
    expected = {precision: losses(options.build, data, precision, options.steps, partial / "run")
                for precision in ("fp32", "bf16")}
    (data / "expected.json").write_text(json.dumps(expected))
    shutil.rmtree(partial / "run", ignore_errors=True)
    size = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        sys.exit(f"make_gpu_bundle: {size / 1e6:.1f} MB, the limit is {LIMIT_BYTES / 1e6:.0f} MB")
    shutil.rmtree(options.folder, ignore_errors=True)
    partial.rename(options.folder)
    print(f"{options.folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
