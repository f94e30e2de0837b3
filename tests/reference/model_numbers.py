"""What a model of femr computes on batches, as files of one folder. MOTOR, on those of g60:

  config.json, weights.safetensors   the model, every parameter moved off 0 and 1
  forward_out.safetensors            each stage for batch 0 (embed_bag_out, in_norm_out, layer_i_out before the residual
                                     addition, layer_i_hawk_out, final_hidden), logits and loss
  grads.safetensors                  of every parameter, for batch 0
  loss_curve.json                    100 steps of AdamW over the batches in turn
  weights_after_100.safetensors      the weights after them

CLMBR: the first four, of the stages final_hidden alone.
"""

import json

import numpy as np
import torch
from safetensors.torch import save_file
from saving import write_json

NUM_STEPS = 100


def read_task(path):
    """pretraining_task_info, time_bins and final_layer_size of a motor_task.json."""
    task = json.loads(path.read_text())
    return task["pretraining_task_info"], [float(edge) for edge in task["time_bins"]], task["final_layer_size"]


def read_batches(folder):
    """Each batch_i.npz as the list of one row that femr's collate takes."""
    batches = []
    for path in sorted(folder.glob("batch_*.npz")):
        row = {}
        for name, array in np.load(path).items():
            *parents, last = name.split(".")
            target = row
            for parent in parents:
                target = target.setdefault(parent, {})
            target[last] = torch.from_numpy(array)
        batches.append([row])
    return batches


def observe(model):
    """Forward hooks that keep the stages' outputs."""
    stages = {}

    def keep(name):
        def hook(_module, _inputs, output):
            stages[name] = output.detach().clone()
        return hook

    transformer = model.transformer
    hooks = [getattr(transformer, "embed_bag").register_forward_hook(keep("embed_bag_out")),
             transformer.in_norm.register_forward_hook(keep("in_norm_out")),
             transformer.out_norm.register_forward_hook(keep("final_hidden"))]
    for i, layer in enumerate(transformer.layers):
        hooks.append(layer.register_forward_hook(keep(f"layer_{i}_out")))
        if hasattr(layer, "hawk_module"):
            hooks.append(layer.hawk_module.register_forward_hook(keep(f"layer_{i}_hawk_out")))
    return stages, hooks


def parameters_of(model):
    return {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}


def write_model(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.config.to_dict(), sort_keys=True) + "\n")
    save_file(parameters_of(model), folder / "weights.safetensors", {"format": "pt"})


def write_gradients(model, folder):
    save_file({name: value.grad for name, value in model.named_parameters()}, folder / "grads.safetensors")


def write_next_code_numbers(model, batch, folder):
    """Of a CLMBR model on one batch."""
    write_model(model, folder)
    stages = {}
    hook = model.transformer.out_norm.register_forward_hook(
        lambda _module, _inputs, output: stages.update(final_hidden=output.detach().clone()))
    loss, outputs = model(**batch, return_logits=True)
    hook.remove()
    loss.backward()
    stages["logits"] = outputs["logits"].detach()
    stages["loss"] = loss.detach().reshape(1)
    save_file({name: value.contiguous() for name, value in stages.items()}, folder / "forward_out.safetensors")
    write_gradients(model, folder)


def write_numbers(model, batches, folder):
    write_model(model, folder)
    stages, hooks = observe(model)
    loss, outputs = model(**batches[0], return_logits=True)
    for hook in hooks:
        hook.remove()
    loss.backward()
    stages["time_dependent_logits"] = outputs["time_dependent_logits"].detach()
    stages["loss"] = loss.detach().reshape(1)
    save_file({name: value.contiguous() for name, value in stages.items()}, folder / "forward_out.safetensors")
    write_gradients(model, folder)
    write_json(folder / "loss_curve.json", {"columns": ["step", "batch", "loss"], "curve": train(model, batches)})
    save_file(parameters_of(model), folder / f"weights_after_{NUM_STEPS}.safetensors")


def train(model, batches):
    """One group, every parameter decayed; no schedule, no clipping."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1, betas=(0.9, 0.95), eps=1e-8)
    curve = []
    for step in range(NUM_STEPS):
        optimizer.zero_grad()
        loss = model(**batches[step % len(batches)])[0]
        loss.backward()
        optimizer.step()
        curve.append([step, step % len(batches), float(loss.detach())])
    return curve
