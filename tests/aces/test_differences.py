"""What ACES does where its documentation says something else; tests/label/aces_differences_test.cc holds both readings."""

from datetime import datetime, timedelta

import pytest
from conftest import aces_rows, our_rows, write_meds

START = datetime(2020, 1, 1)


def hour(count):
    return START + timedelta(hours=count)


PREDICATES = """predicates:
  adm: {code: ADM}
  dis: {code: DIS}
  lab: {code: LAB}
  high: {code: LAB, value_min: 6}
"""
STAY = "  stay: {start: trigger, end: start -> dis, start_inclusive: %s, end_inclusive: %s, label: high, index_timestamp: end}\n"
DAY = "  day: {start: trigger, end: start + 24h, start_inclusive: true, end_inclusive: true, index_timestamp: start}\n"
TWO = [(1, hour(0), "ADM", None), (1, hour(1), "LAB", 7.0), (1, hour(5), "DIS", None),
       (2, hour(0), "ADM", None), (2, hour(1), "LAB", 7.0)]
SAME_TIME = [(1, hour(0), "ADM", None), (1, hour(0), "DIS", None), (1, hour(5), "DIS", None)]

# name: (events, the task's trigger and windows, what ACES gives, what its documentation promises)
CASES = {
    "null bounds": (TWO, "trigger: adm\nwindows:\n" + STAY % ("false", "true"),
                    [(1, hour(5), True), (2, None, None)], [(1, hour(5), True)]),
    "index of a window from its end": (
        TWO, "trigger: dis\nwindows:\n  day: {start: end - 24h, end: trigger, start_inclusive: true, end_inclusive: true, "
             "label: high, index_timestamp: end}\n",
        [(1, hour(-19), True)], [(1, hour(5), True)]),
    "a window without length": (
        [(1, hour(0), "LAB", 5.0), (1, hour(1), "LAB", 7.0)],
        "trigger: lab\nwindows:\n  now: {start: trigger, end: start, start_inclusive: true, end_inclusive: true, "
        "has: {high: '(1, None)'}}\n" + DAY,
        [(1, hour(0), None), (1, hour(1), None)], [(1, hour(1), None)]),
    "several demographics": (
        [(1, None, "M", None), (1, hour(0), "ADM", None), (2, None, "F", None), (2, hour(0), "ADM", None)],
        "patient_demographics: {male: {code: M}, female: {code: F}}\ntrigger: known_adm\nwindows:\n" + DAY,
        [], [(1, hour(0), None), (2, hour(0), None)]),
    "NaN above a threshold": (
        [(1, hour(0), "ADM", None), (1, hour(1), "LAB", float("nan"))],
        "trigger: adm\nwindows:\n" + DAY.replace("index", "label: high, index"),
        [(1, hour(0), True)], [(1, hour(0), False)]),
    "an event at the exclusive start": (SAME_TIME, "trigger: adm\nwindows:\n" + STAY % ("false", "true"),
                                        [(1, hour(0), False)], [(1, hour(5), False)]),
}


@pytest.mark.parametrize("name", CASES)
def test_difference(name, tmp_path):
    events, text, exact, documented = CASES[name]
    expressions = "  known: {expr: 'or(male, female)'}\n  known_adm: {expr: 'and(known, adm)'}\n"
    task = tmp_path / "task.yaml"
    task.write_text(PREDICATES + (expressions if "known" in text else "") + text)
    meds = write_meds(tmp_path / "meds", events)
    assert aces_rows(meds, task) == exact
    assert our_rows(meds, task, tmp_path / "exact", "--aces-exact") == exact
    assert our_rows(meds, task, tmp_path / "documented") == documented
