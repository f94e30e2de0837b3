"""LiveModel: patients event by event, against the features of whole records."""

import collections
import datetime
import types

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sequela

HORIZON = 180


@pytest.fixture(scope="module")
def events(records):
    """All events of the records, in MEDS's form and order."""
    return pq.read_table(sorted((records / "meds" / "data").rglob("*.parquet")))


def open_model(bundle, **options):
    return sequela.LiveModel(bundle, **{"memory": "1G", "num_threads": 1, "progress": False, **options})


@pytest.fixture(scope="module")
def model(bundle):
    first = open_model(bundle).known_tasks
    return open_model(bundle, tasks=[first[5], first[2]], horizon=HORIZON)


def of_subject(events, subject_id):
    return events.filter(pa.compute.equal(events["subject_id"], subject_id))


def births(events):
    born = events.filter(pa.compute.equal(events["code"], "MEDS_BIRTH"))
    return sorted(set(born["subject_id"].to_pylist()))


def test_equals_the_features_at_the_labels(records, bundle, events, tmp_path):
    sequela.write_features(records / "meds", bundle, records / "labels.parquet", tmp_path / "out", progress=False)
    features = pq.read_table(tmp_path / "out" / "features.parquet").to_pylist()
    model = open_model(bundle)
    taken = collections.Counter()
    answers = {}
    for row in sorted(features, key=lambda row: row["prediction_time"])[:60]:
        subject_id = row["subject_id"]
        record = of_subject(events, subject_id)
        known = sum(time is None or time <= row["prediction_time"] for time in record["time"].to_pylist())
        if known > taken[subject_id]:
            new = record.slice(taken[subject_id], known - taken[subject_id])
            answers[subject_id] = model.update(subject_id, new)
            taken[subject_id] = known
        np.testing.assert_allclose(answers[subject_id].embedding, row["embedding"], rtol=0, atol=1e-5)
    assert len(features) > 60 and len(model) == len(taken) > 10


def test_every_form_of_events(model, events):
    subject_id = births(events)[0]
    table = of_subject(events, subject_id).slice(0, 40)
    rows = table.to_pylist()
    forms = {
        "table": table,
        "dicts": rows,
        "tuples": [(r["time"], r["code"], r.get("numeric_value"), r.get("text_value")) for r in rows],
        "objects": [types.SimpleNamespace(**row) for row in rows],
        "generator": (row for row in rows),
        "no values": table.select(["time", "code"]),
    }
    answers = {}
    for name, form in forms.items():
        answers[name] = model.update(subject_id, form)
        model.discharge(subject_id)
    first = answers["table"]
    assert first.embedding.dtype == np.float32 and first.embedding.shape == (model.hidden_size,)
    assert list(first.risks) == model.tasks and all(0 < risk < 1 for risk in first.risks.values())
    for name in ("dicts", "tuples", "objects", "generator"):
        np.testing.assert_array_equal(answers[name].embedding, first.embedding, err_msg=name)
        assert answers[name].risks == first.risks


def test_many_patients_together(bundle, model, events):
    together = open_model(bundle, tasks=model.tasks, horizon=HORIZON)
    answers = together.update_many(events)
    assert len(answers) == len(together) == 60
    assert answers.embeddings.shape == (60, model.hidden_size)
    assert sorted(answers.subject_ids.tolist()) == together.subject_ids
    for subject_id in births(events)[:3]:
        alone = model.update(subject_id, of_subject(events, subject_id))
        np.testing.assert_allclose(answers[subject_id].embedding, alone.embedding, atol=1e-5)
        for task in model.tasks:
            assert answers[subject_id].risks[task] == pytest.approx(alone.risks[task], abs=1e-6)
        model.discharge(subject_id)
    with pytest.raises(KeyError):
        answers[-5]


def test_a_longer_horizon_has_a_higher_risk(bundle, model, events):
    subject_id = births(events)[1]
    record = of_subject(events, subject_id)
    short, long = (
        open_model(bundle, tasks=model.tasks, horizon=days).update(subject_id, record).risks for days in (1, 3650)
    )
    assert all(short[task] < long[task] for task in model.tasks)


def test_saved_and_opened_again(bundle, model, events, tmp_path):
    subject_id = births(events)[2]
    record = of_subject(events, subject_id)
    half = len(record) // 2
    model.update(subject_id, record.slice(0, half))
    model.save(subject_id, tmp_path / "patient.state")
    other = open_model(bundle, tasks=model.tasks[:1])
    assert other.load(tmp_path / "patient.state") == subject_id
    assert subject_id in other and other.subject_ids == [subject_id]
    answers = [each.update(subject_id, record.slice(half)) for each in (model, other)]
    np.testing.assert_array_equal(answers[0].embedding, answers[1].embedding)
    model.discharge(subject_id)
    assert subject_id not in model
    with pytest.raises(ValueError):
        model.discharge(subject_id)
    with pytest.raises(ValueError):
        other.load(tmp_path / "patient.state")
    (tmp_path / "patient.state").write_bytes(b"x")
    with pytest.raises(sequela.FileError):
        model.load(tmp_path / "patient.state")


def test_what_is_refused_changes_nothing(model, bundle):
    day = datetime.datetime(1960, 3, 1)
    with pytest.raises(sequela.DataError, match="without a MEDS_BIRTH") as caught:
        model.update(1, [(day, "X/1")])
    assert caught.value.subject_id == 1 and 1 not in model
    born = [(None, "X/0"), (day, "MEDS_BIRTH")]
    model.update(1, born)
    with pytest.raises(sequela.DataError, match="earlier than the event before") as caught:
        model.update_many([(1, day + datetime.timedelta(days=9), "X/1"), (1, day, "X/2")])
    assert caught.value.row == 1
    model.update(1, [(day, "X/2")])
    for wrong in ([], [("monday", "X/1")], [(day,)], [{"time": day}], [(day, "X/1", "high")]):
        with pytest.raises(sequela.DataError):
            model.update(1, wrong)
    with pytest.raises(sequela.DataError, match="no column 'subject_id'"):
        model.update_many(pa.table({"time": [day], "code": ["X/1"]}))
    model.discharge(1)
    with pytest.raises(sequela.ConfigError, match="did you mean"):
        open_model(bundle, tasks=[model.known_tasks[0][:-1]])
    with pytest.raises(sequela.ConfigError, match="keys: 'int8'"):
        open_model(bundle, keys="int8")
    with pytest.raises(sequela.ConfigError, match="horizon"):
        open_model(bundle, horizon=0)


def test_memory_is_bounded(bundle, events, tmp_path):
    model = open_model(bundle, memory="256M", spill_folder=tmp_path / "spill", keys="bf16")
    assert len(model.update_many(events)) == 60
    assert model.max_bytes_per_patient < open_model(bundle).max_bytes_per_patient
