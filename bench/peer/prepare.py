"""femr's own preparation, step by step, with the published constants: prepare.py MEDS ATHENA WORK [PROCESSES]"""

import contextlib
import pathlib
import shutil
import subprocess
import sys
import time

import femr.models.processor
import femr.models.tasks
import femr.models.tokenizer
import femr.ontology
import femr.splits
import meds_reader

meds, athena, work = (pathlib.Path(argument) for argument in sys.argv[1:4])
processes = int(sys.argv[4]) if len(sys.argv) > 4 else 2
times = {}


@contextlib.contextmanager
def stage(name):
    start = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        yield
    times[name] = time.perf_counter() - start


def main():
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    database = work / "database"
    with stage("meds_reader_convert"):
        subprocess.run(["meds_reader_convert", meds, database, "--num_threads", str(processes)], check=True,
                       stdout=subprocess.DEVNULL)
    with meds_reader.SubjectDatabase(str(database), num_threads=processes) as db:
        num_events = sum(len(db[subject_id].events) for subject_id in db)
        with stage("ontology"):
            ontology = femr.ontology.Ontology(str(athena), str(meds / "metadata/codes.parquet"))
            ontology.prune_to_dataset(db, prune_all_descriptions=True, remove_ontologies={"SPL", "HemOnc"})
        split = femr.splits.generate_hash_split(list(db), 97, frac_test=0.1)
        train, validation = db.filter(split.train_subject_ids), db.filter(split.test_subject_ids)
        with stage("tokenizer"):
            tokenizer = femr.models.tokenizer.HierarchicalTokenizer.train(
                db, vocab_size=16 * 1024, ontology=ontology, num_numeric=1000, min_fraction=1e-4)
        with stage("MOTOR task"):
            task = femr.models.tasks.MOTORTask.fit_pretraining_task_info(
                train, tokenizer, num_tasks=8 * 1024, num_bins=8, final_layer_size=512)
        processor = femr.models.processor.FEMRBatchProcessor(tokenizer, task)
        # femr divides the number of processes by 4 when it writes batches.
        for name, side in (("train batches", train), ("validation batches", validation)):
            with stage(name):
                batches = processor.convert_dataset(side, tokens_per_batch=8 * 1024, num_proc=4 * processes)
                batches.save_to_disk(work / name.replace(" ", "_"))
    print(f"femr: {num_events:,} events, {processes} processes")
    for name, seconds in times.items():
        print(f"  {name:22} {seconds:8.2f} s {num_events / seconds:12,.0f} events/s")
    total = sum(times.values())
    print(f"  {'all':22} {total:8.2f} s {num_events / total:12,.0f} events/s")


if __name__ == "__main__":
    main()
