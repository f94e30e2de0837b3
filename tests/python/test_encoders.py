"""CEHRBERTWrapper and BertEncoder against the reference numbers, and as torch modules."""

import copy
import io
import pickle

import numpy as np
import pytest
import sequela
import torch
from safetensors.torch import load_file

FOLDERS = [
    "model_st",
    "model_bin",
    "mlm_st",
    "mlm_bin",
    "sharded_st",
    "sharded_bin",
    "old_gamma_beta_legacy_bin",
    "views_bin",
    "bare",
]
ATOL = 2e-5


@pytest.fixture(scope="module")
def inputs(bert):
    return load_file(bert / "inputs.safetensors")


@pytest.fixture(scope="module")
def expected(bert):
    return load_file(bert / "expected.safetensors")


def assert_close(actual, wanted, atol=ATOL):
    assert actual.shape == wanted.shape
    torch.testing.assert_close(actual.detach(), wanted, atol=atol, rtol=0)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("frozen", [True, False])
def test_visits_of_every_folder(bert, inputs, expected, folder, frozen):
    for pooling in ("mean", "cls", "max"):
        wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / folder, frozen, pooling)
        nomask = wrapper.encode_visit(inputs["visits"])
        assert nomask.requires_grad != frozen
        assert_close(nomask, expected[f"good.encode_visit.{pooling}.nomask"])
        masked = wrapper.encode_visit(inputs["visits"], inputs["vmask"])
        assert_close(masked, expected[f"good.encode_visit.{pooling}.mask"])
        patient = wrapper.encode_patient(inputs["pat"], inputs["pmask"])
        assert_close(patient, expected[f"good.encode_patient.{pooling}.mask"])


def test_codes(bert, inputs, expected):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", freeze_embeddings=True)
    table = wrapper.get_code_embeddings()
    assert_close(table, expected["model.get_code_embeddings"], atol=0)
    for name in ("code1", "code1_one", "code2_b1", "code2"):
        codes = wrapper.encode_codes(inputs[name])
        assert codes.shape == (*inputs[name].shape, wrapper.embed_dim)
        assert torch.equal(codes, table[inputs[name]])
        hidden, attentions = wrapper.encode_codes(inputs[name], return_attention=True)
        assert hidden.shape == codes.shape and len(attentions) == 3
        assert attentions[0].shape == (*inputs[name].shape[:-1], 4, *inputs[name].shape[-1:] * 2)


def test_codes_in_context(bert, inputs, expected):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", freeze_embeddings=True)
    hidden, attentions = wrapper.encode_codes(inputs["code2"], return_attention=True)
    assert_close(hidden, expected["good.encode_codes_attn.code2.hidden"])
    for layer, attention in enumerate(attentions):
        assert_close(attention, expected[f"good.encode_codes_attn.code2.attn{layer}"])


def test_tables_are_copies(bert):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    table = wrapper.get_code_embeddings()
    assert not table.requires_grad
    table.zero_()
    assert wrapper.get_code_embeddings().abs().sum() > 0


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_files(bert, inputs, expected, name):
    encoder = sequela.BertEncoder.from_pretrained(bert / f"model_{name}_st")
    with torch.no_grad():
        hidden = encoder(inputs["visits"], inputs["visits"] != 0).last_hidden_state
    wanted = expected[f"{name}_upcast.hidden.visits"]
    is_token = inputs["visits"] != 0
    assert_close(hidden[is_token], wanted[is_token])


def test_the_module_as_transformers_has_it(bert, inputs, expected):
    encoder = sequela.BertEncoder.from_pretrained(bert / "model_st").requires_grad_(False)
    is_token = inputs["visits"] != 0
    output = encoder(inputs["visits"], is_token)
    assert_close(output.last_hidden_state[is_token], expected["model.hidden.visits"][is_token])
    assert output.last_hidden_state[~is_token].abs().sum() == 0
    assert output.pooler_output.shape == expected["model.pooler.visits"].shape
    assert encoder.embeddings.word_embeddings.weight.shape == expected["model.get_code_embeddings"].shape
    assert len(encoder.encoder.layer) == 3
    assert "embeddings.word_embeddings.weight" in encoder.state_dict()
    assert encoder(inputs["visits"], is_token, output_attentions=True).attentions[0].shape == (5, 4, 6, 6)


def test_weights_are_shared_not_copied(bert, inputs):
    encoder = sequela.BertEncoder.from_pretrained(bert / "model_st")
    for name, parameter in encoder.named_parameters():
        assert encoder.weights()[f"bert.{name}"] is parameter
    visits = inputs["visits"]
    before = encoder(visits).last_hidden_state.detach().clone()
    with torch.no_grad():
        encoder.embeddings.LayerNorm.weight.mul_(2)
    assert not torch.allclose(encoder(visits).last_hidden_state, before)


@pytest.mark.parametrize("mode", ["fast", "graph"])
def test_changed_weights_count_at_once(bert, inputs, mode):
    """In place, by load_state_dict, and as new parameters; on the inference path, too."""
    with torch.set_grad_enabled(mode == "graph"):
        wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
        original = wrapper.encode_visit(inputs["visits"]).detach().clone()
        state = copy.deepcopy(wrapper.state_dict())
        weight = wrapper.model.encoder.layer[0].output.dense.weight
        with torch.no_grad():
            weight.zero_()
        changed = wrapper.encode_visit(inputs["visits"]).detach().clone()
        assert not torch.allclose(changed, original)
        wrapper.load_state_dict(state)
        torch.testing.assert_close(wrapper.encode_visit(inputs["visits"]).detach(), original)
        wrapper.model.encoder.layer[0].output.dense.weight = torch.nn.Parameter(torch.zeros_like(weight))
        torch.testing.assert_close(wrapper.encode_visit(inputs["visits"]).detach(), changed)


