"""Reference numbers of femr 0.2.4 on the records of make_records.py: split, ontology, statistics and dictionary of the
tokenizer, MOTOR task, batches.

    PYTHONHASHSEED=0 .venv-femr/bin/python tests/reference/make_motor.py

Pins: tests/femr/requirements.txt. Writes motor/split, motor/local_mask_5_3_7_w3.npy, and for g60 and tutorial:

  meds_reader                      the records as a database of meds_reader
  info.json                        vocabulary, tasks and tokens per batch asked for
  split.csv                        generate_hash_split, seed 97, a tenth; all below is of its train part
  ontology_full.parquet (g60)      the whole Athena folder: code, description, parent_codes, all_parents
  ontology_parents.json, ontology_descriptions.json, all_parents_of_seen_codes.json   pruned to the data
  tokenizer_statistics.json        what map_statistics returns: shares of codes, samples of numbers in order
  tokenizer/dictionary.msgpack     ties are ordered by Python's sets (PYTHONHASHSEED=0)
  motor_task.json                  time bins; code, rate, censored, events and mean time of each task
  batches_all_labels, batches_seeded   the first batches of convert_dataset, with every label and with a tenth of them
                                   drawn after random.seed(97); lengths.npz: (subject, start, length, share of labels in
                                   millionths) before and after the shuffle
"""

import os
import pathlib
import random
import shutil
import tempfile

import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.models.tokenizer.hierarchical_tokenizer as hierarchical
import femr.ontology
import femr.splits
import meds_reader
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xformers.ops
from saving import MOTOR, convert, flatten, write_json, write_npz

NUM_BATCHES = 5
COHORTS = {
    "g60": dict(vocab=512, num_numeric=64, num_tasks=128, min_fraction=1e-4, tokens_per_batch=256),
    "tutorial": dict(vocab=300, num_numeric=1000, num_tasks=512, min_fraction=1e-9, tokens_per_batch=128),
}


def make_split():
    draw = random.Random(97)
    ids = list(range(1000)) + [draw.getrandbits(62) for _ in range(500)] + [-draw.getrandbits(31) for _ in range(500)]
    ids += [2**63 - 1, -(2**63)]
    columns = []
    for seed in (97, 342):
        for share in (0.1, 0.15):
            held_out = set(femr.splits.generate_hash_split(ids, seed, share).test_subject_ids)
            columns.append([int(i in held_out) for i in ids])
    rows = ["subject_id,97_0.1,97_0.15,342_0.1,342_0.15", *(",".join(map(str, row)) for row in zip(ids, *columns))]
    (MOTOR / "split").mkdir(parents=True, exist_ok=True)
    (MOTOR / "split/split.csv").write_text("\n".join(rows) + "\n")


def make_local_mask():
    mask = xformers.ops.fmha.attn_bias.BlockDiagonalMask.from_seqlens([5, 3, 7]).make_local_attention(3)
    np.save(MOTOR / "local_mask_5_3_7_w3.npy", mask.materialize((15, 15)).numpy() == 0)


def open_ontology():
    g60 = MOTOR / "g60"
    return femr.ontology.Ontology(str(g60 / "athena"), str(g60 / "meds/metadata/codes.parquet"))


def write_full_ontology(path):
    """Of the Athena folder alone, before anything is pruned."""
    ontology = femr.ontology.Ontology(str(MOTOR / "g60/athena"))
    codes = sorted(ontology.description_map)
    pq.write_table(pa.table({
        "code": codes,
        "description": [ontology.get_description(code) for code in codes],
        "parent_codes": [sorted(ontology.get_parents(code)) for code in codes],
        "all_parents": [sorted(ontology.get_all_parents(code)) for code in codes]}), path, compression="zstd")


def write_ontology(ontology, database, folder):
    ontology.prune_to_dataset(database, prune_all_descriptions=False, remove_ontologies={"SPL", "HemOnc"})
    seen = sorted({event.code for subject in database for event in database[subject].events})
    write_json(folder / "ontology_parents.json", {"parents": {c: sorted(p) for c, p in sorted(ontology.parents_map.items())}})
    write_json(folder / "ontology_descriptions.json", dict(sorted(ontology.description_map.items())))
    write_json(folder / "all_parents_of_seen_codes.json", {code: sorted(ontology.get_all_parents(code)) for code in seen})
    codes = sorted(ontology.parents_map.keys() | ontology.description_map.keys())
    pq.write_table(pa.table({
        "code": codes, "description": pa.array([ontology.get_description(code) for code in codes], pa.string()),
        "parent_codes": [sorted(ontology.get_parents(code)) for code in codes],
        "all_parents": [sorted(ontology.get_all_parents(code)) for code in codes]}), folder / "ontology.parquet",
        compression="zstd")


