"""Reference numbers of the cehrbert package: records, tokens, batches, outputs, losses, gradients. Its data side needs more
than the environment of tools/test_cehrbert.sh has; lay it over:

    .venv-cehrbert/bin/python -m pip install --no-deps --target FOLDER cehrbert_data==0.2.3 pandas==2.2.3 datasets==3.6.0 \\
        python-dateutil==2.9.0.post0 pytz==2025.2 tzdata==2025.2 six==1.17.0 dill==0.3.8 multiprocess==0.70.16 \\
        xxhash==3.5.0 meds==0.3.3 pyarrow==21.0.0 scipy==1.12.0 femr==0.2.4
    PYTHONPATH=FOLDER .venv-cehrbert/bin/python tests/reference/make_cehrbert.py

Pins: cehrbert 1.5.0, transformers 4.45.0, torch 2.13.0 and these; random weights, eval mode, fp32, CPU. pyspark, which
cehrbert_data imports and nothing here uses, is a stand-in. Writes bert/b_cehrbert:

  raw_patients.json            12 made-up patients: visits and their events, an empty visit, events without a time, repeats
  expected_records.json        what MedToCehrBertDatasetMapping makes of them, for six settings
  expected_att_tokens.json     days -> time token, for each scheme
  expected_tokenized.json      ids and normalised values of the default records
  batches.safetensors, batches.json, batch_packed.safetensors   padded (tail.*, cut to 64 in tail_long.*), masked, packed
  pretrain_vp0, pretrain_vp1 (with value prediction), classifier, lstm_classifier   folders as the package saves them
  expected.safetensors         <folder>.<batch>.<output>, <folder>.[mlm.]grad.<parameter>
"""

import copy
import sys
import types
from unittest import mock

for module in ("pyspark", "pyspark.sql", "pyspark.sql.functions", "pyspark.sql.types", "pyspark.sql.window"):
    sys.modules[module] = mock.MagicMock()

import datasets
import numpy as np
import torch
from cehr_patients import as_package, make_patients
from cehrbert.data_generators.hf_data_generator.hf_dataset_collator import (CehrBertDataCollator,
                                                                             SamplePackingCehrBertDataCollator)
from cehrbert.data_generators.hf_data_generator.hf_dataset_mapping import (HFTokenizationMapping,
                                                                            MedToCehrBertDatasetMapping)
from cehrbert.models.hf_models.config import CehrBertConfig
from cehrbert.models.hf_models.hf_cehrbert import (CehrBertForClassification, CehrBertForPreTraining,
                                                   CehrBertLstmForClassification)
from cehrbert.models.hf_models.tokenization_hf_cehrbert import CehrBertTokenizer
from cehrbert_data.decorators.patient_event_decorator_base import get_att_function
from safetensors.torch import save_file
from saving import HERE, perturbed, write_json

FOLDER = HERE / "bert/b_cehrbert"
MAX_LENGTH = 64
SHORT, LONG = [0, 1, 2, 5], [3, 4, 8]
DEFAULT = dict(att_function_type="cehr_bert", include_auxiliary_token=False, inpatient_att_function_type="none",
               include_demographic_prompt=False)
SETTINGS = {
    "default": {}, "aux_demo": dict(include_auxiliary_token=True, include_demographic_prompt=True),
    "day_inpday": dict(att_function_type="day", inpatient_att_function_type="day"),
    "week": dict(att_function_type="week"), "month": dict(att_function_type="month"), "mix": dict(att_function_type="mix"),
}
DAYS = [-400, -1, 0, 1, 6, 7, 8, 13, 14, 27, 28, 29, 30, 31, 59, 60, 359, 360, 361, 719, 720, 1079, 1080, 1081, 5000]
INPUTS = ["input_ids", "attention_mask", "ages", "dates", "visit_concept_orders", "concept_values", "concept_value_masks",
          "visit_segments"]
AGES = torch.tensor([[41.0], [63.0], [30.0], [77.0]])
LABELS = torch.tensor([[1.0], [0.0], [0.0], [1.0]])


