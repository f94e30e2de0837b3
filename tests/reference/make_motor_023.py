"""Reference numbers of femr 0.2.3, the last release with attention in all layers and with a flat tokenizer that runs, after
make_motor_models.py. It is laid over the environment of femr 0.2.4:

    .venv-femr/bin/python -m pip install --no-deps --target FOLDER femr==0.2.3 meds==0.1.3
    PYTHONHASHSEED=0 PYTHONPATH=FOLDER .venv-femr/bin/python tests/reference/make_motor_023.py

Pins: tests/femr/requirements.txt and these two; fp32, one thread. Writes

  motor/model_prehawk                        what model_numbers.py says, on the same batches; its one time column is the
                                             normalized age, time_data[:, 1] of 0.2.4
  motor/tutorial/flat_tokenizer_femr023      train_tokenizer(is_hierarchical=False) on all subjects
  motor/tutorial/clmbr_model                 a CLMBR bundle with a small one of these; without is_hierarchical in its config,
                                             as older bundles are
  motor/tutorial/clmbr_flat/batch_i.npz      the first pretraining batches of CLMBRTask(64) for that bundle's dictionary
  motor/model_clmbr_flat                     its numbers of CLMBR on batch 0 (model_numbers.py)
  motor/features/clmbr_model_tpb128_femr023.npz, clmbr_model_tpb128_batch_i.npz   rows of compute_features and the inputs
                                             behind the first ones

This femr knows MEDS 0.1 and calls the birth SNOMED/184099003.
"""

import itertools
import json
import os
import shutil

import datasets
import femr.index
import femr.models.config
import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.models.transformer
import meds
import numpy as np
import pyarrow.parquet as pq
import torch
from model_numbers import read_batches, read_task, write_next_code_numbers, write_numbers
from saving import MOTOR, flatten, perturbed, write_npz

TUTORIAL = MOTOR / "tutorial"
SHAPE = dict(hidden_size=32, intermediate_size=64, n_heads=4, attention_width=32)


def model_of(task, n_layers, seed, **shape):
    torch.manual_seed(seed)
    config = femr.models.config.FEMRModelConfig.from_transformer_task_configs(
        femr.models.config.FEMRTransformerConfig(n_layers=n_layers, **shape), task.get_task_config())
    return perturbed(femr.models.transformer.FEMRModel(config), seed)


def renamed(row):
    """A batch of 0.2.4 by the names of 0.2.3."""
    transformer = dict(row["transformer"])
    transformer["patient_lengths"] = transformer.pop("subject_lengths")
    transformer["normalized_ages"] = transformer.pop("time_data")[:, 1]
    return {**row, "patient_ids": row["subject_ids"], "transformer": transformer}


def make_prehawk():
    task = femr.models.tasks.MOTORTask(*read_task(MOTOR / "g60/motor_task.json"))
    processor = femr.models.processor.FEMRBatchProcessor(None, task=task)
    batches = [processor.collate([renamed(row)]) for [row] in read_batches(MOTOR / "g60/batches_seeded")]
    model = model_of(task, 4, 20252, vocab_size=512, is_hierarchical=True, use_bias=False, hidden_act="swiglu",
                     use_normed_ages=True, **SHAPE)
    write_numbers(model, batches, MOTOR / "model_prehawk")


def read_patients():
    """The tutorial's records as patients of MEDS 0.1: events are the measurements of one time."""
    rows = pq.read_table(TUTORIAL / "meds/data/0.parquet").to_pylist()
    patients = []
    for patient_id, events in itertools.groupby(rows, key=lambda row: row["subject_id"]):
        patient = {"patient_id": patient_id, "static_measurements": [], "events": []}
        for time, same in itertools.groupby(events, key=lambda row: row["time"]):
            codes = [meds.birth_code if row["code"] == "MEDS_BIRTH" else row["code"] for row in same]
            patient["events"].append({"time": time, "measurements": [
                {"code": code, "text_value": None, "numeric_value": None} for code in codes]})
        patients.append(patient)
    return datasets.Dataset.from_list(patients)


