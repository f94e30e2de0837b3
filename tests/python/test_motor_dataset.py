"""Batches of MOTOR as a Dataset of torch: those of `prepare`, and those of labels."""

import pickle

import numpy as np
import pyarrow.parquet as pq
import pytest
import sequela
import torch
from torch.utils.data import DataLoader


def test_the_dataset_is_what_prepare_wrote(prepared):
    data = sequela.MotorDataset(prepared)
    assert len(data) > 1
    assert torch.equal(data[-1].token_ids, data[len(data) - 1].token_ids)
    with pytest.raises(IndexError):
        data[len(data)]
    with pytest.raises(sequela.ConfigError, match="train or val"):
        sequela.MotorDataset(prepared, "test")
    with pytest.raises(sequela.FileError):
        sequela.MotorDataset(prepared / "nowhere")


@pytest.mark.parametrize("workers", [dict(), dict(num_workers=2), dict(num_workers=1, multiprocessing_context="spawn")])
def test_a_data_loader_gives_every_batch_once(prepared, workers):
    data = sequela.MotorDataset(prepared)
    wanted = [batch.token_ids.tolist() for batch in data]
    loaded = list(DataLoader(data, batch_size=None, **workers))
    assert [batch.token_ids.tolist() for batch in loaded] == wanted
    assert isinstance(loaded[0], sequela.MotorBatch)


def test_representations_are_the_embeddings_of_features(records, bundle, model):
    labels = next((records / "labels").glob("*.parquet"))
    table = pq.read_table(labels)
    expected = sequela.compute_features(records / "meds", bundle, labels, tokens_per_batch=1024)
    data = sequela.MotorDataset.from_records(
        records / "meds", bundle, labels, tokens_per_batch=1024, progress=False
    )
    assert len(data) > 1
    batches = list(data)
    rows = torch.cat([batch.label_rows for batch in batches])
    with torch.no_grad():
        embeddings = torch.cat([model(batch).representations for batch in batches])
    order = rows.argsort()  # features has its rows in the labels' order
    np.testing.assert_allclose(embeddings[order].numpy(), expected["features"], atol=1e-5)
    subjects = table["subject_id"].to_numpy()[rows[order].numpy()]
    np.testing.assert_array_equal(subjects, expected["subject_ids"])
    values = torch.cat([batch.label_values for batch in batches])[order]
    np.testing.assert_array_equal(values.bool().numpy(), table["boolean_value"].to_numpy()[rows[order].numpy()])
    assert table.num_rows - len(rows) == sum(data.num_skipped.values())
    assert torch.equal(data[1].token_ids, batches[1].token_ids)  # read again, out of order


def test_labels_in_every_form(records, bundle, caplog):
    path = next((records / "labels").glob("*.parquet"))
    table = pq.read_table(path).slice(0, 30)
    rows = table.select(["subject_id", "prediction_time", "boolean_value"]).to_pylist()
    without_value = [{**row, "boolean_value": None} for row in rows]
    unknown = [dict(subject_id=10**12, prediction_time=rows[0]["prediction_time"])]

    def values(labels):
        data = sequela.MotorDataset.from_records(records / "meds", bundle, labels, progress=False)
        return torch.cat([batch.label_values for batch in data]) if len(data) else torch.empty(0)

    assert torch.equal(values(rows), values(table)) and len(values(table)) > 0
    assert values(without_value).isnan().all()
    assert len(values(unknown)) == 0 and "1 of 1 labels are in no batch" in caplog.text


def test_batches_of_labels_in_workers(records, bundle):
    labels = next((records / "labels").glob("*.parquet"))
    data = sequela.MotorDataset.from_records(
        records / "meds", bundle, labels, tokens_per_batch=1024, progress=False
    )
    wanted = [batch.token_ids.tolist() for batch in data]
    loader = DataLoader(data, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert [batch.token_ids.tolist() for batch in loader] == wanted
    with pytest.raises(sequela.ConfigError, match="pickled"):
        pickle.dumps(data)
