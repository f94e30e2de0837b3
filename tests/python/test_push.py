"""sequela push: what goes to the hub, and what is refused; hub_server.py stands in the hub's place."""

import shutil

import pytest
import sequela
from conftest import REFERENCE, run
from sequela import hub as sequela_hub

BERT = REFERENCE / "bert" / "a_bert"


def pushed(hub, name="org/mine"):
    repository = hub.repositories[name]
    return repository.commits[repository.refs["main"]]


def test_push_sends_the_model_its_card_and_nothing_else(hub, monkeypatch, bundle, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(bundle, model)
    for name in ("records.parquet", "labels.csv", "notes.txt", "pytorch_model.bin", "model.options.toml"):
        (model / name).write_text("a patient's")
    (model / "data").mkdir()
    (model / "data" / "0.parquet").write_text("a patient's")
    monkeypatch.setenv("HF_TOKEN", "writer")
    report = sequela_hub.push(model, "org/mine")
    sent = pushed(hub)
    expected = {"config.json", "model.safetensors", "dictionary.msgpack", "ontology.parquet", "README.md"}
    assert set(sent) - {".gitattributes"} == set(report.files) == expected
    assert report.is_private and hub.repositories["org/mine"].is_private
    assert all(sent[name] == (model / name).read_bytes() for name in expected - {"README.md"})
    card = sent["README.md"].decode()
    assert "library_name: sequela" in card and "layers" in card and "--model org/mine" in card
    assert str(tmp_path) not in card
    assert "--model model" in (model / "README.md").read_text()  # as it was

    # And it comes back.
    assert sequela_hub.find("org/mine").commit == report.commit
    assert sequela.inspect("org/mine").split("\n")[1:] == sequela.inspect(model).split("\n")[1:]


def test_a_card_that_was_edited_goes_as_it_is(hub, monkeypatch, bundle, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(bundle, model)
    card = (model / "README.md").read_text().replace("# license: to be chosen by who publishes the model", "license: mit")
    assert "license: mit" in card
    (model / "README.md").write_text(card)
    monkeypatch.setenv("HF_TOKEN", "writer")
    sequela_hub.push(model, "org/mine")
    assert pushed(hub)["README.md"].decode() == card


def test_a_card_of_one_s_own_goes_first(hub, monkeypatch, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(BERT / "model_st", model)
    monkeypatch.setenv("HF_TOKEN", "writer")
    sequela_hub.push(model, "org/mine")
    hub.add("org/mine", {**pushed(hub), "README.md": b"written on the hub"})
    sequela_hub.push(model, "org/mine")
    assert pushed(hub)["README.md"] == b"written on the hub"
    (model / "README.md").write_text("# ours\n")
    sequela_hub.push(model, "org/mine")
    assert pushed(hub)["README.md"] == b"# ours\n"


def test_the_command_pushes(hub):
    hub.add("org/public", {".gitattributes": b""})
    seen = run("push", BERT / "sharded_st", "org/mine", HF_TOKEN="writer")
    assert seen.returncode == 0, seen.stderr
    assert "Sent to org/mine (private), commit " in seen.stdout and "model.safetensors.index.json" in seen.stdout
    refused = run("push", BERT / "model_st", "org/public", HF_TOKEN="writer")
    assert refused.returncode == 2 and refused.stdout == "", refused.stderr
    assert refused.stderr.startswith("sequela: error: org/public") and refused.stderr.count("\n") == 1, refused.stderr


@pytest.mark.parametrize(
    "model, name, token, kind, words",
    [
        (BERT / "model_st", "org/mine", "", sequela.FileError, "log in"),
        (BERT / "model_st", "org/mine", "reader", sequela.FileError, "HTTP 403"),
        (BERT / "model_st", "org/public", "writer", sequela.ConfigError, "public"),
        (BERT / "model_st", "mine", "writer", sequela.ConfigError, "org/name"),
        ("/nowhere", "org/mine", "writer", sequela.FileError, "no such folder"),
        (BERT, "org/mine", "writer", sequela.FileError, "config.json"),
    ],
)
def test_what_push_refuses(hub, monkeypatch, model, name, token, kind, words):
    hub.add("org/public", {".gitattributes": b""})
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(kind, match=words) as caught:
        sequela_hub.push(model, name)
    assert "\n" not in str(caught.value) and "Fix:" in str(caught.value)
    assert set(hub.repositories) == {"org/public"} and set(pushed(hub, "org/public")) == {".gitattributes"}


def test_a_public_repository_is_pushed_to_if_that_is_said(hub, monkeypatch):
    hub.add("org/public", {".gitattributes": b""})
    monkeypatch.setenv("HF_TOKEN", "writer")
    assert not sequela_hub.push(BERT / "model_st", "org/public", private=False).is_private
    assert "model.safetensors" in pushed(hub, "org/public")
