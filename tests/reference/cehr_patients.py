"""The made-up patients of make_cehrbert.py, as JSON and as the package takes them."""

import datetime
import random

LABS = [("LOINC/2160-0", "mg/dL", 1.0, 0.3), ("LOINC/4548-4", "%", 6.0, 0.9), ("LOINC/718-7", "g/dL", 13.0, 1.7)]
CODES = ["ICD10/I10", "ICD10/E11.9", "ICD10/N18.3", "ICD10/I50.9", "ICD10/M54.5", "RxNorm/197361", "RxNorm/860975",
         "SNOMED/44054006", "heart failure  NOS"]
GAPS = [1, 5, 9, 20, 29, 45, 100, 200, 340, 420, 800, 1200]


def text_of(time):
    return time.isoformat() if time else None


def make_event(draw, time):
    event = {"time": text_of(time), "code": draw.choice(CODES), "numeric_value": None, "text_value": None, "unit": None}
    kind = draw.random()
    if kind < 0.35:
        code, unit, mean, std = draw.choice(LABS)
        event.update(code=code, numeric_value=round(draw.gauss(mean, std), 2), unit=unit)
    elif kind < 0.45:
        event.update(code="LOINC/72166-2", text_value="Never smoker")
    elif kind < 0.5:
        event["time"] = None
    return event


def make_visit(draw, start, num_events):
    """An office visit of one day, a stay of several days or an emergency."""
    kind = draw.choice(["9202", "9202", "9201", "Visit/ER"])
    days = draw.randrange(2, 12) if kind == "9201" else 0
    times = sorted(start + datetime.timedelta(days=draw.uniform(0, days), hours=draw.randrange(1, 9)) for _ in range(num_events))
    events = [make_event(draw, time.replace(microsecond=0)) for time in times]
    if kind == "9202" and len(events) > 1:
        events.append(dict(events[0]))  # once more, which counts once
    end = start + datetime.timedelta(days=days)
    return {"visit_type": kind, "visit_start_datetime": text_of(start), "visit_end_datetime": text_of(end),
            "discharge_facility": "8536" if kind == "9201" and days > 4 else None, "events": events}


def make_patients():
    draw = random.Random(9)
    patients = []
    for number in range(12):
        is_long = number in (3, 4, 8)
        birth = datetime.datetime(1930 + draw.randrange(60), 1 + draw.randrange(12), 1 + draw.randrange(28))
        start = birth + datetime.timedelta(days=365 * draw.randrange(20, 60) + draw.randrange(365))
        visits = []
        for visit in range(14 if is_long else 3):
            num_events = 0 if number == 6 and visit == 1 else draw.randrange(4, 9) if is_long else draw.randrange(1, 6)
            visits.append(make_visit(draw, start, num_events))
            start += datetime.timedelta(days=draw.choice(GAPS))
        patients.append({"patient_id": 1000 + number, "birth_datetime": text_of(birth), "gender": draw.choice(["8507", "8532"]),
                         "race": "8527", "visits": visits})
    patients[7]["visits"].reverse()  # the order in the file does not matter
    return patients


def time_of(text):
    return datetime.datetime.fromisoformat(text) if text else None


def as_package(patient):
    """The same with times in place of texts."""
    visits = [{**visit, "visit_start_datetime": time_of(visit["visit_start_datetime"]),
               "visit_end_datetime": time_of(visit["visit_end_datetime"]),
               "events": [{**event, "time": time_of(event["time"])} for event in visit["events"]]}
              for visit in patient["visits"]]
    return {**patient, "birth_datetime": time_of(patient["birth_datetime"]), "visits": visits}
