"""Models by name: cache and fetch, with a small hub of our own (hub_server.py) in the hub's place."""

import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
import sequela
import torch
from conftest import COMMAND, REFERENCE, run
from sequela import hub as sequela_hub

BERT = REFERENCE / "bert" / "a_bert"
CHUNK = 10 << 20  # huggingface_hub goes on at multiples of it


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def partial_files(tmp_path):
    return list((tmp_path / "cache").rglob("*.incomplete"))


@pytest.mark.parametrize("form", ["model_st", "model_bin", "sharded_st", "sharded_bin", "old_gamma_beta_legacy_bin"])
def test_every_form_of_weights_comes_by_name(hub, form):
    commit = hub.add("org/bert", files_of(BERT / form))
    wrapper = sequela.CEHRBERTWrapper.from_pretrained("org/bert")
    here = sequela.CEHRBERTWrapper.from_pretrained(BERT / form)
    assert torch.equal(wrapper.get_code_embeddings(), here.get_code_embeddings())
    assert (wrapper.tokenizer is None) == (here.tokenizer is None)
    hub.requests.clear()
    found = sequela_hub.find("org/bert")
    assert found.commit == commit and found.folder.endswith(f"models--org--bert/snapshots/{commit}")
    assert hub.requests == []  # nor is a vocabulary asked for again that the hub does not have


def test_only_what_is_needed_comes(hub):
    files = files_of(BERT / "model_st")
    others = ("pytorch_model.bin", "tf_model.h5", "README.md", "optimizer.pt", "train.parquet", "onnx/model.onnx")
    hub.add("org/bert", {**files, **dict.fromkeys(others, b"x"), "added_tokens.json": b"{}"})
    sequela.BertEncoder.from_pretrained("org/bert")
    wanted = set(files) - {"vocab_dict.json", "vocab_dict_shuffled.json"} | {"added_tokens.json"}
    assert set(hub.files_sent()) == wanted


def test_vocabularies_come_with_their_added_tokens(hub):
    config = (BERT / "model_st" / "config.json").read_bytes()
    weights = (BERT / "model_st" / "model.safetensors").read_bytes()
    plain = {"config.json": config, "model.safetensors": weights, "vocab.txt": b"[PAD]\n[UNK]\nA\n"}
    hub.add("org/plain", {**plain, "added_tokens.json": b'{"B": 3}'})
    mapper = sequela.VocabularyMapper("org/plain")
    assert mapper.map_codes(["A", "B", "C"]) == [2, 3, 1]
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0, "A": 1}}
    tokenizer = {"added_tokens": [{"id": 2, "content": "B"}], "model": words}
    hub.add("org/fast", {**plain, "tokenizer.json": json.dumps(tokenizer).encode()})
    assert sequela.VocabularyMapper("org/fast").map_codes(["A", "B", "C"]) == [1, 2, 0]


def test_revisions_are_branches_tags_and_commits(hub):
    first = hub.add("org/bert", files_of(BERT / "model_st"), "v1")
    second = hub.add("org/bert", files_of(BERT / "mlm_st"))
    assert sequela_hub.find("org/bert").commit == second
    assert sequela_hub.find("org/bert", revision="v1").commit == first
    assert sequela_hub.find(f"org/bert@{first}").commit == first
    sequela.CEHRBERTWrapper.from_pretrained("org/bert", revision="v1")
    sequela.BertEncoder.from_pretrained("org/bert", revision=first)
    sequela.BertForMaskedLM.from_pretrained("org/bert", revision=second)
    with pytest.raises(sequela.ConfigError, match="revision"):
        sequela_hub.find("org/bert@v1", revision="main")


def test_what_is_in_the_cache_is_not_asked_for(hub, monkeypatch):
    commit = hub.add("org/bert", files_of(BERT / "model_st"))
    sequela_hub.find("org/bert")
    hub.requests.clear()
    assert sequela_hub.find("org/bert").commit == commit
    assert hub.requests == []

    # A branch that has moved on is taken as it was, until it is fetched.
    newer = hub.add("org/bert", files_of(BERT / "model_bin"))
    assert sequela_hub.find("org/bert").commit == commit
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    sequela.CEHRBERTWrapper.from_pretrained("org/bert")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    sequela_hub.fetch("org/bert")
    assert sequela_hub.find("org/bert").commit == newer
    assert sequela_hub.find(f"org/bert@{commit}").commit == commit


def test_weights_that_another_program_fetched_get_their_vocabulary(hub, monkeypatch, caplog):
    from huggingface_hub import hf_hub_download

    files = files_of(BERT / "model_st")
    hub.add("org/bert", files)
    for name in ("config.json", "model.safetensors"):
        hf_hub_download("org/bert", name, cache_dir=os.environ["HF_HUB_CACHE"], endpoint=hub.url)
    with monkeypatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert sequela.CEHRBERTWrapper.from_pretrained("org/bert").tokenizer is None
        assert "only the weights are in the cache" in caplog.text
    assert sequela.CEHRBERTWrapper.from_pretrained("org/bert").tokenizer is not None


def test_a_folder_of_that_name_wins(hub, caplog):
    hub.add("org/bert", files_of(BERT / "model_st"))
    shutil.copytree(BERT / "mlm_st", "org/bert")
    caplog.set_level("INFO", "sequela")
    found = sequela_hub.find("org/bert")
    assert (found.folder, found.commit) == ("org/bert", "")
    assert "the folder of that name" in caplog.text and hub.requests == []


