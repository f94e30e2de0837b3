"""Writes the records and the vocabulary that the other make_motor scripts start from:

  motor/g60       60 subjects of `sequela synth --subjects 60 --seed 5`, cut to their first events (numbers, texts, events
                  without a time, some long records), with the part of the Athena tables that these codes need
  motor/tutorial  80 subjects with few events of random codes, without numbers or texts: many ties, rare codes

    .venv-femr/bin/python tests/reference/make_records.py [SEQUELA, default build/bin/sequela]

Pins: those of tests/femr/requirements.txt; of Sequela the version whose synth makes these records (0.1.0).
"""

import datetime
import pathlib
import random
import subprocess
import sys
import tempfile

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
DATA = pa.schema([("subject_id", pa.int64()), ("time", pa.timestamp("us")), ("code", pa.string()),
                  ("numeric_value", pa.float32()), ("text_value", pa.string())])


def events_kept(number):
    """Of the number-th subject: mostly short records, every eighth longer than a batch's share."""
    return 700 if number % 8 == 3 else 40 + number * 37 % 90


def cut_records(meds):
    """The first events of each subject, static ones first, and a visit as the last, whose kind is a task: femr ends a
    window at the last token with a later one, Sequela at the last one with a task ahead, which are then the same."""
    tables = [pq.read_table(path) for path in sorted((meds / "data").rglob("*.parquet"))]
    frame = pl.from_arrow(pa.concat_tables(tables)).with_columns(pl.col("text_value").cast(pl.String))
    frame = frame.sort("subject_id", maintain_order=True).select(DATA.names)
    parts = [part.head(events_kept(i)) for i, part in enumerate(frame.partition_by("subject_id", maintain_order=True))]
    parts = [pl.concat([part, part.tail(1).with_columns(
        time=pl.col("time") + datetime.timedelta(days=40), code=pl.lit("Visit/ER" if i % 2 else "Visit/IP"),
        numeric_value=pl.lit(None, pl.Float32), text_value=pl.lit(None, pl.String))]) for i, part in enumerate(parts)]
    return pl.concat(parts).with_columns(pl.col("subject_id") * 37 + 1_000_000)


def random_records(codes, num_subjects):
    """A birth, sex and race, then 3 to 30 random codes, some of them on one day and some that no vocabulary knows."""
    draw = random.Random(97)
    rows = []
    for subject in range(num_subjects):
        birth = datetime.datetime(1930 + draw.randrange(70), 1 + draw.randrange(12), 1 + draw.randrange(28))
        time = birth + datetime.timedelta(days=draw.randrange(30, 20_000), hours=draw.randrange(24))
        static = ["MEDS_BIRTH", draw.choice(["Gender/M", "Gender/F"]), f"Race/{draw.randrange(1, 5)}"]
        rows += [(subject, birth, code) for code in static]
        for _ in range(draw.randrange(3, 31)):
            code = draw.choice(codes) if draw.random() < 0.8 else f"LOCAL/{draw.randrange(300)}"
            rows.append((subject, time, code))
            if draw.random() < 0.7:
                time += datetime.timedelta(days=draw.randrange(400), minutes=draw.randrange(1440))
    frame = pl.DataFrame(rows, schema=["subject_id", "time", "code"], orient="row")
    return frame.with_columns(pl.lit(None).alias("numeric_value"), pl.lit(None).alias("text_value"))


def write_meds(frame, folder, codes):
    for name in ("data", "metadata"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    pq.write_table(frame.to_arrow().cast(DATA), folder / "data/0.parquet", compression="zstd")
    pq.write_table(codes, folder / "metadata/codes.parquet", compression="zstd")
    (folder / "metadata/dataset.json").write_text('{"dataset_name": "made up", "meds_version": "0.3.3"}\n')


def metadata_of(frame, codes_path):
    """codes.parquet of the codes in the data. Every twentieth gets parents of its own, as a site's codes have."""
    table = pl.read_parquet(codes_path).filter(pl.col("code").is_in(frame["code"].unique().to_list())).sort("code")
    rows = table.to_dicts()
    for i, row in enumerate(rows):
        row["parent_codes"] = [f"SITE/{i % 3}", rows[0]["code"]] if i % 20 == 7 else None
    return pa.Table.from_pylist(rows, pa.schema([("code", pa.string()), ("description", pa.string()),
                                                 ("parent_codes", pa.list_(pa.string()))]))


def read_table(path):
    return pl.read_csv(path, separator="\t", infer_schema_length=0, quote_char=None)


def with_tenth(table, is_read):
    """The rows that are read, and of those that are passed over every tenth: the file is half as large."""
    return table.with_row_index().filter(is_read | (pl.col("index") % 10 == 0)).drop("index")


def cut_athena(source, codes, folder):
    """The concepts of the codes, every sixtieth other one, what all of these map to, and their ancestors. An
    ontology takes no grandparent and no `Is a`, neither femr's nor Sequela's."""
    concepts = read_table(source / "CONCEPT.csv")
    related = read_table(source / "CONCEPT_RELATIONSHIP.csv")
    ancestors = read_table(source / "CONCEPT_ANCESTOR.csv")
    is_used = (pl.col("vocabulary_id") + "/" + pl.col("concept_code")).is_in(codes)
    kept = set(concepts.with_row_index().filter(is_used | (pl.col("index") % 60 == 0))["concept_id"])
    kept |= set(related.filter(pl.col("concept_id_1").is_in(kept) & (pl.col("relationship_id") == "Maps to"))["concept_id_2"])
    kept |= set(ancestors.filter(pl.col("descendant_concept_id").is_in(kept))["ancestor_concept_id"])
    concepts = concepts.filter(pl.col("concept_id").is_in(kept))
    related = related.filter(pl.col("concept_id_1").is_in(kept) & pl.col("concept_id_2").is_in(kept))
    related = related.filter(pl.col("relationship_id").is_in(["Maps to", "Is a"]))
    related = with_tenth(related, pl.col("relationship_id") == "Maps to")
    ancestors = ancestors.filter(pl.col("ancestor_concept_id").is_in(kept) & pl.col("descendant_concept_id").is_in(kept))
    ancestors = with_tenth(ancestors, pl.col("min_levels_of_separation").is_in(["0", "1"]))
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in {"CONCEPT": concepts, "CONCEPT_RELATIONSHIP": related, "CONCEPT_ANCESTOR": ancestors}.items():
        table.write_csv(folder / f"{name}.csv", separator="\t", quote_style="never")


def main():
    sequela = sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1] / "build/bin/sequela"
    with tempfile.TemporaryDirectory() as name:
        synth = pathlib.Path(name) / "synth"
        subprocess.run([sequela, "synth", "--subjects", "60", "--seed", "5", "--threads", "1", "--quiet", "--out", synth],
                       check=True)
        records = cut_records(synth / "meds")
        metadata = synth / "meds/metadata/codes.parquet"
        codes = sorted(records["code"].unique())
        write_meds(records, HERE / "motor/g60/meds", metadata_of(records, metadata))
        cut_athena(synth / "athena", codes, HERE / "motor/g60/athena")
        shuffled = random.Random(5).sample([code for code in codes if code != "MEDS_BIRTH"], 250)
        others = random_records(shuffled, 80)
        write_meds(others, HERE / "motor/tutorial/meds", metadata_of(others, metadata))


if __name__ == "__main__":
    main()
