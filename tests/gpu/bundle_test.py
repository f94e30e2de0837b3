"""The bundle for machines with a GPU: made, of its size, complete, and built in part with torch alone. BUILD is the
argument."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop()).resolve()
STEPS = 3  # of the expected loss curves: the real ones have 200
INCLUDE = re.compile(r'^\s*#\s*include\s*"((?:sequela|tests|tools)/[^"]+)"', re.M)
BARE = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"),
        **{name: value for name, value in os.environ.items() if name.startswith("CCACHE")}}


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.scratch.name) / "gpu_bundle"
        cls.said = run(sys.executable, ROOT / "tools/make_gpu_bundle.py", BUILD, cls.folder, "--steps", STEPS)
        cls.size = sum(path.stat().st_size for path in cls.folder.rglob("*") if path.is_file())

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_is_small_enough_to_carry(self):
        self.assertLess(self.size, 60e6)
        self.assertIn(f"{self.size / 1e6:.1f} MB", self.said)

    def test_has_batches_and_the_cpus_numbers(self):
        for size in ("tiny", "base"):
            self.assertGreater((self.folder / "gpu_data" / size / "batches.safetensors").stat().st_size, 100_000)
        expected = json.loads((self.folder / "gpu_data/expected.json").read_text())
        for precision in ("fp32", "bf16"):
            self.assertEqual(len(expected[precision]), STEPS)
            self.assertLess(expected[precision][-1], expected[precision][0])

    def configured(self):
        place = self.folder / "build"
        run("cmake", "-S", self.folder, "-B", place, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSEQUELA_PARTS=gpu",
            f"-DSEQUELA_PYTHON={sys.executable}", env=BARE)
        return place

    def test_is_configured_with_torch_alone_and_complete(self):
        place = self.configured()
        commands = json.loads((place / "compile_commands.json").read_text())
        self.assertNotIn("pyarrow", json.dumps(commands))
        left = {path for pattern in ("sequela/**/*.cc", "sequela/**/*.cu", "tools/gpu/probe/*.cc", "tests/gpu/*.cc")
                for path in self.folder.glob(pattern) if any(str(path) in entry["command"] for entry in commands)}
        units = place.rglob("unity_*.cxx")
        left |= {pathlib.Path(path) for unit in units for path in re.findall(r'#include "([^"]+)"', unit.read_text())}
        self.assertGreater(len(left), 100)
        compiled, seen = set(left), set()
        while left:
            path = left.pop()
            seen.add(path)
            for name in INCLUDE.findall(path.read_text()):
                self.assertTrue((self.folder / name).exists(), f"{path} includes {name}")
                if self.folder / name not in seen:
                    left.add(self.folder / name)
        # What a header declares is compiled too, or the programs do not link.
        headers = [path for path in seen if path.suffix == ".h" and self.folder / "sequela" in path.parents]
        sources = {path.with_suffix(".cc") for path in headers} - compiled
        self.assertEqual([path for path in sources if path.exists() and not path.name.endswith("_cuda.cc")], [])

    def test_is_built_in_part(self):
        place = self.configured()
        run("ninja", "-C", place, "sequela_gtest", env=BARE)

    def test_says_what_is_missing(self):
        done = subprocess.run([sys.executable, ROOT / "tools/gpu_check", "--device", "cpu", "--data", self.folder / "nowhere"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("make gpu-bundle", done.stderr)


if __name__ == "__main__":
    unittest.main()
