"""What a training step of MOTOR costs on a GPU by operation, on paper: floating-point operations, bytes of the device's
memory, launches; and how long each must take at the least. The figures follow the code's own tensors (model/, nn/cuda).

  roofline.py              prints the tables of docs/gpu.md
  roofline.py --check      fails if docs/gpu.md has others"""

import dataclasses
import pathlib
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/gpu.md"
BEGIN, END = "<!-- roofline: tools/gpu/roofline.py -->\n", "<!-- end of roofline -->\n"
LAUNCH_SECONDS = 3e-6  # that a kernel takes at the least, started back to back


@dataclasses.dataclass
class Device:
    name: str
    flops: float  # dense products of bfloat16 with float32 sums, a second (data sheet)
    bytes: float  # of memory a second (data sheet)


DEVICES = [Device("H100 SXM", 989e12, 3.35e12), Device("H200", 989e12, 4.8e12), Device("RTX 4090, 24 GB", 165e12, 1.01e12)]


@dataclasses.dataclass
class Size:
    """base, as train/recipe.cc has it, and batches as prepare makes them."""
    tokens: int = 8_192
    layers: int = 12
    hidden: int = 768
    inner: int = 3_072
    head: int = 64
    window: int = 496
    labels: int = 819
    bins: int = 8
    features: int = 512
    tasks: int = 8_192
    codes: int = 8  # a token
    vocabulary: int = 16_384
    kept: float = 0.6  # share of rows (label, bin) that some task reaches


@dataclasses.dataclass
class Cost:
    name: str
    flops: float = 0
    bytes: float = 0
    launches: float = 0

    def times(self, count):
        return Cost(self.name, self.flops * count, self.bytes * count, self.launches * count)

    def seconds(self, device):
        return max(self.flops / device.flops, self.bytes / device.bytes, self.launches * LAUNCH_SECONDS)


def product(rows, inner, columns):
    """A linear layer in bfloat16, forward and backward, with the weight's gradient added to float32."""
    moved = 2 * (rows * inner + inner * columns + rows * columns)
    return 6 * rows * inner * columns, 3 * moved + 10 * inner * columns, 4


def products(s):
    flops = moved = launches = 0
    for i in range(s.layers):
        mixer = 2 if i % 2 == 0 else 3
        shapes = [(s.hidden, 2 * s.inner + mixer * s.hidden), (s.hidden + s.inner, s.hidden)]
        shapes += [(s.hidden, s.hidden)] if i % 2 == 0 else []
        for inner, columns in shapes:
            a, b, c = product(s.tokens, inner, columns)
            flops, moved, launches = flops + a, moved + b, launches + c
    return Cost("products of the layers", flops, moved, launches)


