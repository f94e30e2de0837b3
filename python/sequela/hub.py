"""Models by name: out of the Hugging Face cache, from the hub what is missing there, and back to it.

Whatever takes a bundle or an encoder takes "org/name" or "org/name@revision" as well. A folder of that name wins.
What is in the cache is taken from there without asking the hub; the rest comes by `huggingface_hub`, an extra of this
package. The command `sequela` uses `python -m sequela.hub` for the latter.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from sequela import _core
from sequela._hub_errors import plain_hub_errors
from sequela._model_files import VOCABULARIES, has_vocabulary, model_files
from sequela._progress import ShowProgress, logger
from sequela.errors import ConfigError, Error, FileError

__all__ = ["PushReport", "fetch", "find", "folder_of", "push"]

Path = str | os.PathLike[str]
FoundModel = _core.FoundModel

_DEFAULT_ENDPOINT = "https://huggingface.co"


def find(model: Path, revision: str | None = None, progress: ShowProgress = True) -> FoundModel:
    """Finds a bundle or an encoder; what neither a folder nor the cache has is fetched.

    Args:
        model: a folder; or "org/name" or "org/name@revision".
        revision: branch, tag or commit, if `model` does not name it; None = main.
        progress: False = no bar.

    Returns:
        folder; commit ("" for a folder that is no snapshot of the cache). The logger "sequela" is told which was taken.

    Raises:
        FileError: not found, gated, offline, a torn download. ConfigError: two revisions. ResourceError: a full disk.
    """
    if not isinstance(model, str | os.PathLike):
        raise ConfigError(f"model: {type(model).__name__} is not allowed. Fix: give a folder or org/name.")
    text = os.fspath(model)
    if revision is not None:
        if "@" in text and not os.path.exists(text):
            raise ConfigError(f"revision: '{text}' names one already. Fix: give one of the two.")
        text += f"@{revision}"
    found = _core.find_model(text)
    if found.wants_fetch:
        try:
            fetch(found.repository, found.revision, progress)
        except Error as error:
            if not found.folder:
                raise
            logger.warning("only the weights are in the cache: %s", error)
        found = _core.find_model(text)
    if not found.folder:
        raise FileError(f"{text}: what was fetched is not in the cache. Fix: try it again.")
    if found.note:
        logger.info("%s", found.note)
    return found


def folder_of(model: Path, revision: str | None = None, progress: ShowProgress = True) -> str:
    """The folder that `find` finds."""
    return find(model, revision, progress).folder


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", _DEFAULT_ENDPOINT).rstrip("/")


def _huggingface_hub(name: str) -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ModuleNotFoundError as error:
        raise FileError(
            f"{name}: asking the hub needs huggingface_hub. Fix: pip install 'huggingface_hub>=1.31,<3'."
        ) from error
    return huggingface_hub


def _api(hub: ModuleType) -> Any:
    return hub.HfApi(endpoint=_endpoint(), library_name="sequela", library_version=_core.__version__)


def fetch(name: str, revision: str = "main", progress: ShowProgress = True) -> str:
    """Gets into the cache what Sequela reads of a model, also if a branch has moved on since.

    Only needed files come, safetensors before pickles. Complete files are kept if it fails, and the branch is noted
    in the cache last: until then what it meant before stays.

    Args:
        name: "org/name".
        revision: branch, tag or commit.
        progress: False = no bar.

    Returns:
        The snapshot's folder.

    Raises:
        As `find`.
    """
    hub = _huggingface_hub(name)
    cache = _core.hub_cache()
    bar = _bar(hub, progress)
    with plain_hub_errors(name, revision, _endpoint()):

        def download(file: str, commit: str) -> str:
            return hub.hf_hub_download(
                name, file, revision=commit, cache_dir=cache, endpoint=_endpoint(), tqdm_class=bar
            )

        info = _api(hub).model_info(name, revision=revision)
        names = [sibling.rfilename for sibling in info.siblings]
        files = model_files(names, lambda file: pathlib.Path(download(file, info.sha)).read_text(), name)
        folder = [os.path.dirname(download(file, info.sha)) for file in files][0]
        if not has_vocabulary(files):
            for file in VOCABULARIES:  # the cache remembers that there is none
                with contextlib.suppress(hub.errors.EntryNotFoundError):
                    download(file, info.sha)
        if revision != info.sha:
            download("config.json", revision)
    return folder


def _bar(hub: ModuleType, progress: ShowProgress) -> type:
    """The class of bars that huggingface_hub draws, or of those that are not drawn."""

    class NoBar(hub.utils.tqdm):
        def __init__(self, *arguments: Any, **options: Any):
            super().__init__(*arguments, **{**options, "disable": True})

    return hub.utils.tqdm if progress else NoBar


@dataclasses.dataclass(frozen=True)
class PushReport:
    """What `push` did.

    Attributes:
        commit: the hub's new commit.
        url: where it can be seen.
        files: names of those sent.
        is_private: whether the repository is.
    """

    commit: str
    url: str
    files: tuple[str, ...]
    is_private: bool


def push(
    model: Path,
    name: str,
    *,
    revision: str = "main",
    private: bool = True,
    message: str = "Model by sequela",
) -> PushReport:
    """Sends a bundle or an encoder to the hub: the files that Sequela reads, a model card, and nothing else.

    Args:
        model: its folder. A README.md in it is the model card. One that Sequela wrote and nobody changed takes the
            hub's name; where there is none, and the hub has none, one is made from the folder's files.
        name: "org/name"; the repository is made if there is none.
        revision: branch; it must exist unless it is main.
        private: make it private. A public repository is only pushed to with private=False.
        message: of the commit.

    Raises:
        FileError: no bundle or encoder; not allowed, not reached. ConfigError: a wrong name, a public repository.
    """
    folder = pathlib.Path(model)
    if _core.parse_model_name(name) != (name, "main"):
        raise ConfigError(f"name: '{name}' is not allowed. Fix: give org/name.")
    if not folder.is_dir():
        raise FileError(f"{folder}: there is no such folder. Fix: give that of a bundle or an encoder.")
    entries = [entry.name for entry in folder.iterdir() if entry.is_file()]
    files = model_files(entries, lambda file: (folder / file).read_text(), str(folder))
    _core.inspect(str(folder))  # refuses a damaged one
    hub = _huggingface_hub(name)
    api = _api(hub)
    contents: dict[str, Any] = {file: str(folder / file) for file in files}
    with plain_hub_errors(name, revision, _endpoint()), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a bundle's ontology.parquet looks like a data set
        is_private = _make_repository(hub, api, name, private)
        if _has_own_card(folder):
            contents["README.md"] = str(folder / "README.md")
        elif "README.md" in entries or not api.file_exists(name, "README.md", revision=revision):
            contents["README.md"] = _core.model_card(str(folder), name).encode()
        additions = [hub.CommitOperationAdd(file, content) for file, content in contents.items()]
        commit = api.create_commit(name, additions, commit_message=message, revision=revision)
    return PushReport(commit.oid, commit.commit_url, tuple(contents), is_private)


def _has_own_card(folder: pathlib.Path) -> bool:
    """Whether it holds a README.md that is not, byte for byte, the one that Sequela made."""
    card = folder / "README.md"
    return card.is_file() and card.read_bytes() != _core.model_card(str(folder), folder.resolve().name).encode()


def _make_repository(hub: ModuleType, api: Any, name: str, private: bool) -> bool:
    """Makes it if there is none; returns whether it is private."""
    try:
        is_private = api.model_info(name).private
    except hub.errors.RepositoryNotFoundError:
        api.create_repo(name, private=private)
        return private
    if private and not is_private:
        raise ConfigError(f"{name} is a public repository. Fix: say that this is meant (--public, private=False).")
    return is_private


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sequela.hub", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    to_fetch = commands.add_parser("fetch")
    to_fetch.add_argument("name")
    to_push = commands.add_parser("push")
    to_push.add_argument("model")
    to_push.add_argument("name")
    to_push.add_argument("--public", action="store_true")
    to_push.add_argument("--message", default="Model by sequela")
    for command in (to_fetch, to_push):
        command.add_argument("--revision", default="main")
        command.add_argument("--quiet", action="store_true")
    return parser


def _run(given: argparse.Namespace) -> dict[str, Any]:
    hub = _huggingface_hub(given.name)
    # No warnings of retries or of a small disk: what fails for good is an error of ours.
    hub.utils.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    if given.quiet or not sys.stderr.isatty():
        hub.utils.disable_progress_bars()
    if given.command == "fetch":
        return {"folder": fetch(given.name, given.revision, not given.quiet)}
    report = push(
        given.model, given.name, revision=given.revision, private=not given.public, message=given.message
    )
    return dataclasses.asdict(report)


def main(arguments: Sequence[str]) -> int:
    """Answers the command `sequela`: one JSON object on stdout, the bar on stderr."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what is half-written is taken away
    try:
        print(json.dumps(_run(_parser().parse_args(arguments))))
    except Error as error:
        print(json.dumps({"error": {"kind": type(error).__name__, "message": str(error)}}))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
