"""doctor: says what is wrong before an audit is tried, and tells no secret."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.conftest import Ran
from tests.fakeaws import Fault, World
from tests.fakeaws.scenarios import SCENARIOS

Cli = Callable[..., Ran]
CHOSEN = ("--no-config", "-c", "guardduty.enabled", "-c", "securityhub.enabled")
NOBODY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


def test_all_is_well(cli: Cli) -> None:
    """Who may read all that is needed gets exit 0, the account, and where the credentials come from."""
    ran = cli("doctor", *CHOSEN, world=SCENARIOS["empty"]())
    assert ran.code == 0, ran.out
    assert "111122223333 (partition aws)" in ran.out and "found by env" in ran.out
    assert "0 refused" in ran.out and "17 enabled" in ran.out and "policy to add" not in ran.out


def test_denied_calls_come_with_the_policy_that_allows_them(cli: Cli) -> None:
    """A refused call is named, its action is in the policy to add, and the exit code says that something is unknown."""
    world = SCENARIOS["empty"]()
    world.faults.append(Fault(service="guardduty", operation="ListDetectors"))
    ran = cli("doctor", *CHOSEN, "-o", "json", world=world)
    assert ran.code == ran.json["exit_code"] == 4
    assert [item["call"] for item in ran.json["refused"]] == ["guardduty:ListDetectors"]
    assert ran.json["policy"][0]["Statement"][0]["Action"] == ["guardduty:ListDetectors"]
    assert '"guardduty:ListDetectors"' in cli("doctor", *CHOSEN, world=world).out


def test_refusal_that_no_check_depends_on_is_told_and_does_not_gate(cli: Cli) -> None:
    """SecurityAudit lacks account:ListRegions: EC2's list is enough, so nothing would be unknown."""
    world = SCENARIOS["empty"]()
    world.faults.append(Fault(service="account", operation="ListRegions"))
    ran = cli("doctor", *CHOSEN, world=world)
    assert ran.code == 0 and "account:ListRegions us-east-1: denied" in ran.out


def test_what_a_control_policy_refuses_is_no_line_of_the_policy(cli: Cli) -> None:
    """Nobody is told to allow what only the organization can."""
    world = SCENARIOS["empty"]()
    text = "not authorized with an explicit deny in a service control policy"
    world.faults.append(Fault(service="guardduty", operation="ListDetectors", message=text))
    ran = cli("doctor", *CHOSEN, world=world)
    assert ran.code == 4 and "policy to add" not in ran.out
    assert "guardduty:ListDetectors: refused by a service or resource control policy" in ran.out


def test_no_call_is_made_but_those_that_are_needed_in_one_region(cli: Cli) -> None:
    """The leader region alone is asked, each call once."""
    world = SCENARIOS["mixed"]()
    cli("doctor", *CHOSEN, world=world)
    asked = [(call[2], call[3], repr(call[4])) for call in world.calls if call[2] != "sts"]
    assert {call[1] for call in world.calls} == {"us-east-1"}
    assert len(asked) == len(set(asked)) and ("guardduty", "ListDetectors", "{}") in asked


@pytest.mark.parametrize("minutes", [6, -6])
def test_wrong_clock_is_an_error(cli: Cli, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    """More than the five minutes that AWS tolerates is exit 1, whichever way."""
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.date_time_string",
        lambda *_: formatdate(time.time() + minutes * 60, usegmt=True),
    )
    ran = cli("doctor", *CHOSEN, world=SCENARIOS["empty"]())
    assert ran.code == 1 and ("behind" if minutes > 0 else "ahead of") in ran.out


def test_clock_that_aws_refuses_is_measured_by_the_refusal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """SignatureDoesNotMatch with another Date says how wrong the clock is."""
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.date_time_string",
        lambda *_: formatdate(time.time() + 3600, usegmt=True),
    )
    world = SCENARIOS["empty"]()
    world.faults.append(
        Fault(service="sts", code="SignatureDoesNotMatch", message="Signature expired", status=403)
    )
    ran = cli("doctor", *CHOSEN, "-o", "json", world=world)
    assert ran.code == 1 and ran.json["clock_is_wrong"] and -3610 < ran.json["skew"] < -3590


def test_no_credentials_at_all(cli: Cli) -> None:
    """Without credentials it still tells the next step, the versions and the environment."""
    ran = cli("doctor", *CHOSEN, env=NOBODY)
    assert ran.code == 1
    assert "no AWS credentials found" in ran.out and "aws configure sso" in ran.out
    assert "botocore" in ran.out and "AWS_ENDPOINT_URL=127.0.0.1" in ran.out


def test_expired_credentials(cli: Cli) -> None:
    """An ended session is named as such."""
    world = World()
    world.faults.append(Fault(service="sts", code="ExpiredToken", status=403))
    ran = cli("doctor", *CHOSEN, world=world)
    assert ran.code == 1 and "the AWS session has expired" in ran.out


def test_missing_sso_token(cli: Cli, tmp_path: Path) -> None:
    """A profile of IAM Identity Center without a token says how to sign in."""
    config = tmp_path / "config"
    config.write_text(
        "[profile p]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = Audit\n"
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n"
    )
    env = {**NOBODY, "AWS_CONFIG_FILE": str(config), "HOME": str(tmp_path)}
    ran = cli("doctor", *CHOSEN, "--profile", "p", env=env)
    assert ran.code == 1 and "aws sso login --profile p" in ran.out


def test_sts_out_of_reach(cli: Cli) -> None:
    """Where nothing answers, the network is named, not the credentials."""
    ran = cli("doctor", *CHOSEN, env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert ran.code == 1 and "AWS STS does not answer" in ran.out and "check the network" in ran.out


@pytest.mark.parametrize("output", ["text", "json"])
def test_no_secret_is_told(cli: Cli, output: str) -> None:
    """Keys, tokens and a proxy's password are never printed, in neither format."""
    env = {
        "AWS_SECRET_ACCESS_KEY": "TOPSECRETKEY",
        "AWS_SESSION_TOKEN": "TOPSECRETTOKEN",
        "HTTP_PROXY": "http://user:TOPSECRETWORD@127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "https://user:TOPSECRETWORD@s3.example.com/TOPSECRETPATH?x=TOPSECRETQUERY",
        "NO_PROXY": "127.0.0.1",
    }
    ran = cli("doctor", *CHOSEN, "-o", output, env=env, world=SCENARIOS["empty"]())
    assert "TOPSECRET" not in ran.out + ran.err
    assert "AWS_SESSION_TOKEN" in ran.out and "s3.example.com" in ran.out


def test_strangers_text_is_inert(cli: Cli) -> None:
    """Control characters of an environment variable do not reach the terminal."""
    ran = cli("doctor", *CHOSEN, env={"NO_PROXY": "127.0.0.1,\x1b[31mx"}, world=SCENARIOS["empty"]())
    assert "\x1b" not in ran.out and "\\u001b" in ran.out
