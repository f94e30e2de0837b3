"""What every module does when it is moved, converted, copied and pickled."""

import copy
import pickle

import pytest
import sequela
import torch

IDS = torch.tensor([[3, 4, 0]])


def progression():
    return sequela.LSTMProgressionModel(20, 8, 6, 10, 3)


@pytest.fixture
def wrapper(bert):
    return sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")


@pytest.mark.parametrize("convert", [torch.nn.Module.half, torch.nn.Module.bfloat16])
def test_half_precision_is_refused_with_the_remedy(wrapper, convert):
    remedies = {wrapper: "precision='bf16'", progression(): "use_bf16=True", sequela.SurvivalLSTM(20): "float32"}
    for module, remedy in remedies.items():
        with pytest.raises(sequela.ConfigError, match=remedy):
            convert(module)
        assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}


def test_an_encoder_stays_where_there_are_values_in_float32(wrapper):
    holder = torch.nn.ModuleDict({"encoder": wrapper})
    for convert in (lambda m: m.to("meta"), lambda m: m.double()):
        with pytest.raises(sequela.ConfigError, match="BertEncoder") as caught:
            convert(holder)
        assert "\n" not in str(caught.value) and "Fix:" in str(caught.value)
    assert wrapper.to("cpu").float().encode_visit(IDS).shape == (1, wrapper.embed_dim)


def test_double_precision_of_a_progression_model():
    torch.manual_seed(0)
    model = progression().eval()
    single = model(IDS[None])[0]
    torch.testing.assert_close(model.double()(IDS[None])[0].float(), single)


def test_inputs_elsewhere_or_of_another_type(wrapper):
    for encode in (wrapper.encode_visit, wrapper.encode_codes, wrapper.model):
        with pytest.raises(sequela.ConfigError, match="meta"):
            encode(IDS.to("meta"))
        with pytest.raises(TypeError, match="list"):
            encode([[1, 2]])
        with pytest.raises(TypeError, match="ndarray"):
            encode(IDS.numpy())


def test_assigned_weights_of_another_type(wrapper):
    state = {name: tensor.bfloat16() for name, tensor in wrapper.state_dict().items()}
    wrapper.load_state_dict(state, assign=True)
    with pytest.raises(sequela.ConfigError, match="bfloat16"):
        wrapper.encode_visit(IDS)


def test_state_dicts_round_trip(wrapper, bert):
    other = sequela.CEHRBERTWrapper.from_pretrained(bert / "model_st")
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.1)
    assert not torch.equal(other.encode_visit(IDS), wrapper.encode_visit(IDS))
    other.load_state_dict(wrapper.state_dict())
    assert torch.equal(other.encode_visit(IDS), wrapper.encode_visit(IDS))
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_copies(wrapper, bert, again):
    copied = again(wrapper)
    assert torch.equal(copied.encode_visit(IDS), wrapper.encode_visit(IDS))
    assert len(copied.tokenizer) == 500
    with torch.no_grad():
        copied.model.word_embeddings.weight.zero_()
    assert wrapper.get_code_embeddings().abs().sum() > 0
    model = progression().eval()
    assert torch.equal(again(model)(IDS[None])[0], model(IDS[None])[0])
    mapper = sequela.VocabularyMapper(bert / "model_st" / "vocab.json")
    assert again(mapper).map_code("no such code") == mapper.unk_id
    preset = sequela.progression_preset("small")
    preset.batch_size = 7
    assert again(preset).batch_size == 7
    assert again(preset).config.num_parameters == preset.config.num_parameters


def test_a_copied_config_has_every_field(reference):
    """As the settings that only CEHR-BERT has."""
    folder = reference / "bert" / "b_cehrbert" / "pretrain_vp1"
    config = sequela.BertEncoder.from_pretrained(folder).config
    config.time_embedding_scaling_factor, config.lab_token_ids = 12.5, [7, 8]
    for copied in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert copied is not config
        for name in (name for name in dir(config) if not name.startswith("_")):
            assert getattr(copied, name) == getattr(config, name), name


def test_autocast_changes_nothing(wrapper):
    torch.manual_seed(0)
    model = progression().eval()
    survival = sequela.SurvivalLSTM(20, 8, 10).eval()
    calls = (lambda: wrapper.encode_visit(IDS), lambda: model(IDS[None])[0], lambda: survival(IDS[None]))
    for call in calls:
        plain = call()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = call()
        assert torch.equal(cast, plain)
        cast.sum().backward()


def test_threads_share_an_encoder(wrapper):
    from concurrent.futures import ThreadPoolExecutor

    with torch.no_grad():
        wanted = wrapper.encode_visit(IDS)

    def encode(_):
        with torch.no_grad():
            return wrapper.encode_visit(IDS)

    with ThreadPoolExecutor(4) as pool:
        assert all(torch.equal(state, wanted) for state in pool.map(encode, range(40)))
