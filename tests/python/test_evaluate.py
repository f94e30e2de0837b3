"""Predictions from outside: metrics as scikit-learn's names them, of files and of mappings."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sequela


def write(path, probabilities, outcomes=(0, 0, 1, 1, 0, 1)):
    count = len(outcomes)
    columns = {
        "subject_id": pa.array(range(count), pa.int64()),
        "prediction_time": pa.array([10**6] * count, pa.timestamp("us")),
        "boolean_value": pa.array([bool(outcome) for outcome in outcomes]),
        "predicted_boolean_probability": pa.array(probabilities, pa.float32()),
    }
    pq.write_table(pa.table(columns), path)
    return path


def test_of_two_methods(tmp_path):
    files = {
        "good": write(tmp_path / "a.parquet", [0.1, 0.2, 0.8, 0.9, 0.3, 0.7]),
        "poor": write(tmp_path / "b.parquet", [0.5, 0.6, 0.4, 0.9, 0.3, 0.5]),
    }
    report = sequela.evaluate_predictions(files, tmp_path / "out", num_bootstraps=50, progress=False)
    (task,) = report["tasks"]
    assert [method["method"] for method in task["methods"]] == ["good", "poor"]
    assert task["methods"][0]["figures"]["auroc"]["value"] == 1
    assert task["methods"][0]["figures"]["calibration_slope"]["why_not"]
    assert task["methods"][0]["figures"]["calibration_slope"]["value"] is None
    assert task["differences"][0]["figures"]["auroc"]["value"] > 0
    assert (tmp_path / "out" / "curves.json").exists()


def test_of_one_file_and_its_errors(tmp_path):
    path = write(tmp_path / "a.parquet", [0.1, 0.2, 0.8, 0.9, 0.3, 1.5])
    with pytest.raises(sequela.DataError, match=r"row 5: column 'predicted_boolean_probability': outside \[0, 1\]"):
        sequela.evaluate_predictions(path, tmp_path / "out", progress=False)
    with pytest.raises(sequela.ConfigError, match="bootstraps"):
        sequela.evaluate_predictions(path, tmp_path / "out", num_bootstraps=0, progress=False)


def test_of_times_and_numbers():
    survival = [[0.2], [0.4], [0.9], [0.8]]
    figures = sequela.evaluate_survival(
        [1, 2, 3, 4], [1, 1, 0, 1], [4, 3, 1, 2], horizons=[2.5], survival=survival, num_resamples=20
    )
    assert figures["harrell_c"]["value"] == 1
    assert figures["auc_at_2.5"]["value"] == 1
    assert figures["integrated_brier"] == {"value": None, "low": None, "high": None, "why_not": "only one horizon"}
    figures = sequela.evaluate_regression([1, 2, 3], [1, 2, 4], num_resamples=20)
    assert figures["mae"]["value"] == pytest.approx(1 / 3)
    assert figures["spearman"]["value"] == 1
    with pytest.raises(ValueError, match="as many values"):
        sequela.evaluate_regression([1, 2], [1])


def write_cohort(folder):
    """A hundred and twenty subjects: of the true labels most have a code before them, of the false ones few."""
    events, labels, splits = [], [], []
    day = 86_400 * 10**6
    for subject in range(1, 121):
        outcome = subject % 3 == 0
        start = (10_000 + 37 * subject % 3_000) * day
        events.append((subject, (start - 12_000 * day), "MEDS_BIRTH"))
        events += [(subject, start + i * 20 * day, f"C/{(subject * i) % 7}") for i in range(12)]
        label_time = start + 150 * day + 10**6
        if outcome == (subject % 10 < 8):
            events.append((subject, label_time - 10**6 // 2, "RISK"))
        labels.append((subject, label_time, outcome))
        splits.append((subject, ("train", "train", "train", "tuning", "held_out")[subject % 5]))
    events.sort(key=lambda event: event[:2])
    for part in ("data", "metadata"):
        (folder / "meds" / part).mkdir(parents=True)
    times = pa.array([event[1] for event in events], pa.timestamp("us"))
    table = {"subject_id": pa.array([e[0] for e in events], pa.int64()), "time": times}
    table |= {"code": [e[2] for e in events], "numeric_value": pa.nulls(len(events), pa.float32())}
    pq.write_table(pa.table(table), folder / "meds" / "data" / "0.parquet")
    table = {"subject_id": pa.array([s[0] for s in splits], pa.int64()), "split": [s[1] for s in splits]}
    pq.write_table(pa.table(table), folder / "meds" / "metadata" / "subject_splits.parquet")
    table = {"subject_id": pa.array([label[0] for label in labels], pa.int64())}
    table |= {"prediction_time": pa.array([label[1] for label in labels], pa.timestamp("us"))}
    pq.write_table(pa.table(table | {"boolean_value": [label[2] for label in labels]}), folder / "onset.parquet")


def test_methods_side_by_side(tmp_path):
    write_cohort(tmp_path)
    report = sequela.evaluate_methods(
        tmp_path / "meds",
        tmp_path / "onset.parquet",
        tmp_path / "out",
        methods=["counts_logistic", "age_sex"],
        shots=[2],
        num_draws=2,
        num_bootstraps=20,
        progress=False,
    )
    (task,) = report["tasks"]
    assert task["task"] == "onset"
    assert [method["method"] for method in task["methods"]] == ["counts_logistic", "age_sex"]
    assert len(task["few_shot"]["points"]) == 4
    assert {leak["check"] for leak in report["leaks"]} >= {"single_code", "permuted_times"}
    theirs = tmp_path / "out" / "predictions" / "onset" / "counts_logistic.parquet"
    again = sequela.evaluate_methods(
        tmp_path / "meds",
        {"onset": tmp_path / "onset.parquet"},
        tmp_path / "again",
        methods=["age_sex"],
        predictions={"theirs": theirs},
        shots=(),
        num_bootstraps=20,
        progress=False,
    )
    auroc = {method["method"]: method["figures"]["auroc"]["value"] for method in again["tasks"][0]["methods"]}
    assert auroc["theirs"] == pytest.approx(task["methods"][0]["figures"]["auroc"]["value"])
    with pytest.raises(sequela.ConfigError, match="needs --model"):
        sequela.evaluate_methods(tmp_path / "meds", tmp_path / "onset.parquet", tmp_path / "no", methods=["probe"])
