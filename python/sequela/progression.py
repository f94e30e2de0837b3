"""Disease progression over a patient's visits: stage at each visit, and time to the next stage."""

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch

from sequela import _core
from sequela._module import CoreModule
from sequela._options import choose, fill
from sequela.errors import ConfigError
from sequela.hub import folder_of

__all__ = [
    "LSTMProgressionModel",
    "ProgressionOutput",
    "progression_preset",
    "stage_loss",
    "to_time_features",
]

Path = str | os.PathLike[str]
ProgressionPreset = _core.ProgressionPreset

# Fields of a ProgressionConfig, arguments of the model.
_SIZES = (
    "vocab_size",
    "code_embed_dim",
    "visit_embed_dim",
    "hidden_dim",
    "num_stages",
    "num_layers",
    "dropout",
)


def _values(names: Iterable[str], source: Any) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}


class ProgressionOutput(NamedTuple):
    """Everything that the model computes; B = patients, N = visits, S = stages.

    Attributes:
        stage_logits: [B, N, S].
        time_to_progression: [B, N, 1], >= 0, in the unit of the training targets.
        sequence_output: [B, N, hidden_dim], 0 after a patient's last visit.
        visit_embeddings: [B, N, visit_embed_dim].
        final_hidden: [num_layers, B, hidden_dim], after each patient's last visit.
    """

    stage_logits: torch.Tensor
    time_to_progression: torch.Tensor
    sequence_output: torch.Tensor
    visit_embeddings: torch.Tensor
    final_hidden: torch.Tensor


class _VisitEncoder(torch.nn.Module):
    """The part below the heads: holds its parameters; the core computes."""

    def __init__(self, vocab_size: int, code_dim: int, visit_dim: int, hidden_dim: int, num_layers: int):
        super().__init__()
        self.code_embeddings = torch.nn.Embedding(vocab_size, code_dim, padding_idx=0)
        self.visit_lstm = torch.nn.LSTM(code_dim, code_dim, batch_first=True)
        self.visit_projection = torch.nn.Linear(code_dim, visit_dim)
        self.sequence_lstm = torch.nn.LSTM(visit_dim + 2, hidden_dim, num_layers, batch_first=True)


