"""Fails where tests/reference, as git has it, outgrows its limit: each clone and each CI run carries it."""

import pathlib
import subprocess
import sys

FOLDER = "tests/reference"
MAX_BYTES = 12_000_000


def sizes(root: pathlib.Path) -> dict[str, int]:
    """Bytes of each file that git knows or would add; of a link those of its text."""
    names = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard", FOLDER], cwd=root, check=True,
                           capture_output=True, text=True).stdout.split("\0")
    paths = {name: root / name for name in names if name}
    return {name: path.lstat().st_size for name, path in paths.items() if path.is_symlink() or path.is_file()}


def fault(files: dict[str, int]) -> str:
    """What is wrong; empty = nothing."""
    total = sum(files.values())
    if total <= MAX_BYTES:
        return ""
    largest = ", ".join(sorted(files, key=lambda name: -files[name])[:3])
    return (f"{FOLDER}: {total:,} bytes, more than {MAX_BYTES:,}; its largest files: {largest}. "
            "Fix: make smaller records in its make_*.py, or link files of the same bytes")


if __name__ == "__main__":
    assert not fault({"a": MAX_BYTES})
    assert "12,000,001 bytes" in fault({"a": MAX_BYTES, "b": 1})
    files = sizes(pathlib.Path(__file__).resolve().parent.parent)
    print(fault(files) or f"sizes: {FOLDER} has {sum(files.values()):,} of {MAX_BYTES:,} bytes")
    sys.exit(1 if fault(files) else 0)
