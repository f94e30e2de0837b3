"""MOTOR from Python: prepare, pretrain, features."""

import collections
import datetime
import inspect as python_inspect
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import sequela
import torch
from conftest import SMALL, TINY
from sequela import _core, motor

NO_DEVICE = "no CUDA device, or a torch without CUDA: build with SEQUELA_CUDA=1 where there is a GPU"
Label = collections.namedtuple("Label", "subject_id prediction_time boolean_value")


def defaults_of(function):
    parameters = python_inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not python_inspect.Parameter.empty}


def assert_same_defaults(function, *structs):
    """A default that Python states is the core's."""
    num_compared = 0
    for name, value in defaults_of(function).items():
        for options in structs:
            # Empty text and None both mean "not given"; threads and memory are chosen per machine.
            if value is None or name in ("num_threads", "device") or not hasattr(options, name):
                continue
            own = getattr(options, name)
            if type(own).__name__.endswith(("Options", "Config")):
                continue
            own = str(own).split(".")[-1] if isinstance(value, str) else own
            assert (list(value) if isinstance(value, tuple) else value) == own, name
            num_compared += 1
    return num_compared


def test_defaults_are_those_of_the_command():
    assert assert_same_defaults(sequela.prepare, _core.PrepareOptions()) >= 15
    options = _core.PretrainOptions()
    _core.apply_recipe(_core.Recipe.sequela, options)
    assert assert_same_defaults(sequela.pretrain, options, options.train, options.encoder) >= 19
    assert assert_same_defaults(sequela.write_features, _core.FeaturesOptions()) >= 2
    options = _core.FinetuneOptions()
    assert assert_same_defaults(sequela.finetune, options, options.train) >= 23
    assert assert_same_defaults(sequela.compare, _core.CompareOptions()) >= 17
    options = _core.PretrainMlmOptions()
    data = options.data
    parts = (options, options.train, options.mlm, data, data.visits, data.records, data.vocabulary)
    assert assert_same_defaults(sequela.pretrain_mlm, *parts) >= 28
    sizes = ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size")
    stated = defaults_of(sequela.pretrain_mlm)
    assert [getattr(options.encoder, name) for name in sizes] == [
        stated[name] for name in ("n_layers", "hidden_size", "n_heads", "intermediate_size")
    ]


def test_prepare_reports_and_knows_what_is_done(records, prepared):
    assert (prepared / "train_batches").is_dir()
    again = sequela.prepare(
        records / "meds", prepared, athena=records / "athena", **SMALL, num_threads=1, progress=False
    )
    assert again.is_up_to_date
    assert again.coverage[0].startswith("60 subjects")


def test_pretrain_writes_a_bundle(prepared, bundle):
    assert sorted(path.name for path in bundle.iterdir()) == [
        "README.md",
        "config.json",
        "dictionary.msgpack",
        "manifest.json",
        "model.safetensors",
        "ontology.parquet",
        "subjects.filter",
    ]
    assert sequela.pretrain(prepared, bundle, **TINY).is_up_to_date
    assert "64" in sequela.inspect(bundle)


def test_features_of_labels_in_every_form(records, bundle):
    path = next((records / "labels").glob("*.parquet"))
    table = pq.read_table(path).slice(0, 40)
    rows = table.select(["subject_id", "prediction_time"]).to_pylist()
    records_form = [Label(row["subject_id"], row["prediction_time"], True) for row in rows]
    forms = [rows, records_form, table]
    results = [sequela.compute_features(records / "meds", str(bundle), form) for form in forms]
    assert set(results[0]) == {"subject_ids", "feature_times", "features"}
    for result in results:
        assert result["subject_ids"].dtype == np.int64
        assert result["feature_times"].dtype == np.dtype("datetime64[s]")
        assert result["features"].dtype == np.float32 and result["features"].shape[1] == 64
        for name, array in result.items():
            np.testing.assert_array_equal(array, results[0][name])
    times = np.array([row["prediction_time"] for row in rows], "datetime64[s]")
    by_subject = dict(zip(results[0]["subject_ids"], results[0]["feature_times"], strict=True))
    assert all(by_subject[row["subject_id"]] <= max(times) for row in rows if row["subject_id"] in by_subject)


def test_features_equal_femr(reference, tutorial):
    """compute_features of femr 0.2.4 on the tutorial's model: rows by (subject, time)."""
    expected = np.load(reference / "motor" / "features" / "motor_model_tpb1024.npz")
    ontology = FemrOntology(tutorial / "ontology.parquet")
    result = sequela.compute_features(
        tutorial / "meds",
        tutorial / "motor_model",
        tutorial / "labels.parquet",
        num_proc=4,
        tokens_per_batch=1024,
        ontology=ontology,
    )

    def by_key(arrays):
        times = arrays["feature_times"].astype("datetime64[s]")
        keys = zip(arrays["subject_ids"].tolist(), times.tolist(), strict=True)
        return dict(zip(keys, arrays["features"], strict=True))

    ours, theirs = by_key(result), by_key(expected)
    assert ours.keys() == theirs.keys()
    for key, row in theirs.items():
        np.testing.assert_allclose(ours[key], row, atol=1e-4)