def write_statistics(train, ontology, path):
    def collect(subjects):
        return [hierarchical.map_statistics(subjects, num_subjects=len(train), ontology=ontology,
                                            properties=train.properties)]

    [[statistics]] = list(train.map(collect))
    properties = {name: {"numeric_count": data["numeric_count"], "numeric_samples": data["numeric_samples"].samples,
                         "text_counts": dict(data["text_counts"])}
                  for name, data in statistics["property_samples"].items()}
    assert all(len(data["numeric_samples"]) < 10_000 for data in properties.values()), "the reservoir draws"
    write_json(path, {"code_counts": dict(sorted(statistics["code_counts"].items())), "properties": properties})


class Recorder:
    """Stands in for NumPy's generator in convert_dataset and keeps the rows before and after its shuffle."""

    def __init__(self, generator):
        self.generator = generator

    def shuffle(self, rows):
        self.unshuffled = rows.copy()
        self.generator.shuffle(rows)
        self.shuffled = rows.copy()


def write_batches(train, processor, tokens_per_batch, folder):
    recorder = Recorder(np.random.default_rng(342342))
    default_rng, np.random.default_rng = np.random.default_rng, lambda seed: recorder
    random.seed(97)
    batches = processor.convert_dataset(train, tokens_per_batch=tokens_per_batch, num_proc=4)
    np.random.default_rng = default_rng
    batches.set_format("pt")
    write_npz(folder / "lengths.npz", {"unshuffled": recorder.unshuffled, "shuffled": recorder.shuffled})
    index = []
    for i in range(NUM_BATCHES):
        arrays = flatten(batches[i])
        write_npz(folder / f"batch_{i}.npz", arrays)
        index.append({"lengths": arrays["transformer.subject_lengths"].tolist(), "offsets": arrays["offsets"].tolist()})
    write_json(folder / "index.json", index)


def make_cohort(name, settings, scratch):
    folder = MOTOR / name
    path = scratch / name
    convert(folder / "meds", path)
    shutil.copytree(path, folder / "meds_reader", dirs_exist_ok=True)
    ontology = open_ontology()
    with meds_reader.SubjectDatabase(str(path), num_threads=1) as database:
        write_ontology(ontology, database, folder)
        split = femr.splits.generate_hash_split(sorted(database), 97, frac_test=0.1)
        split.save_to_csv(str(folder / "split.csv"))
        train = database.filter(split.train_subject_ids)
        write_statistics(train, ontology, folder / "tokenizer_statistics.json")
        tokenizer = femr.models.tokenizer.HierarchicalTokenizer.train(
            train, vocab_size=settings["vocab"], ontology=ontology, num_numeric=settings["num_numeric"],
            min_fraction=settings["min_fraction"])
        tokenizer.save_pretrained(str(folder / "tokenizer"))
        task = femr.models.tasks.MOTORTask.fit_pretraining_task_info(
            train, tokenizer, settings["num_tasks"], num_bins=8, final_layer_size=32, min_fraction=settings["min_fraction"])
        edges = [float(edge) for edge in task.time_bins[:-1]] + ["inf"]
        write_json(folder / "motor_task.json", {"time_bins": edges, "final_layer_size": 32,
                                                "pretraining_task_info": task.pretraining_task_info})
        processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task=task)
        write_batches(train, processor, settings["tokens_per_batch"], folder / "batches_seeded")
        task.get_sampled_labels = lambda length: 10**9
        write_batches(train, processor, settings["tokens_per_batch"], folder / "batches_all_labels")
        print(name, len(tokenizer.dictionary["vocab"]), "entries", len(task.pretraining_task_info), "tasks")
    write_json(folder / "info.json", settings)


def main():
    assert os.environ.get("PYTHONHASHSEED") == "0", "set PYTHONHASHSEED=0"
    make_split()
    make_local_mask()
    write_full_ontology(MOTOR / "g60/ontology_full.parquet")
    with tempfile.TemporaryDirectory() as scratch:
        for name, settings in COHORTS.items():
            make_cohort(name, settings, pathlib.Path(scratch))


if __name__ == "__main__":
    main()
