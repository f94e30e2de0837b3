"""Events as they are given, in any form, to the columns that the core takes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sequela.errors import DataError

_STATIC = np.iinfo(np.int64).min
_EVENTS = pa.schema(
    [
        ("subject_id", pa.int64()),
        ("time", pa.timestamp("us")),
        ("code", pa.string()),
        ("numeric_value", pa.float32()),
        ("text_value", pa.string()),
    ]
)


def _row(event: Any, names: Sequence[str]) -> dict[str, Any]:
    """An event as a dict: from a mapping, a tuple of its first fields, or an object with these attributes."""
    if isinstance(event, Mapping):
        return {name: event.get(name) for name in names}
    if isinstance(event, tuple | list) and not hasattr(event, "_fields"):
        if not 2 <= len(event) <= len(names):
            raise DataError(f"an event of {len(event)} fields. Fix: give ({', '.join(names)}), at least the first two.")
        return dict(zip(names, event, strict=False))
    return {name: getattr(event, name, None) for name in names}


def to_table(events: Any, subject_id: int | None) -> pa.Table:
    """Events in any form as a table of _EVENTS' columns; `subject_id` is every event's if it is given."""
    names = [name for name in _EVENTS.names if subject_id is None or name != "subject_id"]
    try:
        if isinstance(events, pa.Table) or hasattr(events, "__arrow_c_stream__"):
            table = pa.table(events)
        elif hasattr(events, "columns"):
            table = pa.Table.from_pandas(events, preserve_index=False)
        else:
            rows = [_row(event, names) for event in events]
            columns = {name: [row.get(name) for row in rows] for name in names}
            table = pa.table(columns, schema=pa.schema([_EVENTS.field(name) for name in names]))
        return pa.table({name: _column(table, name, subject_id) for name in _EVENTS.names})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):  # whose messages show values
        raise DataError(
            "events are not of MEDS's types. Fix: give subject_id (integer), time (datetime, None if static), "
            "code (text), numeric_value (number or None), text_value (text or None)."
        ) from None


def _column(table: pa.Table, name: str, subject_id: int | None) -> pa.ChunkedArray | pa.Array:
    type_ = _EVENTS.field(name).type
    if name == "subject_id" and subject_id is not None:
        return pa.array(np.full(len(table), subject_id, np.int64))
    if name not in table.column_names:
        if name in ("subject_id", "time", "code"):
            raise DataError(f"events have no column '{name}'. Fix: name the columns as MEDS does.")
        return pa.nulls(len(table), type_)
    column = table[name]
    if name in ("subject_id", "code") and column.null_count:
        raise DataError(f"events: column '{name}' has a null. Fix: give every event one.")
    if isinstance(column.type, pa.DictionaryType):
        column = column.cast(column.type.value_type)
    return column.cast(type_, safe=name != "numeric_value" and name != "time")


def _encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A column of texts as indices (-1 = null) and what they stand for."""
    encoded = column.combine_chunks().dictionary_encode()
    return pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()


def columns_of(table: pa.Table) -> tuple[Any, ...]:
    """The columns of `to_table` as the core takes them."""
    numbers = table["numeric_value"]
    return (
        table["subject_id"].to_numpy(),
        pc.fill_null(table["time"].cast(pa.int64()), int(_STATIC)).to_numpy(),
        *_encoded(table["code"]),
        pc.fill_null(numbers, 0.0).to_numpy(),
        pc.is_valid(numbers).to_numpy().astype(np.uint8),
        *_encoded(table["text_value"]),
    )
