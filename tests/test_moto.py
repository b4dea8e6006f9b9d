"""Against a plain moto server, which nobody taught our ways: no traceback, and what it lacks is unknown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.fakeaws.server import CHILD, env
from tests.fakeaws.world import World


class _Moto:
    """Looks like our own fake to env()."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.world = World()


@pytest.fixture(scope="module")
def moto() -> Iterator[dict[str, str]]:
    """The environment of a child that sees a plain moto server with one trail that logs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    environment = env(_Moto(f"http://{host}:{port}"))  # type: ignore[arg-type]  # url and world are all it reads

    def client(service: str) -> object:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    client("s3").create_bucket(Bucket="logs")  # type: ignore[attr-defined]  # boto3 makes its methods at run time
    trails = client("cloudtrail")
    trails.create_trail(Name="main", S3BucketName="logs", IsMultiRegionTrail=True)  # type: ignore[attr-defined]  # the same
    trails.start_logging(Name="main")  # type: ignore[attr-defined]  # the same
    yield {**environment, "AWS_ACCESS_KEY_ID": "testing", "PYTHONPATH": str(CHILD)}
    server.stop()


@pytest.mark.exhaustive
def test_audit_of_plain_moto(moto: dict[str, str]) -> None:
    """What moto answers is judged, what it does not implement is unknown, and nothing breaks."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "postureaudit", "audit", "--no-config", "-o", "json=-"),
            *("--region", "us-east-1", "--region", "eu-west-1"),
        ],
        env=moto,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "Traceback" not in done.stderr and done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    verdicts = {item["check"]: item["verdict"] for item in result["findings"]}
    assert verdicts["cloudtrail.enabled"] == verdicts["cloudtrail.multi-region"] == "pass"
    assert verdicts["cloudtrail.log-validation"] == "fail"
    assert verdicts["cloudtrail.lake-kms"] == "unknown"
    assert not result["summary"]["complete"]
