"""The code of ehr-sequencing's guide runs with only its imports changed.

Every ```python block of the guide is executed in its order, in a folder with checkpoints/cehrbert of
the sizes that the guide speaks of (20,000 codes, 768 wide). Blocks that define a class are the guide's own
implementation: their methods and arguments are compared with Sequela's instead.
"""

import ast
import inspect
import re

import pytest
import sequela
import torch

SIZES = dict(vocab_size=20_000, code_embed_dim=768, visit_embed_dim=64, hidden_dim=64, num_stages=5)


@pytest.fixture(scope="module")
def blocks(shared):
    text = next((shared / "seeds").glob("000_*")).read_text()
    return re.findall(r"```python\n(.*?)```", text, re.S)


def block(blocks, mark):
    found = [text for text in blocks if mark in text and not re.search(r"^class ", text, re.M)]
    assert len(found) == 1, mark
    return found[0]


def with_changed_imports(text):
    return re.sub(r"^from ehrsequencing[\w.]* import", "from sequela import", text, flags=re.M)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A folder with the guide's checkpoint in it."""
    folder = tmp_path_factory.mktemp("guide")
    config = sequela.BertConfig()
    config.vocab_size, config.hidden_size = 20_000, 768
    config.num_hidden_layers, config.intermediate_size = 2, 1024
    sequela.BertEncoder(config, seed=1).save_pretrained(folder / "checkpoints" / "cehrbert")
    return folder


@pytest.fixture(scope="module")
def guide(blocks, checkpoints):
    """Runs a block, found by a word in it, in the names that the blocks before left."""
    names = {"torch": torch, "nn": torch.nn}

    def run(mark, **more):
        names.update(more)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(checkpoints)
            exec(with_changed_imports(block(blocks, mark)), names)
        return names

    return run


def step(model, optimizer):
    """One training step; how much each parameter changed."""
    visits = torch.randint(1, 20_000, (2, 3, 4), generator=torch.Generator().manual_seed(0))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    stage_logits, _ = model.train()(visits, torch.zeros(2, 3, 2), visits != 0)
    loss = sequela.stage_loss(stage_logits, torch.tensor([[0, 1, 2], [3, 4, -100]]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {name: (parameter - before[name]).abs().max().item() for name, parameter in model.named_parameters()}


def test_in_the_guide_s_order(guide):
    names = guide("# Load pre-trained model")
    assert names["code_embeddings"].shape == (3, 768)
    assert names["visit_embedding"].shape == (1, 768)

    names = guide("# Replace embeddings with pre-trained")
    model, table = names["model"], names["pretrained_embeddings"]
    assert table.shape == (20_000, 768)
    assert model.encoder.code_embeddings.weight.data_ptr() == table.data_ptr()

    names = guide("# Allow gradients to flow through embeddings")
    changes = step(model, names["optimizer"])
    assert 0 < changes["encoder.code_embeddings.weight"] <= 1.1e-5
    assert changes["stage_classifier.weight"] == pytest.approx(1e-3, rel=0.1)

    names = guide("# Freeze embeddings (faster training")
    changes = step(model, names["optimizer"])
    assert changes["encoder.code_embeddings.weight"] == 0
    assert changes["stage_classifier.weight"] > 0

    names = guide("# 4. Extract embeddings once", config=sequela.progression_preset("small"))
    assert (names["config"].batch_size, names["config"].use_checkpoint) == (16, True)
    assert torch.equal(names["embeddings"], names["cehrbert"].get_code_embeddings())
    assert torch.equal(model.encoder.code_embeddings.weight, names["embeddings"])

    names = guide("# Check vocabulary size")
    assert model.encoder.code_embeddings.weight.shape == (20_000, 768)
    assert model(torch.tensor([[[19_999]]]))[0].shape == (1, 1, 5)


def test_evaluation(blocks, checkpoints, monkeypatch, capsys):
    """`LSTMProgressionModel(...)` of the guide gets sizes for its dots."""
    monkeypatch.chdir(checkpoints)
    generator = torch.Generator().manual_seed(0)
    visits = torch.randint(1, 20_000, (8, 3, 4), generator=generator)
    labels = torch.randint(0, 5, (8, 3), generator=generator)
    names = dict(
        LSTMProgressionModel=sequela.LSTMProgressionModel,
        evaluate=sequela.evaluate,
        test_data=[(visits, torch.zeros(8, 3, 2), visits != 0, labels)],
        sizes=SIZES,
    )
    exec(block(blocks, "results_pretrained").replace("(...)", "(**sizes)"), names)
    assert "Pre-trained AUC: 0." in capsys.readouterr().out
    table = sequela.CEHRBERTWrapper.from_pretrained("checkpoints/cehrbert").get_code_embeddings()
    assert torch.equal(names["model_pretrained"].encoder.code_embeddings.weight[1:], table[1:])


@pytest.mark.parametrize("name", ["CEHRBERTWrapper", "VocabularyMapper"])
def test_methods_and_arguments_are_the_guide_s(blocks, name):
    defined = [
        node
        for text in blocks
        if f"class {name}" in text
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    assert len(defined) == 1
    ours = getattr(sequela, name)
    for method in defined[0].body:
        if not isinstance(method, ast.FunctionDef):
            continue
        wanted = [argument.arg for argument in method.args.args if argument.arg not in ("self", "cls")]
        parameters = list(inspect.signature(getattr(ours, method.name)).parameters.values())
        given = [p.name for p in parameters if p.name != "self"]
        assert given[: len(wanted)] == wanted, method.name
        defaults = [ast.literal_eval(default) for default in method.args.defaults]
        own = [p.default for p in parameters if p.name in wanted[len(wanted) - len(defaults) :]]
        assert own == defaults, method.name


def test_every_block_is_tested(blocks):
    marks = ("Load pre-trained model", "Replace embeddings", "Allow gradients", "Freeze embeddings (faster")
    marks += ("4. Extract embeddings once", "Check vocabulary size", "results_pretrained", "\nclass ")
    assert all(any(mark in text for mark in marks) for text in blocks)
