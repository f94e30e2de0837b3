"""tools/mutants.py: what it changes, and that it leaves the tree alone."""

import subprocess
import sys

import pytest
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools"))
import mutants  # noqa: E402


def changes(line):
    return [(kind, changed.strip()) for kind, changed in mutants.changes_of(line)]


def test_operators_bounds_constants_and_statements():
    assert changes("  if (a < 10) return b + 1;") == [
        ("operator", "if (a <= 10) return b + 1;"),
        ("operator", "if (a < 10) return b - 1;"),
        ("bound", "if (a < 11) return b + 1;"),
        ("constant", "if (a < 10) return b + 2;"),
    ]
    assert changes("  sums_[i] += 0.5;") == [
        ("operator", "sums_[i] -= 0.5;"),
        ("constant", "sums_[i] += 2.0;"),
        ("statement", ";"),
    ]
    assert changes("  rows.push_back(row);") == [("statement", ";")]
    assert changes("  throw ConfigError(key, value, allowed);") == [("statement", ";")]


@pytest.mark.parametrize(
    "line",
    [
        "#include <vector>",
        "  // if a < 10",
        '  return "a < 10";',
        "  std::vector<int> rows;",
        "const Matrix* find(std::string_view name);",
        "  return total;",
    ],
)
def test_what_has_no_behaviour_is_left_alone(line):
    assert changes(line) == []


def test_a_folder_of_the_tree_is_refused():
    for arguments in (["core", "--folder", REPOSITORY], ["core", "--folder", REPOSITORY / "build"], ["nowhere"]):
        command = [sys.executable, REPOSITORY / "tools" / "mutants.py", *arguments]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 2 and "error:" in result.stderr
