"""The order of the check."""

import argparse
import json
import os
import pathlib
import sys
import time
import warnings

from gpu import judge, report
from gpu.build import build
from gpu.steps import Runner

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def build_minutes(jobs):
    """At the most; 4 is the aim, on 16 cores."""
    return 8 * max(1, 16 / jobs)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="gpu_check", description="Checks Sequela on a GPU and measures it.")
    parser.add_argument("--device", default="cuda", metavar="cuda|cpu", choices=["cuda", "cpu"],
                        help="cpu: a rehearsal, with the CPU in the GPU's place (default: cuda)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("gpu_check_out"), metavar="DIR",
                        help="where the build, the logs and gpu_report.md go (default: gpu_check_out)")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "gpu_data", metavar="DIR",
                        help="batches and expected numbers (default: the bundle's)")
    parser.add_argument("--minutes", type=float, default=4, help="for all that comes after the build (default: 4)")
    parser.add_argument("--programs", type=pathlib.Path, metavar="DIR",
                        help="where gpu_probe and test_gpu are, if they are built already")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at a time (default: all cores)")
    parser.add_argument("--fault", default="", metavar="norm|attention",
                        help="make this kernel wrong, to see that the check finds it")
    return parser.parse_args(arguments)


class Check:
    def __init__(self, options, programs):
        self.options = options
        self.programs = programs
        self.is_cpu = options.device == "cpu"
        self.runner = Runner(options.out / "logs", time.monotonic() + 60 * options.minutes)

    def probe(self, name, what, kind, limit, **words):
        command = [self.programs / "gpu_probe", kind, "--device", self.options.device]
        for key, value in words.items():
            command += [f"--{key}", value]
        return self.runner.run(name, what, command, limit)

    def training(self, name, what, limit, size, steps, **words):
        return self.probe(name, what, "training", limit, size=size, steps=steps,
                          data=self.options.data / ("tiny" if size == "tiny" else "base"),
                          out=self.options.out / "run" / name, **words)

    # (a) What is computed is right.
    def kernels(self):
        self.probe("facts", "the device", "facts", 60)
        fault = {"fault": self.options.fault} if self.options.fault else {}
        self.probe("kernels", "each kernel against the plain way", "kernels", 60, **fault)
        results = (self.options.out / "tests.json").resolve()
        self.runner.run("tests", "the tests of kernels and models", [self.programs / "test_gpu",
                        f"--gtest_output=json:{results}"], 90, reads_json=False,
                        environment={"SEQUELA_TEST_DEVICE": self.options.device})

    # (b) A run learns as it does on the CPU.
    def curves(self):
        steps = 40 if self.is_cpu else 200
        for precision in ("fp32", "bf16"):
            self.training(f"tiny_{precision}", f"{steps} steps of tiny in {precision}", 60, "tiny", steps,
                          precision=precision)
        if not self.is_cpu:
            self.training("tiny_bf16_plain", "20 steps of tiny the plain way", 60, "tiny", 20, kernels="plain")

    # (c) How fast, beside a step in plain PyTorch.
    def speed(self):
        sizes = [("small", 1, 4)] if self.is_cpu else [("base", 1, 40), ("base", 4, 30), ("base", 8, 20),
                                                       ("small", 1, 60), ("small", 8, 40)]
        for size, joined, steps in sizes:
            self.training(f"step_{size}_{joined}", f"steps of {size}, {joined} x 8,192 tokens", 60, size, steps,
                          joined=joined)
        if not self.is_cpu:
            self.training("step_base_recomputed", "steps of base, 8 x 8,192 tokens, activations recomputed", 60, "base",
                          20, joined=8, recompute=1)
        size = "tiny" if self.is_cpu else "base"
        self.probe("profile", f"where a step of {size} spends its time", "profile", 60, size=size,
                   data=self.options.data / ("tiny" if self.is_cpu else "base"))
        for size in ("small",) if self.is_cpu else ("base", "small"):
            tokens, tasks, steps = (256, 512, 1) if self.is_cpu else (8192, 8192, 10)
            self.runner.run(f"peer_{size}", f"steps of {size} in plain PyTorch",
                            [sys.executable, HERE / "peer_step.py", self.options.device, size, tokens, tasks, steps], 60)

    # (d) Features and encoders.
    def inference(self):
        size = "small" if self.is_cpu else "base"
        self.probe("features", f"embeddings by {size}", "features", 40, size=size, data=self.options.data / "base",
                   joined=1 if self.is_cpu else 4)
        self.probe("encoder", "embeddings of visits by BERT", "encoder", 40)

    # (e) The sanitizer, last: it is slow.
    def sanitizer(self):
        if self.is_cpu:
            return
        for tool in ("memcheck", "racecheck"):
            self.runner.run(f"sanitizer_{tool}", f"the kernels under compute-sanitizer's {tool}",
                            ["compute-sanitizer", "--tool", tool, "--error-exitcode", 9, self.programs / "gpu_probe",
                             "kernels", "--device", self.options.device], 90)

    def all(self):
        for part in (self.kernels, self.curves, self.speed, self.inference, self.sanitizer):
            part()
        return self.runner.outcomes


def read_expected(path):
    return json.loads(path.read_text()) if path.exists() else {}


def missing(is_cpu):
    """What torch lacks for the check, in a line; empty = nothing."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            import torch
        except (ImportError, OSError, ValueError) as error:  # the latter two: one of its libraries
            return (f"{sys.executable} has no torch ({str(error).splitlines()[0]}). Fix: run `PYTHON tools/gpu_check` with "
                    "a Python that has it, or pip install torch")
        if is_cpu or torch.cuda.is_available():
            return ""
        if torch.version.cuda is None:
            return (f"torch {torch.__version__} is without CUDA. Fix: install a torch with CUDA; or rehearse with "
                    "--device cpu")
        reasons = [str(one.message).splitlines()[0] for one in said if "CUDA" in str(one.message)]
        return (f"torch {torch.__version__} finds no CUDA device{': ' if reasons else ''}{''.join(reasons[:1])}. Fix: see "
                "that nvidia-smi names one and CUDA_VISIBLE_DEVICES hides none; or rehearse with --device cpu")


def main(arguments=None):
    options = parse(arguments)
    reason = missing(options.device == "cpu")
    if reason:
        print(f"gpu_check: {reason}.", file=sys.stderr)
        return 2
    if not (options.data / "base/batches.safetensors").exists():
        print(f"gpu_check: no batches in {options.data}. Fix: run it in the folder that `make gpu-bundle` makes, or "
              "give --data.", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    builder = Runner(options.out / "logs", start + 60 * build_minutes(options.jobs))
    programs, has_kernels = options.programs, True
    if programs is None:
        programs, has_kernels = build(builder, ROOT, options.out.resolve(), options.device == "cuda", options.jobs)
    outcomes = list(builder.outcomes)
    built = time.monotonic()
    if programs is not None:
        outcomes += Check(options, programs).all()
    times = {"build": built - start, "checks": time.monotonic() - built}
    expected = read_expected(options.data / "expected.json")
    findings = judge.findings(outcomes, expected, options.out / "tests.json", has_kernels or options.device == "cpu")
    path = options.out / "gpu_report.md"
    path.write_text(report.text(outcomes, findings, expected, times, options.device))
    print(f"{len(findings)} things are wrong or below the aim; see {path}")
    return 1 if any(finding.is_wrong for finding in findings) else 0
