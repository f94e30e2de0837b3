"""Records, labels and ontologies in whatever form the caller has them, as paths for the core."""

import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sequela.errors import ConfigError

__all__ = ["LABEL_VALUES", "path_of_database", "path_of_labels", "path_of_ontology"]

LABEL_VALUES = ("boolean_value", "integer_value", "float_value")

_LABELS = pa.schema([("subject_id", pa.int64()), ("prediction_time", pa.timestamp("us"))])


def path_of_database(db: Any) -> str:
    """A path as it is, or that of a meds_reader.SubjectDatabase."""
    path = getattr(db, "path_to_database", db)
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(
            f"db: {type(db).__name__} is not allowed. Fix: give a path or a meds_reader.SubjectDatabase."
        )
    return os.fspath(path)


def _field(label: Any, name: str) -> Any:
    return label[name] if isinstance(label, dict) else getattr(label, name)


def _value(label: Any, name: str) -> Any:
    return label.get(name) if isinstance(label, dict) else getattr(label, name, None)


def path_of_labels(labels: Any, folder: pathlib.Path, values: Sequence[str] = ()) -> str:
    """A path as it is; else writes what MEDS labels come in: records, a table, a data frame.

    Of the columns `values` those that are there go along.
    """
    if isinstance(labels, str | os.PathLike):
        return os.fspath(labels)
    if hasattr(labels, "__arrow_c_stream__") or isinstance(labels, pa.Table):
        table = pa.table(labels)
        table = table.select(_LABELS.names + [name for name in values if name in table.column_names])
    elif hasattr(labels, "columns"):
        names = _LABELS.names + [name for name in values if name in labels.columns]
        table = pa.Table.from_pandas(labels[names], preserve_index=False)
    else:
        rows = list(labels)
        columns = {name: [_field(label, name) for label in rows] for name in _LABELS.names}
        table = pa.table(columns, schema=_LABELS)
        for name in values:
            column = [_value(label, name) for label in rows]
            if any(value is not None for value in column):
                table = table.append_column(name, pa.array(column))
    path = folder / "labels.parquet"
    pq.write_table(table, path)
    return str(path)


def _parents_of(ontology: Any) -> Iterable[tuple[str, list[str]]]:
    codes = set(ontology.parents_map) | set(ontology.children_map) | set(ontology.description_map)
    return ((code, sorted(ontology.get_parents(code))) for code in sorted(codes))


def path_of_ontology(ontology: Any, folder: pathlib.Path) -> str | None:
    """A path as it is, or what a femr.ontology.Ontology holds, written out."""
    if ontology is None or isinstance(ontology, str | os.PathLike):
        return ontology
    if not hasattr(ontology, "get_parents"):
        raise ConfigError(
            f"ontology: {type(ontology).__name__} is not allowed. "
            "Fix: give a Parquet path or a femr.ontology.Ontology."
        )
    codes, parents = zip(*_parents_of(ontology), strict=True)
    table = pa.table({"code": pa.array(codes), "parent_codes": pa.array(parents, pa.list_(pa.string()))})
    path = folder / "ontology.parquet"
    pq.write_table(table, path)
    return str(path)
