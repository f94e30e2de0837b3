"""Reference numbers of CLMBR's next-code pretraining in femr 0.2.4, after make_motor_models.py.

    PYTHONHASHSEED=0 .venv-femr/bin/python tests/reference/make_clmbr.py

Pins: tests/femr/requirements.txt; fp32, one thread. femr's CLMBRTask takes events of one token alone, so the ontology has no
edges here, and the tutorial's records have no values. Its add_event lacks an argument that its processor gives: it is added.
Writes

  motor/tutorial/clmbr/dictionary.msgpack   HierarchicalTokenizer.train on the train part
  motor/tutorial/clmbr/batch_i.npz          the first batches of convert_dataset for CLMBRTask(64)
  motor/model_clmbr                         a model (hawk, attention): config.json, weights.safetensors, and for batch 0
                                            forward_out.safetensors (final_hidden, logits, loss) and grads.safetensors
"""

import collections
import os
import pathlib
import shutil
import tempfile

import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.splits
import meds_reader
import torch
from make_motor import open_ontology
from make_motor_models import model_of
from model_numbers import read_batches, write_next_code_numbers
from saving import MOTOR, convert, flatten, write_npz

NUM_BATCHES = 3
VOCAB_SIZE = 64


class Task(femr.models.tasks.CLMBRTask):
    """Of femr 0.2.4, as its processor calls it."""

    def add_event(self, current_date, next_date, next_features=None, actually_add=True):
        return super().add_event(current_date, next_date, next_features)


def without_edges(ontology):
    ontology.parents_map = collections.defaultdict(set)
    ontology.children_map = collections.defaultdict(set)
    ontology.all_parents_map = {}
    ontology.all_children_map = {}
    return ontology


def write_batches(train, tokenizer, folder):
    processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task=Task(VOCAB_SIZE))
    batches = processor.convert_dataset(train, tokens_per_batch=128, num_proc=4)
    batches.set_format("pt")
    for i in range(NUM_BATCHES):
        write_npz(folder / f"batch_{i}.npz", flatten(batches[i]))
    return processor


def main():
    assert os.environ.get("PYTHONHASHSEED") == "0", "set PYTHONHASHSEED=0"
    torch.set_num_threads(1)
    folder = MOTOR / "tutorial/clmbr"
    folder.mkdir(parents=True, exist_ok=True)
    ontology = without_edges(open_ontology())
    with tempfile.TemporaryDirectory() as scratch:
        database_path = pathlib.Path(scratch) / "database"
        convert(MOTOR / "tutorial/meds", database_path)
        with meds_reader.SubjectDatabase(str(database_path), num_threads=1) as database:
            split = femr.splits.SubjectSplit.load_from_csv(str(MOTOR / "tutorial/split.csv"))
            train = database.filter(split.train_subject_ids)
            tokenizer = femr.models.tokenizer.HierarchicalTokenizer.train(
                train, vocab_size=100, ontology=ontology, num_numeric=1, min_fraction=1e-9)
            tokenizer.save_pretrained(scratch)
            shutil.copy(pathlib.Path(scratch) / "dictionary.msgpack", folder)
            processor = write_batches(train, tokenizer, folder)
    model = model_of(Task(VOCAB_SIZE), 2, tokenizer.vocab_size, 20252, hidden_size=16, intermediate_size=32, n_heads=2)
    write_next_code_numbers(model, [processor.collate(row) for row in read_batches(folder)][0], MOTOR / "model_clmbr")


if __name__ == "__main__":
    main()
