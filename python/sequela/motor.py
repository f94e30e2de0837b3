"""MOTOR and CLMBR: from records in MEDS format to a pretrained model.

Every call works outside the GIL, shows its progress, and can be stopped by Ctrl-C: a stopped call
is simply made again, and goes on from what is finished.
"""

import os
from collections.abc import Sequence
from typing import Any

from sequela import _core
from sequela._options import (
    choose,
    fill,
    fill_given,
    kernel_cache,
    knows_given,
    memory_bytes,
    output_folder,
    training_values,
)
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job

__all__ = ["prepare", "pretrain"]

Path = str | os.PathLike[str]

PrepareReport = _core.PrepareReport
PretrainReport = _core.PretrainReport


def prepare(
    meds: Path,
    out: Path,
    *,
    objective: str = "motor",
    athena: Path | None = None,
    time_zone: str = "utc",
    split: Path | None = None,
    dictionary: Path | None = None,
    task_file: Path | None = None,
    remove_vocabularies: Sequence[str] = ("SPL", "HemOnc"),
    properties: Sequence[str] = ("numeric_value", "text_value"),
    split_seed: int = 97,
    val_fraction: float = 0.1,
    vocab_size: int = 16_384,
    num_numeric: int = 1_000,
    bins_per_code: int = 0,
    min_fraction: float = 1e-4,
    tokenizer_on: str = "all",
    num_tasks: int = 8_192,
    value_tasks: int = 0,
    num_bins: int = 8,
    final_layer_size: int = 512,
    task_min_fraction: float = 1e-3,
    clmbr_vocab_size: int = 8_192,
    tokens_per_batch: int = 8_192,
    label_fraction: float = 0.1,
    batch_format: str = "compact",
    is_femr_compatible: bool = False,
    repair: bool = False,
    keep_events: bool = False,
    rank: tuple[int, int] | None = None,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> PrepareReport:
    """Turns records into everything that pretraining reads.

    Args:
        meds: MEDS data set (0.3, 0.4) or meds_reader database; path or URI.
        out: folder for ontology/, split.csv, tokenizer/, motor_task.json, train_batches/, val_batches/,
            coverage.json. A later call makes only what is missing or depends on a changed argument.
        objective: what pretraining will learn: "motor", the time to each code's next event, or "clmbr", the next
            event's code (clmbr_task.json in place of motor_task.json).
        athena: OHDSI Athena download, the zip or a folder.
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        split, dictionary, task_file: your own split.csv, dictionary.msgpack (femr's forms) and motor_task.json instead
            of new ones.
        remove_vocabularies: of these only codes that occur in the data are kept.
        properties: columns that become tokens beside the code; ["all"] = every column, as femr does.
        split_seed, val_fraction: of the split of subjects into training and validation.
        vocab_size: tokens. num_numeric: numeric bins shared by all codes. min_fraction: rarer entries are left out.
        bins_per_code: bins of a code's own numbers, in place of the shared ones; 0 = none, as in femr.
        tokenizer_on: "all" or "train", the subjects that the tokenizer learns from.
        num_tasks: codes whose next occurrence is predicted. num_bins: time bins.
        value_tasks: at most so many numbers beside them, such as the next one in a code's highest bin.
        final_layer_size: width of the head per bin. task_min_fraction: rarer tasks are left out.
        clmbr_vocab_size: of "clmbr": entries of the dictionary, from the first, that are predicted as next codes.
        tokens_per_batch: at the most.
        label_fraction: of "motor": share of a window's tokens that predict; 0.1 = as in femr, 1 = all that can.
        batch_format: "compact", or "femr", which femr reads and is 20 times larger.
        is_femr_compatible: the first token's time as femr writes it.
        repair: sort rows and gather split subjects instead of failing on them.
        keep_events: keep the decoded events for a faster call with other options.
        rank: (i, n) = one of n processes that make `out` together, at the same time or one after another.
        num_threads: 0 = all; changes no byte.
        memory: to stay under, such as "8G"; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        A report: stages (name, reason, seconds, num_events), coverage (lines of text), is_up_to_date.

    Raises:
        DataError: bad records, with .path, .row, .column, .subject_id.
        ConfigError, FileError, ResourceError.

    Source: the recipe of MOTOR, arXiv:2301.03150; the files are those of femr 0.2.4.
    """
    options = fill(
        _core.PrepareOptions(),
        meds=meds,
        out=out,
        objective=objective,
        objective_values={"clmbr-vocab-size": clmbr_vocab_size} if objective == "clmbr" else {},
        athena=athena,
        time_zone=time_zone,
        split=split,
        dictionary=dictionary,
        task_file=task_file,
        remove_vocabularies=list(remove_vocabularies),
        properties=list(properties),
        split_seed=split_seed,
        val_fraction=val_fraction,
        vocab_size=vocab_size,
        num_numeric=num_numeric,
        bins_per_code=bins_per_code,
        min_fraction=min_fraction,
        tokenizer_on=choose(_core.TokenizerSubjects, "tokenizer_on", tokenizer_on),
        num_tasks=num_tasks,
        num_value_tasks=value_tasks,
        num_bins=num_bins,
        final_layer_size=final_layer_size,
        task_min_fraction=task_min_fraction,
        tokens_per_batch=tokens_per_batch,
        label_fraction=label_fraction,
        batch_format=choose(_core.BatchForm, "batch_format", batch_format),
        is_femr_compatible=is_femr_compatible,
        repair=repair,
        keep_events=keep_events,
        rank=0 if rank is None else rank[0],
        num_ranks=1 if rank is None else rank[1],
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return run_job(_core.prepare, options, progress)


@knows_given
def pretrain(
    data: Path,
    model: Path,
    out: Path | None = None,
    *,
    objective: str | None = None,
    recipe: str = "sequela",
    size: str | None = None,
    n_layers: int = 12,
    hidden_size: int = 768,
    n_heads: int = 12,
    intermediate_size: int = 3_072,
    attention_width: int = 496,
    embedding_std: float = 0.02,
    learning_rate: float = 1e-4,
    schedule: str = "linear",
    loss_scale: str = "mean",
    optimizer: str = "muon",
    muon_scale: float = 4,
    muon_momentum: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.95,
    epsilon: float = 1e-12,
    weight_decay: float = 0.1,
    max_gradient_norm: float = 1.0,
    warmup_steps: int = 500,
    epochs: int = 30,
    max_steps: int = 0,
    accumulate: int = 32,
    lanes: int = 4,
    eval_every: int = 500,
    patience: int = 5,
    log_every: int = 100,
    keep_checkpoints: int = 2,
    precision: str | None = None,
    gradient_checkpointing: bool = False,
    device: Any = "auto",
    kernels: str = "auto",
    seed: int = 42,
    keep_output: bool = False,
    tokens_per_pass: int | None = None,
    probes: Sequence[Path] = (),
    meds: Path | None = None,
    probe_labels: int = 2_000,
    recall: bool = False,
    read_out: str = "last",
    select: str = "loss",
    truth: Path | None = None,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
    given: frozenset[str] = frozenset(),
) -> PretrainReport:
    """Trains a model on what `prepare` made, and writes the bundle.

    Stopped by Ctrl-C it writes a checkpoint and raises KeyboardInterrupt; the same call goes on from there, and
    ends with the weights of a run that was never stopped.

    Args:
        data: the folder that `prepare` made.
        model: folder for the bundle: config.json, model.safetensors, dictionary.msgpack, ontology.parquet.
        out: folder for checkpoints and TensorBoard logs; None = <model>_output.
        objective: "motor" or "clmbr"; None = what `data` was prepared for.
        recipe: "sequela" (whose numbers are the defaults stated) or "femr" (the published ones).
        size: "tiny", "small" or "base": n_layers, hidden_size, n_heads, intermediate_size, with a learning_rate
            and an accumulate that suit them. What is given goes before the size's, which go before the recipe's.
        n_layers (12 = base, 6 = small), hidden_size, n_heads, intermediate_size: sizes of the model.
        attention_width: tokens that a token attends to.
        embedding_std: standard deviation of fresh embeddings of tokens; 1 in the recipe "femr".
        learning_rate: peak, after `warmup_steps` optimizer steps of linear warm-up; then as `schedule` says:
            "linear" or "cosine" decay to 0, or "constant".
        loss_scale: "mean": the gradient is the mean over labels x bins x tasks; "events": over events.
        optimizer: "muon" on the matrices, with AdamW on the rest, or "adamw" on all (recipe "femr"). muon_scale:
            Muon's learning rate over AdamW's. muon_momentum: of its averaged gradient.
        beta1, beta2, epsilon, weight_decay: of AdamW. max_gradient_norm: 0 = no clipping.
        epochs, max_steps: the end of training; max_steps 0 = epochs decide.
        accumulate: batches per optimizer step. lanes: shares of it that are summed apart, then in pairs.
        eval_every: steps between evaluations and checkpoints. patience: evaluations without gain
            before the end, 0 = no end.
        log_every: steps between log lines. keep_checkpoints: newest kept, besides the best.
        precision: "bf16" or "fp32"; None or "auto" = the faster one on this device.
        gradient_checkpointing: the same weights with about half the memory, in a quarter more time.
        device: "auto", "cpu", "cuda", "cuda:N" or a torch.device.
        kernels: "auto" = own kernels, on a GPU those that pass their check; "plain" = torch's operations alone, slow, to
            compare with; "own" = none of them.
        seed: of fresh weights and the order of batches.
        tokens_per_pass: computed at once; larger batches in parts, with the same result. None = what fits into a GPU's
            free memory, on the CPU all.
        keep_output: keep checkpoints and logs after the bundle is written.
        probes: labels.parquet files; each evaluation gives the AUROC of a logistic probe of each. `meds`: the
            records of their subjects. probe_labels: of a file and side at the most.
        recall: also how well a probe tells which codes stood in the year before the labels.
        read_out: of the probes: "last" or "last+history", as in `write_features`.
        truth: the truth folder of records that `synth` made: the share of the truth's own gain.
        select: what picks the best checkpoint: "loss", or "probe" for the highest mean AUROC.
        num_threads: 0 = all. memory: to stay under while records are read; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        A report: num_parameters, is_up_to_date, and train (steps, seconds, tokens_per_second, best_loss,
        best_step, eval_losses [(step, loss)], figures of the last evaluation {name: value}, is_finished, is_resumed).

    Raises:
        DataError: a loss that is not finite. ConfigError, FileError, ResourceError.

    Source: MOTOR, arXiv:2301.03150; CLMBR, femr's CLMBRTask; the model is femr 0.2.4's.
    """
    arguments = locals()
    options = _core.PretrainOptions()
    _core.apply_recipe(choose(_core.Recipe, "recipe", recipe), options)
    if size is not None:
        _core.apply_size(size, options)
    fill_given(
        options.encoder,
        given,
        n_layers=n_layers,
        hidden_size=hidden_size,
        n_heads=n_heads,
        intermediate_size=intermediate_size,
        attention_width=attention_width,
    )
    fill_given(options, given, embedding_std=embedding_std)
    fill_given(options.train, given, **training_values(arguments))
    fill(
        options,
        data=data,
        model=model,
        objective=objective,
        out=output_folder(model, out),
        precision=None if precision is None else _core.to_precision(precision, str(device)),
        activations=_core.Activations.recomputed if gradient_checkpointing else _core.Activations.kept,
        device=str(device),
        kernels=kernels,
        kernel_cache=kernel_cache(),
        seed=seed,
        keep_output=keep_output,
        tokens_per_pass=tokens_per_pass,
        probes=[os.fspath(path) for path in probes],
        meds=meds,
        probe_labels=probe_labels,
        recall=recall,
        read_out=read_out,
        truth=truth,
        select=choose(_core.Selection, "select", select),
        memory_bytes=memory_bytes(memory),
        num_threads=to_num_threads(num_threads),
    )
    return run_job(_core.pretrain, options, progress)
