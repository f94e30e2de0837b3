"""The compiled core. Its own names are not public; what is, sequela/*.py documents."""

from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol

import numpy as np
from torch import Tensor

__version__: str

class _Listener(Protocol):
    def log(self, level: int, message: str) -> None: ...
    def progress(self, *fields: Any) -> None: ...

_Reporter = _Listener | None
_Tensors = dict[str, Tensor]
_Array = np.ndarray[Any, Any]

def request_stop(signal: int) -> None: ...
def run_command(arguments: list[str]) -> int: ...
def join_ranks(group_name: str, num_local: int) -> None: ...
def leave_ranks() -> None: ...
def stand_of_rank() -> tuple[int, str, bool, float]: ...
def default_num_threads() -> int: ...
def fingerprint_cache_folder() -> str: ...

class SynthOptions:
    num_subjects: int
    seed: int
    folder: str
    num_threads: int

class SynthReport:
    @property
    def num_subjects(self) -> int: ...
    @property
    def num_events(self) -> int: ...
    @property
    def num_shards(self) -> int: ...
    @property
    def num_codes(self) -> int: ...
    @property
    def num_deaths(self) -> int: ...

def synth(options: SynthOptions, reporter: _Reporter) -> SynthReport: ...

class TokenizerSubjects(Enum):
    all = ...
    train = ...

class BatchForm(Enum):
    compact = ...
    femr = ...

class PrepareOptions:
    objective: str
    objective_values: dict[str, int]
    meds: str
    time_zone: str
    athena: str
    out: str
    split: str
    dictionary: str
    task_file: str
    remove_vocabularies: list[str]
    properties: list[str]
    split_seed: int
    val_fraction: float
    vocab_size: int
    num_numeric: int
    bins_per_code: int
    min_fraction: float
    tokenizer_on: TokenizerSubjects
    num_tasks: int
    num_value_tasks: int
    num_bins: int
    final_layer_size: int
    task_min_fraction: float
    tokens_per_batch: int
    label_fraction: float
    batch_format: BatchForm
    is_femr_compatible: bool
    repair: bool
    keep_events: bool
    rank: int
    num_ranks: int
    fingerprint_cache: str
    num_threads: int
    memory_bytes: int

class PrepareStage:
    """A step of prepare: why it ran (empty = it was done), how long, over how many events."""

    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def num_events(self) -> int: ...

class PrepareReport:
    @property
    def stages(self) -> list[PrepareStage]: ...
    @property
    def coverage(self) -> list[str]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def is_up_to_date(self) -> bool: ...

def prepare(options: PrepareOptions, reporter: _Reporter) -> PrepareReport: ...

class TimeColumns(Enum):
    time_data = ...
    normalized_age = ...

class EncoderConfig:
    vocab_size: int
    is_hierarchical: bool
    hidden_size: int
    intermediate_size: int
    n_heads: int
    n_layers: int
    attention_width: int
    use_normed_ages: bool
    use_bias: bool
    hidden_act: str
    has_hawk: bool
    time_columns: TimeColumns

class MotorTaskConfig:
    code: str
    rate: float
    n_censored: int
    n_events: int
    mean_time: float

class MotorHeadConfig:
    tasks: list[MotorTaskConfig]
    time_bins: list[float]
    final_layer_size: int
    has_norm: bool
    has_time_bias: bool

class MotorConfig:
    encoder: EncoderConfig
    motor: MotorHeadConfig | None
    clmbr_vocab_size: int

class MotorBatch:
    subject_ids: Tensor
    lengths: Tensor
    token_ids: Tensor
    token_weights: Tensor
    token_offsets: Tensor
    ages_days: Tensor
    time_data: Tensor
    timestamps: Tensor
    label_indices: Tensor
    censor_seconds: Tensor
    row_offsets: Tensor
    task_ids: Tensor
    event_seconds: Tensor

class BatchFolder:
    def __init__(self, path: str) -> None: ...
    @property
    def num_batches(self) -> int: ...
    def read(self, index: int) -> MotorBatch: ...

class RecordBatches:
    def __init__(self, options: FeaturesOptions, reporter: _Reporter) -> None: ...
    @property
    def num_batches(self) -> int: ...
    @property
    def num_labels(self) -> int: ...
    @property
    def num_skipped(self) -> dict[str, int]: ...
    def read(self, index: int) -> tuple[MotorBatch, Tensor, Tensor]: ...

