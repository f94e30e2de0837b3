"""Long calls: each is a run of its own, so calls of several threads run beside each other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sequela
import torch


def test_calls_of_two_threads_do_not_meet(tmp_path):
    told = {3_000: [], 2_500: []}
    num_threads = torch.get_num_threads()

    def make(subjects):
        sequela.synth(tmp_path / str(subjects), subjects=subjects, num_threads=1, progress=told[subjects].append)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make, told))
    for subjects, states in told.items():
        assert {state.total for state in states} == {subjects}
        assert states[-1].is_finished
    assert torch.get_num_threads() == num_threads


def test_calls_run_beside_each_other(tmp_path):
    """Each waits, in its first report, until the other has reported too."""
    both = threading.Barrier(2, timeout=60)

    def make(name):
        met = []
        sequela.synth(
            tmp_path / name, subjects=3_000, num_threads=1, progress=lambda _: met or met.append(both.wait())
        )
        return met

    with ThreadPoolExecutor(2) as pool:
        assert sorted(place for met in pool.map(make, ("a", "b")) for place in met) == [0, 1]


def test_a_listener_may_call(records, tmp_path):
    seen = []
    sequela.synth(
        tmp_path / "data", subjects=10, num_threads=1, progress=lambda _: seen.append(sequela.inspect(records / "meds"))
    )
    assert seen and all("MEDS" in text for text in seen)


def test_time_zones(records, bundle, tmp_path):
    labels = pq.read_table(records / "labels.parquet").slice(0, 4)
    times = labels["prediction_time"].cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "+05:00"))
    path = tmp_path / "labels.parquet"
    pq.write_table(labels.set_column(1, "prediction_time", times), path)

    def prediction_times(zone):
        out = tmp_path / zone
        sequela.write_features(records / "meds", bundle, path, out, time_zone=zone, progress=False)
        return pq.read_table(out / "features.parquet")["prediction_time"].cast(pa.int64()).to_pylist()

    hours = {local - utc for utc, local in zip(prediction_times("utc"), prediction_times("local"), strict=True)}
    assert hours == {5 * 3_600 * 1_000_000}


def test_a_wrong_time_zone_is_refused(tmp_path):
    nowhere = tmp_path / "x"
    for call in (
        lambda: sequela.prepare(nowhere, nowhere, time_zone="mars"),
        lambda: sequela.write_features(nowhere, nowhere, nowhere, nowhere, time_zone="mars"),
        lambda: sequela.compute_features(nowhere, nowhere, nowhere, time_zone="mars"),
        lambda: sequela.pretrain_mlm(nowhere, nowhere, time_zone="mars"),
        lambda: sequela.compare(nowhere, nowhere, nowhere, nowhere, time_zone="mars"),
    ):
        with pytest.raises(sequela.ConfigError, match="time-zone: 'mars'"):
            call()
