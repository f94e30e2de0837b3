"""What of the outcomes is wrong, the most telling first."""

import dataclasses
import json
import math

# Of a loss curve against the CPU's: the mean of |difference| / loss over the first steps, and over all.
# docs/gpu.md says how far the CPU's own ways of computing are from one another.
FIRST_STEPS = 20
CURVE_BOUNDS = {"fp32": (1e-4, 1e-2), "bf16": (1e-2, 3e-2)}
AIM_MFU, AIM_OVER_PEER = 0.45, 3
STATE_BOUND = {"features": 0.3, "encoder": 0.3}  # row_error of a bfloat16 model's embeddings

# NVIDIA's data sheets: dense bfloat16 products, FLOP/s.
PEAKS = {"H100 PCIe": 756e12, "H100": 989e12, "H200": 989e12, "A100": 312e12, "RTX 4090": 165e12, "RTX 3090": 71e12}


@dataclasses.dataclass
class Finding:
    rank: int  # the lower, the more telling
    text: str
    is_wrong: bool = True  # false: right, but slower than the aim


def by_name(outcomes):
    return {outcome.name: outcome for outcome in outcomes}


def peak_of(facts):
    name = facts.get("name", "")
    return next((rate for key, rate in PEAKS.items() if key in name), None)


def curve_errors(losses, expected):
    """Mean relative differences: of the first steps, of all."""
    pairs = list(zip(losses, expected))
    errors = [abs(a - b) / abs(b) for a, b in pairs]
    if not errors or not all(math.isfinite(error) for error in errors):
        return math.inf, math.inf
    first = errors[:FIRST_STEPS]
    return sum(first) / len(first), sum(errors) / len(errors)


def failed_tests(path):
    if not path.exists():
        return
    for suite in json.loads(path.read_text()).get("testsuites", []):
        for case in suite.get("testsuite", []):
            if case.get("failures"):
                first = case["failures"][0]["failure"].strip().splitlines()
                yield f"{suite['name']}.{case['name']}: " + " · ".join(line.strip() for line in first[1:4])


def kernel_findings(outcome):
    for result in outcome.result.get("results", []):
        if not result["is_good"]:
            yield Finding(0, f"kernel: {result['text']}")


def curve_findings(outcomes, expected):
    for precision, bounds in CURVE_BOUNDS.items():
        outcome = outcomes.get(f"tiny_{precision}")
        if outcome is None or not outcome.is_good:
            continue
        if precision not in expected:
            yield Finding(3, f"loss curve in {precision}: there is none of the CPU to compare with")
            continue
        errors = curve_errors(outcome.result["losses"], expected[precision])
        if not all(error <= bound for error, bound in zip(errors, bounds)):
            yield Finding(2, f"loss curve in {precision}: {errors[0]:.2g} off the CPU's in the first {FIRST_STEPS} "
                             f"steps (at most {bounds[0]:g}), {errors[1]:.2g} in all (at most {bounds[1]:g})")


def state_findings(outcomes):
    for name, bound in STATE_BOUND.items():
        outcome = outcomes.get(name)
        if outcome is not None and outcome.is_good and not outcome.result["error_to_cpu"] <= bound:
            yield Finding(2, f"{outcome.what}: {outcome.result['error_to_cpu']:.2g} of a row off the CPU's (at most "
                             f"{bound:g})")


def speed_findings(outcomes):
    facts, base, peer = (outcomes.get(name) for name in ("facts", "step_base_1", "peer_base"))
    best = [outcome.result["flops_per_second"] for name, outcome in outcomes.items()
            if name.startswith("step_base") and outcome.is_good]
    peak = peak_of(facts.result) if facts is not None else None
    if best and peak and max(best) < AIM_MFU * peak:
        yield Finding(6, f"MFU of base is {max(best) / peak:.0%}, the aim {AIM_MFU:.0%}", is_wrong=False)
    if base is not None and base.is_good and peer is not None and peer.is_good:
        ratio = base.result["tokens_per_second"] / peer.result["tokens_per_second"]
        if ratio < AIM_OVER_PEER:
            yield Finding(6, f"base runs at {ratio:.1f} times the step in plain PyTorch, the aim is {AIM_OVER_PEER}",
                          is_wrong=False)


def findings(outcomes, expected, tests_path, has_kernels):
    named = by_name(outcomes)
    found = []
    if not has_kernels:
        found.append(Finding(0, "the CUDA kernels were not built: what follows is the plain way"))
    if "kernels" in named:
        found += kernel_findings(named["kernels"])
    found += [Finding(1, f"test: {text}") for text in failed_tests(tests_path)]
    found += curve_findings(named, expected)
    found += state_findings(named)
    for outcome in outcomes:
        if not outcome.is_good:
            is_left_out = outcome.fault.startswith("left out")
            found.append(Finding(5 if is_left_out else 3, f"{outcome.what}: {outcome.fault} ({outcome.log})"))
    found += speed_findings(named)
    return sorted(found, key=lambda finding: finding.rank)
