"""Encoders of the BERT family with the heads that they are pretrained and fine-tuned with."""

from typing import NamedTuple

import torch

from sequela import _core
from sequela._module import check_inputs
from sequela.bert_encoder import BertConfig, BertEncoder, to_batch

__all__ = [
    "BertForMaskedLM",
    "CehrBertForClassification",
    "CehrBertLstmForClassification",
    "ClassifierOutput",
    "MaskedLMOutput",
]


class MaskedLMOutput(NamedTuple):
    """What a BertForMaskedLM returns; B = rows, L = columns, V = codes, H = hidden size. 0 at padding.

    Attributes:
        loss: scalar, in nats: code_loss, plus value_loss where there is one. None without labels, as these two.
        code_loss: mean cross entropy of the labelled tokens.
        value_loss: mean over all B * L of squared errors of the labelled values; None of a model without values.
        logits: float32 [B, L, V]; None with labels, as scores are made for labelled tokens only.
        values: float32 [B, L], predicted values; None with labels, or of a model without values.
        last_hidden_state: float32 [B, L, H].
    """

    loss: torch.Tensor | None
    code_loss: torch.Tensor | None
    value_loss: torch.Tensor | None
    logits: torch.Tensor | None
    values: torch.Tensor | None
    last_hidden_state: torch.Tensor


class ClassifierOutput(NamedTuple):
    """What a classifier returns; S = samples: rows, or the packed samples of CEHR-BERT in their order.

    Attributes:
        loss: scalar, mean binary cross entropy in nats; None without labels.
        logits: float32 [S], before the sigmoid.
        last_hidden_state: float32 [B, L, hidden_size], 0 at padding.
    """

    loss: torch.Tensor | None
    logits: torch.Tensor
    last_hidden_state: torch.Tensor


class BertForMaskedLM(BertEncoder):
    """An encoder that predicts masked codes and, of CEHR-BERT with `include_value_prediction`, their values.

    Folders of transformers' BertForMaskedLM and cehrbert's CehrBertForPreTraining; a head that a folder lacks starts
    at random. Arguments as BertEncoder's.

    Source: transformers' BertOnlyMLMHead; cehrbert 1.5.0.
    """

    def forward(  # type: ignore[override]
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        *,
        labels: torch.Tensor | None = None,
        **cehr_inputs: torch.Tensor | None,
    ) -> MaskedLMOutput:
        """Scores every code at every place or, with labels, gives the loss.

        Args:
            input_ids, attention_mask, token_type_ids, cehr_inputs: as BertEncoder.forward's.
            labels: int64 [B, L], the codes to predict; -100 = none.

        Raises:
            DataError: an id, segment or position outside the tables. ValueError: wrong shapes.
        """
        batch = to_batch(input_ids, attention_mask, token_type_ids, **cehr_inputs)
        check_inputs(labels=labels)
        if labels is None:
            logits, values, hidden = _core.score_masked(self.core(), batch, self.training)
            return MaskedLMOutput(None, None, None, logits, values, hidden)
        loss, code_loss, value_loss, hidden = _core.masked_loss(self.core(), batch, labels, self.training)
        return MaskedLMOutput(loss, code_loss, value_loss, None, None, hidden)

    def _new_weights(
        self, config: BertConfig, weights: dict[str, torch.Tensor], seed: int
    ) -> dict[str, torch.Tensor]:
        has_values = config.kind == _core.BertKind.cehr_bert and config.include_value_prediction
        wanted = ("cls.predictions.", *(["concept_value_decoder_layer."] if has_values else []))
        if all(any(name.startswith(prefix) for name in weights) for prefix in wanted):
            return {}
        fresh = _core.random_bert_weights(config, seed)
        return {name: tensor for name, tensor in fresh.items() if name.startswith(wanted)}


class CehrBertForClassification(BertEncoder):
    """An encoder that classifies patients: [dropout(pooled); normalised age] -> linear -> ReLU -> linear.

    Of packed samples it takes each one's first hidden state in place of the pooled one. Ages are normalised by the
    batch's statistics in training mode (of two samples and more), by running ones else. Any folder of the BERT
    family will do; a head that it lacks starts at random. Arguments as BertEncoder's.

    Source: cehrbert 1.5.0, CehrBertForClassification.
    """

    _kind = _core.CehrClassifier.pooled

    def forward(  # type: ignore[override]
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        *,
        age_at_index: torch.Tensor,
        labels: torch.Tensor | None = None,
        **cehr_inputs: torch.Tensor | None,
    ) -> ClassifierOutput:
        """Classifies each sample.

        Args:
            input_ids, attention_mask, token_type_ids, cehr_inputs: as BertEncoder.forward's. Each row has a token.
            age_at_index: S numbers, in years at the time of prediction.
            labels: S numbers, 0 or 1.

        Raises:
            DataError: an id, segment or position outside the tables. ValueError: wrong shapes.
        """
        batch = to_batch(input_ids, attention_mask, token_type_ids, **cehr_inputs)
        check_inputs(age_at_index=age_at_index, labels=labels)
        logits, hidden = _core.classify(self.core(), batch, age_at_index, self._kind, self.training)
        loss = None if labels is None else _core.classifier_loss(logits, labels.flatten())
        return ClassifierOutput(loss, logits, hidden)

    def _new_weights(
        self, config: BertConfig, weights: dict[str, torch.Tensor], seed: int
    ) -> dict[str, torch.Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = self._new_layers(config)
            for layer in layers.values():
                if isinstance(layer, torch.nn.Linear):
                    torch.nn.init.normal_(layer.weight, std=config.initializer_range)
                    torch.nn.init.zeros_(layer.bias)
        fresh = {f"{at}.{name}": t for at, layer in layers.items() for name, t in layer.state_dict().items()}
        return {name: tensor for name, tensor in fresh.items() if name not in weights}

    def _new_layers(self, config: BertConfig) -> dict[str, torch.nn.Module]:
        size = config.hidden_size
        return {"bert.pooler.dense": torch.nn.Linear(size, size), **_age_and_linear(size, size)}


class CehrBertLstmForClassification(CehrBertForClassification):
    """As CehrBertForClassification, from the last states of a (bidirectional) LSTM over the hidden states.

    Source: cehrbert 1.5.0, CehrBertLstmForClassification.
    """

    _kind = _core.CehrClassifier.lstm

    def _new_layers(self, config: BertConfig) -> dict[str, torch.nn.Module]:
        size, is_bidirectional = config.hidden_size, config.bidirectional
        lstm = torch.nn.LSTM(size, size, batch_first=True, bidirectional=is_bidirectional)
        return {"lstm": lstm, **_age_and_linear(size * (2 if is_bidirectional else 1), size)}


def _age_and_linear(features: int, hidden_size: int) -> dict[str, torch.nn.Module]:
    return {
        "age_batch_norm": torch.nn.BatchNorm1d(1),
        "dense_layer": torch.nn.Linear(features + 1, hidden_size // 2),
        "classifier": torch.nn.Linear(hidden_size // 2, 1),
    }
