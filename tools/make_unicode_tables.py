#!/usr/bin/env python3
"""Writes sequela/tokenizer/sequence/unicode_tables.cc from the Unicode Character Database, version 15.0.

    tools/make_unicode_tables.py [FOLDER]

FOLDER holds UnicodeData.txt, DerivedAge.txt and PropList.txt; Debian 12's package unicode-data has them in
/usr/share/unicode. Format of the files: Unicode Standard Annex 44.
"""

import pathlib
import re
import sys

OUT = pathlib.Path(__file__).resolve().parents[1] / "sequela/tokenizer/sequence/unicode_tables.cc"
VERSION = "15.0.0"
OLD = 8  # the categories are those of this version


def read_ranges(path):
    """Yields (first, last, property) of a file of properties."""
    for line in path.read_text().splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) == 2:
            first, _, last = fields[0].partition("..")
            yield int(first, 16), int(last or first, 16), fields[1]


def read_characters(path):
    """Category, canonical decomposition and lower case of every assigned character."""
    categories, decompositions, lower = {}, {}, {}
    first = None
    for line in path.read_text().splitlines():
        fields = line.split(";")
        code = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code
            continue
        for c in range(first if fields[1].endswith(", Last>") else code, code + 1):
            categories[c] = fields[2]
        if fields[5] and not fields[5].startswith("<"):
            decompositions[code] = [int(part, 16) for part in fields[5].split()]
        if fields[13]:
            lower[code] = int(fields[13], 16)
    return categories, decompositions, lower


def decompose(code, decompositions):
    if code not in decompositions:
        return [code]
    return [part for each in decompositions[code] for part in decompose(each, decompositions)]


def to_ranges(codes):
    ranges = []
    for c in sorted(codes):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return ranges


def to_case_runs(lower):
    """[first, last, step, offset]: the codes of a run lie `step` apart, their lower case `offset` ahead."""
    runs = []
    for c, small in sorted(lower.items()):
        if runs:
            first, last, step, offset = run = runs[-1]
            if small - c == offset and c - last in ((1, 2) if first == last else (step,)):
                run[1:3] = c, c - last
                continue
        runs.append([c, c, 1, small - c])
    return runs


def table(name, kind, rows):
    body, line = [], ""
    for row in rows:
        if len(line) + len(row) > 97:
            body.append(line)
            line = ""
        line += (" " if line else "  ") + row + ","
    body.append(line)
    return f"const {kind} {name}Rows[] = {{\n" + "\n".join(body) + "\n};\n"


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode")
    if not re.match(rf"# DerivedAge-{re.escape(VERSION)}\.txt", (folder / "DerivedAge.txt").read_text()):
        sys.exit(f"{folder} does not hold Unicode {VERSION}. Fix: name the folder of that version.")
    categories, decompositions, lower = read_characters(folder / "UnicodeData.txt")
    old = set()
    for first, last, age in read_ranges(folder / "DerivedAge.txt"):
        if int(age.split(".")[0]) <= OLD:
            old.update(range(first, last + 1))
    white = set()
    for first, last, name in read_ranges(folder / "PropList.txt"):
        if name == "White_Space":
            white.update(range(first, last + 1))

    def of_categories(*wanted):
        return {c for c, category in categories.items() if c in old and category.startswith(wanted)}

    sets = {
        "kDroppedControls": of_categories("Cc", "Cf", "Co"),
        "kWhiteSpace": white,
        "kPunctuation": of_categories("P"),
        "kNonspacingMarks": of_categories("Mn"),
    }
    text = [
        f"// Made by tools/make_unicode_tables.py from the Unicode Character Database {VERSION}.\n",
        '#include "sequela/tokenizer/sequence/unicode_tables.h"\n',
        "// clang-format off\nnamespace sequela {\nnamespace {\n",
    ]
    for name, codes in sets.items():
        text.append(table(name, "CodeRange", [f"{{0x{a:X}, 0x{b:X}}}" for a, b in to_ranges(codes)]))
    runs = to_case_runs(lower)
    text.append(table("kLowerCase", "CaseRun", [f"{{0x{a:X}, 0x{b:X}, {s}, {o}}}" for a, b, s, o in runs]))
    rows = []
    for code in sorted(decompositions):
        parts = ", ".join(f"0x{part:X}" for part in decompose(code, decompositions))
        rows.append(f"{{0x{code:X}, {{{parts}}}}}")
    text.append(table("kDecompositions", "Decomposition", rows))
    text.append("}  // namespace\n")
    for name in sets:
        text.append(f"const std::span<const CodeRange> {name} = {name}Rows;")
    text.append("const std::span<const CaseRun> kLowerCase = kLowerCaseRows;")
    text.append("const std::span<const Decomposition> kDecompositions = kDecompositionsRows;\n")
    text.append("}  // namespace sequela")
    OUT.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
