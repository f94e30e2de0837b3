"""MOTOR as a module: torch's optimizers, losses and heads on the core's kernels."""

import os
import pathlib
import shutil
import threading
from typing import NamedTuple, Self

import torch
from torch.nn import functional

from sequela import _core
from sequela._module import CoreModule, by_layer, place_of
from sequela._motor_passes import Passes, encode, head_loss
from sequela._options import fill, kernel_cache
from sequela.errors import ConfigError, FileError
from sequela.hub import folder_of
from sequela.motor_data import MotorBatch

__all__ = ["Motor", "MotorConfig", "MotorOutput", "motor_config"]

Path = str | os.PathLike[str]
MotorConfig = _core.MotorConfig

_HEAD = "task_model."
_RMS_NORM_EPSILON = 1e-6
_BINDING = threading.Lock()  # held while a module takes hold of its core


class MotorOutput(NamedTuple):
    """What a Motor returns; T = tokens, L = labels, H = hidden size, K = time bins, C = tasks.

    Attributes:
        last_hidden_state: float32 [T, H], of all tokens.
        representations: float32 [L, H], of the labels' tokens.
        loss: the time-to-event loss, a scalar; None if the batch has no targets or the model no MOTOR head.
        logits: if asked for, float32 [L, K, C], log2 of events per second; of a CLMBR head [L, vocabulary].
    """

    last_hidden_state: torch.Tensor
    representations: torch.Tensor
    loss: torch.Tensor | None
    logits: torch.Tensor | None


def motor_config(
    prepared: Path,
    *,
    size: str | None = None,
    n_layers: int | None = None,
    hidden_size: int | None = None,
    n_heads: int | None = None,
    intermediate_size: int | None = None,
    attention_width: int | None = None,
) -> MotorConfig:
    """The config of a new model over the vocabulary and the tasks of a folder that `prepare` made.

    Args:
        prepared: that folder.
        size: "tiny", "small" or "base" (None).
        n_layers, hidden_size, n_heads, intermediate_size, attention_width: as `pretrain` takes them; go before `size`.

    Raises:
        ConfigError: another size. FileError: sizes that do not fit together; a file that is missing.
    """
    options = _core.PretrainOptions()
    if size is not None:
        _core.apply_size(size, options)
    encoder = fill(
        options.encoder,
        n_layers=n_layers,
        hidden_size=hidden_size,
        n_heads=n_heads,
        intermediate_size=intermediate_size,
        attention_width=attention_width,
    )
    return _core.motor_config_of(encoder, os.fspath(prepared))


