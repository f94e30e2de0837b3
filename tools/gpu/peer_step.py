"""Training steps of a MOTOR-like transformer in plain PyTorch, as a user of femr runs them: what Sequela's are timed
beside. Hawk and attention layers in turn, parallel feed-forward, a dense time-to-event head, autograd, autocast to
bfloat16, fused AdamW. Attention is torch's own, causal, a call a subject; the recurrence a scan by doubling.

  peer_step.py DEVICE small|base TOKENS TASKS STEPS     prints JSON"""

import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZES = {"small": (4, 256), "base": (12, 768)}
VOCABULARY, CODES_PER_TOKEN, SUBJECTS, BINS, FEATURES = 16_384, 8, 8, 8, 512


def scan(decay_T, value_T):
    """state_t = decay_t * state_(t-1) + value_t over dimension 0, in log2(T) rounds."""
    reach = 1
    while reach < len(value_T):
        value_T = torch.cat([value_T[:reach], value_T[reach:] + decay_T[reach:] * value_T[:-reach]])
        decay_T = torch.cat([decay_T[:reach], decay_T[reach:] * decay_T[:-reach]])
        reach *= 2
    return value_T


class Layer(nn.Module):
    def __init__(self, width, is_hawk):
        super().__init__()
        self.is_hawk, self.heads = is_hawk, width // 64
        self.norm = nn.RMSNorm(width)
        mixer = 2 if is_hawk else 3
        self.sizes = [8 * width] + [width] * mixer
        self.input = nn.Linear(width, sum(self.sizes), bias=False)
        self.output = nn.Linear(5 * width, width, bias=False)
        if is_hawk:
            self.convolution = nn.Conv1d(width, width, 4, groups=width, padding=3)
            self.gates = nn.Parameter(torch.randn(2, self.heads, 64, 64) / 8)
            self.decay = nn.Parameter(torch.full((width,), -4.0))

    def attend(self, q, k, v, lengths):
        q, k, v = (x.view(len(x), self.heads, 64).transpose(0, 1) for x in (q, k, v))
        parts = [F.scaled_dot_product_attention(*part, is_causal=True) for part in
                 zip(*(x[None].split(lengths, 2) for x in (q, k, v)))]
        return torch.cat(parts, 2)[0].transpose(0, 1).flatten(1)

    def recur(self, x, y, is_start):
        u = self.convolution(x.T[None])[0, :, :len(x)].T
        blocks = u.view(len(u), self.heads, 64).transpose(0, 1)
        recurrence, gate = (torch.bmm(blocks, weight.to(blocks.dtype)).transpose(0, 1).flatten(1).sigmoid().float()
                            for weight in self.gates)
        log_decay = -8 * recurrence * F.softplus(self.decay)
        decay = torch.where(is_start, 0.0, log_decay.exp())
        scale = torch.where(is_start, 1.0, torch.sqrt(1 - torch.exp(2 * log_decay) + 1e-6))
        return scan(decay, u.float() * gate * scale).to(x.dtype) * F.gelu(y, approximate="tanh")

    def forward(self, x, lengths, is_start):
        gated, *rest = self.input(self.norm(x)).split(self.sizes, 1)
        mixed = self.recur(*rest, is_start) if self.is_hawk else self.attend(*rest, lengths)
        left, right = gated.chunk(2, 1)
        return x + self.output(torch.cat([mixed, F.silu(left) * right], 1))


class Model(nn.Module):
    def __init__(self, layers, width, tasks):
        super().__init__()
        self.embedding = nn.EmbeddingBag(VOCABULARY, width, mode="sum")
        self.layers = nn.ModuleList(Layer(width, i % 2 == 0) for i in range(layers))
        self.norm = nn.RMSNorm(width)
        self.final = nn.Linear(width, BINS * FEATURES)
        self.final_norm = nn.RMSNorm(FEATURES)
        self.task = nn.Linear(FEATURES, tasks)

    def forward(self, batch):
        x = self.embedding(batch["ids"], batch["offsets"], per_sample_weights=batch["weights"])
        for layer in self.layers:
            x = layer(x, batch["lengths"], batch["is_start"])
        labelled = self.norm(x)[batch["labels"]]
        rates = self.task(self.final_norm(self.final(labelled).view(len(labelled), BINS, FEATURES))).float()
        survival = torch.exp2(rates + batch["log_time"])
        return survival.mean() - math.log(2) * (rates * batch["is_event"]).mean()


def batch_of(tokens, tasks, device):
    labels = tokens // 10
    log_time = torch.full((labels, BINS, tasks), -math.inf, device=device)
    log_time[:, 0] = 2.0
    is_event = torch.zeros(labels, BINS, tasks, dtype=torch.bool, device=device)
    is_event[:, 0, ::100] = True
    length = tokens // SUBJECTS
    return {"ids": torch.randint(0, VOCABULARY, (tokens * CODES_PER_TOKEN,), device=device),
            "offsets": torch.arange(0, tokens * CODES_PER_TOKEN, CODES_PER_TOKEN, device=device),
            "weights": torch.full((tokens * CODES_PER_TOKEN,), 1 / CODES_PER_TOKEN, device=device),
            "lengths": [length] * SUBJECTS,
            "is_start": (torch.arange(tokens, device=device) % length == 0)[:, None],
            "labels": torch.arange(0, labels * 10, 10, device=device), "log_time": log_time, "is_event": is_event}


def main(device, size, tokens, tasks, steps):
    torch.manual_seed(1)
    tokens, tasks, steps = int(tokens) // SUBJECTS * SUBJECTS, int(tasks), int(steps)
    layers, width = SIZES[size]
    model = Model(layers, width, tasks).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    batch = batch_of(tokens, tasks, device)

    def step():
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            loss = model(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    for _ in range(1 if steps < 3 else 3):
        loss = step()
    loss.item()
    start = time.perf_counter()
    for _ in range(steps):
        loss = step()
    value = loss.item()
    seconds = time.perf_counter() - start
    peak = torch.cuda.max_memory_allocated() if device.startswith("cuda") else 0
    print(json.dumps({"size": size, "tokens_per_batch": tokens, "tokens_per_second": steps * tokens / seconds,
                      "loss": value, "peak_bytes": peak, "torch": torch.__version__}))


main(*sys.argv[1:])
