"""Fails on a reference, in comments or docs, that a reader cannot follow: a file that the repository lacks, a section
that docs/design.md lacks, a document that lies outside. Papers, specifications and public projects may be cited."""

import ast
import pathlib
import re
import subprocess
import sys
import tokenize

# Projects whose files a text may name: "leveldb, doc/table_format.md", "femr/models/config.py".
PROJECTS = ["Python", "cehrbert", "cehrbert_data", "ehr-sequencing", "femr", "leveldb", "meds_reader", "Med-BERT",
            "msgpack", "numpy", "tensorflow", "torch", "torch_hawk", "transformers"]
# Scripts of femr's users, placeholders, and what our programs write.
FOREIGN_FILES = {"prepare_motor.py", "pretrain_motor.py", "x.h", "x.cc", "bench/x.cc", "gpu_report.md",
                 "gpu_check_out/gpu_report.md"}

FILE = re.compile(r"(?<![\w./<>*~$}-])((?:\.\.?/)*[\w-][\w./-]*\.(?:md|h|cc|cu|cuh|py|pyi|sh|cmake))(?![\w/*-])")
LINK = re.compile(r"\]\(([^)\s]+)\)")
DESIGN = re.compile(r"design\.md,? sections? (\d[\d.]*(?:(?:, | and | to )\d[\d.]*)*)")
OWN_SECTION = re.compile(r"(?<![-\w])sections? (\d[\d.]*(?:(?:, | and | to )\d[\d.]*)*)")  # within docs/design.md
HEADING = re.compile(r"^#{2,} (\d+(?:\.\d+)*)\.? ", re.M)
OUTSIDE = re.compile(r"(?<![\w/])(?:(?:\.\./)*shared/\w[\w./*-]*|(?:\.\./)+[\w.-]+/\w[\w./*-]*|/work\b[\w./-]*"
                     r"|/home/[\w./-]*|\bseeds/[\w./*-]*|seed guide|the seed's (?:recipe|wrapper|config|code)"
                     r"|wrapper of the seed)")
PREFIX = re.compile(r"^[ \t]*(?://+|#+|\*)[ \t]?", re.M)


def c_comments(text: str):
    """(line, text) of each run of // comments and each /* */ comment."""
    literal = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|R"\((?:.|\n)*?\)"'
    comment = r"//[^\n]*(?:\n[ \t]*//[^\n]*)*|/\*(?:.|\n)*?\*/"
    for match in re.finditer(f"(?:{literal})|({comment})", text):
        if match[1]:
            yield text.count("\n", 0, match.start()) + 1, match[1]


def hash_comments(text: str):
    for match in re.finditer(r"(?:(?<=\n)|^|(?<=\s))#[^\n]*(?:\n[ \t]*#[^\n]*)*", text):
        yield text.count("\n", 0, match.start()) + 1, match[0]


def python_comments(text: str):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, ast.get_source_segment(text, node)
    run, first, last = [], 0, -1
    for token in tokenize.generate_tokens(iter(text.splitlines(True)).__next__):
        if token.type != tokenize.COMMENT:
            continue
        if token.start[0] != last + 1 and run:
            yield first, "\n".join(run)
            run = []
        first = token.start[0] if not run else first
        last = token.start[0]
        run.append(token.string)
    if run:
        yield first, "\n".join(run)


def texts_of(name: str, text: str):
    suffix = pathlib.PurePath(name).suffix
    if suffix == ".md":
        return [(1, text)]
    if suffix in {".h", ".cc", ".cu", ".cuh"}:
        return c_comments(text)
    if suffix in {".py", ".pyi"}:
        return python_comments(text)
    is_other = suffix in {".sh", ".cmake", ".toml", ".yml"} or name in {"Makefile", ".ci/run"}
    return hash_comments(text) if is_other or name.endswith("CMakeLists.txt") else []


