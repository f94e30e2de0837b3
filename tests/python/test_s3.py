"""Records in a bucket, behind a server that speaks S3's protocol."""

import json
import os
import pathlib
import subprocess
import sys

import boto3
import pytest
import sequela
from conftest import SMALL
from moto.server import ThreadedMotoServer

COMMAND = pathlib.Path(sys.executable).with_name("sequela")


@pytest.fixture(scope="module")
def bucket(records):
    """The records' copy in a bucket: its URI."""
    environment = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket="ehr")
        for path in (records / "meds").rglob("*.parquet"):
            client.upload_file(str(path), "ehr", "site/" + str(path.relative_to(records / "meds")))
        yield f"s3://ehr/site?endpoint_override={host}:{port}&scheme=http"
        server.stop()


def run(*arguments):
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, env=os.environ)


def test_prepare_reads_a_bucket_as_a_folder(bucket, records, tmp_path):
    options = dict(**SMALL, progress=False)
    sequela.prepare(bucket, tmp_path / "remote", athena=records / "athena", **options)
    sequela.prepare(records / "meds", tmp_path / "local", athena=records / "athena", **options)
    names = {p.relative_to(tmp_path / "local") for p in (tmp_path / "local").rglob("*") if p.is_file()}
    assert names == {p.relative_to(tmp_path / "remote") for p in (tmp_path / "remote").rglob("*") if p.is_file()}
    for name in names - {pathlib.Path("manifest.json")}:  # it has the files' times of change
        assert (tmp_path / "remote" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name

    # Nothing has changed behind the URI, and nothing is made again.
    before = json.loads((tmp_path / "remote" / "manifest.json").read_text())
    sequela.prepare(bucket, tmp_path / "remote", athena=records / "athena", **options)
    assert json.loads((tmp_path / "remote" / "manifest.json").read_text()) == before


def test_the_command_ends_well_with_a_bucket(bucket):
    seen = run("inspect", bucket)
    assert seen.returncode == 0, seen.stderr
    assert "split train" in seen.stdout and seen.stderr == ""
    for uri in (bucket.replace("/site", "/none"), bucket.replace("ehr", "other"), "s3://ehr/site?nonsense=1"):
        failed = run("inspect", uri)
        assert failed.returncode == 3, failed.stderr
        assert failed.stderr.startswith("sequela: error: s3://") and failed.stderr.count("\n") == 1
