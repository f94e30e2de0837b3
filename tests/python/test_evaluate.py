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
