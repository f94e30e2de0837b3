"""femr's compute_features on a CPU: features.py MEDS ATHENA MODEL LABELS WORK [THREADS]

Patched where it cannot run without a GPU: its wait for the device, and its attention (local_attention.py)."""

import pathlib
import shutil
import subprocess
import sys
import time

import femr.models.transformer
import femr.ontology
import local_attention
import meds_reader
import pyarrow.parquet
import torch

meds, athena, model, labels_path, work = (pathlib.Path(argument) for argument in sys.argv[1:6])
threads = int(sys.argv[6]) if len(sys.argv) > 6 else 2

def main():
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    torch.set_num_threads(threads)
    torch.cuda.synchronize = lambda *_: None
    local_attention.install()
    database = work / "database"
    start = time.perf_counter()
    subprocess.run(["meds_reader_convert", meds, database, "--num_threads", str(threads)], check=True,
                   stdout=subprocess.DEVNULL)
    with meds_reader.SubjectDatabase(str(database), num_threads=threads) as db:
        ontology = femr.ontology.Ontology(str(athena), str(meds / "metadata/codes.parquet"))
        ontology.prune_to_dataset(db, prune_all_descriptions=True, remove_ontologies={"SPL", "HemOnc"})
        ready = time.perf_counter()
        labels = pyarrow.parquet.read_table(labels_path).to_pylist()
        # It divides the number of processes by 4 when it makes batches.
        result = femr.models.transformer.compute_features(
            db, str(model), labels, num_proc=4, tokens_per_batch=8192, ontology=ontology)
    num_subjects = len({label["subject_id"] for label in labels})
    seconds = time.perf_counter() - ready
    print(f"femr: {len(result['features'])} features of {num_subjects} subjects in {seconds:.2f} s: "
          f"{num_subjects / seconds:.1f} subjects/s; {ready - start:.2f} s for the database and ontology before it")

if __name__ == "__main__":
    main()
