"""When something happens: hazards of an event at each of a patient's visits, in discrete time."""

import math

import torch

from sequela import _core
from sequela._module import CoreModule
from sequela._options import fill

__all__ = ["HazardHead", "SurvivalLSTM", "concordance_index", "survival_curves", "survival_loss"]


class HazardHead(torch.nn.Sequential):
    """Hazards from the states of any model: sigmoid(linear(dropout(relu(linear(state))))).

    On a progression model: `head(model.encode(...).sequence_output)`.

    Args:
        hidden_dim: size of a state.
        dropout: in training mode.
    """

    def __init__(self, hidden_dim: int, dropout: float = 0.1):
        super().__init__(
            torch.nn.Linear(hidden_dim, hidden_dim),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden_dim, 1),
        )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """float32 [B, N, hidden_dim] -> hazards [B, N], P(event at this visit | none before), in (0, 1)."""
        return super().forward(states).squeeze(-1).sigmoid()


class SurvivalLSTM(CoreModule):
    """Hazards of one event, or of competing ones, at each visit: mean of a visit's codes -> LSTM -> hazard head.

    Padding changes nothing; id 0 is padding, and its row gets no gradient. State dicts have the names of the
    published models.

    Args:
        vocab_size: codes, padding included.
        embedding_dim, hidden_dim, num_layers: sizes.
        dropout: in training mode.
        num_event_kinds: 1 = one event; more = competing risks.
        time_encoding_dim: 0 = no time features; else the size that 3 features of a visit are encoded to.

    Raises:
        ConfigError: a size that is not allowed.

    Source: ehr-sequencing's DiscreteTimeSurvivalLSTM, its form with time, and CompetingRisksSurvivalLSTM.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int = 128,
        hidden_dim: int = 256,
        num_layers: int = 1,
        dropout: float = 0.1,
        num_event_kinds: int = 1,
        time_encoding_dim: int = 0,
    ):
        super().__init__()
        self.sizes = dict(
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
            num_layers=num_layers,
            dropout=dropout,
            num_event_kinds=num_event_kinds,
            time_encoding_dim=time_encoding_dim,
        )
        fill(_core.SurvivalConfig(), vocab_size=vocab_size, **self.sizes).validate()
        self.embedding = torch.nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        if time_encoding_dim > 0:
            self.time_encoder = torch.nn.Sequential(
                torch.nn.Linear(3, time_encoding_dim),
                torch.nn.ReLU(),
                torch.nn.Linear(time_encoding_dim, time_encoding_dim),
            )
        self.lstm = torch.nn.LSTM(embedding_dim + time_encoding_dim, hidden_dim, num_layers, batch_first=True)
        heads = [HazardHead(hidden_dim, dropout) for _ in range(num_event_kinds)]
        if num_event_kinds == 1:
            self.hazard_head = heads[0]
        else:
            self.hazard_heads = torch.nn.ModuleList(heads)
            for head in heads:  # start at 1 / (K + 1): the loss has no slope where the hazards sum to 1 or more
                torch.nn.init.constant_(head[3].bias, -math.log(num_event_kinds))

    def forward(
        self,
        visit_codes: torch.Tensor,
        visit_mask: torch.Tensor | None = None,
        time_features: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The hazard at each visit.

        Args:
            visit_codes: integers [B, N, codes], padded.
            visit_mask: [B, N, codes], not 0 = a code; None: every id that is not 0.
            time_features: float32 [B, N, 3] with time_encoding_dim; None: zeros.

        Returns:
            P(event at this visit | none before): float32 [B, N], or [B, N, num_event_kinds] of several kinds; 0
            after a patient's last visit.

        Raises:
            ConfigError: an id outside the vocabulary. ValueError: wrong shapes.
        """
        config = fill(_core.SurvivalConfig(), vocab_size=self.embedding.num_embeddings, **self.sizes)
        hazards = _core.forward_hazards(
            config, dict(self.named_parameters()), visit_codes, visit_mask, time_features, self.training
        )
        return hazards.squeeze(-1) if config.num_event_kinds == 1 else hazards


def survival_loss(
    hazards: torch.Tensor, event_visits: torch.Tensor, is_event: torch.Tensor, visit_mask: torch.Tensor
) -> torch.Tensor:
    """Mean over patients of the negative log-likelihood of what happened to them, in nats.

    Args:
        hazards: [B, N], or [B, N, K] of K competing events.
        event_visits: int64 [B], the visit, from 0, of the event, or of the censoring.
        is_event: [B], not 0 = it happened, 0 = censored; of competing events 1 .. K says which.
        visit_mask: [B, N], not 0 = a visit.

    Raises:
        ValueError: shapes that do not fit.
    """
    targets = _core.SurvivalTargets(event_visits, is_event, visit_mask)
    return (_core.survival_loss if hazards.dim() == 2 else _core.competing_risks_loss)(hazards, targets)


def survival_curves(hazards: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of hazards [B, N]: P(no event up to each visit), and the cumulative hazard; both [B, N]."""
    return _core.survival_curves(hazards)


def concordance_index(risks: torch.Tensor, times: torch.Tensor, is_event: torch.Tensor) -> float:
    """Harrell's concordance, 0 to 1: of the pairs where the earlier time is an event, how many have the higher risk.

    Args:
        risks: [B], such as the sum of a patient's hazards. times: numbers [B]. is_event: [B], 0 = censored.

    Returns:
        The share; equal risks count half; 0.5 where no pair can be compared.
    """
    return _core.concordance_index(risks, times, is_event)
