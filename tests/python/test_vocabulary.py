"""VocabularyMapper: ids as the files say, coverage, and the report."""

import json

import pytest
import sequela


@pytest.fixture(scope="module")
def codes(bert):
    return json.loads((bert / "model_st" / "vocab.json").read_text())


@pytest.mark.parametrize(
    "name", ["vocab.json", "vocab_dict.json", "vocab_dict_shuffled.json", "vocab.txt", "tokenizer.json"]
)
def test_every_file_gives_the_same_ids(bert, codes, name):
    mapper = sequela.VocabularyMapper(bert / "model_st" / name)
    assert mapper.map_codes(codes) == list(range(500))
    assert mapper.map_code("no such code") == mapper.unk_id == codes.index("[UNK]")
    assert len(mapper) == 500


def test_coverage(bert, codes):
    mapper = sequela.VocabularyMapper(bert / "model_st" / "vocab.json")
    assert mapper.get_coverage([]) == 0
    assert mapper.get_coverage(codes) == 1
    assert mapper.get_coverage([*codes[10:13], "no such code"]) == 0.75


def test_no_unknown_token(bert, codes):
    mapper = sequela.VocabularyMapper(bert / "vocab_no_unk.json")
    assert mapper.get_coverage(["no such code"]) == 0
    with pytest.raises(sequela.FileError, match="UNK"):
        mapper.map_code("no such code")


def test_report(bert, codes):
    mapper = sequela.VocabularyMapper(bert / "model_st")
    report = mapper.report([codes[20], codes[21], "X/unknown"], [5, 3, 2])
    assert report.coverage == pytest.approx(0.8)
    assert report.coverage_of_codes == pytest.approx(2 / 3)
    assert report.unknown == [("X/unknown", 2)]
    assert report.total.num_events["exact"] == 8
    assert "X/unknown" in str(report)
    assert mapper.match(codes[20]) == (20, "exact")


def test_ontology(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nSNOMED/1\n")
    table = pa.table(
        {
            "code": ["SNOMED/1", "SNOMED/2", "ICD/9"],
            "parent_codes": pa.array([[], ["SNOMED/1"], ["SNOMED/2"]], pa.list_(pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "ontology.parquet")
    mapper = sequela.VocabularyMapper(tmp_path / "vocab.txt", tmp_path / "ontology.parquet")
    assert mapper.match("SNOMED/2")[0] == 2
    assert mapper.match("ICD/9") == (2, "ancestor")
