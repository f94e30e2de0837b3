"""Reference numbers of femr 0.2.4's transformer and of its compute_features, after make_motor.py.

    .venv-femr/bin/python tests/reference/make_motor_models.py

Pins: tests/femr/requirements.txt; fp32, one thread. Writes

  motor/model_main, motor/model_main_allattn   femr as it is (even layers hawk, odd ones attention), and with attention in
                                               all layers: what model_numbers.py says
  motor/tutorial/motor_model                   a bundle as femr saves it, with main_split.csv (carriage returns and all)
  motor/tutorial/labels.parquet, motor/features/labels_multi.parquet   one and three labels a subject
  motor/features/motor_model_*.npz             rows of compute_features in femr's order, for several tokens per batch;
                                               motor_model_tpb128_batch_i.npz: the inputs behind the first rows
"""

import datetime
import pathlib
import random
import tempfile

import femr.models.config
import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.models.transformer
import femr.splits
import meds_reader
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from make_motor import open_ontology
from model_numbers import read_batches, read_task, write_numbers
from saving import MOTOR, convert, flatten, perturbed, write_npz

SHAPE = dict(hidden_size=32, intermediate_size=64, n_heads=4, attention_width=32, use_bias=False, hidden_act="swiglu",
             use_normed_ages=True, is_hierarchical=True)


def model_of(task, n_layers, vocab_size, seed, **shape):
    torch.manual_seed(seed)
    config = femr.models.config.FEMRModelConfig.from_transformer_task_configs(
        femr.models.config.FEMRTransformerConfig(vocab_size=vocab_size, n_layers=n_layers, **{**SHAPE, **shape}),
        task.get_task_config())
    return perturbed(femr.models.transformer.FEMRModel(config), seed)


def make_model(name):
    task = femr.models.tasks.MOTORTask(*read_task(MOTOR / "g60/motor_task.json"))
    processor = femr.models.processor.FEMRBatchProcessor(None, task=task)
    # With this seed the hundred steps lead to the same weights from weights that differ by rounding.
    write_numbers(model_of(task, 4, 512, 20252), [processor.collate(row) for row in read_batches(MOTOR / "g60/batches_seeded")],
                  MOTOR / name)


def make_attention_only():
    layer = femr.models.transformer.FEMREncoderLayer
    original = layer.__init__
    layer.__init__ = lambda self, config, use_hawk=False: original(self, config, False)
    make_model("model_main_allattn")
    layer.__init__ = original


def write_labels(database, path, per_subject):
    draw = random.Random(per_subject)
    labels = []
    for subject_id in sorted(database):
        events = database[subject_id].events
        times = [event.time for event in events if event.time is not None]
        for _ in range(per_subject):
            if per_subject == 1:
                time = times[-1]
            elif draw.random() < 0.05:
                time = times[0] - datetime.timedelta(days=9)  # before the first event
            else:
                time = draw.choice(times[3:])
            hours = draw.choice([0, 5, 24 * 400])
            labels.append({"subject_id": subject_id, "prediction_time": time + datetime.timedelta(hours=hours),
                           "boolean_value": draw.random() < 0.5})
    schema = pa.schema([("subject_id", pa.int64()), ("prediction_time", pa.timestamp("us" if per_subject == 1 else "ns")),
                        ("boolean_value", pa.bool_())])
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(labels, schema), path)
    return labels


def make_bundle(folder):
    """A model for the codes and tasks of the tutorial cohort."""
    task = femr.models.tasks.MOTORTask(*read_task(MOTOR / "tutorial/motor_task.json"))
    tokenizer = femr.models.tokenizer.HierarchicalTokenizer.from_pretrained(str(MOTOR / "tutorial/tokenizer"))
    model = model_of(task, 2, tokenizer.vocab_size, 77)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(str(folder))
    femr.splits.SubjectSplit.load_from_csv(str(MOTOR / "tutorial/split.csv")).save_to_csv(str(folder / "main_split.csv"))


def write_features(database, ontology, bundle, labels, tokens_per_batch, name):
    features = femr.models.transformer.compute_features(database, str(bundle), labels, num_proc=4, ontology=ontology,
                                                        tokens_per_batch=tokens_per_batch)
    write_npz(MOTOR / f"features/motor_model_{name}.npz", features)


def write_label_batches(database, ontology, bundle, labels):
    tokenizer = femr.models.tokenizer.HierarchicalTokenizer.from_pretrained(str(bundle), ontology=ontology)
    task = femr.models.tasks.LabeledSubjectTask(labels)
    processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task=task)
    batches = processor.convert_dataset(database, tokens_per_batch=128, min_subjects_per_batch=1, num_proc=4)
    batches.set_format("pt")
    for i in range(3):
        write_npz(MOTOR / f"features/motor_model_tpb128_batch_{i}.npz", flatten(batches[i]))


def make_features(scratch):
    tutorial = MOTOR / "tutorial"
    bundle = tutorial / "motor_model"
    make_bundle(bundle)
    convert(tutorial / "meds", scratch / "database")
    ontology = open_ontology()
    torch.cuda.synchronize = lambda *_: None  # compute_features waits for a device, also where there is none
    with meds_reader.SubjectDatabase(str(scratch / "database"), num_threads=1) as database:
        ontology.prune_to_dataset(database, prune_all_descriptions=False, remove_ontologies={"SPL", "HemOnc"})
        labels = write_labels(database, tutorial / "labels.parquet", 1)
        several = write_labels(database, MOTOR / "features/labels_multi.parquet", 3)
        for size in (128, 1024):
            write_features(database, ontology, bundle, labels, size, f"tpb{size}")
        for size in (8, 128):
            write_features(database, ontology, bundle, several, size, f"multi_tpb{size}")
        write_label_batches(database, ontology, bundle, labels)


def main():
    torch.set_num_threads(1)
    make_model("model_main")
    make_attention_only()
    with tempfile.TemporaryDirectory() as scratch:
        make_features(pathlib.Path(scratch))


if __name__ == "__main__":
    main()
