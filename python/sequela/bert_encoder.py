"""Encoders of the BERT family as modules: BERT, CEHR-BERT, Med-BERT, ClinicalBERT."""

import copy
import itertools
import os
from collections.abc import Sequence
from typing import NamedTuple, Self

import torch

from sequela import _core
from sequela._module import CoreModule, by_layer, check_inputs, place_of
from sequela._options import choose, fill
from sequela._progress import listener, logger
from sequela.errors import ConfigError
from sequela.hub import folder_of

__all__ = ["BertConfig", "BertEncoder", "BertOutput"]

Path = str | os.PathLike[str]
BertConfig = _core.BertConfig

_WORD_EMBEDDINGS = ("embeddings.word_embeddings.weight", "cehr_bert_embeddings.concept_embeddings.weight")


class BertOutput(NamedTuple):
    """What a BertEncoder returns; B = rows, L = columns, H = hidden size, A = heads.

    Attributes:
        last_hidden_state: float32 [B, L, H], 0 at padding.
        pooler_output: float32 [B, H], tanh pooler on the first token; None if the folder has no pooler.
        attentions: per layer float32 [B, A, l, l] over the tokens of each row, padding taken out (l = the most in a
            row; a packed sample of CEHR-BERT is a row of its own); empty unless asked for.
    """

    last_hidden_state: torch.Tensor
    pooler_output: torch.Tensor | None
    attentions: tuple[torch.Tensor, ...]


def to_batch(
    input_ids: torch.Tensor,
    attention_mask: torch.Tensor | None,
    token_type_ids: torch.Tensor | None,
    visit_concept_orders: torch.Tensor | None = None,
    ages: torch.Tensor | None = None,
    dates: torch.Tensor | None = None,
    concept_values: torch.Tensor | None = None,
    concept_value_masks: torch.Tensor | None = None,
) -> _core.PaddedBertBatch:
    """What an encoder and its heads take; BertEncoder.forward says what each is."""
    tensors = dict(
        ids=input_ids,
        mask=attention_mask,
        segments=token_type_ids,
        visit_orders=visit_concept_orders,
        ages=ages,
        dates=dates,
        values=concept_values,
        value_mask=concept_value_masks,
    )
    check_inputs(**tensors)
    return fill(_core.PaddedBertBatch(), **tensors)


