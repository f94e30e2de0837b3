"""Errors have the right types and say where."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sequela
import torch


def test_types_are_python_s_too():
    assert issubclass(sequela.DataError, ValueError)
    assert issubclass(sequela.FileError, OSError)
    assert issubclass(sequela.ConfigError, ValueError)
    assert issubclass(sequela.ResourceError, MemoryError)
    for error in (sequela.DataError, sequela.FileError, sequela.ConfigError, sequela.ResourceError):
        assert issubclass(error, sequela.Error)


def test_a_data_error_says_where(tmp_path):
    """Subject 0 comes again after another."""
    folder = tmp_path / "meds"
    (folder / "data").mkdir(parents=True)
    times = pa.array([datetime.datetime(2000 + i, 1, 1) for i in range(4)], pa.timestamp("us"))
    columns = {"subject_id": [0, 0, 1, 0], "time": times, "code": ["MEDS_BIRTH", "A", "MEDS_BIRTH", "B"]}
    pq.write_table(pa.table(columns), folder / "data" / "0.parquet")
    with pytest.raises(sequela.DataError) as caught:
        sequela.prepare(folder, tmp_path / "out", progress=False)
    error = caught.value
    assert error.path == str(folder / "data" / "0.parquet")
    assert (error.row, error.column, error.subject_id) == (3, "subject_id", 0)
    assert error.row_group is None
    assert "\n" not in str(error) and "Fix:" in str(error)


def test_options_are_checked(records, tmp_path):
    for wrong in (
        dict(vocab_size=-1),
        dict(tokenizer_on="some"),
        dict(batch_format="zip"),
        dict(vocab_size="many"),
        dict(memory="none"),
    ):
        with pytest.raises(sequela.ConfigError, match=next(iter(wrong)).replace("_", ".")):
            sequela.prepare(records / "meds", tmp_path / "out", **wrong, progress=False)
    assert not (tmp_path / "out").exists()
    with pytest.raises(sequela.ConfigError, match="precision"):
        sequela.pretrain(tmp_path, tmp_path / "model", precision="fp8", progress=False)
    with pytest.raises(sequela.ConfigError, match="db"):
        sequela.compute_features(3, tmp_path, [])


def test_missing_files():
    with pytest.raises(sequela.FileError, match="/nowhere"):
        sequela.inspect("/nowhere")
    with pytest.raises(OSError):
        sequela.CEHRBERTWrapper.from_pretrained("/nowhere")
    with pytest.raises(sequela.FileError):
        sequela.VocabularyMapper("/nowhere/vocab.json")


def test_ids_and_shapes_of_an_encoder(bert):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    with pytest.raises(sequela.DataError, match="500"):
        wrapper.encode_visit(torch.tensor([[500]]))
    with pytest.raises(sequela.DataError):
        wrapper.encode_codes(torch.tensor([-1]))
    with pytest.raises(sequela.DataError, match="129"):
        wrapper.encode_visit(torch.ones(1, 129, dtype=torch.long))
    with pytest.raises(ValueError):
        wrapper.encode_visit(torch.tensor([1, 2]))
    with pytest.raises(sequela.ConfigError, match="pooling"):
        sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", pooling="median")
    with pytest.raises(sequela.ConfigError, match="precision"):
        sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", precision="fp8")


def test_a_truncated_model_file(bert, tmp_path):
    for name in ("config.json", "model.safetensors"):
        content = (bert / "bare" / name).read_bytes()
        (tmp_path / name).write_bytes(content if name == "config.json" else content[:5000])
    with pytest.raises(sequela.FileError, match="model.safetensors"):
        sequela.CEHRBERTWrapper.from_pretrained(tmp_path)


def test_out_of_memory_says_what_to_lower():
    model = sequela.LSTMProgressionModel(vocab_size=10, code_embed_dim=4, visit_embed_dim=4, hidden_dim=4)
    model.use_checkpoint = False
    visits = torch.ones(1, 1, 1, dtype=torch.long).expand(2**20, 2**20, 2**10)
    with pytest.raises(sequela.ResourceError, match="Fix: lower"):
        model(visits)
