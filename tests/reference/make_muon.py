"""Reference numbers of torch.optim.Muon: five steps on a tall and on a wide matrix.

    .venv/bin/python tests/reference/make_muon.py

Pins: torch 2.13.0. Writes motor/muon.json: by shape ("20x12") the weights, row by row, after each step. Weights begin at 0.5;
entry (i, j) of the gradient of step t = 1, 2, ... is sin(0.37 t + 1.3 i + 0.7 i j + 0.11 j). torch multiplies in bfloat16, whose
rounding changes a step by 4 %; so its code runs here with that conversion taken away.
"""

import json
import pathlib

import torch

STEPS = 5
OPTIONS = dict(lr=1e-2, weight_decay=0.1, momentum=0.9, nesterov=True, ns_steps=5, adjust_lr_fn="match_rms_adamw")


def gradient(rows, columns, step):
    i = torch.arange(rows, dtype=torch.float64).unsqueeze(1)
    j = torch.arange(columns, dtype=torch.float64)
    return torch.sin(0.37 * step + 1.3 * i + 0.7 * i * j + 0.11 * j).float()


def weights_after_each_step(rows, columns):
    weight = torch.nn.Parameter(torch.full((rows, columns), 0.5))
    optimizer = torch.optim.Muon([weight], **OPTIONS)
    found = []
    for step in range(1, STEPS + 1):
        weight.grad = gradient(rows, columns, step)
        optimizer.step()
        found.append([round(value, 7) for value in weight.detach().flatten().tolist()])
    return found


torch.Tensor.bfloat16 = torch.Tensor.clone


if __name__ == "__main__":
    numbers = {f"{rows}x{columns}": weights_after_each_step(rows, columns) for rows, columns in [(20, 12), (12, 20)]}
    path = pathlib.Path(__file__).resolve().parent / "motor" / "muon.json"
    path.write_text(json.dumps(numbers, separators=(",", ":")) + "\n")
