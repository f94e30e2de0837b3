"""Reference files of Med-BERT: what its own preprocessing leaves, and a checkpoint as TensorFlow writes it. Both lie over the
environment of tools/test_cehrbert.sh:

    .venv-cehrbert/bin/python -m pip install --target FOLDER tensorflow-cpu==2.21.0 pandas==2.2.3 numpy==1.26.4
    git clone https://github.com/ZhiGroup/Med-BERT CLONE    (at 8aa6798)
    PYTHONPATH=FOLDER .venv-cehrbert/bin/python tests/reference/make_medbert.py CLONE

Pins: these, transformers 4.45.0, torch 2.13.0; random weights, eval mode, fp32, CPU. Writes bert/d_medbert:

  data_file.tsv                 a made-up table of 14 patients' diagnoses
  mb.types, mb.bencs.{train,valid,test}   pickles of Med-BERT, preprocess_pretrain_data.py; types.json and expected_bencs.json are the
                                same as JSON, rows by patient
  tf1_checkpoint/               tf.compat.v1's Saver, the variables named as Med-BERT names them, with some slots of Adam
  converted/                    pytorch_model.bin as transformers' load_tf_weights_in_bert reads that checkpoint; config.json as
                                Med-BERT's: no model_type, no architectures, no pad_token_id
  inputs.safetensors, expected.safetensors   fine-tuning layout (padded right, token types = visits from 1) and the states
                                with and without them, logits of both heads
"""

import datetime
import json
import os
import pathlib
import pickle
import random
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import torch
from safetensors.torch import save_file
from saving import HERE, perturbed, write_json
from transformers import BertConfig, BertForPreTraining
from transformers.models.bert.modeling_bert import load_tf_weights_in_bert

FOLDER = HERE / "bert/d_medbert"
MAX_LENGTH = 24
CONFIG = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=6, intermediate_size=16, hidden_act="gelu",
              hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, max_position_embeddings=64, type_vocab_size=50,
              initializer_range=0.02)


def make_table(path):
    """Visits of one to six diagnoses; the sixth patient has six visits and many diagnoses in the last."""
    draw = random.Random(13)
    codes = [f"ICD{9 + i % 2}_{100 + 7 * i}.{i % 9}" for i in range(70)]
    lines = ["patient_id\tvadate\tvddate\tdiag\tpoa\tdiagnosis_priority\tthird_party_ind"]
    for patient in range(1, 15):
        day = datetime.date(2010, 1, 1) + datetime.timedelta(days=draw.randrange(1500))
        num_visits = 6 if patient == 6 else draw.randrange(2, 6)
        for visit in range(num_visits):
            end = day + datetime.timedelta(days=draw.choice([0, 0, 1, 3, 9]))
            num_codes = 5 if patient == 6 and visit == 5 else draw.randrange(1, 5)
            for priority in range(num_codes):
                row = [patient, day, end, draw.choice(codes), draw.choice([0, 1, 6]), priority + 1, draw.randrange(2)]
                lines.append("\t".join(map(str, row)))
            day = end + datetime.timedelta(days=draw.randrange(5, 300))
    path.write_text("\n".join(lines) + "\n")


def preprocess(clone):
    """Their script, in a folder of its own as it appends to what is there. Gives code -> id and the rows by patient."""
    parts = ("train", "valid", "test")
    with tempfile.TemporaryDirectory() as folder:
        script = clone / "Pretraining Code/Data Pre-processing Code/preprocess_pretrain_data.py"
        subprocess.run([sys.executable, script, FOLDER / "data_file.tsv", "NA", "mb", "0"], cwd=folder, check=True)
        for name in ["mb.types", *(f"mb.bencs.{part}" for part in parts)]:
            (FOLDER / name).write_bytes((pathlib.Path(folder) / name).read_bytes())
    types = pickle.loads((FOLDER / "mb.types").read_bytes())
    rows = [row for part in parts for row in pickle.loads((FOLDER / f"mb.bencs.{part}").read_bytes())]
    rows = sorted([[int(row[0]), *row[1:]] for row in rows])
    write_json(FOLDER / "types.json", types)
    write_json(FOLDER / "expected_bencs.json", rows)
    return types, rows


