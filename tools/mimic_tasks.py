"""The MIMIC-III or MIMIC-IV demo as a data set with two tasks, for `sequela compare`.

    python tools/mimic_tasks.py mimic3 MIMIC3_FOLDER OUT
    python tools/mimic_tasks.py mimic4 MIMIC4_MEDS_FOLDER OUT

Writes OUT/meds, OUT/pretraining (its training subjects only), OUT/in_hospital_mortality.parquet (24 hours
after each admission that lasts so long: does it end in death?) and OUT/readmission_30d.parquet (at each
discharge of the living: an admission within 30 days?). Subjects are split 60, 15, 25 %, each outcome
spread over the three.
"""

import hashlib
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

# Table, code's prefix, code's column, time's column, value's column or None. Diagnoses and procedures are
# billed: they take the time of discharge.
MIMIC3_TABLES = [
    ("DIAGNOSES_ICD", "ICD9CM", "ICD9_CODE", None, None),
    ("PROCEDURES_ICD", "ICD9Proc", "ICD9_CODE", None, None),
    ("LABEVENTS", "LAB", "ITEMID", "CHARTTIME", "VALUENUM"),
    ("PRESCRIPTIONS", "DRUG", "DRUG", "STARTDATE", None),
    ("PROCEDUREEVENTS_MV", "PROCEDURE", "ITEMID", "STARTTIME", None),
    ("MICROBIOLOGYEVENTS", "MICRO", "SPEC_ITEMID", "CHARTTIME", None),
]
MEDS_COLUMNS = ["subject_id", "time", "code", "numeric_value"]


def read_mimic3(source: Path) -> pa.Table:
    """Events of MIMIC-III's tables, in MEDS columns; times are those of the tables."""

    def table(name):
        text = csv.ConvertOptions(column_types={"ICD9_CODE": pa.string(), "DRUG": pa.string()})
        return csv.read_csv(source / f"{name}.csv.gz", convert_options=text)

    events = []

    def add(subjects, times, codes, values=None):
        times = pc.cast(times, pa.timestamp("us"))
        values = pa.nulls(len(subjects), pa.float32()) if values is None else pc.cast(values, pa.float32())
        columns = [pc.cast(subjects, pa.int64()), times, pc.cast(codes, pa.string()), values]
        events.append(pa.table([pa.chunked_array(c) if isinstance(c, list) else c for c in columns], MEDS_COLUMNS))

    patients = table("PATIENTS")
    add(patients["SUBJECT_ID"], patients["DOB"], pa.array(["MEDS_BIRTH"] * len(patients)))
    gender = pc.binary_join_element_wise("GENDER", patients["GENDER"], "//")
    add(patients["SUBJECT_ID"], patients["DOB"], gender)

    admissions = table("ADMISSIONS")
    admitted = pc.binary_join_element_wise("HOSPITAL_ADMISSION", admissions["ADMISSION_TYPE"], "//")
    add(admissions["SUBJECT_ID"], admissions["ADMITTIME"], admitted)
    place = pc.if_else(pc.equal(admissions["HOSPITAL_EXPIRE_FLAG"], 1), "DIED", admissions["DISCHARGE_LOCATION"])
    add(admissions["SUBJECT_ID"], admissions["DISCHTIME"], pc.binary_join_element_wise("HOSPITAL_DISCHARGE", place, "//"))

    discharges = admissions.select(["HADM_ID", "DISCHTIME"])
    for name, prefix, code, time, value in MIMIC3_TABLES:
        rows = table(name)
        if time is None:
            rows, time = rows.join(discharges, "HADM_ID"), "DISCHTIME"
        rows = rows.filter(pc.and_(rows[code].is_valid(), rows[time].is_valid()))
        codes = pc.binary_join_element_wise(prefix, pc.cast(rows[code], pa.string()), "//")
        add(rows["SUBJECT_ID"], rows[time], codes, None if value is None else rows[value])
    return pa.concat_tables(events)