class BertEncoder(CoreModule):
    """An encoder as a module: its parameters have transformers' names and train with torch.optim.

    The tensors are the core's own; nothing is copied. Weights of a folder are memory-mapped: a page is read when it
    is first used, and copied for this process when it is first written.

    Args:
        config: sizes; `BertEncoder.from_pretrained` reads them.
        weights: name -> float32 tensor; None = random ones.
        precision: "fp32", or for inference "bf16" or "int8": how matrix products are computed; "auto" is the
            faster of fp32 and bf16 on this CPU.
        seed: of random weights.
    """

    dtypes = (torch.float32,)
    half_precision = "give precision='bf16' when it is made"

    def _check_device(self, device: torch.device) -> None:
        super()._check_device(device)
        if device.type != "cpu" and self.precision == "int8":
            raise ConfigError(
                f"{type(self).__name__} cannot go to {device}: int8 is for the CPU. Fix: precision='bf16' there."
            )

    def __init__(
        self,
        config: BertConfig,
        weights: dict[str, torch.Tensor] | None = None,
        precision: str = "fp32",
        seed: int = 0,
    ):
        super().__init__()
        self.precision = precision
        self._precision = _core.to_bert_precision(precision)
        if weights is None:
            weights = _core.random_bert_weights(config, seed)
        self._set_weights(config, {**self._new_weights(config, weights, seed), **weights})
        self.eval()

    @classmethod
    def from_pretrained(
        cls, path: Path, precision: str = "fp32", seed: int = 0, *, revision: str | None = None
    ) -> Self:
        """Opens a folder of config.json and weights (safetensors, .bin, TensorFlow; whole or sharded).

        Args:
            path: the folder, or "org/name" of a hub (`sequela.hub`).
            precision: as the constructor's.
            seed: of a head's weights that the folder lacks; a warning of the logger "sequela" tells which.
            revision: of a name: branch, tag or commit.

        Raises:
            FileError: a missing, corrupt or unknown file, a name not found, or tensors that do not fit config.json.
        """
        path = folder_of(path, revision)
        config, weights = _core.open_bert_folder(path, listener(False))
        model = cls(config, weights, precision, seed)
        if new := sorted(model.weights().keys() - weights.keys()):
            parts = sorted({name.rpartition(".")[0] for name in new})
            logger.warning("%s has no %s: new weights start at random", path, ", ".join(parts))
        return model

    def save_pretrained(self, path: Path) -> None:
        """Writes config.json and model.safetensors, which transformers and cehrbert read."""
        weights = {name: tensor.detach().cpu() for name, tensor in self.weights().items()}
        _core.write_bert_folder(os.fspath(path), self.config, weights)

    def weights(self) -> dict[str, torch.Tensor]:
        """Every tensor by its name in a folder; the module's own tensors, not copies."""
        tensors = itertools.chain(self.named_parameters(remove_duplicate=False), self.named_buffers())
        return {self._names.get(name, name): tensor for name, tensor in tensors}

    @property
    def word_embeddings(self) -> torch.nn.Embedding:
        """The table of code embeddings, [vocab_size, hidden_size]."""
        for name in _WORD_EMBEDDINGS:
            try:
                return self.get_submodule(name.removesuffix(".weight"))  # type: ignore[return-value]
            except AttributeError:
                continue
        raise ConfigError("this encoder has no word embeddings")

    def core(self) -> _core.BertModel:
        """The core's model over the tensors that the module has now."""
        weights = self.weights()
        key = [(tensor, tensor.data_ptr()) for tensor in weights.values()]
        if self._key is None or not _are_same(key, self._key):
            device = self.word_embeddings.weight.device
            for name, tensor in weights.items():
                if tensor.device != device or tensor.dtype not in (torch.float32, torch.int64):
                    raise ConfigError(
                        f"{name} is {tensor.dtype} on {tensor.device}. Fix: keep weights in float32 on one device."
                    )
            self._core = _core.BertModel(self.config, weights, self._precision)
            self._key = key
        return self._core

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        *,
        output_attentions: bool = False,
        **cehr_inputs: torch.Tensor | None,
    ) -> BertOutput:
        """Encodes padded sequences. Padding is not computed. Dropout is on in training mode.

        It computes where the weights lie; the results lie where `input_ids` does.

        Args:
            input_ids: integers [B, L].
            attention_mask: [B, L], 0 = padding; None: all are tokens. CEHR-BERT: a 0 between tokens separates
                packed samples.
            token_type_ids: [B, L]; CEHR-BERT's visit segments.
            output_attentions: return the attention weights, too.
            cehr_inputs: of CEHR-BERT, each [B, L]: visit_concept_orders, ages (years), dates (weeks since 1970),
                concept_values, concept_value_masks.

        Raises:
            DataError: an id, segment or position outside the tables. ValueError: wrong shapes.
        """
        batch = to_batch(input_ids, attention_mask, token_type_ids, **cehr_inputs)
        hidden, pooled, attentions = self.core().forward(
            batch, self._has_pooler, output_attentions, self.training
        )
        return BertOutput(hidden, pooled, tuple(attentions))

    def resize_vocabulary(
        self,
        new_size: int,
        init: str = "mean",
        neighbours: Sequence[Sequence[int]] = (),
        seed: int = 0,
    ) -> _core.ResizeReport:
        """Gives the code embeddings `new_size` rows; see CEHRBERTWrapper.resize_vocabulary."""
        init = choose(_core.NewCodeInit, "init", init)
        frozen = {name for name, tensor in self.weights().items() if not tensor.requires_grad}
        weights = {name: tensor.detach() for name, tensor in self.weights().items()}
        rows = [list(ids) for ids in neighbours]
        config, weights, report = _core.resize_vocabulary(self.config, weights, new_size, init, rows, seed)
        self._set_weights(config, weights)
        for name, tensor in self.weights().items():
            if name in frozen:
                tensor.requires_grad_(False)
        return report

    def _new_weights(
        self, config: BertConfig, weights: dict[str, torch.Tensor], seed: int
    ) -> dict[str, torch.Tensor]:
        """Fresh weights of what this class needs and `weights` lacks; an encoder alone needs nothing."""
        return {}

    def _set_weights(self, config: BertConfig, weights: dict[str, torch.Tensor]) -> None:
        """Builds the tree of modules that the names say."""
        self._modules.clear()
        self.config = copy.copy(config)
        self._names: dict[str, str] = {}
        self._key: list[tuple[torch.Tensor, int]] | None = None
        self._core: _core.BertModel | None = None
        for full_name in sorted(weights, key=by_layer):
            name = full_name.removeprefix("bert.")
            self._names[name] = full_name
            self._attach(name, weights[full_name])
        self._has_pooler = "bert.pooler.dense.weight" in weights

    def _attach(self, name: str, tensor: torch.Tensor) -> None:
        if name in _WORD_EMBEDDINGS:
            parent, last = place_of(self, name.removesuffix(".weight"))
            padding = self.config.pad_token_id
            parent.add_module(last, torch.nn.Embedding.from_pretrained(tensor, False, padding))
            return
        parent, leaf = place_of(self, name)
        if _core.is_trainable(name):
            parent.register_parameter(leaf, torch.nn.Parameter(tensor))
        else:
            parent.register_buffer(leaf, tensor)

    def __getstate__(self) -> dict:
        """For copy and pickle: without the core's model, which is made anew."""
        return {**super().__getstate__(), "_key": None, "_core": None}


def _are_same(a: list[tuple[torch.Tensor, int]], b: list[tuple[torch.Tensor, int]]) -> bool:
    return len(a) == len(b) and all(x is y and p == q for (x, p), (y, q) in zip(a, b, strict=True))
