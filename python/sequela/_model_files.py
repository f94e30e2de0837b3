"""Which files of a folder or of a repository make a bundle or an encoder."""

import json
from collections.abc import Callable, Collection, Iterable

from sequela.errors import FileError

__all__ = ["VOCABULARIES", "has_vocabulary", "model_files"]

# As sequela/io/hub_cache.cc has them; besides, Med-BERT's *.types.
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "dictionary.msgpack")

# The first there is holds the weights, as sequela/io/weights/weight_file.h has it.
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pt",
)

# Small ones, wanted if they are there: of any model, of vocabularies, of CEHR-BERT, of a bundle.
_OTHERS = (
    *VOCABULARIES,
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "cehrbert_lab_stats.json",
    "concept_name_mapping.json",
    "ontology.parquet",
)


def has_vocabulary(files: Iterable[str]) -> bool:
    """Whether a model's files hold a vocabulary."""
    return any(file in VOCABULARIES or file.endswith(".types") for file in files)


def _tensorflow_files(names: Iterable[str]) -> list[str]:
    return [n for n in names if n.endswith(".index") or ".data-" in n or n == "checkpoint"]


def _shards(index: str, text: str, names: Collection[str], model: str) -> list[str]:
    try:
        shards = sorted(set(json.loads(text)["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{model}: {index} names no files. Fix: save the model again.") from error
    for shard in shards:
        if shard not in names:
            raise FileError(f"{model}: {index} names '{shard}', which is not there. Fix: add all shards.")
    return shards


def model_files(names: Collection[str], read: Callable[[str], str], model: str) -> list[str]:
    """The files that Sequela reads of a bundle or an encoder, the weights last.

    Args:
        names: of all files; those in folders below are none of a model's.
        read: gives the text of one of them.
        model: what errors call it.

    Raises:
        FileError: no config.json, no weights, or shards that are not there.
    """
    names = sorted(name for name in names if "/" not in name)
    if "config.json" not in names:
        raise FileError(f"{model}: holds no config.json, so it is no bundle or encoder. Fix: name another.")
    files = [name for name in names if name in _OTHERS or name.endswith(".types")]
    weights = next((name for name in _WEIGHTS if name in names), None)
    if weights is None:
        files += _tensorflow_files(names)
        if not any(name.endswith(".index") for name in files):
            raise FileError(
                f"{model}: holds no weights that Sequela reads ({', '.join(_WEIGHTS)}, TensorFlow's *.index). "
                "Fix: name another, or save it as safetensors."
            )
        return files
    shards = _shards(weights, read(weights), names, model) if weights.endswith(".index.json") else []
    return [*files, weights, *shards]
