"""tools/gpu_check where it cannot begin: one line, exit code 2."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

GPU_CHECK = pathlib.Path(__file__).resolve().parents[2] / "tools/gpu_check"
WITHOUT_DEVICE = """
import types, warnings
__version__ = "2.13.0"
version = types.SimpleNamespace(cuda={cuda})
def is_available():
    warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old\\nand more")
    return False
cuda = types.SimpleNamespace(is_available=is_available)
"""


class CannotBegin(unittest.TestCase):
    def line(self, torch, *arguments):
        """The one line of a check whose torch is this source."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "torch.py").write_text(torch)
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, GPU_CHECK, *arguments], env=environment, cwd=folder, capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertFalse((folder / "gpu_check_out").exists())
        return done.stderr

    def test_without_torch(self):
        for source in ("raise ImportError('No module named torch')", "raise OSError('libcudart.so.13: no such file')",
                       "raise ValueError('libcublasLt.so.*[0-9] not found in the system path')"):
            for device in ("cuda", "cpu"):
                line = self.line(source, "--device", device)
                self.assertIn("has no torch", line)
                self.assertIn("Fix: ", line)

    def test_without_a_device(self):
        self.assertIn("is without CUDA. Fix: install", self.line(WITHOUT_DEVICE.format(cuda="None")))
        line = self.line(WITHOUT_DEVICE.format(cuda="'13.0'"))
        self.assertIn("torch 2.13.0 finds no CUDA device: CUDA initialization: The NVIDIA driver on your system is too old. "
                      "Fix: see that nvidia-smi", line)

    def test_without_data(self):
        line = self.line(WITHOUT_DEVICE.format(cuda="None"), "--device", "cpu", "--data", "nowhere")
        self.assertIn("no batches in nowhere", line)


if __name__ == "__main__":
    sys.exit(unittest.main())
