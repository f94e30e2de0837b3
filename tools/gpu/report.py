"""gpu_report.md."""

import datetime

from gpu.judge import FIRST_STEPS, by_name, curve_errors, peak_of


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines] + [""]


def gib(size):
    return f"{size / 2**30:.1f} GiB"


def machine(outcome):
    facts = outcome.result
    rows = [["device", facts.get("name", facts["cpu"])], ["torch", facts["torch"]]]
    if "driver" in facts:
        rows += [["driver takes CUDA", facts["driver"]], ["built with CUDA", facts["runtime"]],
                 ["architecture", f"sm_{facts['capability']}"],
                 ["memory free, of", f"{gib(facts['free_bytes'])}, {gib(facts['total_bytes'])}"]]
    rows += [["products in bfloat16", f"{facts['bf16_flops'] / 1e12:.1f} TFLOP/s"],
             ["products in float32", f"{facts['fp32_flops'] / 1e12:.1f} TFLOP/s"],
             ["copies", f"{facts['copy_bytes'] / 1e9:.0f} GB/s"]]
    return table(["machine", ""], rows)


def step_row(outcome, peak):
    result = outcome.result
    flops = result.get("flops_per_second")
    return [outcome.what, f"{result['tokens_per_batch']:,}", f"{result['tokens_per_second']:,.0f}",
            f"{flops / peak:.1%}" if flops and peak else "", f"{result['share_of_products']:.1%}" if flops else "",
            gib(result["peak_bytes"])]


def speeds(named, peak):
    rows = [step_row(outcome, peak) for name, outcome in named.items()
            if outcome.is_good and name.startswith(("step_", "peer_", "tiny_"))]
    lines = table(["step", "tokens a batch", "tokens/s", "MFU (of the data sheet)", "of products measured here",
                   "peak memory"], rows)
    base, peer = named.get("step_base_1"), named.get("peer_base")
    if base is not None and peer is not None and base.is_good and peer.is_good:
        ratio = base.result["tokens_per_second"] / peer.result["tokens_per_second"]
        lines += [f"Base runs at {ratio:.1f} times the step in plain PyTorch.", ""]
    return lines


def inference(named):
    rows = []
    for name, unit in (("features", "embeddings_per_second"), ("encoder", "visits_per_second")):
        outcome = named.get(name)
        if outcome is not None and outcome.is_good:
            result = outcome.result
            rows.append([outcome.what, f"{result['tokens_per_second']:,.0f}", f"{result[unit]:,.0f}",
                         f"{result['error_to_cpu']:.2g}", gib(result["peak_bytes"])])
    return table(["inference", "tokens/s", "embeddings/s", "off the CPU's, of a row", "peak memory"], rows)


def curves(named, expected):
    rows = []
    for precision in ("fp32", "bf16"):
        outcome = named.get(f"tiny_{precision}")
        if outcome is None or not outcome.is_good:
            continue
        losses, wanted = outcome.result["losses"], expected.get(precision, [])
        places = [i for i in (0, 1, 9, 19, 39, 99, 199) if i < min(len(losses), len(wanted))]
        rows.append([f"{precision}, step", *[i + 1 for i in places]])
        rows.append(["here", *[f"{losses[i]:.5g}" for i in places]])
        rows.append(["the CPU's", *[f"{wanted[i]:.5g}" for i in places]])
        first, mean = curve_errors(losses, wanted)
        rows.append([f"off: {first:.2g} in the first {FIRST_STEPS} steps, {mean:.2g} in all", *[""] * len(places)])
    if not rows:
        return []
    width = max(len(row) for row in rows)
    return table(["loss of tiny", *[""] * (width - 1)], [row + [""] * (width - len(row)) for row in rows])


def profile(outcome):
    result = outcome.result
    rows = [[f"`{entry['name'][:100]}`", f"{entry['count'] / result['steps']:.0f}",
             f"{1e3 * entry['seconds'] / result['steps']:.3f}", f"{entry['seconds'] / max(result['seconds'], 1e-9):.1%}"]
            for entry in result["names"][:25]]
    rows.append(["all", f"{result['launches'] / result['steps']:.0f}", f"{1e3 * result['seconds'] / result['steps']:.3f}",
                 ""])
    return table([f"of a step of {result['size']}, {result['tokens_per_batch']:,} tokens, with its optimizer",
                  "launches", "ms", "share"], rows)


def kernels(outcome):
    rows = [[result["operation"], result["type"], f"{result['error']:.2g}", f"{result['bound']:g}",
             "" if result["is_good"] else "WRONG"] for result in outcome.result["results"]]
    return table(["kernel", "type", "error, of a row", "at most", ""], rows)


def headline(findings, device):
    wrong = [finding for finding in findings if finding.is_wrong]
    state = f"{len(wrong)} things are wrong" if wrong else "nothing is wrong"
    rehearsal = " (a rehearsal on a CPU)" if device == "cpu" else ""
    return f"# GPU check{rehearsal}: {state}"


def text(outcomes, findings, expected, times, device):
    named = by_name(outcomes)
    lines = [headline(findings, device), ""]
    for finding in findings:
        lines.append(f"- {'' if finding.is_wrong else '(below the aim) '}{finding.text}")
    lines += [""] if findings else []
    facts = named.get("facts")
    has_facts = facts is not None and facts.is_good
    peak = peak_of(facts.result) if has_facts else None
    lines += speeds(named, peak) + inference(named) + curves(named, expected)
    if "profile" in named and named["profile"].is_good:
        lines += profile(named["profile"])
    if "kernels" in named and named["kernels"].is_good:
        lines += kernels(named["kernels"])
    if has_facts:
        lines += machine(facts)
    lines += table(["what was done", "seconds", "log", ""],
                   [[outcome.what, f"{outcome.seconds:.1f}", outcome.log, "" if outcome.is_good else outcome.fault]
                    for outcome in outcomes])
    lines += [f"{datetime.date.today()}; the build took {times['build']:.0f} s, the checks {times['checks']:.0f} s.", ""]
    return "\n".join(lines)
