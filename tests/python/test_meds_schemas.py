"""What is written in MEDS's form passes the schemas of the `meds` package."""

import json

import meds
import pyarrow.parquet as pq


def read(path):
    return pq.read_table(path, partitioning=None)


def test_data_passes(records):
    shards = sorted((records / "meds" / "data").rglob("*.parquet"))
    assert shards
    for shard in shards:
        meds.DataSchema.validate(read(shard))


def test_metadata_passes(records):
    folder = records / "meds" / "metadata"
    meds.CodeMetadataSchema.validate(read(folder / "codes.parquet"))
    meds.SubjectSplitSchema.validate(read(folder / "subject_splits.parquet"))
    meds.DatasetMetadataSchema.validate(json.loads((folder / "dataset.json").read_text()))


def test_labels_pass(records):
    files = [records / "labels.parquet", *sorted((records / "labels").glob("*.parquet"))]
    assert len(files) > 1
    for file in files:
        meds.LabelSchema.validate(read(file))
