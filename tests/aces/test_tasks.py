"""Tasks in ACES's style give ACES's rows."""

import pathlib

import polars as pl
import pytest
from conftest import aces_rows, our_rows

TASKS = sorted(pathlib.Path(__file__).with_name("tasks").glob("*.yaml"))
BUILTIN = pathlib.Path(__file__).resolve().parents[2] / "sequela/label/tasks"
# Where each subject has an event for every window's end, the program and the documentation agree.
DERIVED = """
  discharge_or_death: {expr: "or(discharge, death)"}
  high_or_low: {expr: "or(abnormal_lab, normal_lab)"}
  both: {expr: "and(lab, care)"}
  either: {expr: "or(both, death, high_or_low)"}
  admission_of_man: {expr: "and(man, admission)"}
"""


def write_predicates(path, codes, lab, low, high, man=None):
    text = "predicates:\n" + "".join(f"  {name}: {{code: {code}}}\n" for name, code in codes.items())
    text += f"  lab: {{code: '{lab}'}}\n"
    text += f"  normal_lab: {{code: '{lab}', value_min: {low}, value_max: {high}, value_min_inclusive: true}}\n"
    text += f"  abnormal_lab: {{code: '{lab}', value_min: {high}, value_min_inclusive: true, value_max_inclusive: false}}\n"
    text += DERIVED
    if man:
        text += f"patient_demographics:\n  man: {{code: '{man}'}}\n"
    path.write_text(text)
    return path


def code_named(meds, description):
    codes = pl.read_parquet(meds / "metadata/codes.parquet")
    return codes.filter(pl.col("description") == description)["code"][0]


@pytest.fixture
def synth_predicates(synth, tmp_path):
    def write(man):
        codes = {"admission": "Visit/IP", "discharge": "LOCAL/discharge", "death": "MEDS_DEATH",
                 "care": '{regex: "^Visit/(ER|OP)$"}'}
        lab = code_named(synth, "Creatinine in serum")
        return write_predicates(tmp_path / "predicates.yaml", codes, lab, 0.7, 1.1, man)
    return write


@pytest.fixture
def mimic_predicates(tmp_path):
    def write(man):
        codes = {"admission": '{regex: "^HOSPITAL_ADMISSION//.*"}', "discharge": '{regex: "^HOSPITAL_DISCHARGE//"}',
                 "death": "MEDS_DEATH", "care": '{regex: "ICU_ADMISSION"}'}
        return write_predicates(tmp_path / "predicates.yaml", codes, "LAB//50912//mg/dL", 0.6, 1.2, man)
    return write


def compare(meds, task, tmp_path, predicates):
    expected = aces_rows(meds, task, predicates)
    options = ["--predicates", predicates] if predicates else []
    assert our_rows(meds, task, tmp_path / "exact", "--aces-exact", *options) == expected
    documented = our_rows(meds, task, tmp_path / "documented", *options)
    assert all(row[1] is not None for row in documented)
    return expected, documented


def is_of_men(task):
    return task.stem in ("static_and_derived", "any_event")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_synth(task, synth, synth_predicates, tmp_path):
    man = None
    if is_of_men(task):
        statics = pl.concat([pl.read_parquet(path) for path in synth.glob("data/**/*.parquet")])
        codes = statics.filter(pl.col("time").is_null())["code"].value_counts(sort=True)["code"]
        man = codes[0]
    expected, documented = compare(synth, task, tmp_path, synth_predicates(man))
    assert len(expected) > 20
    assert documented == [row for row in expected if row[1] is not None]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.stem)
def test_mimic(task, mimic, mimic_predicates, tmp_path):
    man = "GENDER//M" if is_of_men(task) else None
    expected, documented = compare(mimic, task, tmp_path, mimic_predicates(man))
    assert len(expected) > 20
    assert len(documented) > 20


@pytest.mark.parametrize("name", ["mortality_in_hospital", "readmission_30d", "abnormal_lab", "icu_transfer"])
def test_builtin_tasks_are_aces_tasks(name, mimic, tmp_path):
    expected = aces_rows(mimic, BUILTIN / f"{name}.yaml")
    assert our_rows(mimic, name, tmp_path / "exact", "--aces-exact") == expected
    assert {row[2] for row in expected} >= {True, False}
