"""Made-up finished runs, as folders in the forms of docs/formats.md, for the tests of the page."""

import json
import math
import pathlib
import random

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">'\"&<b>\u202e\x01"

FIGURES = {"auroc": 0.78, "auprc": 0.31, "brier": 0.05, "log_loss": 0.2, "calibration_slope": 0.9,
           "calibration_intercept": -0.1, "calibration_in_the_large": 0.1, "ece": 0.02, "ici": 0.01}


def interval(value, half=0.05):
    return {"value": value, "low": value - half, "high": value + half}


def curves(quality):
    places = [i / 100 for i in range(101)]
    return {
        "roc_band": [{"false_positive_rate": x, **interval(x**quality)} for x in places],
        "precision_recall_band": [{"recall": x, **interval(0.6 - 0.5 * x)} for x in places[1:]],
        "calibration_band": [{"score": x / 3, **interval(x / 3 + 0.02 * math.sin(9 * x), 0.03)} for x in places],
        "decision": [{"threshold": x, "net_benefit": 0.038 - 0.3 * x, "net_benefit_of_all": 0.038 - 1.2 * x,
                      "low": 0.03 - 0.3 * x, "high": 0.038 - 0.2 * x} for x in places[1:-1]],
    }


def method(name, shift, groups):
    figures = {key: interval(value + shift) for key, value in FIGURES.items()}
    figures["ici"] = {"value": None, "low": None, "high": None, "why_not": "all probabilities are equal"}
    table = {"num_rows": 981, "num_positive": 66, "figures": figures}
    return {"method": name, **table, "curves": curves(0.3 - shift),
            "subgroups": [{"column": column, "value": value, **table} for column, value in groups],
            "gaps": [{"column": "sex", **table}]}


def difference(first, second, value, p):
    return {"first": first, "second": second, "num_rows": 981, "num_positive": 66,
            "figures": {key: {**interval(value), "p_value": p, "p_holm": p} for key in FIGURES}}


def binary_task(name, methods, num_points):
    groups = [("sex", "F"), ("sex", "M"), ("age_band", "65-79"), (HOSTILE, "yes")]
    chance = random.Random(1)
    pairs = [(a, b) for i, a in enumerate(methods) for b in methods[i + 1:]]
    return {
        "task": name, "kind": "binary", "num_rows": 981, "num_positive": 66, "num_subjects": 871,
        "sides": {"train": {"num_rows": 512, "num_positive": 40, "num_subjects": 500}, "validation": None,
                  "test": {"num_rows": 981, "num_positive": 66, "num_subjects": 871}},
        "methods": [method(one, -0.03 * i, groups) for i, one in enumerate(methods)],
        "differences": [difference(a, b, 0.03, 0.001) for a, b in pairs],
        "few_shot": {"rule": "k of each outcome", "draws": 5, "points": [
            {"method": one, "k": k, "num_train": 2 * (k or 256), "auroc": interval(0.5 + 0.03 * math.log2(k or 256)),
             "auprc": interval(0.1 + 0.02 * math.log2(k or 256))}
            for one in methods for k in (1, 2, 4, 8, 16, 32, 64, 128, None)], "differences": []},
        "map": {"method": methods[0], "explained": [0.31, 0.12], "points": [
            {"x": chance.gauss(i % 2, 1), "y": chance.gauss(0, 1), "outcome": i % 2} for i in range(num_points)]},
    }


def event_task(name):
    days = list(range(0, 366, 5))
    figures = {"harrell_c": interval(0.7), "uno_c": interval(0.69), "mean_auc": interval(0.72),
               "integrated_brier": interval(0.11)}
    fall = [{"days": d, **interval(math.exp(-d / 900), 0.02)} for d in days]
    rise = [{"days": d, **interval(1 - math.exp(-d / 900), 0.02)} for d in days]
    side = {"num_rows": 900, "num_subjects": 800, "num_events": 210, "num_competing": 30}
    return {
        "task": name, "kind": "time_to_event", "sides": {"train": side, "validation": side, "test": side},
        "horizons": [30, 365],
        "methods": [{"method": "hazards", "num_rows": 900, "figures": figures,
                     "calibration": [{"horizon": 365, "groups": [
                         {"mean_risk": r / 20, "observed": r / 19, "num_rows": 90} for r in range(1, 11)]}],
                     "survival": fall}],
        "differences": [],
        "observed": {"survival": fall, "cumulative_incidence": [{"kind": "event", "points": rise},
                                                                {"kind": "competing", "points": rise[:40]}]},
    }


def evaluation(num_subjects=16_000, num_points=300):
    return {
        "schema": 1, "sequela": "0.1.0", "command": "evaluate", "bootstraps": 1000, "level": 0.95, "seed": 1,
        "data": {"num_subjects": num_subjects, "num_events": 10_300_000, "num_static_events": 16_000, "num_codes": 5_000,
                 "num_valued_events": 3_000_000, "first_time": "1950-01-02", "last_time": "2024-05-06",
                 "events_per_subject": {"quantiles": {"0.5": 410}, "histogram": [
                     {"from": 2**i, "to": 2**(i + 1) - 1, "num_subjects": 100 * i} for i in range(12)]},
                 "vocabularies": [{"vocabulary": v, "num_codes": 50, "num_events": 1000} for v in ("ICD10CM", HOSTILE)],
                 "splits": {"source": "the data set's own", "train": 12000, "tuning": 2000, "held_out": 2000}},
        "methods": [{"method": "motor", "title": "MOTOR, probe", "learns": True},
                    {"method": "lora", "title": "MOTOR, LoRA", "why_not": {"readmission_30d": "no bundle was given"}}],
        "leaks": [{"check": "subjects", "title": "Subjects on two sides", "task": None, "status": "passed",
                   "num_checked": 16000, "num_found": 0, "text": "none"},
                  {"check": "codes", "title": "A single code", "task": "death", "status": "found", "num_checked": 12,
                   "num_found": 1, "text": HOSTILE}],
        "tasks": [binary_task("death", ["motor", "counts + XGBoost", HOSTILE], num_points), event_task("time to death")],
    }


