"""Steps of masked language modelling with the cehrbert package at its default size: what bench_mlm_step times.

  mlm_step.py [THREADS] [fp32|bf16]

The model's forward and backward pass, clipping and torch's fused AdamW; no data loading. bf16 is autocast, as HF
Trainer's option does it."""

import contextlib
import sys
import time

import torch
from cehrbert.models.hf_models.config import CehrBertConfig
from cehrbert.models.hf_models.hf_cehrbert import CehrBertForPreTraining

VOCABULARY, BATCH, STEPS = 20_000, 8, 3


def batch_of(length):
    place = torch.arange(length).expand(BATCH, -1)
    ids = torch.randint(7, VOCABULARY, (BATCH, length))
    labels = torch.where(torch.rand(ids.shape) < 0.15, ids, -100)
    return {"input_ids": torch.where(labels >= 0, 1, ids), "labels": labels, "attention_mask": torch.ones(ids.shape),
            "ages": 40 + place // 50, "dates": 2000 + place, "visit_concept_orders": 1 + place // 10,
            "visit_segments": 1 + place // 10 % 2, "concept_values": torch.zeros(ids.shape),
            "concept_value_masks": torch.zeros(ids.shape)}


def time_steps(length, dropout, precision):
    config = CehrBertConfig(vocab_size=VOCABULARY, hidden_size=128, num_hidden_layers=6, num_attention_heads=8,
                            intermediate_size=2048, max_position_embeddings=512, hidden_dropout_prob=dropout,
                            attention_probs_dropout_prob=dropout)
    model = CehrBertForPreTraining(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    batch = batch_of(length)

    def step():
        autocast = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
        with autocast:
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    step()
    start, cpu_start = time.perf_counter(), time.process_time()
    for _ in range(STEPS):
        step()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    tokens = STEPS * BATCH * length
    print(f"cehrbert length {length:4d}  dropout {dropout:.1f}  {precision}  {tokens / wall:7.0f} tokens/s  "
          f"{tokens / cpu:7.0f} tokens per CPU-second", flush=True)


torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
for length in (128, 512):
    time_steps(length, 0.1, sys.argv[2] if len(sys.argv) > 2 else "fp32")
