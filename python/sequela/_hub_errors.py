"""What goes wrong between here and a hub, as one line."""

import contextlib
import errno
from collections.abc import Iterator

from sequela.errors import Error, FileError, ResourceError

__all__ = ["plain_hub_errors"]

_LOG_IN = "log in (`hf auth login`) or set HF_TOKEN"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_response(error: Exception, name: str, revision: str, endpoint: str) -> Error | None:
    """What the hub refused, and why."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return FileError(
            f"{name}: the model is gated, and access to it is not granted. "
            f"Fix: ask for it at {endpoint}/{name}, then {_LOG_IN}."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return FileError(
            f"{name}: there is no folder and no model of {endpoint} of this name, or it is private. "
            f"Fix: check the name; for a private one {_LOG_IN}."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return FileError(
            f"{name}: {endpoint} has no branch, tag or commit '{revision}' of it. Fix: check the revision."
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        fix = f"{_LOG_IN} with a token that may do this" if status in (401, 403) else "try again later"
        return FileError(f"{name}: {endpoint} answered with HTTP {status}. Fix: {fix}.")
    return None


def _of_connection(error: BaseException, name: str, endpoint: str) -> Error | None:
    """No connection, a broken one, a full disk."""
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return FileError(f"{name}: HF_HUB_OFFLINE forbids to ask the hub. Fix: unset it.")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceError(
            f"{name}: the disk is full. Fix: make room, or let HF_HUB_CACHE name a folder on another disk."
        )
    if isinstance(error, OSError) and error.filename is not None:
        return FileError(
            f"{error.filename}: {error.strerror}. Fix: let HF_HUB_CACHE name a folder that can be written to."
        )
    kind = type(error).__name__
    if kind.startswith("Connect"):
        reason = str(error).split("\n")[0]
        return FileError(
            f"{name}: {endpoint} cannot be reached ({reason}). "
            "Fix: check the network, or give a folder instead of a name."
        )
    is_torn = isinstance(error, errors.HTTPError) or "Consistency check" in str(error)
    if is_torn:
        return FileError(
            f"{name}: the connection to {endpoint} broke off ({kind}). "
            "Fix: run it again; files that are complete are kept."
        )
    return None


@contextlib.contextmanager
def plain_hub_errors(name: str, revision: str, endpoint: str) -> Iterator[None]:
    """Turns what huggingface_hub raises within into FileError and ResourceError of one line."""
    try:
        yield
    except Error:
        raise
    except Exception as error:
        for cause in _chain(error):
            plain = _of_response(cause, name, revision, endpoint) or _of_connection(cause, name, endpoint)
            if plain is not None:
                raise plain from error
        text = str(error).strip().split("\n")[0]
        raise FileError(f"{name}: {endpoint}: {type(error).__name__}: {text}") from error