def training():
    kinds = ("embedding", "attention", "feed_forward", "head")
    log = [{"step": 75 * i, "train/loss": 0.5 / i, "train/learning_rate": 1e-3 / i, "train/grad_norm": 2 / i,
            "train/tokens_per_second": 9000 + i, "train/mfu": 0.6,
            **{f"health/{k}/{what}": value / i for k in kinds
               for what, value in (("gradient_norm", 1), ("update_ratio", 0.001), ("starved", 0.02))}}
           for i in range(1, 9)]
    evaluations = [{"step": 300 * i, "is_best": i == 2, "eval/loss": 0.4 / i, "eval/gain": 0.3 * i,
                    "eval/gain/frequent": 0.4 * i, "eval/gain/middle": 0.2 * i, "eval/gain/rare": 0.1 * i,
                    "eval/gain/vocabulary/ICD10CM": 0.3, f"eval/gain/vocabulary/{HOSTILE}": 0.1,
                    "eval/concordance": 0.7, "eval/concordance/ICD10CM/I50": 0.75, "eval/constant_loss": float("nan")}
                   for i in (1, 2)]
    return {"log": log, "evaluations": evaluations, "warned_at": 75}


def coverage():
    return {"events": {"subjects": 16000, "events": 10_300_000, "static_events": 16000, "subjects_without_birth": 3,
                       "contents": evaluation()["data"]},
            "ontology": {"codes": 5000, "events": 10_300_000, "codes_described": 4000, "events_described": 9_000_000,
                         "codes_with_parent": 3000, "events_with_parent": 8_000_000,
                         "vocabularies": {"ICD10CM": {"in_data": 900, "kept": 100, "dropped": 20},
                                          HOSTILE: {"in_data": 9, "kept": 1, "dropped": 0}}},
            "tokenizer": {"tokens": 8192, "codes_with_token": 4900, "events_with_token": 10_200_000},
            "train_batches": {"windows": 11000, "tokens": 4_000_000, "labels": 900_000}}


def comparison():
    rows = [(m, n) for m in ("pretrained, fine-tuned", "random start") for n in (32, 128, 512)]
    return {"num_train": 512, "num_validation": 100, "num_test": 400, "num_test_positive": 40, "coverage": 0.9,
            "results": [{"method": m, "num_labels": n, "auroc": interval(0.7), "average_precision": interval(0.3),
                         "auroc_by_seed": [0.7]} for m, n in rows],
            "differences": [{"first": rows[0][0], "second": rows[-1][0], "num_labels": 32,
                             "auroc": {**interval(0.1), "p_value": 0.01},
                             "average_precision": {**interval(0.1), "p_value": 0.01}}]}


def cohort():
    return {"subjects": 16000, "events": 10_300_000, "trigger": {"predicate": "admission", "subjects": 900, "events": 1200},
            "steps": [{"step": "trigger", "of": "subjects", "before": 16000, "after": 900,
                       "fell_out": [{"why": HOSTILE, "count": 15100}]},
                      {"step": "windows.gap", "of": "trigger events", "before": 1200, "after": 1000,
                       "fell_out": [{"why": "at least 1 death", "count": 200}]}],
            "labels": {"rows": 1000, "subjects": 800, "true": 70, "false": 930}}


def ledger():
    def tally(count, key):
        return {"count": count, "examples": [key, "subject 3"]}
    names = ("measurement", "condition_occurrence", HOSTILE)
    return {"rows_in": 4200, "rows_dropped": 20, "missing_tables": ["note", HOSTILE], "unread": {"Device": 3, HOSTILE: 1},
            "tables": [{"table": one, "rows_in": 1400, "events_out": 1390 - 300 * i, "rows_dropped": 10 * i,
                        "dropped": {"no time": tally(10 * i, "measurement_id 17")} if i else {},
                        "withheld": {one: {HOSTILE: tally(2, HOSTILE)}}} for i, one in enumerate(names)],
            "data": {"num_subjects": 160, "num_events": 3270, "num_codes": 90,
                     "found": {"events before birth": tally(4, "subject 7")}}}


def manifest(command):
    recipe = {"command": command, "version": "0.1.0", "parameters": {"seed": "1", "name": HOSTILE},
              "inputs": {"meds": {"data/0.parquet": "0" * 64}}, "outputs": ["metrics.json"]}
    return {"schema": 1, "artifacts": {command: {"recipe": recipe, "files": {"metrics.json": "1" * 64},
                                                 "report": {"num_tasks": 1}}}}


RUNS = {"evaluate": ("evaluation.json", evaluation), "pretrain": ("metrics.json", training),
        "prepare": ("coverage.json", coverage), "compare": ("compare.json", comparison), "label": ("cohort.json", cohort),
        "etl": ("etl_report.json", ledger)}


def write_run(folder: pathlib.Path, kind: str, **options) -> pathlib.Path:
    """A folder as `kind` leaves it."""
    folder.mkdir(parents=True)
    name, make = RUNS[kind]
    (folder / name).write_text(json.dumps(make(**options)))
    (folder / "manifest.json").write_text(json.dumps(manifest(kind)))
    return folder
