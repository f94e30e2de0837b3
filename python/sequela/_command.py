"""The command `sequela`: the binary of this package in place of the Python process."""

import importlib.util
import os
import pathlib
import sys


def main() -> None:
    """Runs the binary with the libraries of the installed torch and pyarrow."""
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
