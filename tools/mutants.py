"""Changes a layer's code at random places and counts how many of the changes its tests notice.

    python3 tools/mutants.py LAYER... [--count 20] [--seed 1] [--folder FOLDER]

Each mutant has one change: an operator, a bound, a constant, or a statement that is dropped. It is built (the layer's
files one by one, so that a mutant is a small file to compile; the other layers come from ccache, where it is) and the
layer's own test binary is run, first the tests whose files include the changed file's header; a failure, a crash or a hang
kills it. What does not compile, or compiles to the same program, is drawn again. All of it happens in a copy of the working
tree (FOLDER, kept for the next run; default: mutants below the folder for temporary files), never in the tree itself. The
same seed and sources give the same mutants. Prints each survivor as a diff and a table. It needs what `make setup` installs
and some minutes a layer; it is no part of CI.
"""

import argparse
import difflib
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The format puts blanks around binary operators and none around the brackets of templates.
OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*",
             "&&": "||", "||": "&&", "+=": "-=", "-=": "+="}
OPERATOR = re.compile(r"(?<=\s)(" + "|".join(map(re.escape, sorted(OPERATORS, key=len, reverse=True))) + r")(?=\s)")
NUMBER = re.compile(r"(?<![\w.'])(\d[\d']*)(\.\d+)?(?:e[-+]?\d+)?(?![\w.'])")
STATEMENT = re.compile(r"^\s+(?!return\b|using\b|const\b|auto\b|static\b|case\b|break\b|else\b|namespace\b|struct\b|class\b)"
                       r"(?:throw\b.*|[\w:.>\[\]()*-]+(?:\(.*\)|\s[-+*/|&]?=\s.*)|\+\+.*|[\w.>-]+\+\+);\s*$")
