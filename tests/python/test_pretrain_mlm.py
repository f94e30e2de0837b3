"""An encoder pretrained from Python, and the comparison that tells whether it helped."""

import json
import os
import signal

import pytest
import sequela
import torch

SMALL = dict(
    n_layers=2,
    hidden_size=32,
    n_heads=4,
    intermediate_size=64,
    val_fraction=0.25,
    vocab_size=500,
    max_length=128,
    batch_tokens=1024,
    learning_rate=3e-3,
    warmup_steps=2,
    max_steps=6,
    eval_every=3,
    precision="fp32",
    num_threads=1,
)


@pytest.fixture(scope="module")
def meds(records):
    return records / "meds"


def test_it_learns_and_its_folder_opens(meds, tmp_path):
    report = sequela.pretrain_mlm(meds, tmp_path / "cehr", **SMALL, values=True, progress=False)
    losses = [loss for _, loss in report.train.eval_losses]
    assert report.train.is_finished and report.train.steps == 6
    assert losses[1] < losses[0]
    assert not (tmp_path / "cehr_output").exists() or not list((tmp_path / "cehr_output").glob("checkpoint-*"))
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(tmp_path / "cehr")
    assert wrapper.model.config.kind == sequela.BertConfig().kind.cehr_bert
    assert wrapper.model.config.vocab_size == report.vocab_size == len(wrapper.tokenizer)
    assert wrapper.encode_visit(torch.tensor([[5, 6]])).shape == (1, 32)
    again = sequela.pretrain_mlm(meds, tmp_path / "cehr", **SMALL, values=True, progress=False)
    assert again.is_up_to_date


def test_an_interrupted_call_goes_on_to_the_same_weights(meds, tmp_path):
    # Long enough that progress is reported before the last step; it is ten times a second.
    options = {**SMALL, "max_steps": 150, "eval_every": 150, "encoder": "bert"}
    sequela.pretrain_mlm(meds, tmp_path / "whole", **options, progress=False)

    def interrupt(state):
        if state.label == "pretrain mlm" and state.done >= 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sequela.pretrain_mlm(meds, tmp_path / "parts", **options, progress=interrupt)
    assert not (tmp_path / "parts").exists()
    report = sequela.pretrain_mlm(meds, tmp_path / "parts", **options, progress=False)
    assert report.train.is_resumed
    for name in ("model.safetensors", "vocab.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_wrong_options(meds, tmp_path):
    for wrong in (
        dict(encoder="gpt"),
        dict(visits="week"),
        dict(time_tokens="hour"),
        dict(encoder="bert", values=True),
        dict(mask_probability=2.0),
        dict(n_heads=5),
    ):
        with pytest.raises(sequela.ConfigError):
            sequela.pretrain_mlm(meds, tmp_path / "model", **{**SMALL, **wrong}, progress=False)
    with pytest.raises(sequela.Error, match="/nowhere"):
        sequela.pretrain_mlm("/nowhere", tmp_path / "model", **SMALL, progress=False)
    assert not (tmp_path / "model").exists()


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Records with enough labels of both outcomes, and an encoder of them: meds, labels, encoder."""
    folder = tmp_path_factory.mktemp("cohort")
    sequela.synth(folder / "synth", subjects=300, num_threads=1, progress=False)
    meds, labels = folder / "synth" / "meds", folder / "synth" / "labels" / "chronic_onset_1y.parquet"
    sequela.pretrain_mlm(meds, folder / "cehr", **{**SMALL, "max_steps": 2}, progress=False)
    return meds, labels, folder / "cehr"


COMPARISON = dict(
    num_seeds=2,
    num_labels=[8, 20],
    visit_embed_dim=8,
    hidden_dim=8,
    epochs=1,
    min_steps=4,
    num_resamples=50,
    num_threads=1,
)


def test_compare(cohort, tmp_path):
    jobs = []
    result = sequela.compare(*cohort, tmp_path / "out", **COMPARISON, progress=jobs.append)
    assert result == json.loads((tmp_path / "out" / "compare.json").read_text())
    assert [row["num_labels"] for row in result["results"]] == [8] * 6 + [20] * 6
    assert {row["method"] for row in result["results"]} >= {"random start", "pretrained, frozen", "pretrained, probe", "random, probe"}
    for row in result["results"]:
        assert 0 <= row["auroc"]["low"] <= row["auroc"]["value"] <= row["auroc"]["high"] <= 1
        assert len(row["auroc_by_seed"]) == 2
    assert 0 <= result["differences"][0]["auroc"]["p_value"] <= 1
    assert 0.5 < result["coverage"] <= 1
    assert "compare" in {state.label for state in jobs}


def test_compare_stops_and_refuses(cohort, tmp_path):
    meds, labels, encoder = cohort

    def interrupt(state):
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sequela.compare(meds, labels, encoder, tmp_path / "out", progress=interrupt)
    assert not list((tmp_path / "out").glob("compare.*"))
    with pytest.raises(sequela.ConfigError, match="labels"):
        sequela.compare(meds, labels, encoder, tmp_path / "out", num_labels=[1], progress=False)
    with pytest.raises(sequela.FileError):
        sequela.compare(meds, labels, "/nowhere", tmp_path / "out", progress=False)
