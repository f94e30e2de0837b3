"""The command `sequela`: the binary of this package in place of the Python process.

Where a launcher (torchrun, srun, mpirun, Kubeflow) has started several ranks, each runs the command in this process.
"""

import importlib.util
import os
import pathlib
import sys
from typing import NoReturn

from sequela._launcher import LaunchError, find_launch


def main() -> None:
    """Runs the command, alone or as one of several ranks."""
    try:
        launch = find_launch(os.environ)
        if launch is None:
            _run_binary()
        from sequela._ranks import run_on_rank  # brings torch.distributed

        sys.exit(run_on_rank(launch, sys.argv[1:]))
    except LaunchError as error:
        print(f"sequela: error: {error}", file=sys.stderr)
        sys.exit(2)


def _run_binary() -> NoReturn:
    """The binary, with the libraries of the installed torch and pyarrow."""
    binary = pathlib.Path(__file__).parent / "bin" / "sequela"
    folders = []
    for package, below in (("torch", "lib"), ("pyarrow", "")):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            sys.exit(f"sequela: error: the package {package} is missing. Fix: pip install {package}.")
        folders.append(os.path.join(spec.submodule_search_locations[0], below))
    own = os.path.join(sys.prefix, "lib")
    if os.path.exists(os.path.join(own, "libpq.so.5")):  # conda's
        folders.append(own)
    folders += filter(None, [os.environ.get("LD_LIBRARY_PATH")])
    environment = {"SEQUELA_PYTHON": sys.executable, **os.environ, "LD_LIBRARY_PATH": os.pathsep.join(folders)}
    os.execve(binary, ["sequela", *sys.argv[1:]], environment)