OPAQUE = re.compile(r'//.*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'')


def changes_of(line: str):
    """(kind, changed line) of everything that may be changed in a line of C++."""
    if line.lstrip().startswith("#"):
        return
    seen = OPAQUE.sub(lambda match: " " * len(match[0]), line)
    for match in OPERATOR.finditer(seen):
        beside = line[match.start() - 2] + line[match.end() + 1 : match.end() + 2]
        if '"' in beside and match[1] in {"+", "+="}:
            continue  # a text is joined: no other operator compiles
        yield "operator", line[: match.start()] + OPERATORS[match[1]] + line[match.end():]
    for match in NUMBER.finditer(seen):
        is_bound = re.search(r"[<>]=?\s*$", seen[: match.start()]) is not None
        if match[2] or "e" in match[0]:
            changed = f"{float(match[0].replace(chr(39), '')) * 2 + 1:g}"
            changed += "" if re.search(r"[.e]", changed) else ".0"
        else:
            changed = str(int(match[1].replace("'", "")) + 1)
        yield ("bound" if is_bound else "constant"), line[: match.start()] + changed + line[match.end():]
    if STATEMENT.match(seen):
        yield "statement", line[: len(line) - len(line.lstrip())] + ";"


def mutants_of(layer: str, root: pathlib.Path):
    """(file, line number from 0, kind, changed line) of a layer's mutants; files that a script made are left out."""
    for path in sorted((root / "sequela" / layer).rglob("*")):
        if path.suffix in {".h", ".cc"} and not (text := path.read_text()).startswith("// Made by "):
            for number, line in enumerate(text.split("\n")):
                for kind, changed in changes_of(line):
                    yield path.relative_to(root), number, kind, changed


def copy_tree(folder: pathlib.Path) -> None:
    """The working tree's files, without rewriting those that are the same: their builds stay valid."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True)
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        target = folder / name
        if target.is_file() and target.read_bytes() == (ROOT / name).read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(ROOT / ".venv")
    for path in (folder / "sequela").rglob("*"):
        if path.is_file() and str(path.relative_to(folder)) not in set(names):
            path.unlink()


SUITE = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\((\w+),", re.MULTILINE)


def near_tests(path: pathlib.Path, root: pathlib.Path) -> str:
    """A gtest filter of the suites in those of the layer's test files that include a source file's header; "" if none."""
    header = f'#include "{path.with_suffix(".h")}"'
    suites = set()
    for file in (root / "tests" / path.parts[1]).glob("*_test.cc"):
        text = file.read_text()
        if header in text:
            suites.update(SUITE.findall(text))
    return ":".join(f"*{suite}*" for suite in sorted(suites))


class Layer:
    def __init__(self, name: str, folder: pathlib.Path):
        self.name, self.folder = name, folder
        self.binary = folder / "build" / "bin" / f"test_{name}"
        configure = ["cmake", "--preset", "release", "-B", "build", f"-DSEQUELA_PYTHON={folder}/.venv/bin/python",
                     f"-DSEQUELA_ALONE={name}"]
        subprocess.run(configure, cwd=folder, check=True, capture_output=True)
        if not self.builds():
            sys.exit(f"test_{name} cannot be built in {folder}. Fix: see `ninja -C {folder}/build test_{name}`.")
        self.digest = self.digest_of_binary()
        start, self.max_seconds = time.monotonic(), 1_800.0
        if not self.passes():
            sys.exit(f"the tests of {name} fail without a change. Fix: mend them first.")
        self.max_seconds = 10 + 5 * (time.monotonic() - start)  # a mutant that takes longer hangs

    def builds(self) -> bool:
        ninja = ["ninja", "-C", self.folder / "build", "-j", str(os.cpu_count()), "--quiet", f"test_{self.name}"]
        environment = {**os.environ, "CCACHE_DEPEND": "1"}  # a mutant is compiled once, not preprocessed as well
        return subprocess.run(ninja, env=environment, capture_output=True).returncode == 0

    def digest_of_binary(self) -> str:
        return hashlib.sha256(self.binary.read_bytes()).hexdigest()

    def passes(self, tests: str = "*") -> bool:
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        try:
            command = [self.binary, "--gtest_fail_fast", "--gtest_brief=1", f"--gtest_filter={tests}"]
            test = subprocess.run(command, env=environment, timeout=self.max_seconds, cwd=self.folder / "build",
                                  capture_output=True)
        except subprocess.TimeoutExpired:
            return False
        return test.returncode == 0

    def outcome(self, path: pathlib.Path, number: int, changed: str) -> str:
        """killed, survived, or invalid (it does not compile, or is the same program)."""
        file = self.folder / path
        original = file.read_text()
        lines = original.split("\n")
        lines[number] = changed
        file.write_text("\n".join(lines))
        try:
            if not self.builds() or self.digest_of_binary() == self.digest:
                return "invalid"
            near = near_tests(path, self.folder)
            passes = self.passes(near) and self.passes(f"-{near}") if near else self.passes()
            return "survived" if passes else "killed"
        finally:
            file.write_text(original)

    def test(self, count: int, seed: int):
        """(killed, survivors): survivors as diffs."""
        drawn = list(mutants_of(self.name, self.folder))
        random.Random(f"{self.name} {seed}").shuffle(drawn)
        killed, survivors = 0, []
        for path, number, kind, changed in drawn:
            if killed + len(survivors) == count:
                break
            outcome = self.outcome(path, number, changed)
            print(f"{self.name}: {path}:{number + 1}: {kind}: {outcome}", file=sys.stderr, flush=True)
            if outcome == "killed":
                killed += 1
            elif outcome == "survived":
                before = (self.folder / path).read_text().split("\n")
                after = [*before[:number], changed, *before[number + 1:]]
                survivors.append("\n".join(difflib.unified_diff(before, after, str(path), str(path), lineterm="", n=2)))
        self.builds()
        return killed, survivors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("layers", nargs="+", metavar="LAYER")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "mutants")
    options = parser.parse_args()
    for name in options.layers:
        if not (ROOT / "sequela" / name).is_dir() or not (ROOT / "tests" / name).is_dir():
            parser.error(f"there is no layer '{name}' with tests")
    folder = options.folder.resolve()
    if folder == ROOT or ROOT in folder.parents or folder in ROOT.parents:
        parser.error(f"{folder} and the tree overlap. Fix: name a folder elsewhere by --folder.")
    copy_tree(folder)
    rows = []
    for name in options.layers:
        killed, survivors = Layer(name, folder).test(options.count, options.seed)
        rows.append((name, killed, killed + len(survivors)))
        print("".join(f"\n{diff}\n" for diff in survivors), end="")
    print(f"\n{'layer':<12}{'mutants':>8}{'killed':>8}{'share':>8}")
    for name, killed, total in rows:
        print(f"{name:<12}{total:>8}{killed:>8}{100 * killed / max(1, total):>6.0f} %")


if __name__ == "__main__":
    main()
