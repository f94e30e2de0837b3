"""From a project's codes to the ids of an encoder's vocabulary."""

import os
from collections.abc import Sequence

from sequela import _core
from sequela.hub import folder_of

__all__ = ["VocabularyMapper"]

MappingReport = _core.MappingReport
ResizePlan = _core.ResizePlan


class VocabularyMapper:
    """Maps codes to the ids of an encoder's vocabulary.

    Steps: the code as it is; else its normalised form (case, dots and prefix aside: "ICD10CM/E11.9" = "E119");
    else, with an ontology, what it maps to, then its nearest ancestor in the vocabulary; else unknown. A file's ids
    are what it says, not the order of its lines; unknown is [UNK] or [OOV].

    Args:
        cehrbert_vocab_path: vocab.json (list or object), vocab.txt, tokenizer.json or .types; or an encoder's folder
            or name.
        ontology: Parquet with code and parents (`sequela prepare` writes one: ontology/ontology.parquet).
        normalise: False = only exact codes, and the ontology's.

    Raises:
        FileError: a missing or corrupt vocabulary; at the first unknown code, one that has neither [UNK] nor [OOV].
    """

    def __init__(
        self,
        cehrbert_vocab_path: str | os.PathLike[str],
        ontology: str | os.PathLike[str] | None = None,
        normalise: bool = True,
    ):
        path, graph = folder_of(cehrbert_vocab_path), os.fspath(ontology or "")
        self._arguments = path, graph, normalise
        read = _core.CodeVocabulary.read_folder if os.path.isdir(path) else _core.CodeVocabulary.read_file
        self.vocabulary = read(path)
        self._mapper = _core.VocabularyMapper(self.vocabulary, graph, normalise)

    def __reduce__(self) -> tuple:
        """For copy and pickle: the files are read again."""
        return VocabularyMapper, self._arguments

    @property
    def unk_id(self) -> int:
        """The id of unknown codes. FileError if the vocabulary has neither [UNK] nor [OOV]."""
        return self.vocabulary.require_unknown()

    def map_code(self, code: str) -> int:
        """The id of a code."""
        return self._mapper.map_code(code)

    def map_codes(self, codes: Sequence[str]) -> list[int]:
        """The ids of codes, in their order."""
        return self._mapper.map_codes(list(codes))

    def match(self, code: str) -> tuple[int, str]:
        """The id of a code and the step that found it: exact, normalised, mapped, ancestor, unknown."""
        return self._mapper.match(code)

    def get_coverage(self, dataset_codes: Sequence[str]) -> float:
        """Share of the codes that have an id, 0 to 1; 0 of no codes."""
        return self._mapper.get_coverage(list(dataset_codes))

    def report(
        self, codes: Sequence[str], counts: Sequence[int] = (), max_unknown: int = 20
    ) -> MappingReport:
        """What becomes of a data set's codes; print it for a table.

        Args:
            codes: distinct codes. counts: events of each; empty = one each.
            max_unknown: of the most frequent unknown codes, how many to list.

        Returns:
            total and rows (by vocabulary; num_codes and num_events {step: count}), unknown [(code, events)],
            coverage (of events), coverage_of_codes.
        """
        return self._mapper.report(list(codes), list(counts), max_unknown)

    def plan_resize(self, codes: Sequence[str], max_neighbours: int = 8) -> ResizePlan:
        """The rows that these codes need and the vocabulary lacks: first_id, codes, neighbours (ids)."""
        return self._mapper.plan_resize(list(codes), max_neighbours)

    def __len__(self) -> int:
        return len(self.vocabulary)