def test_gradients_and_training(bert, inputs):
    """One step of Adam lowers the loss, and never touches the file."""
    before = (bert / "model_st" / "model.safetensors").read_bytes()
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    optimizer = torch.optim.Adam(wrapper.parameters(), lr=1e-3)
    target = torch.zeros(5, wrapper.embed_dim)
    losses = []
    for _ in range(3):
        loss = torch.nn.functional.mse_loss(wrapper.encode_visit(inputs["visits"]), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[1] < losses[0]
    with_gradient = [name for name, p in wrapper.named_parameters() if p.grad is not None]
    assert any("layer.2.output" in name for name in with_gradient)
    assert (bert / "model_st" / "model.safetensors").read_bytes() == before


def test_trained_weights_outlast_an_inference(bert, inputs):
    """The fast path drops the file's pages once it has packed them, but never trained ones."""
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    with torch.no_grad():
        wrapper.encode_visit(inputs["visits"])
        for parameter in wrapper.parameters():
            parameter.data.add_(1e-3)
        state = {name: tensor.clone() for name, tensor in wrapper.state_dict().items()}
        wrapper.model.encoder.layer[0].output.dense.bias.add_(0)  # told to pack again
        wrapper.encode_visit(inputs["visits"])
    for name, tensor in wrapper.state_dict().items():
        assert torch.equal(tensor, state[name]), name


def test_gradient_of_the_core_is_torch_s(bert, inputs):
    """Numerically, for one weight."""
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    direction = torch.randn(5, wrapper.embed_dim, generator=torch.Generator().manual_seed(1))
    weight = wrapper.model.encoder.layer[2].output.dense.bias
    (wrapper.encode_visit(inputs["visits"]) * direction).sum().backward()
    step = 1e-2
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[7] += sign * step
            values.append((wrapper.encode_visit(inputs["visits"]) * direction).sum().item())
            weight[7] -= sign * step
    assert weight.grad[7].item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=2e-2)


def test_dropout_in_training_only(bert, inputs):
    encoder = sequela.BertEncoder.from_pretrained(bert / "model_st")
    assert not encoder.training
    ids = inputs["visits"][:2]
    assert torch.equal(encoder(ids).last_hidden_state, encoder(ids).last_hidden_state)
    encoder.train()
    torch.manual_seed(1)
    first = encoder(ids).last_hidden_state
    second = encoder(ids).last_hidden_state
    torch.manual_seed(1)
    assert not torch.equal(first, second)
    assert torch.equal(encoder(ids).last_hidden_state, first)


@pytest.mark.parametrize(("precision", "cosine"), [("bf16", 0.9999), ("int8", 0.999)])
def test_lower_precision(bert, inputs, precision, cosine):
    full = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", True)
    low = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", True, precision=precision)
    visits = inputs["visits"][[0, 1, 2, 4]]
    similarity = torch.cosine_similarity(full.encode_visit(visits), low.encode_visit(visits))
    assert similarity.min() >= cosine


def test_save_and_load(bert, inputs, tmp_path):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_bin", True)
    wrapper.save_pretrained(tmp_path / "saved")
    again = sequela.CEHRBERTWrapper.from_pretrained(tmp_path / "saved", True)
    assert torch.equal(again.encode_visit(inputs["visits"]), wrapper.encode_visit(inputs["visits"]))
    assert again.tokenizer is None and wrapper.tokenizer is not None
    for copied in (copy.deepcopy(wrapper.model), pickle.loads(pickle.dumps(wrapper.model))):
        assert torch.equal(copied(inputs["visits"])[0], wrapper.model(inputs["visits"])[0])


def test_resize(bert, inputs):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st", True)
    before = wrapper.encode_visit(inputs["visits"])
    report = wrapper.resize_vocabulary(510)
    assert (report.old_size, report.new_size, report.num_from_mean) == (500, 510, 10)
    assert wrapper.model.config.vocab_size == 510
    assert wrapper.get_code_embeddings().shape == (510, wrapper.embed_dim)
    assert torch.equal(wrapper.encode_visit(inputs["visits"]), before)
    assert not any(p.requires_grad for p in wrapper.parameters())
    wrapper.encode_codes(torch.tensor([509]))


def test_add_codes(bert):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    mapper = sequela.VocabularyMapper(bert / "model_st")
    report = wrapper.resize_vocabulary(["NEW/1", "NEW/2", "NEW/1"], mapper)
    assert report.new_size == report.old_size + 2


def test_random_encoder_and_its_numbers_repeat():
    config = sequela.BertConfig()
    config.vocab_size, config.hidden_size, config.num_hidden_layers = 50, 32, 2
    config.num_attention_heads, config.intermediate_size = 4, 48
    first, second = (sequela.BertEncoder(config, seed=3) for _ in range(2))
    ids = torch.arange(1, 9).reshape(2, 4)
    assert torch.equal(first(ids)[0], second(ids)[0])
    assert not torch.equal(first(ids)[0], sequela.BertEncoder(config, seed=4)(ids)[0])


def test_extracted_table_is_a_plain_tensor(bert):
    wrapper = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    buffer = io.BytesIO()
    torch.save(wrapper.get_code_embeddings(), buffer)
    buffer.seek(0)
    table = torch.load(buffer, weights_only=True)
    np.testing.assert_array_equal(table.numpy(), wrapper.get_code_embeddings().numpy())