class Motor(CoreModule):
    """The MOTOR transformer as a module: its parameters have the bundle's names and train with torch.optim.

    Forward and backward passes are the core's, on all its kernels; the parameters share the core's memory. With all
    weights frozen, or under torch.no_grad(), nothing is kept for a backward pass and the fast inference path runs.
    There is no dropout: training mode changes nothing.

    Args:
        config: `motor_config` makes one; `Motor.from_pretrained` reads one.
        weights: name -> float32 tensor; None = fresh ones.
        precision: of matrix products, "fp32" or "bf16"; "auto" = the faster one on this device. Weights and
            gradients stay float32.
        gradient_checkpointing: the same gradients with about half the memory, in a quarter more time.
        kernels: "auto" = own kernels, on a GPU those that pass their check; "plain" = torch's operations alone, slow, to
            compare with; "own" = none of them.
        embedding_std: standard deviation of fresh embeddings of tokens.
        seed: of fresh weights.
    """

    dtypes = (torch.float32,)
    half_precision = "give precision='bf16' when it is made"

    def __init__(
        self,
        config: MotorConfig,
        weights: dict[str, torch.Tensor] | None = None,
        *,
        precision: str = "fp32",
        gradient_checkpointing: bool = False,
        kernels: str = "auto",
        embedding_std: float = 0.02,
        seed: int = 42,
    ):
        super().__init__()
        self.config = config
        self.precision = precision
        _core.to_precision(precision, "cpu")
        self.gradient_checkpointing = gradient_checkpointing
        self.kernels = _core.to_kernels(kernels)
        self._tokenizer: str | None = None
        self._passes: Passes | None = None
        if weights is None:
            weights = _core.fresh_motor_weights(config, seed)
            kind = "embed_bag" if config.encoder.is_hierarchical else "embed"
            weights[f"transformer.{kind}.weight"].mul_(embedding_std)
        for name in sorted(weights, key=by_layer):
            parent, leaf = place_of(self, name)
            parent.register_parameter(leaf, torch.nn.Parameter(weights[name]))
        self.eval()

    @classmethod
    def from_pretrained(
        cls,
        model: Path,
        *,
        precision: str = "fp32",
        gradient_checkpointing: bool = False,
        kernels: str = "auto",
        revision: str | None = None,
    ) -> Self:
        """Opens a bundle of `sequela.pretrain` or of femr (MOTOR, CLMBR).

        Args:
            model: its folder, or "org/name" of a hub (`sequela.hub`).
            precision, gradient_checkpointing, kernels: as the constructor's.
            revision: of a name: branch, tag or commit.

        Raises:
            FileError: a missing or corrupt file, a name not found, or tensors that do not fit config.json.
        """
        folder = folder_of(model, revision)
        config, weights = _core.open_motor_bundle(folder)
        module = cls(
            config, weights, precision=precision, gradient_checkpointing=gradient_checkpointing, kernels=kernels
        )
        module._tokenizer = folder
        return module

    def save_pretrained(self, folder: Path, tokenizer: Path | None = None) -> None:
        """Writes a bundle that `write_features` and femr open; an older one there is overwritten.

        Args:
            folder: for config.json, model.safetensors, dictionary.msgpack and, if there is one, ontology.parquet.
            tokenizer: whose dictionary and ontology go along: a bundle, or a folder that `prepare` made. None = the
                bundle that the model was opened from.

        Raises:
            ConfigError: a model made of a config, and no tokenizer. FileError: files that are not there.
        """
        source = os.fspath(tokenizer) if tokenizer is not None else self._tokenizer
        if source is None:
            raise ConfigError(
                "tokenizer: a bundle holds its dictionary, and this model was not opened from one. "
                "Fix: give the folder that prepare made."
            )
        dictionary, ontology = _tokenizer_files(pathlib.Path(source))
        if not dictionary.exists():
            raise FileError(f"{dictionary}: there is no such file. Fix: give a tokenizer that has it.")
        target = pathlib.Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        weights = {name: tensor.detach() for name, tensor in self.named_parameters()}
        _core.write_motor_bundle(str(target), self.config, weights, str(dictionary))
        own = target / "ontology.parquet"
        if ontology.exists() and not (own.exists() and own.samefile(ontology)):
            shutil.copyfile(ontology, own)

    def forward(self, batch: MotorBatch, *, output_logits: bool = False) -> MotorOutput:
        """Encodes a batch, and takes its loss if it has targets.

        Args:
            batch: of a MotorDataset.
            output_logits: return the head's raw outputs, too; large (tasks x bins for each label).

        Raises:
            ValueError: tensors that do not fit together, or go beyond the model's vocabulary or tasks.
        """
        passes = self._bound()
        inputs = batch.to_core()
        parameters = dict(self.named_parameters())
        encoder = {name: tensor for name, tensor in parameters.items() if not name.startswith(_HEAD)}
        hidden = encode(passes, inputs, encoder)
        representations = hidden.index_select(0, batch.label_indices.to(hidden.device))
        loss = None
        if batch.censor_seconds is not None and self.config.motor is not None:
            head = {name: tensor for name, tensor in parameters.items() if name.startswith(_HEAD)}
            loss = head_loss(passes, inputs, hidden, head)
        logits = self._logits(representations) if output_logits else None
        return MotorOutput(hidden, representations, loss, logits)

    def _logits(self, representations: torch.Tensor) -> torch.Tensor:
        """The head in torch's own operations, so that any loss on its outputs has gradients."""
        head = getattr(self, _HEAD.rstrip("."), None)
        if head is None:
            raise ConfigError("the model has no head. Fix: take representations.")
        outputs = functional.linear(representations, head.final_layer.weight, head.final_layer.bias)
        motor = self.config.motor
        if motor is None:
            return outputs
        features = outputs.unflatten(1, (len(motor.time_bins) - 1, motor.final_layer_size))
        if motor.has_norm:
            size = (motor.final_layer_size,)
            features = functional.rms_norm(features, size, head.norm.weight, _RMS_NORM_EPSILON)
        logits = functional.linear(features, head.task_layer.weight, head.task_layer.bias)
        return logits + head.task_time_bias if motor.has_time_bias else logits

    def _bound(self) -> Passes:
        """The core over the parameters' own memory; parameters that were moved or replaced move back into it."""
        parameters = dict(self.named_parameters())
        device = next(iter(parameters.values())).device
        for name, tensor in parameters.items():
            if tensor.dtype != torch.float32 or tensor.device != device:
                raise ConfigError(
                    f"{name} is {tensor.dtype} on {tensor.device}. Fix: keep weights in float32 on one device."
                )
        with _BINDING:
            if self._passes is None or self._passes.device != device:
                self._passes = self._new_passes(parameters, device)
            for name, view in self._passes.weights.items():
                if parameters[name].data_ptr() != view.data_ptr():
                    _move_into(view, name, parameters[name])
            self._passes.refresh()
            return self._passes

    def _new_passes(self, parameters: dict[str, torch.Tensor], device: torch.device) -> Passes:
        activations = _core.Activations.recomputed if self.gradient_checkpointing else _core.Activations.kept
        precision = _core.to_precision(self.precision, str(device))
        weights = {name: tensor.detach() for name, tensor in parameters.items()}
        core = _core.MotorModel(
            self.config, weights, str(device), precision, activations, self.kernels, kernel_cache()
        )
        return Passes(core, device)

    def _check_device(self, device: torch.device) -> None:
        is_plain = self.kernels == "plain"
        if device.type == "cpu" or (device.type == "cuda" and (is_plain or _core.has_cuda_kernels())):
            return
        reason = "this build of sequela has no GPU kernels" if device.type == "cuda" else "no kernels for it"
        raise ConfigError(f"Motor cannot go to {device}: {reason}. Fix: leave it on the CPU.")

    def __getstate__(self) -> dict:
        """For copy and pickle: without the core's model, which is made anew when it is next needed.

        Until then each weight has memory of its own: pickle takes the whole memory along that a tensor lies in.
        """
        with _BINDING:
            self._passes = None
            for parameter in self.parameters():
                parameter.data = parameter.data.clone()
        return super().__getstate__()


def _move_into(view: torch.Tensor, name: str, parameter: torch.Tensor) -> None:
    if not isinstance(parameter, torch.nn.Parameter):
        raise ConfigError(f"{name} is no parameter of the module. Fix: change the module's own in place.")
    parameter.data = view.copy_(parameter.detach())


def _tokenizer_files(source: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Dictionary and ontology of a bundle, or of a folder that `prepare` made."""
    if (source / "tokenizer").is_dir():
        return source / "tokenizer" / "dictionary.msgpack", source / "ontology" / "ontology.parquet"
    return source / "dictionary.msgpack", source / "ontology.parquet"
