#!/usr/bin/env python3
"""Tries an installed Sequela, outside its sources: the command, the demo, the README's Python lines.

    PYTHON tools/try_wheel.py [--subjects N] [--max-steps N] [--hub WHEEL]

PYTHON is that of the environment that pip has installed the wheel into. Everything is written below a temporary folder. It
says what it does and stops at the first thing that does not work. --hub installs the wheel's extra `hub`, too, and gets a
model by name; tests/python/hub_server.py must lie beside this file.
"""

import argparse
import ctypes
import importlib.metadata
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

COMMAND = pathlib.Path(sysconfig.get_path("scripts")) / "sequela"
CHECKPOINT = """
import json, sequela
config = sequela.BertConfig()
config.vocab_size, config.hidden_size, config.num_hidden_layers = 1000, 96, 2
config.num_attention_heads, config.intermediate_size = 4, 192
sequela.BertEncoder(config, seed=1).save_pretrained("checkpoints/cehrbert")
with open("checkpoints/cehrbert/vocab.json", "w") as file:
    json.dump(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"code {i}" for i in range(995)], file)
"""


def say(text):
    print(f"--- {text}", flush=True)


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def try_demo(subjects, max_steps):
    say("the command")
    run(COMMAND, "--version")
    say(f"the demo, {subjects} subjects, {max_steps} steps")
    run(COMMAND, "demo", "--out", "demo", "--subjects", subjects, "--max-steps", max_steps)
    for name, source in (("meds", "records/meds"), ("model", "model"), ("labels.parquet", "labels/readmission_30d.parquet")):
        os.symlink(f"demo/{source}", name)


def try_readme():
    """The Python lines of the README, which the wheel's metadata hold, on the demo's files and a random checkpoint."""
    say("the README's Python lines")
    readme = importlib.metadata.metadata("sequela").get_payload()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.S)
    assert blocks, "the README has no Python lines"
    for block in [CHECKPOINT, *blocks]:
        run(sys.executable, "-c", block)


def try_etl():
    """Loads DuckDB's library, which lies in the wheel and is linked to nothing."""
    say("raw tables to MEDS")
    pathlib.Path("cdm").mkdir()
    pathlib.Path("cdm/person.csv").write_text("person_id,year_of_birth\n1,1980\n2,1990\n")
    run(COMMAND, "etl", "--from", "omop", "cdm", "--out", "from_omop")


def try_missing_libpq():
    try:
        ctypes.CDLL("libpq.so.5")
        return
    except OSError:
        say("a database without libpq")
    result = subprocess.run(
        [COMMAND, "features", "--meds", "meds", "--model", "model", "--labels", "labels.parquet", "--out", "out"]
        + ["--cohort-db", "postgresql://me:secret@host/db", "--cohort-query", "SELECT 1"],
        capture_output=True, text=True)  # fmt: skip
    print(result.stderr, end="")
    assert result.returncode == 4 and "libpq5" in result.stderr and "secret" not in result.stderr
    assert len(result.stderr.splitlines()) == 1 and not pathlib.Path("out").exists()


def try_names_without_the_extra():
    if importlib.util.find_spec("huggingface_hub") is not None:
        return
    say("a model by name without huggingface_hub")
    result = subprocess.run([COMMAND, "inspect", "org/model"], capture_output=True, text=True)
    print(result.stderr, end="")
    assert result.returncode == 4 and f"{sys.executable} -m pip install 'huggingface_hub" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def try_names(wheel):
    """Models by name, with the wheel's extra `hub` and a small hub of our own."""
    from hub_server import HubServer

    say("the extra hub: a model sent and got by name")
    run(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"{wheel}[hub]")
    with HubServer() as hub:
        os.environ.update(HF_ENDPOINT=hub.url, HF_HOME=os.path.abspath("hf"), HF_TOKEN="writer", HF_HUB_DISABLE_XET="1")
        run(COMMAND, "push", "model", "org/model")
        run(COMMAND, "inspect", "org/model")
        run(COMMAND, "features", "--meds", "meds", "--model", "org/model", "--labels", "labels.parquet", "--out", "by_name")
        run(sys.executable, "-c", "import sequela; print(sequela.inspect('org/model'))")
        assert "model.safetensors" in hub.files_sent()


def try_old_cpu():
    """On an emulated x86-64-v2 CPU, where QEMU is there to emulate it."""
    qemu = shutil.which("qemu-x86_64")
    if qemu is None:
        say("no emulated CPU of x86-64-v2: qemu-x86_64 is missing, install package qemu-user")
        return
    say("an emulated CPU of x86-64-v2")
    packages = pathlib.Path(sysconfig.get_path("platlib"))
    libraries = f"{packages}/torch/lib:{packages}/pyarrow"
    old = [qemu, "-cpu", "Nehalem", "-E", f"LD_LIBRARY_PATH={libraries}", packages / "sequela/bin/sequela"]
    run(*old, "synth", "--subjects", 10, "--out", "few", "--quiet")
    run(*old, "features", "--meds", "few/meds", "--model", "model", "--labels", "few/labels.parquet", "--out", "few/out")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=1500)
    parser.add_argument("--max-steps", type=int, default=10)
    parser.add_argument("--hub", metavar="WHEEL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sequela-try-") as folder:
        os.chdir(folder)
        try_demo(options.subjects, options.max_steps)
        try_readme()
        try_etl()
        try_missing_libpq()
        try_names_without_the_extra()
        if options.hub:
            try_names(options.hub)
        try_old_cpu()
        os.chdir("/")
    say(f"all of it works: Python {sys.version.split()[0]}, {' '.join(os.confstr('CS_GNU_LIBC_VERSION').split())}")


if __name__ == "__main__":
    main()
