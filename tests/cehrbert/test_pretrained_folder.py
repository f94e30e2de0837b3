"""Folders of `sequela pretrain --objective mlm`, opened by the cehrbert package and transformers, give our numbers."""

import json
import os
import pathlib
import subprocess

import numpy as np
import torch
import transformers
from cehrbert.models.hf_models import hf_cehrbert

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SEQUELA_BINARY", str(ROOT / "build/bin/sequela"))
SMALL = ["--hidden", 32, "--layers", 2, "--heads", 4, "--intermediate", 64, "--max-length", 128, "--tokens-per-batch", 1024,
         "--vocab-size", 500, "--max-steps", 10, "--eval-every", 5, "--warmup-steps", 2, "--learning-rate", 3e-3,
         "--val-fraction", 0.25, "--precision", "fp32", "--threads", 1]


def sequela(*arguments):
    result = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def pretrain(folder, *options):
    sequela("synth", "--subjects", 40, "--out", folder / "synth")
    sequela("pretrain", "--objective", "mlm", "--meds", folder / "synth/meds", "--model", folder / "model", *SMALL, *options)
    return folder / "model"


def our_visits(folder, model, visits):
    """Mean of the last hidden states of each visit's codes, as `sequela encode` has it."""
    lines = [json.dumps({"subject_id": i, "visits": [visit]}) for i, visit in enumerate(visits)]
    (folder / "visits.jsonl").write_text("\n".join(lines) + "\n")
    sequela("encode", "--model", model, "--input", folder / "visits.jsonl", "--out", folder / "embeddings", "--threads", 1)
    return np.load(folder / "embeddings/embeddings.npz")["embeddings"]


def random_visits(vocabulary):
    random = np.random.default_rng(5)
    return [random.integers(5, vocabulary, size=length).tolist() for length in (1, 3, 10, 50, 120)]


def test_cehrbert_opens_the_folder(tmp_path):
    folder = pretrain(tmp_path, "--values")
    model, report = hf_cehrbert.CehrBertForPreTraining.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"] and not report["mismatched_keys"]
    model.eval()
    visits = random_visits(model.config.vocab_size)
    ours = our_visits(tmp_path, folder, visits)
    for visit, expected in zip(visits, ours):
        ids = torch.tensor([visit])
        with torch.no_grad():
            output = model.bert(ids, torch.ones_like(ids), ages=torch.zeros_like(ids), dates=torch.zeros_like(ids),
                                visit_concept_orders=torch.ones_like(ids), concept_values=torch.zeros(ids.shape),
                                concept_value_masks=torch.zeros(ids.shape), visit_segments=torch.ones_like(ids))
        np.testing.assert_allclose(output.last_hidden_state[0].mean(0), expected, atol=2e-5)


def test_transformers_open_the_folder(tmp_path):
    folder = pretrain(tmp_path, "--encoder", "bert")
    model, report = transformers.BertForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not report["missing_keys"] and not report["mismatched_keys"]
    model.eval()
    visits = random_visits(model.config.vocab_size)
    ours = our_visits(tmp_path, folder, visits)
    for visit, expected in zip(visits, ours):
        with torch.no_grad():
            output = model.bert(torch.tensor([visit]))
        np.testing.assert_allclose(output.last_hidden_state[0].mean(0), expected, atol=2e-5)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    vocabulary = json.loads((folder / "vocab.json").read_text())
    assert tokenizer.get_vocab() == vocabulary
