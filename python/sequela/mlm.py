"""Encoders of one's own: CEHR-BERT and BERT over codes, pretrained on records by masked language modelling."""

import os

from sequela import _core
from sequela._options import choose, fill, memory_bytes, output_folder, training_values
from sequela._options import num_threads as to_num_threads
from sequela._progress import ShowProgress, run_job

__all__ = ["pretrain_mlm"]

Path = str | os.PathLike[str]

PretrainMlmReport = _core.PretrainMlmReport


def pretrain_mlm(
    meds: Path,
    model: Path,
    out: Path | None = None,
    *,
    encoder: str = "cehr_bert",
    n_layers: int = 6,
    hidden_size: int = 128,
    n_heads: int = 8,
    intermediate_size: int = 2_048,
    dropout: float = 0.1,
    attention_dropout: float = 0.1,
    visits: str = "hybrid",
    encounter_column: str = "",
    window_hours: float = 24,
    time_zone: str = "utc",
    time_tokens: str = "cehr_bert",
    visit_type: bool = False,
    demographics: bool = False,
    values: bool = False,
    vocab_size: int = 50_000,
    min_frequency: int = 0,
    split_seed: int = 97,
    val_fraction: float = 0.1,
    max_length: int = 512,
    batch_tokens: int = 4_096,
    mask_probability: float = 0.15,
    learning_rate: float = 1e-4,
    schedule: str = "linear",
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
    max_gradient_norm: float = 1.0,
    warmup_steps: int = 500,
    epochs: int = 30,
    max_steps: int = 0,
    accumulate: int = 1,
    eval_every: int = 500,
    patience: int = 5,
    log_every: int = 100,
    keep_checkpoints: int = 2,
    precision: str | None = None,
    device: str = "auto",
    seed: int = 42,
    keep_output: bool = False,
    num_threads: int = 0,
    memory: int | str | None = None,
    progress: ShowProgress = True,
) -> PretrainMlmReport:
    """Pretrains an encoder on records and writes its folder, which CEHRBERTWrapper, transformers or cehrbert open.

    `sequela pretrain --objective mlm` is the same. It works outside the GIL. Stopped by Ctrl-C it writes
    a checkpoint and raises KeyboardInterrupt; the same call goes on from there, and ends with the weights of a run
    that was never stopped.

    Args:
        meds: MEDS data set or meds_reader database.
        model: folder for the encoder: config.json, model.safetensors, tokenizer.json; beside them of CEHR-BERT its
            cehrbert_lab_stats.json and concept_name_mapping.json, of BERT vocab.json and vocab.txt.
        out: folder for checkpoints and TensorBoard logs; None = <model>_output.
        encoder: "cehr_bert" (codes with ages, dates, visits, values) or "bert" (codes alone).
        n_layers, hidden_size, n_heads, intermediate_size: sizes of the encoder.
        dropout, attention_dropout: of hidden states and of attention probabilities.
        visits: how events become visits: "hybrid" (encounter id, else day), "encounter", "day", "hours".
        encounter_column: "" = visit_id and the like. window_hours: of visits="hours".
        time_zone: of times that have one: "utc" = the instant in UTC, "local" = what its clock showed.
        time_tokens: between visits: "cehr_bert", "day", "week", "month", "mix", "none".
        visit_type: tokens of visit types and discharge places. demographics: begin with year, age, gender, race.
        values: take values of events in, and predict them; CEHR-BERT only.
        vocab_size: codes at the most, special ones counted. min_frequency: rarer codes are [OOV].
        split_seed, val_fraction: of the split of subjects into training and validation.
        max_length: tokens of a sequence, [CLS] counted. batch_tokens: tokens of a batch.
        mask_probability: share of tokens to predict.
        learning_rate: peak, after `warmup_steps` optimizer steps of linear warm-up; then as `schedule` says:
            "linear" or "cosine" decay to 0, or "constant".
        beta1, beta2, epsilon, weight_decay: of AdamW. max_gradient_norm: 0 = no clipping.
        epochs, max_steps: the end of training; max_steps 0 = epochs decide.
        accumulate: batches per optimizer step.
        eval_every: steps between evaluations and checkpoints. patience: evaluations without gain
            before the end, 0 = no end.
        log_every: steps between log lines. keep_checkpoints: newest kept, besides the best.
        precision: "bf16" or "fp32"; None or "auto" = the faster one on this device.
        device: "auto", "cpu", "cuda" or "cuda:1"; the same masks and dropout are drawn on each.
        seed: of fresh weights, batches, masks and dropout.
        keep_output: keep checkpoints and logs after the folder is written.
        num_threads: 0 = all. memory: to stay under while reading, such as "8G"; None = half the machine.
        progress: True = a bar or a line; False = none; or a callable that takes a ProgressState.

    Returns:
        A report: num_parameters, vocab_size, num_train_subjects, num_validation_subjects, num_left_out (subjects
        without a birth or a visit), is_up_to_date, and train as of `pretrain`.

    Raises:
        DataError: bad records; no subject to learn from. ConfigError, FileError, ResourceError.

    Source: CEHR-BERT, arXiv:2111.08585, as in the cehrbert package 1.5.0; BERT, arXiv:1810.04805.
    """
    arguments = locals()
    options = _core.PretrainMlmOptions()
    fill(
        options.encoder,
        kind=choose(_core.BertKind, "encoder", encoder),
        num_hidden_layers=n_layers,
        hidden_size=hidden_size,
        num_attention_heads=n_heads,
        intermediate_size=intermediate_size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=attention_dropout,
    )
    fill(
        options.data.visits,
        visits=choose(_core.VisitRule, "visits", visits),
        encounter_column=encounter_column,
        window_hours=window_hours,
    )
    fill(
        options.data.records,
        time_tokens=choose(_core.TimeTokens, "time_tokens", time_tokens),
        visit_type=visit_type,
        demographics=demographics,
    )
    fill(options.data.vocabulary, vocab_size=vocab_size, min_frequency=min_frequency)
    fill(options.data, values=values, split_seed=split_seed, val_fraction=val_fraction)
    fill(
        options.mlm, max_length=max_length, batch_tokens=batch_tokens, mask_probability=mask_probability
    )
    fill(options.train, **training_values(arguments))
    fill(
        options,
        meds=meds,
        time_zone=time_zone,
        model=model,
        out=output_folder(model, out),
        precision=None if precision is None else _core.to_precision(precision, device),
        device=device,
        seed=seed,
        keep_output=keep_output,
        num_threads=to_num_threads(num_threads),
        memory_bytes=memory_bytes(memory),
    )
    return run_job(_core.pretrain_mlm, options, progress)