def make_records(patients):
    records = {}
    for name, changes in SETTINGS.items():
        mapping = MedToCehrBertDatasetMapping(types.SimpleNamespace(**{**DEFAULT, **changes}))
        records[name] = [mapping.transform(as_package(patient)) for patient in patients]
    return records


def train_tokenizer(records):
    """Statistics of the labs are merged from parts of four patients."""
    arguments = types.SimpleNamespace(vocab_size=1000, min_frequency=0, streaming=False, preprocessing_batch_size=4,
                                      preprocessing_num_workers=None, offline_stats_capacity=100, value_outlier_std=3.0)
    rows = datasets.Dataset.from_list(records)
    names = {concept: concept for record in records for concept in record["concept_ids"]}
    return CehrBertTokenizer.train_tokenizer(rows, ["concept_ids"], names, arguments)


def tokenize(tokenizer, record):
    arrays = {name: np.array(value) if isinstance(value, list) else value for name, value in record.items()}
    arrays["concept_ids"] = record["concept_ids"]
    tokens = HFTokenizationMapping(tokenizer, is_pretraining=True).transform(arrays)
    names = ["input_ids", "ages", "dates", "visit_concept_orders", "concept_values", "concept_value_masks", "visit_segments",
             "labels"]
    return {name: np.asarray(tokens[name]).tolist() for name in names}


def without_labels(rows):
    return [{name: value for name, value in row.items() if name != "labels"} for row in rows]


def make_batches(tokenizer, rows):
    tail = CehrBertDataCollator(tokenizer, MAX_LENGTH, is_pretraining=False)
    masked = CehrBertDataCollator(tokenizer, MAX_LENGTH, is_pretraining=True)
    batches = {"tail": tail(without_labels([rows[i] for i in SHORT])), "tail_long": tail(without_labels([rows[i] for i in LONG]))}
    torch.manual_seed(31)
    batches["mlm"] = masked([rows[i] for i in SHORT])
    pack = SamplePackingCehrBertDataCollator(400, MAX_LENGTH, tokenizer, 400, is_pretraining=False)
    examples = [{**row, "person_id": 1000 + i, "index_date": 0.0, "age_at_index": float(AGES[place]),
                 "classifier_label": float(LABELS[place])}
                for place, (i, row) in enumerate(zip(SHORT, without_labels([rows[i] for i in SHORT])))]
    packed = pack(examples)
    packed["person_id"] = packed["person_id"].to(torch.int32)
    return batches, packed


def inputs_of(batch):
    return {name: batch[name] for name in INPUTS}


def write_model(name, kind, tokenizer, **settings):
    config = CehrBertConfig(vocab_size=tokenizer.vocab_size, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                            intermediate_size=64, n_time_embd=16, max_position_embeddings=MAX_LENGTH,
                            sample_packing_max_positions=MAX_LENGTH, lab_token_ids=tokenizer.lab_token_ids,
                            cls_token_id=tokenizer.cls_token_index, **settings)
    torch.manual_seed(41)
    model = perturbed(kind(config), 41).eval()
    if hasattr(model, "age_batch_norm"):
        model.age_batch_norm.running_mean.fill_(50)
        model.age_batch_norm.running_var.fill_(150)
    model.save_pretrained(FOLDER / name)
    tokenizer.save_pretrained(FOLDER / name)
    return model


def run(model, batch, **more):
    """A forward pass, with what the embedding layer gave."""
    seen = []
    hook = model.bert.cehr_bert_embeddings.register_forward_hook(lambda _m, _i, output: seen.append(output.detach().clone()))
    output = model(**inputs_of(batch), **more)
    hook.remove()
    return output, seen[0]


def gradients(model, loss, prefix):
    model.zero_grad()
    loss.backward()
    return {prefix + name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}