def tf_name(name):
    """bert.encoder.layer.0.output.dense.weight -> bert/encoder/layer_0/output/dense/kernel"""
    name = name.replace("layer.", "layer_").replace(".", "/")
    name = name.replace("LayerNorm/weight", "LayerNorm/gamma").replace("LayerNorm/bias", "LayerNorm/beta")
    if name.endswith("_embeddings/weight"):
        return name.removesuffix("/weight")
    if name in ("cls/predictions/bias", "cls/seq_relationship/bias"):
        return name.removesuffix("bias") + "output_bias"
    if name == "cls/seq_relationship/weight":
        return "cls/seq_relationship/output_weights"
    return name.replace("dense/weight", "dense/kernel").replace("query/weight", "query/kernel").replace(
        "key/weight", "key/kernel").replace("value/weight", "value/kernel")


def write_checkpoint(model, folder):
    """Tied tensors once, kernels transposed, and of some variables the slots that Adam keeps."""
    folder.mkdir(parents=True, exist_ok=True)
    graph = tf.Graph()
    with graph.as_default():
        for name, value in model.named_parameters():
            array = value.detach().numpy()
            variable = tf_name(name)
            array = array.T if variable.endswith("/kernel") else array
            tf.compat.v1.get_variable(variable, initializer=np.ascontiguousarray(array))
            if "pooler" in name:
                for slot in ("adam_m", "adam_v"):
                    tf.compat.v1.get_variable(f"{variable}/{slot}", initializer=np.zeros_like(array))
        tf.compat.v1.get_variable("global_step", initializer=np.int64(100))
        with tf.compat.v1.Session(graph=graph) as session:
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.train.Saver().save(session, str(folder / "model.ckpt"), global_step=100, write_meta_graph=False)
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-100"\nall_model_checkpoint_paths: "model.ckpt-100"\n')


def write_config(folder, vocab_size):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"vocab_size": vocab_size, **CONFIG}, indent=1) + "\n")


def inputs_of(rows):
    ids, segments = (torch.zeros(len(rows), MAX_LENGTH, dtype=torch.long) for _ in range(2))
    for i, row in enumerate(rows):
        codes, visits = row[3][-MAX_LENGTH:], row[4][-MAX_LENGTH:]
        ids[i, :len(codes)], segments[i, :len(codes)] = torch.tensor(codes), torch.tensor(visits)
    return {"input_ids": ids, "token_type_ids": segments, "attention_mask": (ids != 0).long()}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_table(FOLDER / "data_file.tsv")
    types, rows = preprocess(pathlib.Path(sys.argv[1]))
    vocab_size = len(types)
    config = BertConfig(vocab_size=vocab_size, **CONFIG)
    torch.manual_seed(81)
    write_checkpoint(perturbed(BertForPreTraining(config), 81), FOLDER / "tf1_checkpoint")
    model = load_tf_weights_in_bert(BertForPreTraining(config), config, str(FOLDER / "tf1_checkpoint/model.ckpt-100")).eval()
    model.tie_weights()
    for name in ("converted", "tf1_checkpoint"):
        write_config(FOLDER / name, vocab_size)
    torch.save(model.state_dict(), FOLDER / "converted/pytorch_model.bin")
    inputs = inputs_of(rows)
    save_file(inputs, FOLDER / "inputs.safetensors")
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
        bare = model.bert(inputs["input_ids"], attention_mask=inputs["attention_mask"])
    save_file({"last_hidden_state": output.hidden_states[-1].contiguous(), "prediction_logits": output.prediction_logits,
               "seq_relationship_logits": output.seq_relationship_logits,
               "last_hidden_state_without_segments": bare.last_hidden_state}, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