class LSTMProgressionModel(CoreModule):
    """Stage and time to progression after each visit, from the codes of the visits so far.

    codes -> `encoder.code_embeddings` -> LSTM over a visit's codes -> projection -> with two time features ->
    LSTM over visits -> dropout -> `stage_classifier` and relu(`time_to_progression`). Both LSTMs run over what is
    there; padding changes nothing. Id 0 is padding; its row gets no gradient.

    `encoder.code_embeddings` may be replaced by any torch.nn.Embedding of the same width. State dicts have the names
    of the published model.

    Args:
        vocab_size: codes, padding included.
        code_embed_dim, visit_embed_dim, hidden_dim, num_stages: sizes.
        num_layers: of the LSTM over visits.
        dropout: in training mode.
        use_bf16: matrix products in bfloat16; weights and states stay float32.
        use_checkpoint: less memory, more time: the LSTM over codes is computed again in the backward pass.

    Raises:
        ConfigError: a size that is not allowed.

    Source: ehr-sequencing, docs/implementation/resource-aware-models.md, part 2, made aware of lengths.
    """

    half_precision = "give use_bf16=True when it is made"

    def __init__(
        self,
        vocab_size: int,
        code_embed_dim: int = 128,
        visit_embed_dim: int = 256,
        hidden_dim: int = 512,
        num_stages: int = 5,
        num_layers: int = 2,
        dropout: float = 0.1,
        use_bf16: bool = False,
        use_checkpoint: bool = False,
    ):
        super().__init__()
        config = fill(
            _core.ProgressionConfig(),
            vocab_size=vocab_size,
            code_embed_dim=code_embed_dim,
            visit_embed_dim=visit_embed_dim,
            hidden_dim=hidden_dim,
            num_stages=num_stages,
            num_layers=num_layers,
            dropout=dropout,
        )
        config.validate()
        self.code_embed_dim = code_embed_dim
        self.visit_embed_dim = visit_embed_dim
        self.hidden_dim = hidden_dim
        self.num_stages = num_stages
        self.num_layers = num_layers
        self.dropout = dropout
        self.use_bf16 = use_bf16
        self.use_checkpoint = use_checkpoint
        self.encoder = _VisitEncoder(vocab_size, code_embed_dim, visit_embed_dim, hidden_dim, num_layers)
        self.stage_classifier = torch.nn.Linear(hidden_dim, num_stages)
        self.time_to_progression = torch.nn.Linear(hidden_dim, 1)

    @classmethod
    def from_preset(cls, preset: "str | ProgressionPreset") -> "LSTMProgressionModel":
        """A model of the sizes of a preset, or of its name: "small", "medium", "large"."""
        if isinstance(preset, str):
            preset = progression_preset(preset)
        sizes = _values(_SIZES, preset.config)
        return cls(**sizes, use_bf16=preset.use_bf16, use_checkpoint=preset.use_checkpoint)

    @classmethod
    def from_pretrained(cls, path: Path, *, revision: str | None = None) -> "LSTMProgressionModel":
        """Reads a folder of config.json and model.safetensors, or a model by its name (`sequela.hub`).

        Raises:
            FileError, ConfigError: a missing or corrupt file; weights of other sizes than config.json says.
        """
        path = folder_of(path, revision)
        config = _core.ProgressionConfig.read(os.path.join(path, "config.json"))
        model = cls(**_values(_SIZES, config))
        model.load_state_dict(_core.read_progression_weights(config, os.path.join(path, "model.safetensors")))
        return model

    @property
    def config(self) -> _core.ProgressionConfig:
        """The sizes as they are now, the number of codes read off `encoder.code_embeddings`."""
        sizes = _values(_SIZES[1:], self)
        return fill(
            _core.ProgressionConfig(), vocab_size=self.encoder.code_embeddings.num_embeddings, **sizes
        )

    def forward(
        self,
        patient_visits: torch.Tensor,
        time_features: torch.Tensor | None = None,
        visit_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Predicts after each visit.

        Args:
            patient_visits: integers [B, N, codes], padded.
            time_features: float32 [B, N, 2], time since the first visit and since the one before (see
                `to_time_features`); None: zeros.
            visit_mask: [B, N, codes], not 0 = a code; None: every id that is not 0.

        Returns:
            stage_logits [B, N, num_stages] and time_to_progression [B, N, 1], >= 0.

        Raises:
            ConfigError: an id outside the vocabulary; an embedding of another width. ValueError: wrong shapes.
        """
        output = self.encode(patient_visits, time_features, visit_mask)
        return output.stage_logits, output.time_to_progression

    def encode(
        self,
        patient_visits: torch.Tensor,
        time_features: torch.Tensor | None = None,
        visit_mask: torch.Tensor | None = None,
    ) -> ProgressionOutput:
        """As `forward`, with the states below the heads."""
        width = self.encoder.code_embeddings.embedding_dim
        if width != self.code_embed_dim:
            raise ConfigError(
                f"the embeddings have {width} columns, the model takes {self.code_embed_dim}. "
                f"Fix: make the model with code_embed_dim={width}."
            )
        return ProgressionOutput(
            *_core.forward_progression(
                self.config,
                dict(self.named_parameters()),
                patient_visits,
                visit_mask,
                time_features,
                self.training,
                self.use_bf16,
                self.use_checkpoint,
            )
        )

    def load_pretrained_embeddings(
        self, source: Path | torch.Tensor, freeze: bool = False, resize: bool = False
    ) -> int:
        """Starts the code embeddings from an encoder's.

        Args:
            source: an encoder's folder or name, a file with an extracted table (.pt, .safetensors, .npz), or a tensor
                [codes, code_embed_dim]. Row 0, padding, becomes zero.
            freeze: the table is not trained.
            resize: the model's vocabulary becomes the table's; without it other sizes are an error.

        Returns:
            The number of codes.

        Raises:
            ConfigError: a table of other sizes. FileError: none, or a corrupt one.
        """
        is_table = isinstance(source, torch.Tensor)
        table = source if is_table else _core.read_embedding_table(folder_of(source))
        mode = choose(_core.EmbeddingResize, "resize", "resize" if resize else "fail")
        old = self.encoder.code_embeddings.weight
        with torch.no_grad():
            weight = _core.load_pretrained_embeddings(old, table.detach().to(old.device, old.dtype), mode)
        if weight.shape != old.shape:
            self.encoder.code_embeddings = torch.nn.Embedding.from_pretrained(
                weight, freeze=False, padding_idx=0
            )
        self.encoder.code_embeddings.weight.requires_grad_(not freeze)
        return weight.shape[0]


def progression_preset(name: str, vocab_size: int = 0) -> ProgressionPreset:
    """How a size of the model is meant to be trained.

    Args:
        name: "small" (a laptop), "medium" (a GPU of 24 GB), "large" (40 GB and more).
        vocab_size: 0 = the preset's own.

    Returns:
        config (sizes, num_parameters), max_visits, max_codes_per_visit, batch_size, accumulate, use_bf16,
        use_checkpoint (all may be set), estimate_memory_bytes(is_embedding_frozen).

    Raises:
        ConfigError: another name.
    """
    return _core.progression_preset(name, vocab_size)


def to_time_features(visit_days: torch.Tensor, num_visits: torch.Tensor) -> torch.Tensor:
    """Time features of visits, float32 [B, N, 2], in years: since the first visit, since the one before.

    Args:
        visit_days: numbers [B, N], ascending per row. num_visits: integers [B]; later entries give 0.
    """
    return _core.to_time_features(visit_days, num_visits)


def stage_loss(stage_logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy of stages [B, N, S] over labels int64 [B, N] that are not -100; 0 if there is none."""
    return _core.stage_loss(stage_logits, labels)
