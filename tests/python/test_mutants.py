"""tools/mutants.py: what it changes, and that it leaves the tree alone."""

import pathlib
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


def test_a_joined_text_is_left_alone_and_a_compared_one_is_not():
    assert changes('  return folder + "/" + name;') == []
    assert changes('  text += "a";') == [("statement", ";")]
    assert changes("  return digit - '0' > limit;") == [
        ("operator", "return digit + '0' > limit;"),
        ("operator", "return digit - '0' >= limit;"),
    ]
    assert changes('  if (name == "train") return;') == [("operator", 'if (name != "train") return;')]


def test_files_that_a_script_made_are_left_out(tmp_path):
    layer = tmp_path / "sequela" / "io"
    layer.mkdir(parents=True)
    (layer / "table.cc").write_text("// Made by tools/make_table.py from a table.\nconst int kRows[] = {1, 2};\n")
    (layer / "size.h").write_text("\ninline int size() { return 3; }\n")
    assert list(mutants.mutants_of("io", tmp_path)) == [
        (pathlib.Path("sequela/io/size.h"), 1, "constant", "inline int size() { return 4; }")
    ]


def test_the_tests_of_the_changed_file_are_found(tmp_path):
    tests = tmp_path / "tests" / "io"
    tests.mkdir(parents=True)
    (tests / "near_test.cc").write_text('#include "sequela/io/csv.h"\nTEST(Rows, A) {}\nTEST_F(Columns, B) {}\n')
    (tests / "far_test.cc").write_text('#include "sequela/io/file.h"\nTEST(File, A) {}\n')
    assert mutants.near_tests(pathlib.Path("sequela/io/csv.cc"), tmp_path) == "*Columns*:*Rows*"
    assert mutants.near_tests(pathlib.Path("sequela/io/utf8.cc"), tmp_path) == ""


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