def numbers_of_pretraining(name, model, batches, packed):
    out = {}
    with torch.no_grad():
        for key in ("tail", "tail_long"):
            output, embedded = run(model, batches[key], output_attentions=True)
            out.update({f"{name}.{key}.last_hidden_state": output.last_hidden_state, f"{name}.{key}.pooler": output.pooler_output,
                        f"{name}.{key}.logits": output.prediction_logits})
            if key == "tail":
                out[f"{name}.tail.embedding_output"] = embedded
                out.update({f"{name}.tail.attn{i}": attention for i, attention in enumerate(output.attentions)})
        bare = {**batches["tail"], "concept_values": None, "concept_value_masks": None}
        out[f"{name}.tail.novalues.last_hidden_state"] = run(model, bare)[0].last_hidden_state
        out[f"{name}.packed.last_hidden_state"] = run(model, packed)[0].last_hidden_state
    output, _ = run(model, batches["mlm"], labels=batches["mlm"]["labels"])
    out.update({f"{name}.mlm.last_hidden_state": output.last_hidden_state, f"{name}.mlm.logits": output.prediction_logits,
                f"{name}.mlm.loss": output.loss})
    if model.config.include_value_prediction:
        out[f"{name}.mlm.predicted_values"] = model.concept_value_decoder_layer(output.last_hidden_state)
    out.update(gradients(model, output.loss, f"{name}.mlm.grad."))
    return out


def numbers_of_classifier(name, model, batches, packed):
    output, _ = run(model, batches["tail"], age_at_index=AGES, classifier_label=LABELS)
    out = {f"{name}.eval.logits": output.logits, f"{name}.eval.loss": output.loss}
    out.update(gradients(model, output.loss, f"{name}.grad."))
    with torch.no_grad():
        if name == "classifier":
            more = {key: packed[key] for key in ("age_at_index", "classifier_label")}
            out[f"{name}.packed.logits"] = run(model, packed, **more)[0].logits
        # Of a copy: after a batch of one the package leaves the batch norm in training mode.
        one = {key: value[:1] for key, value in inputs_of(batches["tail"]).items()}
        out[f"{name}.eval_b1.logits"] = run(copy.deepcopy(model), one, age_at_index=AGES[:1])[0].logits
    return out


def main():
    patients = make_patients()
    records = make_records(patients)
    write_json(FOLDER / "raw_patients.json", patients)
    write_json(FOLDER / "expected_records.json", records)
    schemes = {name: get_att_function(name) for name in ("cehr_bert", "day", "week", "month", "mix")}
    write_json(FOLDER / "expected_att_tokens.json",
               {"days": DAYS, **{name: [token(days) for days in DAYS] for name, token in schemes.items()}})
    tokenizer = train_tokenizer(records["default"])
    rows = [tokenize(tokenizer, record) for record in records["default"]]
    write_json(FOLDER / "expected_tokenized.json", rows)
    assert all(len(rows[i]["input_ids"]) < MAX_LENGTH for i in SHORT) and all(len(rows[i]["input_ids"]) > 80 for i in LONG)
    batches, packed = make_batches(tokenizer, rows)
    save_file({f"{key}.{name}": batch[name].contiguous() for key, batch in batches.items()
               for name in [*INPUTS, *(["labels"] if key == "mlm" else [])]}, FOLDER / "batches.safetensors")
    save_file(packed, FOLDER / "batch_packed.safetensors")
    write_json(FOLDER / "batches.json", {"tail": SHORT, "tail_long": LONG, "mlm": SHORT, "max_length": MAX_LENGTH})
    out = {"clf.labels": LABELS, "clf.age_at_index": AGES}
    for name, settings in (("pretrain_vp0", {}), ("pretrain_vp1", {"include_value_prediction": True})):
        model = write_model(name, CehrBertForPreTraining, tokenizer, **settings)
        out.update(numbers_of_pretraining(name, model, batches, packed))
    for name, kind in (("classifier", CehrBertForClassification), ("lstm_classifier", CehrBertLstmForClassification)):
        out.update(numbers_of_classifier(name, write_model(name, kind, tokenizer), batches, packed))
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in out.items()}, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
