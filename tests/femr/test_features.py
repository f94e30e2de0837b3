"""femr's compute_features on our bundle gives our features."""

import datetime

import femr.models.transformer
import meds_reader
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import sequela


def test_features_equal_femrs(g60, ontology):
    labels = []
    with meds_reader.SubjectDatabase(str(g60["database"]), num_threads=1) as database:
        for subject_id in sorted(database):
            times = [event.time for event in database[subject_id].events if event.time is not None]
            labels.append({"subject_id": subject_id, "boolean_value": True,
                           "prediction_time": times[-1] + datetime.timedelta(days=1)})
    path = g60["folder"] / "labels.parquet"
    pq.write_table(pa.table({
        "subject_id": [label["subject_id"] for label in labels],
        "prediction_time": pa.array([label["prediction_time"] for label in labels], pa.timestamp("us")),
        "boolean_value": [True] * len(labels)}), path)
    sequela("features", "--meds", g60["source"] / "meds", "--model", g60["model"], "--labels", path,
            "--out", g60["folder"] / "embeddings", "--precision", "fp32")
    ours = pq.read_table(g60["folder"] / "embeddings/features.parquet").to_pydict()

    with meds_reader.SubjectDatabase(str(g60["database"]), num_threads=4) as database:
        theirs = femr.models.transformer.compute_features(
            database, str(g60["model"]), labels, num_proc=4, tokens_per_batch=8192, ontology=ontology)
    rows = {int(subject_id): row for row, subject_id in enumerate(theirs["subject_ids"])}
    assert len(ours["subject_id"]) == len(labels) == len(rows)
    for subject_id, embedding in zip(ours["subject_id"], ours["embedding"]):
        np.testing.assert_allclose(embedding, theirs["features"][rows[subject_id]], rtol=1e-4, atol=1e-4)