class TimeAtRisk:
    """How the loss takes the seconds at risk: exact, or rounded as femr's are."""

    exact: ClassVar[TimeAtRisk]
    log2_float16: ClassVar[TimeAtRisk]

class MotorModel:
    def __init__(
        self,
        config: MotorConfig,
        weights: _Tensors,
        device: str,
        precision: Precision,
        activations: Activations,
        kernels: str,
        kernel_cache: str,
    ) -> None: ...
    def weights(self) -> _Tensors: ...
    def refresh_weights(self) -> None: ...
    def set_time_at_risk(self, time_at_risk: TimeAtRisk) -> None: ...
    def encode(self, batch: MotorBatch) -> Tensor: ...
    def forward(self, batch: MotorBatch) -> Tensor: ...
    def backward(self, grad_hidden: Tensor) -> _Tensors: ...
    def head_loss(
        self, hidden: Tensor, batch: MotorBatch, wants_gradients: bool
    ) -> tuple[Tensor, Tensor | None, _Tensors]: ...

def open_motor_bundle(folder: str) -> tuple[MotorConfig, _Tensors]: ...
def write_motor_bundle(folder: str, config: MotorConfig, weights: _Tensors, dictionary: str) -> None: ...
def fresh_motor_weights(config: MotorConfig, seed: int) -> _Tensors: ...
def motor_config_of(encoder: EncoderConfig, prepared: str) -> MotorConfig: ...
def has_cuda_kernels() -> bool: ...
def to_kernels(text: str) -> str: ...

class Schedule(Enum):
    linear = ...
    cosine = ...
    constant = ...

class LossScale(Enum):
    mean = ...
    events = ...

class OptimizerKind(Enum):
    adamw = ...
    muon = ...

class SentAs(Enum):
    fp32 = ...
    bf16 = ...

class TrainOptions:
    gradients_as: SentAs
    learning_rate: float
    schedule: Schedule
    loss_scale: LossScale
    optimizer: OptimizerKind
    muon_scale: float
    muon_momentum: float
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    max_gradient_norm: float
    warmup_steps: int
    epochs: int
    max_steps: int
    accumulate: int
    lanes: int
    eval_every: int
    patience: int
    log_every: int
    keep_checkpoints: int

class Precision(Enum):
    fp32 = ...
    bf16 = ...

class Activations(Enum):
    kept = ...
    recomputed = ...

def to_precision(text: str, device: str) -> Precision: ...
def to_bert_precision(text: str) -> BertPrecision: ...

class Recipe(Enum):
    femr = ...
    sequela = ...

def apply_recipe(recipe: Recipe, options: PretrainOptions) -> None: ...

class Selection(Enum):
    loss = ...
    probe = ...

class PretrainOptions:
    objective: str
    data: str
    out: str
    model: str
    encoder: EncoderConfig
    train: TrainOptions
    embedding_std: float
    precision: Precision | None
    activations: Activations
    device: str
    kernels: str
    tokens_per_pass: int | None
    kernel_cache: str
    seed: int
    keep_output: bool
    probes: list[str]
    meds: str
    probe_labels: int
    recall: bool
    read_out: str
    select: Selection
    truth: str
    memory_bytes: int
    fingerprint_cache: str
    num_threads: int