def read_mimic4(source: Path) -> pa.Table:
    return pq.ParquetDataset(sorted(source.glob("data/**/*.parquet"))).read(columns=MEDS_COLUMNS)


def find_admissions(events: pa.Table) -> dict[int, list[tuple[datetime, datetime, bool]]]:
    """subject -> (admission, discharge, whether it ended in death), by time; without discharge: left out."""
    wanted = pc.starts_with(events["code"], "HOSPITAL_")
    moves: dict[int, list] = {}
    for row in events.filter(wanted).sort_by([("subject_id", "ascending"), ("time", "ascending")]).to_pylist():
        moves.setdefault(row["subject_id"], []).append((row["time"], row["code"]))
    stays: dict[int, list] = {}
    for subject, times in moves.items():
        start = None
        for time, code in times:
            if code.startswith("HOSPITAL_ADMISSION"):
                start = time
            elif start is not None:
                stays.setdefault(subject, []).append((start, time, code.endswith("//DIED")))
                start = None
    return stays


def label_tasks(stays) -> dict[str, list[tuple[int, datetime, bool]]]:
    day, month = timedelta(days=1), timedelta(days=30)
    mortality, readmission = [], []
    for subject, times in sorted(stays.items()):
        for i, (start, end, died) in enumerate(times):
            if end - start >= day:
                mortality.append((subject, start + day, died))
            if not died:
                again = i + 1 < len(times) and times[i + 1][0] - end <= month
                readmission.append((subject, end, again))
    return {"in_hospital_mortality": mortality, "readmission_30d": readmission}


def split_subjects(subjects, tasks) -> dict[int, str]:
    def rank(subject):
        return hashlib.sha256(str(subject).encode()).digest()

    outcomes = {subject: () for subject in subjects}
    for task, labels in tasks.items():
        for subject in {subject for subject, _, value in labels if value}:
            outcomes[subject] += (task,)
    # Multiples of the golden ratio spread each stretch of the list over the parts.
    splits = {}
    for i, subject in enumerate(sorted(subjects, key=lambda s: (outcomes[s], rank(s)))):
        share = i * 0.6180339887 % 1
        splits[subject] = "train" if share < 0.6 else "tuning" if share < 0.75 else "held_out"
    return splits


def write_meds(events: pa.Table, folder: Path, splits: dict[int, str]) -> None:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "metadata").mkdir(exist_ok=True)
    order = [("subject_id", "ascending", "at_start"), ("time", "ascending", "at_start")]
    pq.write_table(events.take(pc.sort_indices(events, order)), folder / "data" / "0.parquet")
    codes = pa.table({"code": pc.unique(events["code"])})
    nulls = codes.append_column("description", pa.nulls(len(codes), pa.string()))
    parents = pa.nulls(len(codes), pa.list_(pa.string()))
    pq.write_table(nulls.append_column("parent_codes", parents), folder / "metadata" / "codes.parquet")
    rows = pa.table({"subject_id": list(splits), "split": list(splits.values())})
    pq.write_table(rows, folder / "metadata" / "subject_splits.parquet")


def main() -> None:
    kind, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    events = read_mimic3(source) if kind == "mimic3" else read_mimic4(source)
    tasks = label_tasks(find_admissions(events))
    splits = split_subjects(pc.unique(events["subject_id"]).to_pylist(), tasks)
    write_meds(events, out / "meds", splits)
    train = {subject: split for subject, split in splits.items() if split == "train"}
    is_train = pc.is_in(events["subject_id"], pa.array(list(train), pa.int64()))
    write_meds(events.filter(is_train), out / "pretraining", train)
    for task, labels in tasks.items():
        subjects, times, values = zip(*labels)
        table = pa.table({
            "subject_id": pa.array(subjects, pa.int64()),
            "prediction_time": pa.array(times, pa.timestamp("us")),
            "boolean_value": list(values),
        })
        pq.write_table(table, out / f"{task}.parquet")
        print(f"{task}: {len(values)} labels, {sum(values)} positive")


if __name__ == "__main__":
    main()