class FemrOntology:
    """What femr.ontology.Ontology offers, over its export."""

    def __init__(self, path):
        table = pq.read_table(path).to_pylist()
        self.parents_map = {row["code"]: set(row["parent_codes"] or ()) for row in table}
        self.children_map = {}
        self.description_map = {}

    def get_parents(self, code):
        return self.parents_map.get(code, set())


def test_labels_without_features_are_told(records, bundle, caplog):
    labels = [dict(subject_id=10**12, prediction_time=datetime.datetime(2020, 1, 1))]
    result = sequela.compute_features(records / "meds", bundle, labels)
    assert result["features"].shape == (0, 64)
    assert "1 of 1 labels have no features" in caplog.text


def test_write_features_makes_files(records, bundle, tmp_path):
    labels = next((records / "labels").glob("*.parquet"))
    report = sequela.write_features(records / "meds", bundle, labels, tmp_path / "out", progress=False)
    assert report.num_embedded + sum(report.num_skipped.values()) == report.num_labels
    assert pq.read_table(tmp_path / "out" / "features.parquet").num_rows == report.num_embedded


def test_progress_comes_to_a_callable(records, tmp_path):
    states = []
    sequela.prepare(records / "meds", tmp_path / "out", **SMALL, progress=states.append)
    assert {"ingest", "tokenizer", "train_batches"} <= {state.label for state in states}
    assert all(isinstance(state, sequela.ProgressState) for state in states)
    assert states[-1].is_finished


def test_other_threads_run_meanwhile(prepared, tmp_path):
    """The GIL is free in a long call."""
    ticks, done = [], threading.Event()

    def count():
        while not done.wait(0.005):
            ticks.append(None)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        sequela.pretrain(prepared, tmp_path / "model", **TINY)
    finally:
        done.set()
        thread.join()
    assert len(ticks) >= 5


def test_jobs_run_beside_each_other(records, tmp_path):
    """Two calls from two threads."""
    failures = []

    def work(i):
        try:
            out = tmp_path / str(i)
            sequela.prepare(records / "meds", out, **SMALL, num_threads=1, progress=False)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert (tmp_path / "0" / "split.csv").read_bytes() == (tmp_path / "1" / "split.csv").read_bytes()


def test_an_error_in_the_callable_ends_the_job(records, tmp_path):
    def fail(state):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        sequela.prepare(records / "meds", tmp_path / "out", progress=fail)
    report = sequela.prepare(records / "meds", tmp_path / "out", **SMALL, progress=False)
    assert not report.is_up_to_date


@pytest.mark.parametrize("name", [name for name in sequela.__all__ if callable(getattr(sequela, name))])
def test_everything_is_documented(name):
    assert (getattr(sequela, name).__doc__ or "").strip(), name


def test_memory_is_a_size():
    assert motor.memory_bytes("1.5G") == 3 * 2**29
    assert motor.memory_bytes(2**30) == 2**30
    assert motor.memory_bytes(None) > 2**28
    for bad in ("8X", "1K", "", -1):
        with pytest.raises(sequela.ConfigError, match="memory"):
            motor.memory_bytes(bad)


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_DEVICE)
def test_features_on_cuda_equal_the_cpu_s(records, bundle):
    """In bfloat16, as femr's on CUDA."""
    labels = next((records / "labels").glob("*.parquet"))
    on_cpu, on_cuda = (
        sequela.compute_features(records / "meds", bundle, labels, device=torch.device(device))
        for device in ("cpu", "cuda")
    )
    np.testing.assert_array_equal(on_cuda["subject_ids"], on_cpu["subject_ids"])
    np.testing.assert_allclose(on_cuda["features"], on_cpu["features"], atol=0.1)


def test_clmbr_from_records_to_embeddings(records, tmp_path):
    small = {name: value for name, value in SMALL.items() if name != "num_tasks"}
    arguments = dict(athena=records / "athena", **small, num_threads=1, progress=False)
    prepared = tmp_path / "files"
    sequela.prepare(records / "meds", prepared, objective="clmbr", clmbr_vocab_size=200, **arguments)
    report = sequela.pretrain(prepared, tmp_path / "model", objective="clmbr", **TINY)
    assert {"eval/perplexity", "eval/top10", "eval/gain"} <= set(report.train.figures)
    assert sequela.Motor.from_pretrained(tmp_path / "model").config.clmbr_vocab_size == 200
    with pytest.raises(sequela.ConfigError, match="was prepared"):
        sequela.pretrain(prepared, tmp_path / "other", objective="motor", **TINY)
    with pytest.raises(sequela.ConfigError, match="motor or clmbr"):
        sequela.prepare(records / "meds", prepared, objective="next visit", **arguments)
