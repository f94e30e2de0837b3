"""Runs a task with `sequela label` and with ACES, on the same files."""

import os
import pathlib
import subprocess

import polars as pl
import pyarrow.parquet as pq
import pytest
from aces import config, predicates, query, run
from omegaconf import DictConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SEQUELA_BINARY", str(ROOT / "build/bin/sequela"))
SHARED = pathlib.Path(os.environ.get("SEQUELA_SHARED", ROOT.parent / "shared"))


def sequela(*arguments):
    result = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows_of(table):
    """(subject, time, boolean) of labels, in an order that nulls do not disturb."""
    columns = [table[name].to_pylist() for name in ("subject_id", "prediction_time", "boolean_value")]
    return sorted(zip(*columns), key=lambda row: (row[0], str(row[1]), str(row[2])))


def our_rows(meds, task, out, *options):
    sequela("label", "--meds", meds, "--task", task, "--out", out, "--threads", 2, *options)
    tables = [pq.read_table(path) for path in sorted(out.rglob("*.parquet"))]
    return sorted((row for table in tables for row in rows_of(table)), key=lambda row: (row[0], str(row[1]), str(row[2])))


def aces_rows(meds, task, predicates_file=None):
    """The rows of ACES's label tables, shard by shard as its `data=sharded` goes."""
    rows = []
    for shard in sorted((meds / "data").rglob("*.parquet")):
        task_config = config.TaskExtractorConfig.load(str(task), str(predicates_file) if predicates_file else None)
        data = DictConfig({"path": str(shard), "standard": "meds", "ts_format": None})
        result = query.query(task_config, predicates.get_predicates_df(task_config, data))
        if result.is_empty():
            continue
        names = {"index_timestamp": "prediction_time", "label": "boolean_value"}
        result = result.rename({old: new for old, new in names.items() if old in result.columns})
        rows += rows_of(run.get_and_validate_label_schema(result))
    return sorted(rows, key=lambda row: (row[0], str(row[1]), str(row[2])))


def write_meds(folder, events):
    """A data set of (subject, time or None, code, value or None)."""
    (folder / "data").mkdir(parents=True)
    types = {"subject_id": pl.Int64, "time": pl.Datetime("us"), "code": pl.String, "numeric_value": pl.Float32}
    pl.DataFrame(events, schema=types, orient="row").write_parquet(folder / "data/0.parquet")
    return folder


@pytest.fixture(scope="session")
def synth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth")
    sequela("synth", "--subjects", 300, "--seed", 7, "--out", folder / "synth", "--quiet")
    return folder / "synth/meds"


@pytest.fixture(scope="session")
def mimic():
    folder = SHARED / "data/mimic4_demo_meds"
    if not folder.is_dir():
        pytest.skip("needs third parties' records: put them beside the checkout as ../shared, or set SEQUELA_SHARED")
    return folder
