"""What tools/gpu_check makes of its steps: what is wrong, in which order, and that it goes on."""

import json
import pathlib
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

from gpu import judge, report  # noqa: E402
from gpu.steps import Outcome, Runner  # noqa: E402

KERNEL = {"operation": "norm", "type": "float32", "error": 1e-6, "bound": 1e-4, "is_good": True, "text": "norm"}
WRONG = {**KERNEL, "error": 0.3, "is_good": False, "text": "norm of float32 differs from the plain way: error 0.3"}
FACTS = {"device": "cuda:0", "name": "NVIDIA H200", "torch": "2.11.0", "cpu": "a CPU", "driver": 13000, "runtime": 13000,
         "capability": 90, "free_bytes": 1 << 37, "total_bytes": 1 << 37, "bf16_flops": 8e14, "fp32_flops": 5e13,
         "copy_bytes": 4e12}
CURVE = [1.0 - 0.001 * step for step in range(200)]
EXPECTED = {"fp32": CURVE, "bf16": CURVE}


def outcome(name, result=None, fault=""):
    return Outcome(name, f"what {name} is", 1.0, fault, result or {}, f"logs/{name}.log")


def step(name, tokens_per_second=500_000, flops=4.6e14, **more):
    return outcome(name, {"tokens_per_batch": 8192, "tokens_per_second": tokens_per_second, "flops_per_second": flops,
                          "share_of_products": 0.6, "peak_bytes": 1 << 33, "size": "base", **more})


def good():
    """All as it should be."""
    return [outcome("facts", FACTS), outcome("kernels", {"results": [KERNEL]}), outcome("tests"),
            step("tiny_fp32", losses=CURVE), step("tiny_bf16", losses=CURVE), step("step_base_1"),
            outcome("peer_base", {"tokens_per_batch": 8192, "tokens_per_second": 100_000.0, "peak_bytes": 1 << 34}),
            outcome("features", {"tokens_per_second": 1e6, "embeddings_per_second": 1e5, "error_to_cpu": 0.05,
                                 "peak_bytes": 1 << 32})]


def changed(name, **fields):
    """All as it should be, but for one outcome."""
    outcomes = good()
    for own in outcomes:
        if own.name == name:
            own.fault = fields.pop("fault", own.fault)
            own.result.update(fields)
    return outcomes


class Judged(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.tests = pathlib.Path(self.folder.name) / "tests.json"

    def tearDown(self):
        self.folder.cleanup()

    def findings(self, outcomes, has_kernels=True, expected=EXPECTED):
        return judge.findings(outcomes, expected, self.tests, has_kernels)

    def text(self, outcomes):
        return report.text(outcomes, self.findings(outcomes), EXPECTED, {"build": 90, "checks": 200}, "cuda")

    def test_nothing_is_wrong(self):
        self.assertEqual(self.findings(good()), [])
        self.assertTrue(self.text(good()).startswith("# GPU check: nothing is wrong\n"))

    def test_a_wrong_kernel_is_the_first_thing_in_the_report(self):
        outcomes = changed("kernels", results=[KERNEL, WRONG])
        outcomes += [outcome("sanitizer_memcheck", fault="left out: the time was up"),
                     outcome("encoder", fault="died of SIGSEGV: x")]
        lines = self.text(outcomes).splitlines()
        self.assertEqual(lines[0], "# GPU check: 3 things are wrong")
        self.assertEqual(lines[2], "- kernel: " + WRONG["text"])
        self.assertIn("SIGSEGV", lines[3])
        self.assertIn("left out", lines[4])

    def test_kernels_that_were_not_built_come_before_all(self):
        self.assertIn("not built", self.findings(good(), has_kernels=False)[0].text)

    def test_a_failed_test_is_named_with_its_message(self):
        self.tests.write_text(json.dumps({"testsuites": [{"name": "CudaRows", "testsuite": [
            {"name": "NormsEqualTheCpus", "failures": [{"failure": "a.cc:3\nExpected: x\n  actual: y\n"}]},
            {"name": "TakeNoRows"}]}]}))
        self.assertEqual([finding.text for finding in self.findings(good())],
                         ["test: CudaRows.NormsEqualTheCpus: Expected: x · actual: y"])

    def test_a_loss_curve_beside_the_cpus_is_found(self):
        for losses in ([loss * 1.1 for loss in CURVE], [float("nan")] * 200, CURVE[:20] + [2.0] * 180):
            found = self.findings(changed("tiny_fp32", losses=losses))
            self.assertEqual(len(found), 1)
            self.assertTrue(found[0].text.startswith("loss curve in fp32"))
        self.assertEqual(len(self.findings(good(), expected={})), 2)

    def test_what_is_slow_is_told_but_not_wrong(self):
        found = self.findings(changed("step_base_1", tokens_per_second=200_000, flops_per_second=2e14))
        self.assertEqual([finding.is_wrong for finding in found], [False, False])
        self.assertIn("MFU of base is 20%", found[0].text)
        self.assertIn("2.0 times", found[1].text)

    def test_embeddings_far_from_the_cpus_are_found(self):
        for error in (0.5, float("nan")):
            self.assertEqual(len(self.findings(changed("features", error_to_cpu=error))), 1)

    def test_the_report_shows_figures_of_all_that_ran(self):
        text = self.text(good())
        for part in ("| what step_base_1 is | 8,192 | 500,000 | 46.5% | 60.0% | 8.0 GiB |", "5.0 times", "NVIDIA H200",
                     "| norm | float32 | 1e-06 | 0.0001 |  |", "| the CPU's | 1 | 0.999 |"):
            self.assertIn(part, text)

    def test_the_report_is_made_of_whatever_there_is(self):
        for outcomes in ([], [outcome("configure", fault="no nvcc")], changed("facts", fault="died of SIGABRT: y")):
            self.assertIn("# GPU check", self.text(outcomes))


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.runner = Runner(pathlib.Path(self.folder.name), time.monotonic() + 60)

    def tearDown(self):
        self.folder.cleanup()

    def run_python(self, code, limit=20, **options):
        return self.runner.run("step", "a step", [sys.executable, "-c", code], limit, **options)

    def test_takes_what_a_program_prints(self):
        done = self.run_python("print('{\"a\": 1}')")
        self.assertEqual((done.fault, done.result), ("", {"a": 1}))

    def test_tells_how_a_program_ended(self):
        self.assertEqual(self.run_python("import sys; print('why', file=sys.stderr); sys.exit(3)").fault, "why")
        self.assertTrue(self.run_python("import os; os.kill(os.getpid(), 11)").fault.startswith("died of SIGSEGV"))
        self.assertIn("cannot be read", self.run_python("print('no json')").fault)
        self.assertEqual(self.run_python("import time; time.sleep(60)", limit=1).fault, "not done after 1 s")
        self.assertIn("No such file", self.runner.run("gone", "a step", ["/no/such/program"], 5).fault)
        self.assertEqual(len(self.runner.outcomes), 5)

    def test_leaves_out_what_comes_too_late(self):
        self.runner.deadline = time.monotonic()
        self.assertIn("left out", self.run_python("pass").fault)


if __name__ == "__main__":
    unittest.main()
