"""What goes wrong. Each message is one line: what is wrong, where, and what would mend it."""

__all__ = ["ConfigError", "DataError", "Error", "FileError", "ResourceError"]


class Error(Exception):
    """Base of every error that a user can cause and mend."""


class DataError(Error, ValueError):
    """Bad input data.

    Attributes (None where not known):
        path: the file.
        row_group: the row group of a Parquet file, from 0.
        row: the row within the file, from 0.
        column: the column's name.
        subject_id: the subject whose record is at fault.
    """

    path: str | None = None
    row_group: int | None = None
    row: int | None = None
    column: str | None = None
    subject_id: int | None = None


class FileError(Error, OSError):
    """A missing, unreadable or corrupt model or other file."""


class ConfigError(Error, ValueError):
    """A wrong option or setting."""


class ResourceError(Error, MemoryError):
    """The machine ran out of disk or memory; the message says what to lower."""
