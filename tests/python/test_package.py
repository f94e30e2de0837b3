"""What pip installed: the command, the stubs, the version."""

import os
import pathlib
import subprocess
import sys

import pytest
import sequela
from conftest import REPOSITORY
from sequela import _command, _progress


def installed():
    return pathlib.Path(sequela.__file__).parent


def test_the_command_runs():
    command = pathlib.Path(sys.executable).parent / "sequela"
    result = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith(f"sequela {sequela.__version__}\n  commit ")
    result = subprocess.run([command, "inspect", "/nowhere"], capture_output=True, text=True)
    assert result.returncode in (2, 4) and "/nowhere" in result.stderr


def test_the_command_sees_the_environment_s_libpq(tmp_path, monkeypatch):
    seen = []

    def execve(binary, arguments, environment):
        seen.append(environment)
        sys.exit()  # the real one does not come back either

    monkeypatch.setattr(os, "execve", execve)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "lib").mkdir()
    for name in ("libother.so", "libpq.so.5"):
        (tmp_path / "lib" / name).touch()
        with pytest.raises(SystemExit):
            _command.main()
    before, after = (each["LD_LIBRARY_PATH"].split(os.pathsep) for each in seen)
    assert str(tmp_path / "lib") not in before and str(tmp_path / "lib") in after


def test_it_is_typed():
    for name in ("py.typed", "_core.pyi"):
        assert (installed() / name).exists()


def test_stubs_name_what_the_core_has():
    from sequela import _core

    text = (installed() / "_core.pyi").read_text()
    missing = [name for name in dir(_core) if not name.startswith("_") and f" {name}" not in text]
    assert not missing


class Cell:
    """Stands for a notebook's cell: remembers what is drawn."""

    def __init__(self):
        self.drawn = []

    def __call__(self, bar, display_id):
        assert display_id
        self.update(bar)
        return self

    def update(self, bar):
        self.drawn.append((repr(bar), bar._repr_html_()))


def test_a_notebook_s_bar():
    cell = Cell()
    listener = _progress._Notebook(cell)
    listener.progress("embed", "labels", 50, 200, 2.0, False)
    listener.progress("embed", "labels", 200, 200, 8.0, True)
    (first, first_html), (last, last_html) = cell.drawn
    assert first == "embed         25 %  50 labels, 25/s, 2.0 s, 6 s left"
    assert '<progress value="50" max="200"' in first_html
    assert "100 %" in last and 'value="1" max="1"' in last_html


def test_a_plain_log(capsys):
    listener = _progress._Terminal()
    listener.log(2, "odd")
    listener.progress("embed", "labels", 5, 200, 2.0, False)
    listener.progress("embed", "labels", 10, 200, 16.0, False)
    listener.progress("embed", "labels", 200, 200, 20.0, True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "warning: odd"
    assert [line.split("%")[0].split()[-1] for line in lines[1:]] == ["5", "100"]


def in_the_root(*arguments):
    """Python in the repository's root, which holds a folder of the package's name."""
    return subprocess.run([sys.executable, *arguments], cwd=REPOSITORY, capture_output=True, text=True)


def test_without_an_install_the_root_says_so_at_once():
    result = in_the_root("-E", "-S", "-c", "import sequela")  # without what is installed
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("ImportError: sequela is not installed") and "Fix: pip install" in last


def test_the_root_finds_what_is_installed():
    script = "import sequela, sequela.errors as e; print(sequela.__file__, sequela.Error is e.Error, sequela.synth)"
    result = in_the_root("-c", script)
    assert result.stdout.startswith(f"{installed() / '__init__.py'} True <function synth"), result.stderr


def test_the_sources_are_not_in_the_package():
    assert not list(installed().rglob("*.cc")) and not list(installed().rglob("*.h"))
    assert "C++ sources" not in (installed() / "__init__.py").read_text()
