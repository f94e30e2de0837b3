"""One prediction a patient, from pooled visits: the model to beat."""

from typing import NamedTuple

import torch

from sequela import _core
from sequela._module import CoreModule
from sequela._options import choose, fill

__all__ = ["BaselineOutput", "LSTMBaseline"]


class BaselineOutput(NamedTuple):
    """What an LSTMBaseline returns; B = patients, N = visits.

    Attributes:
        logits: float32 [B, output_dim].
        predictions: the same as probabilities: sigmoid of one, softmax of several.
        hidden: float32 [B, N, hidden_dim], twice as wide if bidirectional; 0 after a patient's last visit.
    """

    logits: torch.Tensor
    predictions: torch.Tensor
    hidden: torch.Tensor


class _VisitPooling(torch.nn.Module):
    """Holds the weights of attention over a visit's codes; the core computes."""

    def __init__(self, size: int):
        super().__init__()
        self.attention = torch.nn.Sequential(
            torch.nn.Linear(size, size // 2), torch.nn.Tanh(), torch.nn.Linear(size // 2, 1)
        )


class LSTMBaseline(CoreModule):
    """One prediction a patient: a visit's codes pooled -> LSTM over visits -> dropout -> linear.

    Padding changes nothing; id 0 is padding, and its row gets no gradient. State dicts have the names of the
    published model.

    Args:
        vocab_size: codes, padding included.
        embedding_dim, hidden_dim, num_layers: sizes.
        dropout: in training mode.
        bidirectional: the LSTM runs both ways.
        pooling: how a visit's codes become one vector: "mean", "sum", "max", "attention" (learned weights).
        output_dim: 1 = yes or no; more = classes.

    Raises:
        ConfigError: a size or pooling that is not allowed.

    Source: ehr-sequencing's LSTMBaseline.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_dim: int = 128,
        hidden_dim: int = 256,
        num_layers: int = 2,
        dropout: float = 0.3,
        bidirectional: bool = False,
        pooling: str = "mean",
        output_dim: int = 1,
    ):
        super().__init__()
        self.sizes = dict(
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
            num_layers=num_layers,
            dropout=dropout,
            bidirectional=bidirectional,
            pooling=choose(_core.VisitPooling, "pooling", pooling),
            output_dim=output_dim,
        )
        fill(_core.LstmBaselineConfig(), vocab_size=vocab_size, **self.sizes).validate()
        self.embedding = torch.nn.Embedding(vocab_size, embedding_dim, padding_idx=0)
        if pooling == "attention":
            self.visit_encoder = _VisitPooling(embedding_dim)
        self.lstm = torch.nn.LSTM(
            embedding_dim, hidden_dim, num_layers, batch_first=True, bidirectional=bidirectional
        )
        self.fc = torch.nn.Linear(hidden_dim * (2 if bidirectional else 1), output_dim)

    def forward(self, visit_codes: torch.Tensor, visit_mask: torch.Tensor | None = None) -> BaselineOutput:
        """Predicts for each patient.

        Args:
            visit_codes: integers [B, N, codes], padded.
            visit_mask: the same shape, not 0 = a code; None: every id that is not 0.

        Raises:
            ConfigError: an id outside the vocabulary. ValueError: wrong shapes.
        """
        config = fill(_core.LstmBaselineConfig(), vocab_size=self.embedding.num_embeddings, **self.sizes)
        weights = dict(self.named_parameters())
        return BaselineOutput(
            *_core.forward_lstm_baseline(config, weights, visit_codes, visit_mask, self.training)
        )
