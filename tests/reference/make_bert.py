"""Reference numbers of transformers' BertModel, BertForMaskedLM and WordPiece.

    .venv-cehrbert/bin/python tests/reference/make_bert.py

Pins: transformers 4.45.0, tokenizers 0.20.3, torch 2.13.0; random weights, eval mode, fp32, CPU. Writes

  bert/a_bert           one small BERT in every form of a folder that is in use, with vocabularies of made-up codes
      inputs.safetensors, expected.safetensors
                        model.*  what transformers gives; good.*  visits pooled over the unmasked positions (no code: zeros;
                        cls: the first unmasked position), codes in context with the padding masked
  bert/c_clinicalbert   WordPiece folders (wordpieces.py) and the states of a small BERT for their strings
"""

import copy
import json
import shutil

import torch
from safetensors.torch import save_file
from saving import HERE, perturbed
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining, BertModel, PreTrainedTokenizerFast
from wordpieces import make_clinical

FOLDER = HERE / "bert/a_bert"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NUM_CODES = 500
CONFIG = dict(vocab_size=NUM_CODES, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64,
              max_position_embeddings=128)
ZEROS = [0, 0, 0]
INPUTS = {
    "code1": [42, 123, 456],
    "code1_one": [17],
    "code2": [[42, 123, 456, 7, 9, 11, 499], [5, 6, 0, 0, 0, 0, 0], [77, 88, 99, 100, 0, 0, 0]],
    "code2_b1": [[42, 123, 456, 0, 0]],
    "visits": [[42, 123, 456, *ZEROS], [5, 0, 0, *ZEROS], [9, 8, 7, 6, 499, 77], [*ZEROS, *ZEROS], [31, 0, 32, 0, 33, 0]],
    "vmask": [[1, 1, 0, *ZEROS], [1, 0, 0, *ZEROS], [1, 1, 1, 1, 1, 0], [*ZEROS, *ZEROS], [1, 0, 1, 0, 1, 0]],
    "pat": [[[42, 123, 0, 0], [7, 8, 9, 10], [0, 0, 0, 0]], [[499, 0, 0, 0], [5, 5, 5, 0], [6, 7, 0, 0]]],
    "pmask": [[[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]], [[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 0, 0]]],
}


def make_codes():
    systems = ["ICD10:K{}.{}", "LOINC:{}-{}", "RXNORM:{}{}", "CPT:{}{}"]
    return SPECIAL + [systems[i % 4].format(1000 + 7 * i, i % 10) for i in range(NUM_CODES - len(SPECIAL))]


