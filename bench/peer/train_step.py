"""Forward and backward of one batch through femr's FEMRModel: the batch and sizes of bench_train_step.

  train_step.py six|small|base [THREADS] [bf16|fp32] [REPEATS]

femr's attention is replaced (local_attention.py). torch_hawk's code for CPUs takes float32 only, so with bf16
its blocks stay in float32 and all else runs under autocast, as it would for HF Trainer's bf16 option."""

import math
import resource
import sys
import time

import femr.models.config
import femr.models.transformer
import local_attention
import torch

SIZES = {"base": (12, 768, 8192, 8192), "six": (6, 768, 2048, 8192), "small": (4, 256, 2048, 1024)}
CODES_PER_TOKEN, TOKENS_PER_LABEL, EVENTS_PER_LABEL, BINS, VOCABULARY = 8, 10, 100, 8, 16384


def model_of(layers, hidden, tasks):
    edges = [1e7 * i for i in range(BINS)] + [math.inf]
    transformer = femr.models.config.FEMRTransformerConfig(
        vocab_size=VOCABULARY, is_hierarchical=True, hidden_size=hidden, intermediate_size=4 * hidden,
        n_heads=hidden // 64, n_layers=layers, attention_width=496, use_normed_ages=True, use_bias=False,
        hidden_act="swiglu")
    task = femr.models.config.FEMRTaskConfig(task_type="motor", task_kwargs={
        "pretraining_task_info": [(f"T/{i}", 1e-9) for i in range(tasks)], "time_bins": edges,
        "final_layer_size": 512})
    return femr.models.transformer.FEMRModel(
        femr.models.config.FEMRModelConfig.from_transformer_task_configs(transformer, task))


def batch_of(tokens, tasks):
    labels = tokens // TOKENS_PER_LABEL
    is_event = torch.zeros(labels, BINS, tasks, dtype=torch.bool)
    is_event[:, 0, ::tasks // EVENTS_PER_LABEL] = True
    log_time = torch.full((labels, BINS, tasks), -math.inf, dtype=torch.float16)
    log_time[:, 0, :] = 20.0
    transformer = {
        "hierarchical_tokens": torch.randint(0, VOCABULARY, (1, tokens * CODES_PER_TOKEN)),
        "token_indices": torch.arange(tokens + 1)[None] * CODES_PER_TOKEN,
        "hierarchical_weights": torch.full((1, tokens * CODES_PER_TOKEN), 1 / CODES_PER_TOKEN),
        "time_data": torch.linspace(0, 0.05 * tokens / 1000, tokens * 5).view(1, tokens, 5),
        "ages": torch.arange(tokens, dtype=torch.float32)[None] * 1.5,
        "timestamps": torch.arange(tokens)[None],
        "subject_lengths": torch.full((1, 4), tokens // 4),
        "label_indices": torch.arange(labels)[None] * TOKENS_PER_LABEL,
    }
    return {"subject_ids": torch.arange(4).repeat_interleave(tokens // 4)[None], "transformer": transformer,
            "task": {"is_event": is_event[None], "log_time": log_time[None]}}


class InFloat32(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x, s):
        with torch.autocast("cpu", enabled=False):
            return self.module(x.float(), s)


def main(name="small", threads="2", precision="bf16", repeats="2"):
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    local_attention.install()
    layers, hidden, tokens, tasks = SIZES[name]
    model = model_of(layers, hidden, tasks)
    for layer in model.transformer.layers:
        if layer.use_hawk:
            layer.hawk_module = InFloat32(layer.hawk_module)
    batch = batch_of(tokens, tasks)
    best = (math.inf, math.inf)
    for _ in range(int(repeats)):
        model.zero_grad(set_to_none=True)
        wall, cpu = time.perf_counter(), time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            loss, _ = model(batch)
        (loss / 32).backward()
        best = min(best, (time.perf_counter() - wall, time.process_time() - cpu))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:5} {threads} threads {precision}: {tokens / best[0]:.0f} tokens/s, {best[0]:.2f} s wall, "
          f"{best[1]:.2f} s CPU; peak {peak:.2f} GiB, loss {float(loss):.4g}   (femr, torch {torch.__version__})")


main(*sys.argv[1:])
