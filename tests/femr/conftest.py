"""One prepared, pretrained and embedded data set that all tests of this folder look at with femr's eyes."""

import os
import pathlib
import subprocess

import pytest
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests/reference/motor/g60"
BINARY = os.environ.get("SEQUELA_BINARY", str(ROOT / "build/bin/sequela"))


def sequela(*arguments):
    result = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="session")
def g60(tmp_path_factory):
    """Sixty subjects with an ontology: prepared in femr's batch format, trained for ten steps, in fp32."""
    # femr waits for a CUDA device at the end of compute_features, also on machines without one.
    torch.cuda.synchronize = lambda *_: None
    folder = tmp_path_factory.mktemp("g60")
    source = REFERENCE
    prepare = ["prepare", "--meds", source / "meds", "--athena", source / "athena"]
    sizes = ["--vocab-size", 1024, "--num-numeric", 128, "--num-tasks", 512, "--final-layer-size", 32,
             "--tokens-per-batch", 2048]
    sequela(*prepare, "--out", folder / "files", *sizes, "--batch-format", "femr", "--femr-compatible")
    sequela("pretrain", "--data", folder / "files", "--out", folder / "output", "--model", folder / "model",
            "--layers", 2, "--hidden", 64, "--heads", 4, "--intermediate", 128, "--attention-width", 32,
            "--accumulate", 2, "--max-steps", 10, "--eval-every", 5, "--log-every", 2, "--warmup-steps", 2,
            "--learning-rate", 1e-3, "--precision", "fp32", "--keep-output")
    database = folder / "database"
    subprocess.run(["meds_reader_convert", source / "meds", database, "--num_threads", "1"], check=True)
    return {"folder": folder, "files": folder / "files", "output": folder / "output",
            "model": folder / "model", "database": database, "source": source}


@pytest.fixture(scope="session")
def ontology(g60):
    """femr's own ontology of the same vocabulary, pruned as prepare prunes."""
    import femr.ontology
    import meds_reader

    result = femr.ontology.Ontology(str(g60["source"] / "athena"),
                                    str(g60["source"] / "meds/metadata/codes.parquet"))
    with meds_reader.SubjectDatabase(str(g60["database"]), num_threads=1) as database:
        result.prune_to_dataset(database, prune_all_descriptions=True, remove_ontologies={"SPL", "HemOnc"})
    return result