class Repository:
    def __init__(self, files: set[str], design: str):
        self.files = files
        self.sections = set(HEADING.findall(design))

    def has(self, path: str, name: str) -> bool:
        folder = pathlib.PurePosixPath(name).parent
        beside = []
        for part in (folder / path).parts:
            beside = beside[:-1] if part == ".." else beside + [part]
        if "/".join(beside) in self.files or path in self.files:
            return True
        # A document goes by its path, so that nobody takes it for another of its name.
        return not path.endswith(".md") and any(file.endswith("/" + path) for file in self.files)

    def faults(self, name: str, text: str):
        """(line, what) of each dangling reference in the comments of a file, or in all of a document."""
        for line, comment in texts_of(name, text):
            plain = comment if name.endswith(".md") else PREFIX.sub("", comment)
            for offset, what in self.faults_in(name, plain):
                yield line + plain.count("\n", 0, offset), what

    def faults_in(self, name: str, text: str):
        for match in FILE.finditer(text):
            before = re.split(r";|\.\s", text[max(0, match.start() - 100):match.start()])[-1]
            is_foreign = any(re.search(rf"\b{p}\b[^,()]*(?:,|'s)\s(?:[\w./-]+,? (?:and )?)*$", before)
                             or match[1].startswith(p + "/") for p in PROJECTS)
            if not (is_foreign or match[1] in FOREIGN_FILES or self.has(match[1], name)):
                yield match.start(), f"there is no file '{match[1]}'"
        one_line = re.sub(r"\s", " ", text)
        for pattern in [DESIGN] + ([OWN_SECTION] if name == "docs/design.md" else []):
            for match in pattern.finditer(one_line):
                for number in re.findall(r"\d+(?:\.\d+)*", match[1]):
                    if number not in self.sections:
                        yield match.start(), f"docs/design.md has no section {number}"
        for match in LINK.finditer(text) if name.endswith(".md") else []:
            target = match[1].split("#")[0]
            if target and "://" not in target and not FILE.fullmatch(target) and not self.has(target, name):
                yield match.start(), f"the link '{match[1]}' leads nowhere"
        for match in OUTSIDE.finditer(text):
            if not self.has(match[0], name):
                yield match.start(), f"'{match[0]}' lies outside the repository"


# A text, in a file, and what is to be found in it; empty = nothing.
SAMPLES = [
    ("sequela/a/b.h", "int x;\n// See docs/design.md,\n// section 2.1, and b.h.\n", ""),
    ("sequela/a/b.h", "// See docs/design.md section 9.", "no section 9"),
    ("sequela/a/b.h", "// See design.md.", "no file 'design.md'"),
    ("sequela/a/b.h", "// docs/design.md, sections 1 and 7", "no section 7"),
    ("sequela/a/b.h", "// The numbers are those of leads.md, part 2.", "no file 'leads.md'"),
    ("sequela/a/b.h", "// the loop (a/c.h)", "no file 'a/c.h'"),
    ("sequela/a/b.h", 'const char* s = "leads.md // x.md";', ""),
    ("sequela/a/b.h", "// Source: leveldb, doc/table_format.md; femr/models/config.py.", ""),
    ("sequela/a/b.h", "// numbers of ../shared/parity/x", "lies outside"),
    ("docs/design.md", "as section 2.1 and section 3 say", "no section 3"),
    ("docs/design.md", "[gone](gone.txt)", "leads nowhere"),
    ("tools/t.py", '"""See docs/none.md."""\nx = "docs/gone.md"\n', "no file 'docs/none.md'"),
    ("tools/t.sh", "echo docs/gone.md  # as notes.md says", "no file 'notes.md'"),
]


def check_samples():
    files = {"docs/design.md", "sequela/a/b.h", "tools/t.py"}
    repository = Repository(files, "## 1. One\n\n## 2. Two\n\n### 2.1 More\n")
    for name, text, wanted in SAMPLES:
        found = [what for _, what in repository.faults(name, text)]
        if (len(found) != 1 or wanted not in found[0]) if wanted else found:
            sys.exit(f"check_references.py itself is wrong: {text!r} gives {found}, not {wanted!r}")


if __name__ == "__main__":
    check_samples()
    root = pathlib.Path(__file__).resolve().parent.parent
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True, capture_output=True,
                           text=True).stdout.split("\n")
    files = {name for name in names if (root / name).is_file()}
    repository = Repository(files, (root / "docs/design.md").read_text())
    found = []
    for name in sorted(files - {"tools/check_references.py"}):
        text = (root / name).read_text(errors="replace")
        found += [f"{name}:{line}: {what}" for line, what in repository.faults(name, text)]
    print("\n".join(found) or "references: all lead somewhere")
    sys.exit(1 if found else 0)
