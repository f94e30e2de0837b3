"""Embeddings of codes, visits and patients by a pre-trained encoder."""

import os
from collections.abc import Sequence

import torch

from sequela import _core
from sequela._module import check_inputs
from sequela.bert_encoder import BertEncoder
from sequela.errors import ConfigError
from sequela.hub import folder_of
from sequela.vocabulary import VocabularyMapper

__all__ = ["CEHRBERTWrapper"]

Path = str | os.PathLike[str]


class CEHRBERTWrapper(torch.nn.Module):
    """A pre-trained encoder that embeds codes, visits and patients.

    Despite its name it takes every folder of the BERT family. Results are float32. Padding (id =
    `model.config.pad_token_id`, or 0 in a mask) is never computed and never counts: not in the mean, not in the
    maximum; "cls" is the first code that is there; a visit without codes is the zero vector.

    With `freeze_embeddings`, or under torch.no_grad(), no graph is built and the fast inference path runs. There is
    no dropout, in training mode either (call `model` itself for that).

    Args:
        model_path: folder of config.json and weights, a vocabulary may lie beside them; or "org/name" of a hub
            (`sequela.hub`).
        freeze_embeddings: no weight of the encoder is trained.
        pooling: "mean", "cls" or "max", how a visit's codes become one vector.
        precision: "fp32"; for inference also "bf16" (cosine to fp32 >= 0.9999) or "int8" (>= 0.999).
        revision: of a name: branch, tag or commit.

    Attributes:
        model: the BertEncoder; `model.config.vocab_size`, `model.config.hidden_size`, ...
        tokenizer: the folder's vocabulary (`len`, `find_id(code)`, `code(id)`), None if it has none.
        pooling, embed_dim: as given; the hidden size.

    Raises:
        FileError: a missing, corrupt or unknown file; a vocabulary larger than the table of embeddings (the remedy
            is `resize_vocabulary`). ConfigError: another pooling or precision.

    Source: CEHRBERTWrapper of the project pleiadian53/ehr-sequencing, with its slips mended (docs/guide-bert.md).
    """

    def __init__(
        self,
        model_path: Path,
        freeze_embeddings: bool = False,
        pooling: str = "mean",
        precision: str = "fp32",
        *,
        revision: str | None = None,
    ):
        super().__init__()
        self._path = folder_of(model_path, revision)
        self.model = BertEncoder.from_pretrained(self._path, precision)
        self.tokenizer = _core.CodeVocabulary.find(self._path)
        self.pooling = pooling
        self.embed_dim: int = self.model.config.hidden_size
        if freeze_embeddings:
            self.model.requires_grad_(False)
        self._encoder()  # refuses an unknown pooling now, not at the first visit
        self.eval()

    @classmethod
    def from_pretrained(
        cls,
        model_path: Path,
        freeze_embeddings: bool = False,
        pooling: str = "mean",
        precision: str = "fp32",
        *,
        revision: str | None = None,
    ) -> "CEHRBERTWrapper":
        """Loads a folder, or a model by its name; the arguments are the constructor's."""
        return cls(model_path, freeze_embeddings, pooling, precision, revision=revision)

    def get_code_embeddings(self) -> torch.Tensor:
        """The table of code embeddings without context: a copy, float32 [vocab_size, embed_dim]."""
        return self._encoder().get_code_embeddings()

    def encode_codes(
        self, code_ids: torch.Tensor, return_attention: bool = False
    ) -> torch.Tensor | tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Embeds single codes: rows of the table, or with `return_attention` their states in context.

        Args:
            code_ids: integers [n] or [batch, n].
            return_attention: run the encoder over each row and return the attention weights, too.

        Returns:
            float32 [n, embed_dim] or [batch, n, embed_dim]; with `return_attention` that and, per layer,
            float32 [heads, n, n] or [batch, heads, n, n].

        Raises:
            DataError: an id outside the vocabulary. ValueError: another shape or type.
        """
        check_inputs(code_ids=code_ids)
        if not return_attention:
            return self._encoder().encode_codes(code_ids)
        hidden, attentions = self._encoder().encode_codes_with_attention(code_ids)
        return hidden, tuple(attentions)

    def encode_visit(
        self, visit_codes: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Embeds visits: [batch, codes] -> float32 [batch, embed_dim].

        Args:
            visit_codes: integers [batch, codes], padded.
            attention_mask: [batch, codes], 1 = a code; None: every id that is not padding.

        Raises:
            DataError: an id outside the vocabulary; a visit over the context window.
        """
        check_inputs(visit_codes=visit_codes, attention_mask=attention_mask)
        return self._encoder().encode_visit(visit_codes, attention_mask)

    def encode_patient(
        self, patient_visits: torch.Tensor, visit_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Embeds each visit of patients in one packed pass: [batch, visits, codes] -> [batch, visits, embed_dim].

        Args:
            patient_visits: integers [batch, visits, codes], padded. Empty visits cost nothing.
            visit_mask: the same shape, 1 = a code; None: every id that is not padding.

        Raises:
            DataError: an id outside the vocabulary; a visit over the context window.
        """
        check_inputs(patient_visits=patient_visits, visit_mask=visit_mask)
        return self._encoder().encode_patient(patient_visits, visit_mask)

    def forward(self, patient_visits: torch.Tensor, visit_mask: torch.Tensor | None = None) -> torch.Tensor:
        """`encode_patient` for three dimensions, `encode_visit` for two."""
        encode = self.encode_patient if patient_visits.dim() == 3 else self.encode_visit
        return encode(patient_visits, visit_mask)

    def resize_vocabulary(
        self,
        new: int | Sequence[str],
        mapper: VocabularyMapper | None = None,
        init: str = "mean",
        seed: int = 0,
    ) -> _core.ResizeReport:
        """Changes the number of codes that the encoder knows.

        Args:
            new: number of rows; or, with a mapper, codes to add: those it does not know get the next ids, and
                start as the mean of their nearest known codes ("neighbours") where the mapper finds any.
            mapper: the VocabularyMapper of this folder.
            init: how other new rows start: "mean" (of all), "random" (normal, initializer_range).
            seed: of random rows.

        Returns:
            A report: old_size, new_size, num_from_neighbours, num_from_mean, num_random.

        Raises:
            ConfigError: a size below 1; codes without a mapper.
        """
        if isinstance(new, int):
            return self.model.resize_vocabulary(new, init, (), seed)
        if mapper is None:
            raise ConfigError("codes can be added only with their vocabulary. Fix: give mapper=...")
        plan = mapper.plan_resize(new)
        return self.model.resize_vocabulary(
            plan.first_id + len(plan.codes), "neighbours", plan.neighbours, seed
        )

    def save_pretrained(self, path: Path) -> None:
        """Writes config.json and model.safetensors, which transformers and cehrbert read."""
        self.model.save_pretrained(path)

    def _encoder(self) -> _core.VisitEncoder:
        return _core.VisitEncoder(self.model.core(), self.pooling)

    def __getstate__(self) -> dict:
        """For copy and pickle: the vocabulary is read from its folder again."""
        return {**super().__getstate__(), "tokenizer": self.tokenizer is not None}

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self.tokenizer = _core.CodeVocabulary.find(self._path) if state["tokenizer"] else None