class TrainReport:
    @property
    def steps(self) -> int: ...
    @property
    def num_tokens(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def tokens_per_second(self) -> float: ...
    @property
    def best_loss(self) -> float: ...
    @property
    def best_step(self) -> int: ...
    @property
    def eval_losses(self) -> list[tuple[int, float]]: ...
    @property
    def figures(self) -> dict[str, float]: ...
    @property
    def is_finished(self) -> bool: ...
    @property
    def is_resumed(self) -> bool: ...

class PretrainReport:
    @property
    def train(self) -> TrainReport: ...
    @property
    def num_parameters(self) -> int: ...
    @property
    def is_up_to_date(self) -> bool: ...

def apply_size(size: str, options: PretrainOptions) -> None: ...
def pretrain(options: PretrainOptions, reporter: _Reporter) -> PretrainReport: ...

class VisitRule(Enum):
    hybrid = ...
    encounter = ...
    day = ...
    hours = ...

class TimeTokens(Enum):
    cehr_bert = ...
    day = ...
    week = ...
    month = ...
    mix = ...
    none = ...

class VisitOptions:
    visits: VisitRule
    encounter_column: str
    window_hours: float

class CehrRecordOptions:
    time_tokens: TimeTokens
    visit_type: bool
    demographics: bool

class CehrVocabularyOptions:
    vocab_size: int
    min_frequency: int

class MlmDataOptions:
    values: bool
    split_seed: int
    val_fraction: float
    @property
    def visits(self) -> VisitOptions: ...
    @property
    def records(self) -> CehrRecordOptions: ...
    @property
    def vocabulary(self) -> CehrVocabularyOptions: ...

class MlmTrainingOptions:
    max_length: int
    batch_tokens: int
    mask_probability: float

class PretrainMlmOptions:
    meds: str
    time_zone: str
    out: str
    model: str
    precision: Precision | None
    device: str
    seed: int
    keep_output: bool
    fingerprint_cache: str
    num_threads: int
    memory_bytes: int
    @property
    def encoder(self) -> BertConfig: ...
    @property
    def data(self) -> MlmDataOptions: ...
    @property
    def mlm(self) -> MlmTrainingOptions: ...
    @property
    def train(self) -> TrainOptions: ...

class PretrainMlmReport:
    @property
    def train(self) -> TrainReport: ...
    @property
    def num_parameters(self) -> int: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def num_train_subjects(self) -> int: ...
    @property
    def num_validation_subjects(self) -> int: ...
    @property
    def num_left_out(self) -> int: ...
    @property
    def is_up_to_date(self) -> bool: ...

def pretrain_mlm(options: PretrainMlmOptions, reporter: _Reporter) -> PretrainMlmReport: ...

class FeaturesOptions:
    meds: str
    time_zone: str
    model: str
    labels: str
    out: str
    ontology: str
    athena: str
    cohort: str
    cohort_db: str
    cohort_query: str
    label_column: str
    precision: Precision | None
    read_out: str
    tokens_per_batch: int
    device: str
    kernels: str
    kernel_cache: str
    is_femr_compatible: bool
    fingerprint_cache: str
    num_threads: int
    memory_bytes: int

class FeaturesReport:
    @property
    def num_labels(self) -> int: ...
    @property
    def num_embedded(self) -> int: ...
    @property
    def num_tokens(self) -> int: ...
    @property
    def num_skipped(self) -> dict[str, int]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def is_up_to_date(self) -> bool: ...

def compute_features(options: FeaturesOptions, reporter: _Reporter) -> FeaturesReport: ...

class FinetuneOptions:
    meds: str
    model: str
    ontology: str
    athena: str
    time_zone: str
    labels: str
    task: str
    splits: str
    val_fraction: float
    out: str
    checkpoints: str
    predict: str
    predictions: str
    tune: str
    lora_rank: int
    start: str
    select: str
    train: TrainOptions
    tokens_per_batch: int
    precision: Precision | None
    activations: Activations
    device: str
    kernels: str
    kernel_cache: str
    seed: int
    keep_output: bool
    fingerprint_cache: str
    num_threads: int
    memory_bytes: int

class FinetuneReport:
    @property
    def train(self) -> TrainReport: ...
    @property
    def num_train(self) -> int: ...
    @property
    def num_validation(self) -> int: ...
    @property
    def prevalence(self) -> float: ...
    @property
    def num_predicted(self) -> int: ...
    @property
    def num_skipped(self) -> dict[str, int]: ...
    @property
    def auroc(self) -> float: ...
    @property
    def is_up_to_date(self) -> bool: ...

def finetune(options: FinetuneOptions, reporter: _Reporter) -> FinetuneReport: ...

class LiveOptions:
    model: str
    ontology: str
    athena: str
    codes: str
    tasks: list[str]
    horizon_days: float
    precision: Precision
    keys: str
    memory_bytes: int
    spill_folder: str
    num_threads: int

class LiveScorer:
    def __init__(self, options: LiveOptions, reporter: _Reporter) -> None: ...
    def add(
        self,
        subject_ids: _Array,
        times: _Array,
        code_ids: _Array,
        codes: list[str],
        numbers: _Array,
        has_numbers: _Array,
        text_ids: _Array,
        texts: list[str],
    ) -> tuple[_Array, _Array, _Array]: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def known_tasks(self) -> list[str]: ...
    @property
    def max_bytes_per_patient(self) -> int: ...
    @property
    def subject_ids(self) -> list[int]: ...
    def __len__(self) -> int: ...
    def __contains__(self, subject_id: int) -> bool: ...
    def discharge(self, subject_id: int) -> None: ...
    def save(self, subject_id: int, path: str) -> None: ...
    def load(self, path: str) -> int: ...

def inspect(path: str) -> str: ...
def model_card(folder: str, name: str) -> str: ...

class FoundModel:
    @property
    def repository(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def wants_fetch(self) -> bool: ...
    @property
    def note(self) -> str: ...

def find_model(text: str) -> FoundModel: ...
def hub_cache() -> str: ...
def parse_model_name(text: str) -> tuple[str, str] | None: ...

class CodeVocabulary:
    """An encoder's vocabulary: code <-> id; len = largest id + 1."""

    @staticmethod
    def find(folder: str) -> CodeVocabulary | None: ...
    @staticmethod
    def read_folder(folder: str) -> CodeVocabulary: ...
    @staticmethod
    def read_file(path: str) -> CodeVocabulary: ...
    def __len__(self) -> int: ...
    def __contains__(self, code: str) -> bool: ...
    def find_id(self, code: str) -> int | None: ...
    def code(self, id: int) -> str | None: ...
    def require_unknown(self) -> int: ...
    def check_fits(self, num_rows: int) -> None: ...

class MappingRow:
    @property
    def vocabulary(self) -> str: ...
    @property
    def num_codes(self) -> dict[str, int]: ...
    @property
    def num_events(self) -> dict[str, int]: ...

class MappingReport:
    @property
    def total(self) -> MappingRow: ...
    @property
    def rows(self) -> list[MappingRow]: ...
    @property
    def unknown(self) -> list[tuple[str, int]]: ...
    @property
    def coverage(self) -> float: ...
    @property
    def coverage_of_codes(self) -> float: ...

class ResizePlan:
    @property
    def first_id(self) -> int: ...
    @property
    def codes(self) -> list[str]: ...
    @property
    def num_with_neighbours(self) -> int: ...
    @property
    def neighbours(self) -> list[list[int]]: ...

class VocabularyMapper:
    def __init__(self, vocabulary: CodeVocabulary, ontology: str, normalise: bool) -> None: ...
    def match(self, code: str) -> tuple[int, str]: ...
    def map_code(self, code: str) -> int: ...
    def map_codes(self, codes: Sequence[str]) -> list[int]: ...
    def get_coverage(self, codes: Sequence[str]) -> float: ...
    def report(self, codes: Sequence[str], counts: Sequence[int], max_unknown: int) -> MappingReport: ...
    def plan_resize(self, codes: Sequence[str], max_neighbours: int) -> ResizePlan: ...

class BertKind(Enum):
    bert = ...
    cehr_bert = ...

class BertActivation(Enum):
    gelu = ...
    gelu_tanh = ...
    relu = ...

class BertConfig:
    """Sizes of an encoder; the fields are those of Hugging Face's config.json."""

    kind: BertKind
    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: BertActivation
    layer_norm_eps: float
    max_position_embeddings: int
    type_vocab_size: int
    pad_token_id: int
    cls_token_id: int
    hidden_dropout_prob: float
    attention_probs_dropout_prob: float
    classifier_dropout: float
    initializer_range: float
    n_time_embd: int
    n_visit_segments: int
    time_embedding_scaling_factor: float
    age_embedding_scaling_factor: float
    sample_packing_max_positions: int
    include_value_prediction: bool
    bidirectional: bool
    mlm_probability: float
    lab_token_ids: list[int]
    def __init__(self) -> None: ...

def open_bert_folder(path: str, reporter: _Reporter) -> tuple[BertConfig, _Tensors]: ...
def write_bert_folder(path: str, config: BertConfig, weights: _Tensors) -> None: ...
def random_bert_weights(config: BertConfig, seed: int) -> _Tensors: ...
def is_trainable(name: str) -> bool: ...

class NewCodeInit(Enum):
    neighbours = ...
    mean = ...
    random = ...

class ResizeReport:
    @property
    def old_size(self) -> int: ...
    @property
    def new_size(self) -> int: ...
    @property
    def num_from_neighbours(self) -> int: ...
    @property
    def num_from_mean(self) -> int: ...
    @property
    def num_random(self) -> int: ...

def resize_vocabulary(
    config: BertConfig,
    weights: _Tensors,
    new_size: int,
    init: NewCodeInit,
    neighbours: Sequence[Sequence[int]],
    seed: int,
) -> tuple[BertConfig, _Tensors, ResizeReport]: ...

class PaddedBertBatch:
    ids: Tensor
    mask: Tensor
    segments: Tensor
    visit_orders: Tensor
    ages: Tensor
    dates: Tensor
    values: Tensor
    value_mask: Tensor

class BertPrecision(Enum):
    fp32 = ...
    bf16 = ...
    int8 = ...

class BertModel:
    def __init__(self, config: BertConfig, weights: _Tensors, precision: BertPrecision) -> None: ...
    def forward(
        self, batch: PaddedBertBatch, wants_pooled: bool, wants_attentions: bool, is_training: bool
    ) -> tuple[Tensor, Tensor | None, list[Tensor]]: ...

class CehrClassifier(Enum):
    pooled = ...
    lstm = ...

def score_masked(
    model: BertModel, batch: PaddedBertBatch, is_training: bool
) -> tuple[Tensor, Tensor | None, Tensor]: ...
def masked_loss(
    model: BertModel, batch: PaddedBertBatch, labels: Tensor, is_training: bool
) -> tuple[Tensor, Tensor, Tensor | None, Tensor]: ...
def classify(
    model: BertModel, batch: PaddedBertBatch, ages: Tensor, kind: CehrClassifier, is_training: bool
) -> tuple[Tensor, Tensor]: ...
def classifier_loss(logits: Tensor, labels: Tensor) -> Tensor: ...

class VisitEncoder:
    def __init__(self, model: BertModel, pooling: str) -> None: ...
    def get_code_embeddings(self) -> Tensor: ...
    def encode_codes(self, ids: Tensor) -> Tensor: ...
    def encode_codes_with_attention(self, ids: Tensor) -> tuple[Tensor, list[Tensor]]: ...
    def encode_visit(self, ids: Tensor, mask: Tensor | None) -> Tensor: ...
    def encode_patient(self, ids: Tensor, mask: Tensor | None) -> Tensor: ...

class ProgressionConfig:
    vocab_size: int
    code_embed_dim: int
    visit_embed_dim: int
    hidden_dim: int
    num_stages: int
    num_layers: int
    dropout: float
    @property
    def num_parameters(self) -> int: ...
    @staticmethod
    def read(path: str) -> ProgressionConfig: ...
    def validate(self) -> None: ...
    def to_json(self) -> str: ...

class ProgressionPreset:
    config: ProgressionConfig
    max_visits: int
    max_codes_per_visit: int
    batch_size: int
    accumulate: int
    use_bf16: bool
    use_checkpoint: bool
    def estimate_memory_bytes(self, is_embedding_frozen: bool) -> int: ...

def progression_preset(name: str, vocab_size: int) -> ProgressionPreset: ...
def forward_progression(
    config: ProgressionConfig,
    weights: _Tensors,
    codes: Tensor,
    mask: Tensor | None,
    time_features: Tensor | None,
    is_training: bool,
    use_bf16: bool,
    use_checkpoint: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]: ...
def stage_loss(stage_logits: Tensor, labels: Tensor) -> Tensor: ...
def to_time_features(visit_days: Tensor, num_visits: Tensor) -> Tensor: ...

class EmbeddingResize(Enum):
    fail = ...
    resize = ...

def read_embedding_table(path: str) -> Tensor: ...
def load_pretrained_embeddings(weight: Tensor, table: Tensor, resize: EmbeddingResize) -> Tensor: ...
def read_progression_weights(config: ProgressionConfig, path: str) -> _Tensors: ...

class SurvivalConfig:
    vocab_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    dropout: float
    num_event_kinds: int
    time_encoding_dim: int
    def validate(self) -> None: ...

def forward_hazards(
    config: SurvivalConfig,
    weights: _Tensors,
    codes: Tensor,
    mask: Tensor | None,
    time_features: Tensor | None,
    is_training: bool,
) -> Tensor: ...

class SurvivalTargets:
    def __init__(self, event_visits: Tensor, is_event: Tensor, mask: Tensor) -> None: ...

def survival_loss(hazards: Tensor, targets: SurvivalTargets) -> Tensor: ...
def competing_risks_loss(hazards: Tensor, targets: SurvivalTargets) -> Tensor: ...
def survival_curves(hazards: Tensor) -> tuple[Tensor, Tensor]: ...
def concordance_index(risks: Tensor, times: Tensor, is_event: Tensor) -> float: ...

class VisitPooling(Enum):
    mean = ...
    sum = ...
    max = ...
    attention = ...

class LstmBaselineConfig:
    vocab_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    dropout: float
    bidirectional: bool
    pooling: VisitPooling
    output_dim: int
    def validate(self) -> None: ...

def forward_lstm_baseline(
    config: LstmBaselineConfig, weights: _Tensors, codes: Tensor, mask: Tensor | None, is_training: bool
) -> tuple[Tensor, Tensor, Tensor]: ...

class Interval:
    """A figure and its 95 % interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...

class MulticlassResult:
    @property
    def num_rows(self) -> int: ...
    @property
    def num_classes(self) -> int: ...
    @property
    def accuracy(self) -> Interval: ...
    @property
    def log_loss(self) -> Interval: ...
    @property
    def auroc(self) -> Interval: ...
    @property
    def average_precision(self) -> Interval: ...
    @property
    def hand_till(self) -> Interval: ...
    @property
    def confusion(self) -> list[int]: ...

def evaluate_multiclass(
    probabilities: Sequence[float],
    labels: Sequence[int],
    groups: Sequence[int],
    num_resamples: int,
    seed: int,
) -> MulticlassResult: ...

class NamedFigure:
    @property
    def name(self) -> str: ...
    @property
    def interval(self) -> Interval: ...
    @property
    def why_not(self) -> str: ...

def evaluate_survival(
    times: Sequence[float],
    kinds: Sequence[int],
    scores: Sequence[float],
    horizons: Sequence[float],
    survival: Sequence[float],
    groups: Sequence[int],
    num_resamples: int,
    seed: int,
) -> list[NamedFigure]: ...
def evaluate_regression(
    values: Sequence[float],
    predicted: Sequence[float],
    groups: Sequence[int],
    num_resamples: int,
    seed: int,
) -> list[NamedFigure]: ...

class CompareOptions:
    meds: str
    time_zone: str
    labels: str
    pretrained: str
    athena: str
    out: str
    num_seeds: int
    num_labels: list[int]
    has_trees: bool
    visit_embed_dim: int
    hidden_dim: int
    num_layers: int
    dropout: float
    max_visits: int
    max_codes: int
    learning_rate: float
    embedding_learning_rate: float
    epochs: int
    min_steps: int
    batch_size: int
    patience: int
    seed: int
    num_resamples: int
    fingerprint_cache: str
    num_threads: int
    memory_bytes: int

def compare(options: CompareOptions, reporter: _Reporter) -> str: ...

class EvaluateOptions:
    predictions: list[str]
    labels: list[str]
    subgroups: str
    out: str
    num_bootstraps: int
    seed: int
    fingerprint_cache: str
    num_threads: int
    time_zone: str

def evaluate_predictions(options: EvaluateOptions, reporter: _Reporter) -> str: ...

class EvaluateMethodsOptions(EvaluateOptions):
    meds: str
    tasks: list[str]
    model: str
    encoders: list[str]
    methods: list[str]
    splits: str
    athena: str
    hazards: list[str]
    horizons: list[float]
    subgroup_codes: list[str]
    read_out: str
    shots: list[int]
    num_draws: int
    max_labels: int
    leaks: str
    precision: Precision | None
    tokens_per_batch: int
    device: str
    kernels: str
    kernel_cache: str
    memory_bytes: int

def evaluate_methods(options: EvaluateMethodsOptions, reporter: _Reporter) -> str: ...

class ReportOptions:
    runs: list[str]
    out: str
    patient: int | None
    meds: str
    model: str
    tasks: list[str]
    horizon_days: float
    num_threads: int
    memory_bytes: int

def report(options: ReportOptions) -> str: ...