def attention(s):
    """Flash, window: 2 products forward, 5 backward; rotations of q and k, again in the backward pass, and of their
    gradients; copies of what flash attention gives."""
    pairs = s.tokens * s.window * s.hidden
    values = s.tokens * s.hidden
    moved = 2 * values * (4 * 2 + 4 + 2 + 12 + 4 * 2 + 2)
    return Cost("attention", 4 * pairs + 10 * pairs, moved, 15).times(s.layers // 2)


def recurrence(s):
    """Convolution, gates, scan; all but the scan again in the backward pass, and the gradients."""
    values = s.tokens * s.hidden
    flops = values * s.head * 2 * 2 * (1 + 1 + 2) + values * 100
    forward = 4 + 2 + 8 + 10          # conv; gates' input; gates; scan's input, output
    backward = 14 + 10 + 16 + 8 + 12 + 12  # again; scan; states; gates' gradients; their products; conv
    return Cost("recurrence", flops, values * (forward + backward), 26).times(s.layers // 2)


def norms(s):
    """Sum and norm; the norm again and its gradient. In and out of the encoder, too."""
    values = s.tokens * s.hidden
    return Cost("norms", values * 20, values * (12 + 6 + 18), 5).times(s.layers + 1)


def gated(s):
    """Forward, again in the backward pass, and the gradient; and the copy of what the mixer gave."""
    values = s.tokens * s.inner
    return Cost("gated products", values * 30, values * (6 + 6 + 10) + s.tokens * s.hidden * 8, 5).times(s.layers)


def embedding(s):
    values = s.tokens * s.hidden * 4
    entries = s.tokens * s.codes
    return Cost("bags of tokens", 4 * entries * s.hidden, 2 * (entries * s.hidden * 4 + values) + entries * s.hidden * 8,
                30)


def head(s):
    """The features of each bin, then the tasks' rates in chunks of 8,192 rows: logits are written and read twice."""
    flops, moved, launches = product(s.labels, s.hidden, s.bins * s.features)
    rows = s.kept * s.labels * s.bins
    flops += 6 * rows * s.features * s.tasks
    moved += 2 * rows * s.tasks * 5 + 3 * 2 * s.features * s.tasks + 10 * s.features * s.tasks
    return Cost("head and loss", flops, moved, launches + 40)


def parameters(s):
    layer = sum((s.hidden * (2 * s.inner + mixer * s.hidden) + (s.hidden + s.inner) * s.hidden) for mixer in (2, 3)) / 2
    return s.layers * layer + s.layers / 2 * s.hidden**2 + s.vocabulary * s.hidden + s.features * (
        s.hidden * s.bins + s.tasks)


def optimizer(s):
    """Once a step of 32 batches: the norm, fused AdamW (values, gradients, two moments), zeros, the cast; and Muon's five
    rounds of three products for each matrix, of which the table has the layers' (4 H x H and F x H by its parts)."""
    count = parameters(s)
    matrices = s.layers * (4 * s.hidden**2 + 3 * s.hidden * s.inner)
    rounds = 5 * (4 * s.hidden + 2 * s.hidden) * matrices
    return Cost("optimizer, a 32nd", rounds, count * (4 + 28 + 4 + 6) + matrices * 5 * 12, 15 * 8 * s.layers).times(1 / 32)


def costs(s):
    return [products(s), attention(s), recurrence(s), norms(s), gated(s), head(s), embedding(s), optimizer(s)]


def model_flops(s):
    """As Motor::flops_per_token counts them: what MFU is of."""
    return products(s).flops + s.layers // 2 * 12 * s.tokens * s.window * s.hidden + s.layers // 2 * 12 * (
        s.tokens * s.hidden * s.head) + 6 * s.labels * s.bins * s.features * (s.hidden + s.tasks)


def row(cells):
    return "| " + " | ".join(cells) + " |"


def tables():
    s = Size()
    all_costs = costs(s)
    lines = [row(["of a batch of 8,192 tokens, base, bf16", "GFLOP", "MB moved", "launches"]
                 + [f"{device.name}, ms" for device in DEVICES]), row(["---"] * (4 + len(DEVICES)))]
    for cost in all_costs:
        lines.append(row([cost.name, f"{cost.flops / 1e9:,.0f}", f"{cost.bytes / 1e6:,.0f}", f"{cost.launches:,.0f}"]
                         + [f"{1e3 * cost.seconds(device):.2f}" for device in DEVICES]))
    sums = [sum(cost.seconds(device) for cost in all_costs) for device in DEVICES]
    lines.append(row(["all", *(f"{total:,.0f}" for total in (
        sum(c.flops for c in all_costs) / 1e9, sum(c.bytes for c in all_costs) / 1e6, sum(c.launches for c in all_costs)))]
        + [f"{1e3 * seconds:.2f}" for seconds in sums]))
    lines.append(row(["tokens/s at the most", "", "", ""] + [f"{s.tokens / seconds:,.0f}" for seconds in sums]))
    lines.append(row(["MFU at the most", "", "", ""]
                     + [f"{model_flops(s) / seconds / device.flops:.0%}" for seconds, device in zip(sums, DEVICES)]))
    return "\n".join(lines) + "\n"


def main():
    if "--check" not in sys.argv:
        print(tables(), end="")
        return 0
    text = DOCUMENT.read_text()
    found = text[text.index(BEGIN) + len(BEGIN):text.index(END)].strip()
    if found == tables().strip():
        print("roofline: docs/gpu.md is up to date")
        return 0
    print("docs/gpu.md has another table than tools/gpu/roofline.py. Fix: put in what the latter prints.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