def make_clmbr(patients):
    """The bundle; a dictionary of the 128 entries with the greatest weight."""
    folder = TUTORIAL / "clmbr_model"
    model = model_of(femr.models.tasks.CLMBRTask(64), 2, 5, vocab_size=128, is_hierarchical=False, **SHAPE)
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    del config["transformer_config"]["is_hierarchical"]
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    femr.models.tokenizer.train_tokenizer(patients, 128).save_pretrained(str(folder))
    shutil.copy(TUTORIAL / "motor_model/main_split.csv", folder)
    return folder


def make_clmbr_pretraining(patients, bundle):
    """Targets, loss and gradients of pretraining, of another model with the bundle's dictionary."""
    folder = TUTORIAL / "clmbr_flat"
    task = femr.models.tasks.CLMBRTask(64)
    tokenizer = femr.models.tokenizer.FEMRTokenizer.from_pretrained(str(bundle))
    processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task=task)
    generator, np.random.default_rng = np.random.default_rng, lambda: generator(342342)
    batches = processor.convert_dataset(patients, tokens_per_batch=128)
    np.random.default_rng = generator
    batches.set_format("pt")
    for i in range(2):
        write_npz(folder / f"batch_{i}.npz", flatten(batches[i]))
    model = model_of(task, 2, 5, vocab_size=128, is_hierarchical=False, hidden_size=16, intermediate_size=32, n_heads=2,
                     attention_width=32)
    write_next_code_numbers(model, processor.collate([batches[0]]), MOTOR / "model_clmbr_flat")


def read_labels():
    return [{"patient_id": row["subject_id"], "prediction_time": row["prediction_time"], "boolean_value": True}
            for row in pq.read_table(TUTORIAL / "labels.parquet").to_pylist()]


def write_features(patients, bundle):
    transformer = femr.models.transformer
    config = transformer.FEMRModel.config_class.from_pretrained(bundle)
    config.transformer_config.is_hierarchical = False
    transformer.FEMRModel.from_pretrained = classmethod(lambda cls, path, task_config: load(cls(config, task_config=task_config), path))
    generator, np.random.default_rng = np.random.default_rng, lambda: generator(342342)  # 0.2.3 shuffles as it likes
    labels = read_labels()
    features = transformer.compute_features(patients, str(bundle), labels, tokens_per_batch=128)
    write_npz(MOTOR / "features/clmbr_model_tpb128_femr023.npz", features)
    task = femr.models.tasks.LabeledPatientTask(labels)
    tokenizer = femr.models.tokenizer.FEMRTokenizer.from_pretrained(str(bundle))
    processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task=task)
    patients = task.filter_dataset(patients, femr.index.PatientIndex(patients))
    batches = processor.convert_dataset(patients, tokens_per_batch=128, min_patients_per_batch=1)
    batches.set_format("pt")
    for i in range(2):
        write_npz(MOTOR / f"features/clmbr_model_tpb128_batch_{i}.npz", flatten(batches[i]))


def load(model, path):
    """What from_pretrained would do, were its transformers as old as femr 0.2.3."""
    from safetensors.torch import load_file

    model.load_state_dict({name: value for name, value in load_file(f"{path}/model.safetensors").items()
                           if not name.startswith("task_model.")}, strict=True)
    return model.eval()


def main():
    assert os.environ.get("PYTHONHASHSEED") == "0", "set PYTHONHASHSEED=0"
    torch.set_num_threads(1)
    make_prehawk()
    patients = read_patients()
    folder = TUTORIAL / "flat_tokenizer_femr023"
    femr.models.tokenizer.train_tokenizer(patients, 300).save_pretrained(str(folder))
    bundle = make_clmbr(patients)
    make_clmbr_pretraining(patients, bundle)
    write_features(patients, bundle)


if __name__ == "__main__":
    main()
