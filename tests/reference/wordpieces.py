"""WordPiece folders for make_bert.py: a small vocabulary made from the strings' own words and pieces.

uncased and cased as saved by transformers; cased_vocab_no_config has vocab.txt and config.json alone, and is lower-cased, as
BertTokenizer does by default. expected_ids.json holds ids, tokens and character spans of the fast tokenizer, which must
agree with the slow one.
"""

import json
import re
import shutil

import torch
from safetensors.torch import save_file
from saving import perturbed
from transformers import BertConfig, BertModel, BertTokenizer, BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
STRINGS = [
    "", " \t ", "Patient denies chest pain.", "PATIENT DENIES CHEST PAIN", "Sj\u00f6gren's disease, Guillain-Barr\u00e9",
    "M\u00e9ni\u00e8re\u2019s na\u00efve caf\u00e9", "BP 142/88, HR 96; SpO2 91%", "K+ 5.1 mEq/L Na\u207a 138", "HbA1c\u22657.5%",
    "37.8\u00b0C \u00b1 0.2", "5 \u00b5g vs 5 \u03bcg", "\u00bd tab PO q.d.", "Temp: 37.8\tC\n\nHR 96", "a\u00a0b\u2003c\u3000d",
    "zero\u200bwidth\u200djoin", "soft\u00adhyphen", "null\u0000byte bell\u0007 esc\u001b[31m", "replacement\ufffdchar",
    "\u60a3\u8005\u6709\u7cd6\u5c3f\u75c5", "\u7cd6\u5c3f\u75c5 type 2 \u60a3\u8005", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8",
    "\ud55c\uad6d\uc5b4 \ud658\uc790", "e\u0301cho \u00e9cho", "\u0130stanbul \u0131i", "Stra\u00dfe STRASSE", "\ufb01brillation \ufb02utter",
    "\u2162 \u2461 \u00b3 \u00b2", "electroencephalographically", "x" * 100, "x" * 101, "[CLS] not a token [SEP]",
    "[MASK] and [mask] [UNK]", "$100 ^caret `tick` ~tilde |pipe| <b>html</b>", "q6h/PRN\u2014hold if SBP<90\u2026",
    "\u201cquoted\u201d \u2018single\u2019 \u00abguillemets\u00bb", "\U0001f600 happy \U0001f469\u200d\u2695\ufe0f", "\ufeffBOM start",
    "\u202eRTL override\u202c", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u0645\u0631\u064a\u0636",
    "\u043f\u0430\u0446\u0438\u0435\u043d\u0442 \u0401\u043b\u043a\u0430", "\u03ac \u0386 \u1f70", "mg/dL, mmol/L, 10^9/L", "...!!!???",
    "A1C:9.2%(H)  LDL:160mg/dL [H]", "since 3 days", "chest pain since 3 days, denies fever", "patient", "unaffable \u0130", "a" * 30 + "b",
    "The patient was discharged home on aspirin 81 mg daily",
]
PIECES = ["##s", "##ing", "##ed", "##al", "##graph", "##ly", "electro", "##encephalo", "##ic", "##ren", "##brillation"]


def words_of(strings):
    """Every second word is whole in the vocabulary, the others must be put together from pieces."""
    words = sorted({word for text in strings for word in re.findall(r"\w+", text) if len(word) > 1 and word.isascii()})
    return words[::2] + ["patient", "denies", "chest", "pain", "Patient"]


def make_vocabulary(strings):
    letters = sorted({letter for text in strings for letter in text if letter.isprintable() and not letter.isspace()})
    # The slow tokenizer composes accents even where it keeps the case; without these two it makes no difference.
    letters = [letter for letter in letters if letter not in "\u0301\u00e9"]
    rare = [letter for letter in letters if ord(letter) > 0x2fff]
    letters = [letter for letter in letters if letter not in rare[::3]]
    singles = letters + ["##" + letter for letter in letters if letter.isalnum() and letter not in "qz"]
    return list(dict.fromkeys(SPECIAL + singles + PIECES + words_of(strings)))


def write_folder(folder, do_lower_case):
    strings = [text.lower() for text in STRINGS] + STRINGS if do_lower_case is not False else STRINGS
    vocabulary = make_vocabulary(strings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(token + "\n" for token in vocabulary), encoding="utf-8")
    if do_lower_case is not None:
        BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=do_lower_case, model_max_length=128).save_pretrained(folder)
        keep_few_settings(folder, do_lower_case)
    return len(vocabulary)


def keep_few_settings(folder, do_lower_case):
    settings = {"do_lower_case": do_lower_case, "model_max_length": 128, "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "special_tokens_map.json").unlink()


def tokenize(folder):
    fast = BertTokenizerFast.from_pretrained(folder)
    slow = BertTokenizer.from_pretrained(folder)
    expected = {"do_lower_case": slow.do_lower_case, "fast_input_ids": [], "tokens_fast": [], "offsets_fast": []}
    for text in STRINGS:
        encoded = fast(text, return_offsets_mapping=True)
        assert encoded["input_ids"] == slow(text)["input_ids"], (folder, text)
        expected["fast_input_ids"].append(encoded["input_ids"])
        expected["tokens_fast"].append(fast.convert_ids_to_tokens(encoded["input_ids"]))
        expected["offsets_fast"].append(encoded["offset_mapping"])
    pair = fast("chest pain", "since 3 days")
    expected["pair"] = {"input_ids": pair["input_ids"], "token_type_ids": pair["token_type_ids"]}
    return expected


def encode(folder):
    """States of a small BERT: mean over tokens, first state, pooler, and all states of the first eight strings."""
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=64, max_position_embeddings=128)
    torch.manual_seed(21)
    model = perturbed(BertModel(config), 21).eval()
    model.save_pretrained(folder)
    batch = tokenizer(STRINGS, padding=True, return_tensors="pt")
    output = model(batch["input_ids"], attention_mask=batch["attention_mask"])
    mask = batch["attention_mask"][:, :, None]
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"],
            "mean": (output.last_hidden_state * mask).sum(1) / mask.sum(1), "cls": output.last_hidden_state[:, 0].clone(),
            "pooler": output.pooler_output, "last_hidden_state_first8": output.last_hidden_state[:8].clone()}


def make_clinical(folder):
    shutil.rmtree(folder, ignore_errors=True)
    assert len(STRINGS) == 50
    expected = {}
    for name, do_lower_case in (("uncased", True), ("cased", False)):
        write_folder(folder / name, do_lower_case)
        expected[name] = tokenize(folder / name)
        with torch.no_grad():
            save_file(encode(folder / name), folder / f"expected_{name}.safetensors")
    bare = folder / "cased_vocab_no_config"
    bare.mkdir()
    for name in ("vocab.txt", "config.json"):
        shutil.copy(folder / "cased" / name, bare)
    expected[bare.name] = tokenize(bare)
    (folder / "strings.json").write_text(json.dumps(STRINGS, indent=0) + "\n")
    (folder / "expected_ids.json").write_text(json.dumps(expected, ensure_ascii=True, separators=(",", ":")) + "\n")
