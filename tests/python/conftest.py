"""Where the reference data lie, and things that several tests share."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest
import sequela
from hub_server import HubServer

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = REPOSITORY / "tests" / "reference"
SHARED = pathlib.Path(os.environ.get("SEQUELA_SHARED", REPOSITORY.parent / "shared"))
COMMAND = pathlib.Path(sys.executable).with_name("sequela")

# huggingface_hub reads these when it is first imported.
os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1")

# A shell starts its background jobs with Ctrl-C ignored, and programs inherit that; tests here send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    config.addinivalue_line("markers", "shared: needs third parties' records (chosen by -m shared)")


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if parameters.get("reference", "shared" if "shared" in item.fixturenames else "") == "shared":
            item.add_marker("shared")


@pytest.fixture(scope="session")
def shared():
    """The folder of third parties' records; tests that need it are skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip("needs third parties' records: put them beside the checkout as ../shared, or set SEQUELA_SHARED")
    return SHARED


@pytest.fixture(scope="session", params=["repository", "shared"])
def reference(request):
    """The folder of reference numbers: of records of our own, then of third parties'."""
    return REFERENCE if request.param == "repository" else request.getfixturevalue("shared") / "parity"


@pytest.fixture(scope="session")
def tutorial(reference):
    """Records with few, rare codes, labels and bundles for them; the other reference's are femr's tutorial."""
    return reference / "motor" / "tutorial" if reference == REFERENCE else SHARED / "data" / "femr_tutorial"


@pytest.fixture(scope="session")
def bert(reference):
    """A tiny BERT's folders and its reference numbers."""
    return reference / "bert" / "a_bert"


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """A small made-up data set."""
    folder = tmp_path_factory.mktemp("records") / "synth"
    sequela.synth(folder, subjects=60, num_threads=2, progress=False)
    return folder


# Options of prepare for so few subjects.
SMALL = dict(vocab_size=512, num_numeric=100, num_tasks=64, tokens_per_batch=1024)

# Options of pretrain.
TINY = dict(
    n_layers=2,
    hidden_size=64,
    n_heads=2,
    intermediate_size=96,
    accumulate=1,
    max_steps=2,
    eval_every=1,
    warmup_steps=1,
    precision="fp32",
    num_threads=2,
    progress=False,
)


@pytest.fixture(scope="session")
def prepared(records, tmp_path_factory):
    """What prepare makes of the records."""
    folder = tmp_path_factory.mktemp("prepared") / "files"
    sequela.prepare(
        records / "meds",
        folder,
        athena=records / "athena",
        **SMALL,
        num_threads=2,
        progress=False,
    )
    return folder


@pytest.fixture(scope="session")
def bundle(prepared, tmp_path_factory):
    """A MOTOR model that saw two steps."""
    folder = tmp_path_factory.mktemp("bundle") / "model"
    sequela.pretrain(prepared, folder, **TINY)
    return folder


@pytest.fixture
def model(bundle):
    """That model as a module."""
    return sequela.Motor.from_pretrained(bundle)


@pytest.fixture(scope="session")
def batch(prepared):
    """A batch for it, with targets."""
    return sequela.MotorDataset(prepared)[0]


def gradients_of(module):
    return {name: parameter.grad for name, parameter in module.named_parameters()}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A running hub; the cache and the current folder are empty ones."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def run(*arguments, **variables):
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **variables}
    )