def write_vocabularies(folder, codes):
    """The same ids in every form; in the shuffled dict a code's place is not its id."""
    shuffled = sorted(enumerate(codes), key=lambda item: item[1][::-1])
    (folder / "vocab.json").write_text(json.dumps(codes))
    (folder / "vocab.txt").write_text("".join(code + "\n" for code in codes))
    (folder / "vocab_dict.json").write_text(json.dumps({code: i for i, code in enumerate(codes)}))
    (folder / "vocab_dict_shuffled.json").write_text(json.dumps({code: i for i, code in shuffled}))
    tokenizer = Tokenizer(WordLevel({code: i for i, code in enumerate(codes)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)


def rename_old(name):
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def mapper_of(codes):
    """Ids of a few codes in every file, and the share of them that it has."""
    asked = ["[PAD]", codes[42], codes[123], "NOPE", "[UNK]", codes[499]]
    entry = {"codes": asked, "right_ids": [0, 42, 123, 1, 1, 499], "seed_coverage": 5 / 6, "coverage_empty": 0.0}
    return {name: entry for name in ("vocab.json", "vocab_dict.json", "vocab_dict_shuffled.json")}


def views_of_one_storage(tensors):
    """Each tensor as a view of one long one; the first matrix not even contiguous."""
    sizes = [tensor.numel() for tensor in tensors.values()]
    storage = torch.zeros(sum(sizes) + 3)
    start, views = 3, {}
    for number, (name, tensor) in enumerate(tensors.items()):
        part = storage[start:start + tensor.numel()]
        view = part.view(tensor.shape[::-1]).t() if number == 0 else part.view(tensor.shape)
        view.copy_(tensor)
        views[name] = view
        start += tensor.numel()
    return views


def write_folders(model, masked, codes):
    """Loading any of them gives the weights of `model`."""
    for name, saved, settings in [
            ("model_st", model, {}), ("model_bin", model, {"safe_serialization": False}), ("mlm_st", masked, {}),
            ("mlm_bin", masked, {"safe_serialization": False}), ("bare", model, {}),
            ("sharded_st", model, {"max_shard_size": "60KB"}),
            ("sharded_bin", model, {"max_shard_size": "60KB", "safe_serialization": False})]:
        saved.save_pretrained(FOLDER / name, **settings)
    weights = FOLDER / "bare/model.safetensors"  # the same bytes as model_st's: a link
    weights.unlink()
    weights.symlink_to("../model_st/model.safetensors")
    write_vocabularies(FOLDER / "model_st", codes)
    write_vocabularies(FOLDER / "model_bin", codes)
    for dtype in ("float16", "bfloat16"):
        copy.deepcopy(model).to(getattr(torch, dtype)).save_pretrained(FOLDER / f"model_{dtype}_st")
    pretraining = BertForPreTraining(model.config)
    pretraining.bert.load_state_dict(model.state_dict())
    old = {rename_old(name): tensor for name, tensor in pretraining.state_dict().items()}
    old["bert.embeddings.position_ids"] = torch.arange(CONFIG["max_position_embeddings"])[None]
    for name, tensors, zipped in [("old_gamma_beta_legacy_bin", old, False),
                                  ("views_bin", views_of_one_storage(model.state_dict()), True)]:
        (FOLDER / name).mkdir(exist_ok=True)
        model.config.save_pretrained(FOLDER / name)
        torch.save(tensors, FOLDER / name / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    (FOLDER / "expected_vocab_mapper.json").write_text(json.dumps(mapper_of(codes)) + "\n")
    (FOLDER / "vocab_no_unk.json").write_text(json.dumps([code for code in codes if code != "[UNK]"]))


def pool(hidden, mask, pooling):
    """[B, L, H] -> [B, H] over the positions of the mask."""
    rows = []
    for states, row in zip(hidden, mask.bool()):
        states = states[row]
        if len(states) == 0:
            rows.append(torch.zeros(hidden.shape[-1]))
        else:
            rows.append({"mean": states.mean(0), "max": states.max(0).values, "cls": states[0]}[pooling])
    return torch.stack(rows)


def encode_visits(model, ids, mask, pooling):
    return pool(model(ids, attention_mask=mask).last_hidden_state, mask, pooling)


def expected_of(model, masked, inputs):
    table = model.embeddings.word_embeddings.weight
    out = {"model.get_code_embeddings": table}
    visits, patients = inputs["visits"], inputs["pat"]
    output = model(visits, attention_mask=(visits != 0).long(), output_hidden_states=True)
    out["model.hidden.visits"], out["model.pooler.visits"] = output.last_hidden_state, output.pooler_output
    for layer, states in enumerate(output.hidden_states):
        out[f"model.hidden_states.{layer}"] = states
    out["mlm.logits.visits"] = masked(visits, attention_mask=(visits != 0).long()).logits
    for name in ("code1", "code1_one", "code2", "code2_b1"):
        out[f"good.encode_codes.{name}"] = table[inputs[name]]
    for name, key in (("code1", "model"), ("code2", "good")):
        ids = inputs[name].reshape(-1, inputs[name].shape[-1])
        output = model(ids, attention_mask=(ids != 0).long(), output_attentions=True)
        out[f"{key}.encode_codes_attn.{name}.hidden"] = output.last_hidden_state
        for layer, attention in enumerate(output.attentions):
            out[f"{key}.encode_codes_attn.{name}.attn{layer}"] = attention
    flat = patients.reshape(-1, patients.shape[-1])
    for pooling in ("mean", "cls", "max"):
        for key, mask, patient_mask in (("nomask", (visits != 0).long(), (patients != 0).long()),
                                        ("mask", inputs["vmask"], inputs["pmask"])):
            out[f"good.encode_visit.{pooling}.{key}"] = encode_visits(model, visits, mask, pooling)
            rows = encode_visits(model, flat, patient_mask.reshape(flat.shape), pooling)
            out[f"good.encode_patient.{pooling}.{key}"] = rows.reshape(*patients.shape[:2], -1)
    for dtype in ("float16", "bfloat16"):
        wide = copy.deepcopy(model).to(getattr(torch, dtype)).float()
        out[f"{dtype}_upcast.hidden.visits"] = wide(visits, attention_mask=(visits != 0).long()).last_hidden_state
    return {name: tensor.clone().contiguous() for name, tensor in out.items()}


def main():
    torch.manual_seed(11)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    masked = perturbed(BertForMaskedLM(BertConfig(**CONFIG)), 11).eval()
    model = BertModel(masked.config)
    perturbed(model, 12)  # the pooler
    model.load_state_dict(masked.bert.state_dict(), strict=False)
    model.eval()
    codes = make_codes()
    inputs = {name: torch.tensor(value) for name, value in INPUTS.items()}
    with torch.no_grad():
        write_folders(model, masked, codes)
        save_file(inputs, FOLDER / "inputs.safetensors")
        save_file(expected_of(model, masked, inputs), FOLDER / "expected.safetensors")
    make_clinical(HERE / "bert/c_clinicalbert")


if __name__ == "__main__":
    main()
