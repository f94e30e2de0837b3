"""Tasks made at random: --aces-exact gives ACES's rows, whatever the windows."""

import random
from datetime import datetime, timedelta

import pytest
from conftest import aces_rows, our_rows, write_meds

PREDICATES = """predicates:
  a: {code: A}
  b: {code: B}
  c: {code: {any: [C, D]}}
  low: {code: {regex: "^[AB]$"}, value_max: 2, value_max_inclusive: true}
  ab: {expr: "or(a, b)"}
  both: {expr: "and(ab, c)"}
"""
NAMES = ["a", "b", "c", "low", "ab", "both"]
SPANS = ["1h", "90 minutes", "5h", "1 day", "30h"]


def random_events(rng):
    events = []
    for subject in range(1, 13):
        hours = sorted(rng.choice([rng.randint(0, 60), rng.randint(0, 60) + 0.5]) for _ in range(rng.randint(1, 25)))
        for at in hours:
            value = rng.choice([None, 1.0, 2.0, 3.0])
            events.append((subject, datetime(2020, 1, 1) + timedelta(hours=at), rng.choice("AABBCDX"), value))
    return events


def random_window(rng, name, earlier):
    outer = rng.choice(["trigger"] + [f"{window}.{edge}" for window in earlier for edge in ("start", "end")])
    outer += rng.choice(["", "", f" + {rng.choice(SPANS)}", f" - {rng.choice(SPANS)}", f" -> {rng.choice(NAMES)}",
                         f" <- {rng.choice(NAMES)}"])
    inner_end = rng.choice(["NULL", f"start + {rng.choice(SPANS)}", f"start -> {rng.choice(NAMES)}"])
    inner_start = rng.choice(["NULL", f"end - {rng.choice(SPANS)}", f"end <- {rng.choice(NAMES)}"])
    start, end = rng.choice([(outer, inner_end), (inner_start, outer)])
    text = f"  {name}:\n    start: {start}\n    end: {end}\n    start_inclusive: {rng.choice(['true', 'false'])}\n"
    text += f"    end_inclusive: {rng.choice(['true', 'false'])}\n"
    if rng.random() < 0.5:
        bound = rng.choice(["(1, None)", "(None, 2)", "(0, 3)", "(None, 0)"])
        text += f"    has:\n      {rng.choice(NAMES + ['_ANY_EVENT', '_RECORD_START', '_RECORD_END'])}: {bound}\n"
    return text


def random_task(rng):
    names = [f"w{i}" for i in range(rng.randint(1, 4))]
    text = PREDICATES + f"trigger: {rng.choice(NAMES + ['_ANY_EVENT', '_RECORD_START'])}\nwindows:\n"
    chosen = {rng.choice(names): f"    label: {rng.choice(NAMES)}\n"}
    index = rng.choice(names)
    chosen[index] = chosen.get(index, "") + f"    index_timestamp: {rng.choice(['start', 'end'])}\n"
    for i, name in enumerate(names):
        text += random_window(rng, name, names[:i]) + chosen.get(name, "")
    return text


@pytest.mark.parametrize("seed", range(8))
def test_random_tasks(seed, tmp_path):
    rng = random.Random(seed)
    meds = write_meds(tmp_path / "meds", random_events(rng))
    num_with_rows = 0
    for i in range(25):
        task = tmp_path / f"task{i}.yaml"
        task.write_text(random_task(rng))
        expected = aces_rows(meds, task)
        num_with_rows += len(expected) > 0
        assert our_rows(meds, task, tmp_path / f"out{i}", "--aces-exact") == expected, task.read_text()
    assert num_with_rows > 10