def failure(name, revision=None):
    with pytest.raises(sequela.Error) as caught:
        sequela.CEHRBERTWrapper.from_pretrained(name, revision=revision)
    assert "\n" not in str(caught.value) and "Fix:" in str(caught.value)
    assert name in str(caught.value)
    return caught.value


def test_what_the_hub_refuses_is_said_in_a_line(hub, tmp_path, monkeypatch):
    files = files_of(BERT / "model_st")
    hub.add("org/open", files)
    hub.add("org/gated", files, is_gated=True)
    hub.add("org/private", files, is_private=True)
    hub.add("org/other", {"config.json": b"{}", "tf_model.h5": b"x"})
    hub.add("org/nothing", {"train.parquet": b"x"})
    hub.add("org/half", {n: c for n, c in files_of(BERT / "sharded_st").items() if "00003" not in n})
    for name, words in {
        "org/gated": "gated",
        "org/none": "no folder and no model",
        "org/private": "private",
        "org/other": "no weights",
        "org/nothing": "no config.json",
        "org/half": "model-00003-of-00004.safetensors",
    }.items():
        error = failure(name)
        assert isinstance(error, sequela.FileError) and words in str(error), error
    assert "'v9'" in str(failure("org/open", "v9"))
    monkeypatch.setenv("HF_TOKEN", "reader")
    sequela.CEHRBERTWrapper.from_pretrained("org/private")
    assert not partial_files(tmp_path)


def test_without_a_network(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in str(failure("org/bert"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in str(failure("org/bert"))


def test_a_full_disk(hub, tmp_path, monkeypatch):
    from huggingface_hub import file_download

    def write_nothing(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.add("org/bert", files_of(BERT / "model_st"))
    monkeypatch.setattr(file_download, "http_get", write_nothing)
    error = failure("org/bert")
    assert isinstance(error, sequela.ResourceError) and "disk is full" in str(error)
    assert not partial_files(tmp_path)


def test_a_cache_that_cannot_be_written_to(hub, tmp_path, monkeypatch):
    hub.add("org/bert", files_of(BERT / "model_st"))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "file"))
    with pytest.raises(sequela.FileError, match="HF_HUB_CACHE"):
        sequela_hub.find("org/bert")


def test_a_download_that_breaks_off_goes_on_where_it_was(hub):
    """The weights are made long by zeros that no tensor has."""
    files = files_of(BERT / "model_bin")
    weights = files["pytorch_model.bin"] + bytes(2 * CHUNK)
    hub.add("org/bert", {**files, "pytorch_model.bin": weights})
    hub.cut_after, hub.cuts_left = CHUNK + 1000, 1
    found = sequela_hub.find("org/bert")
    assert hub.ranges == [f"bytes={CHUNK}-"]
    assert (pathlib.Path(found.folder) / "pytorch_model.bin").read_bytes() == weights


def test_a_torn_download_leaves_nothing_that_counts(hub, tmp_path):
    files = files_of(BERT / "model_st")
    old = hub.add("org/bert", files_of(BERT / "mlm_st") | {"vocab.txt": files["vocab.txt"]})
    assert sequela_hub.find("org/bert").commit == old
    new = hub.add("org/bert", files)
    hub.cut_after, hub.cuts_left = 50_000, 100
    with pytest.raises(sequela.FileError, match="broke off"):
        sequela_hub.fetch("org/bert")
    assert not partial_files(tmp_path)
    assert sequela_hub.find("org/bert").commit == old
    hub.cuts_left = 0
    hub.requests.clear()
    sequela_hub.fetch("org/bert")
    assert hub.files_sent() == ["model.safetensors"]  # the others were complete
    assert sequela_hub.find("org/bert").commit == new


def test_the_command_fetches_and_says_what(hub, tmp_path):
    commit = hub.add("org/bert", files_of(BERT / "model_st"))
    seen = run("encode", "--model", "org/bert", "--extract-code-embeddings", "--out", "out")
    assert seen.returncode == 0, seen.stderr
    assert f"org/bert: commit {commit}" in seen.stderr
    assert f'model = "org/bert@{commit}"' in pathlib.Path("out.options.toml").read_text()
    assert run("inspect", "org/bert", HF_HUB_OFFLINE="1").stdout == seen_again(commit, tmp_path)


def seen_again(commit, tmp_path):
    return run("inspect", tmp_path / "cache" / "models--org--bert" / "snapshots" / commit).stdout


def test_the_command_fails_in_a_line(hub, tmp_path):
    hub.add("org/gated", files_of(BERT / "model_st"), is_gated=True)
    for name, words in {"org/gated": "gated", "org/none": "no model"}.items():
        seen = run("inspect", name)
        assert seen.returncode == 4 and words in seen.stderr
        assert seen.stderr.startswith(f"sequela: error: {name}") and seen.stderr.count("\n") == 1, seen.stderr

    # An interpreter that has neither this package nor huggingface_hub.
    seen = run("inspect", "org/none", SEQUELA_PYTHON=sys.base_prefix + "/bin/python3")
    assert seen.returncode == 4 and "Fix:" in seen.stderr and seen.stderr.count("\n") == 1, seen.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_fetch_and_leaves_nothing(hub, tmp_path, number):
    files = files_of(BERT / "model_bin")
    hub.add("org/bert", {**files, "pytorch_model.bin": files["pytorch_model.bin"] + bytes(4 * CHUNK)})
    hub.stall_after = CHUNK
    process = subprocess.Popen([COMMAND, "inspect", "org/bert"], stderr=subprocess.PIPE, text=True)
    while not partial_files(tmp_path):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert not partial_files(tmp_path)
