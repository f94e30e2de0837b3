"""Fails on an include that a layer may not have. The table is the architecture; see CONTRIBUTING.md."""

import collections
import pathlib
import re
import sys

ALLOWED = {
    "core": [],
    "io": ["core"],
    "meds": ["core", "io"],
    "ontology": ["core", "io"],
    "label": ["core", "io", "meds", "ontology"],
    "tokenizer": ["core", "io", "meds", "ontology"],
    "task": ["core", "io", "meds", "ontology", "tokenizer"],
    "nn": ["core", "io"],
    "batch": ["core", "io", "meds", "ontology", "tokenizer", "task", "nn"],
    "model": ["core", "io", "nn"],
    "distributed": ["core"],
    "train": ["core", "io", "batch", "nn", "model", "distributed"],
    "objective": ["core", "io", "meds", "ontology", "tokenizer", "task", "nn", "batch", "model", "distributed", "train", "encoders", "evaluation", "synth"],
    "features": ["core", "io", "meds", "ontology", "tokenizer", "task", "batch", "nn", "model"],
    "encoders": ["core", "io", "meds", "ontology", "tokenizer", "nn", "batch", "model", "train"],
    "evaluation": ["core", "io"],
    "synth": ["core", "io", "meds"],
    "run": ["core", "io"],
    "report": ["core", "io"],
    "etl": ["core", "io", "meds", "run"],
}
ALLOWED["pipeline"] = list(ALLOWED)
ALLOWED["cli"] = list(ALLOWED)
WITH_TORCH = {"nn", "batch", "model", "distributed", "train", "objective", "features", "encoders", "pipeline", "cli"}

# Third-party headers and the one place that may include them.
OWNERS = [
    (re.compile(r"^(arrow|parquet)/"), "io", ".cc"),
    (re.compile(r"^msgpack"), "io", ".cc"),
    (re.compile(r"^CLI/"), "cli", ""),
    (re.compile(r"^libpq"), "io", ""),
    (re.compile(r"^nlohmann/json\.hpp"), None, ".cc"),
]
TORCH = re.compile(r"^(ATen|c10|torch)/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def faults(root: pathlib.Path):
    for path in sorted((root / "sequela").rglob("*")):
        if path.suffix not in {".h", ".cc", ".cu", ".cuh"} or path.parent == root / "sequela":
            continue
        layer = path.relative_to(root / "sequela").parts[0]
        name = path.relative_to(root)
        if layer not in ALLOWED:
            yield f"{name}: folder '{layer}' is not in the table of tools/check_layers.py"
            continue
        for include in INCLUDE.findall(path.read_text()):
            if include.startswith("sequela/"):
                other = include.split("/")[1]
                if other != layer and other not in ALLOWED[layer]:
                    yield f"{name}: layer '{layer}' may not include '{include}'"
            if TORCH.match(include) and layer not in WITH_TORCH:
                yield f"{name}: layer '{layer}' may not include torch ('{include}')"
            for pattern, owner, suffix in OWNERS:
                if pattern.match(include) and (owner not in (None, layer) or not path.name.endswith(suffix)):
                    yield f"{name}: '{include}' belongs into *{suffix} files of '{owner or 'any layer'}'"


UNNAMED = re.compile(r"^namespace \{$.*?^\}  // namespace$", re.M | re.S)
TYPE = re.compile(r"^(?:struct|class|enum class) (\w+)(?: final)?(?: :[^;{]*)? ?\{", re.M)


def twins(root: pathlib.Path):
    """Types of one name: the linker takes one's destructor for both, and a program breaks far from its cause."""
    places = collections.defaultdict(list)
    for path in sorted((root / "sequela").rglob("*")):
        if path.suffix in {".h", ".cc", ".cuh"}:
            for name in TYPE.findall(UNNAMED.sub("", path.read_text())):
                places[name].append(str(path.relative_to(root)))
    for name, files in places.items():
        if len(files) > 1:
            yield f"{files[1]}: a type '{name}' stands in {files[0]}, too. Fix: give it a name of its own, or an unnamed namespace"


if __name__ == "__main__":
    root = pathlib.Path(__file__).resolve().parent.parent
    found = [*faults(root), *twins(root)]
    print("\n".join(found) or "layers: all includes are allowed")
    sys.exit(1 if found else 0)
