"""What is written in MEDS's form passes the schemas of the `meds` package, of version 0.4 and of 0.3.

The two versions cannot be in one environment; 0.3 lies in a folder of its own (tools/test_python.sh puts it there).
"""

import datetime
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import meds
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY


def read(path):
    return pq.read_table(path, partitioning=None)


def data_shards(records):
    shards = sorted((records / "meds" / "data").rglob("*.parquet"))
    assert shards
    return shards


def label_files(records):
    files = [records / "labels.parquet", *sorted((records / "labels").glob("*.parquet"))]
    assert len(files) > 1
    return files


def test_data_passes(records):
    for shard in data_shards(records):
        meds.DataSchema.validate(read(shard))


def test_metadata_passes(records):
    folder = records / "meds" / "metadata"
    meds.CodeMetadataSchema.validate(read(folder / "codes.parquet"))
    meds.SubjectSplitSchema.validate(read(folder / "subject_splits.parquet"))
    meds.DatasetMetadataSchema.validate(json.loads((folder / "dataset.json").read_text()))


def test_labels_pass(records):
    for file in label_files(records):
        meds.LabelSchema.validate(read(file))


def test_the_ontology_passes_as_metadata_of_codes(prepared):
    meds.CodeMetadataSchema.validate(read(prepared / "ontology" / "ontology.parquet"))


def test_tasks_of_mimic_pass(tmp_path):
    """tools/mimic_tasks.py writes data sets and labels, too."""
    source = tmp_path / "source" / "data"
    source.mkdir(parents=True)
    rows = []
    for subject in range(20):
        end = "DIED" if subject % 4 == 0 else "HOME"
        for day, code in ((1, "HOSPITAL_ADMISSION//ER"), (4, "LAB//1"), (5, f"HOSPITAL_DISCHARGE//{end}")):
            rows.append((subject, datetime.datetime(2100, 1, day), code, 1.5 if day == 4 else None))
    subjects, times, codes, values = zip(*rows)
    schema = pa.schema({"subject_id": "int64", "time": pa.timestamp("us"), "code": "string", "numeric_value": "float32"})
    pq.write_table(pa.table([subjects, times, codes, values], schema=schema), source / "0.parquet")
    out = tmp_path / "out"
    script = [sys.executable, REPOSITORY / "tools" / "mimic_tasks.py", "mimic4", source.parent, out]
    subprocess.run(script, check=True, capture_output=True)
    for folder in (out / "meds", out / "pretraining"):
        meds.DataSchema.validate(read(folder / "data" / "0.parquet"))
        meds.CodeMetadataSchema.validate(read(folder / "metadata" / "codes.parquet"))
        meds.SubjectSplitSchema.validate(read(folder / "metadata" / "subject_splits.parquet"))
    for task in ("in_hospital_mortality", "readmission_30d"):
        meds.LabelSchema.validate(read(out / f"{task}.parquet"))


@pytest.fixture(scope="module")
def meds_03():
    """The module of schemas of meds 0.3.3."""
    folder = pathlib.Path(os.environ.get("SEQUELA_MEDS_03", pathlib.Path(sys.prefix) / "meds-0.3"))
    file = folder / "meds" / "schema.py"
    if not file.exists():
        pytest.skip(f"needs meds 0.3.3: pip install --no-deps --target {folder} meds==0.3.3")
    spec = importlib.util.spec_from_file_location("meds_03_schema", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_against(schema, table, required):
    """Every column that the schema names has its type; those that it cannot do without are there."""
    assert set(required) <= set(table.column_names)
    for field in schema:
        if field.name in table.column_names:
            found = table.schema.field(field.name)
            assert found.type == field.type, found


def test_version_03_s_data_and_metadata(records, prepared, meds_03):
    for shard in data_shards(records):
        schema = meds_03.data_schema()
        check_against(schema, read(shard), schema.names)
    schema = meds_03.code_metadata_schema()
    for codes in (records / "meds" / "metadata" / "codes.parquet", prepared / "ontology" / "ontology.parquet"):
        check_against(schema, read(codes), schema.names)
    splits = read(records / "meds" / meds_03.subject_splits_filepath)
    check_against(meds_03.subject_split_schema, splits, meds_03.subject_split_schema.names)
    names = {meds_03.train_split, meds_03.tuning_split, meds_03.held_out_split}
    assert set(splits.column("split").to_pylist()) <= names
    about = json.loads((records / "meds" / meds_03.dataset_metadata_filepath).read_text())
    assert about
    for key, value in about.items():
        assert key not in meds_03.dataset_metadata_schema["properties"] or isinstance(value, str), key


def test_version_03_s_labels(records, meds_03):
    values = [name for name in meds_03.label_schema.names if name.endswith("_value")]
    for file in label_files(records):
        table = read(file)
        check_against(meds_03.label_schema, table, ["subject_id", "prediction_time"])
        assert set(table.column_names) & set(values)
        assert set(table.column_names) <= set(meds_03.label_schema.names)
