"""Credentials that run out at any moment of the walk: what was known is kept and judged, the rest is unknown."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.aws.pages import _SIZES
from postureaudit.aws.walk import walk
from postureaudit.errors import CredentialsError
from postureaudit.evidence import Absent, Answer, Evidence, Refusal, RefusalKind, canonical
from postureaudit.findings import Severity, Verdict
from postureaudit.gate import decide
from tests.conftest import walk_world
from tests.fakeaws.scenarios import SCENARIOS
from tests.parts import part
from tests.test_refusals import verdicts

REGION = "us-east-1"
MOST = 200  # calls that the walk of one region makes, and some
COLLECTORS = [service.collect for service in services.all_services()]


class Recorded:
    """A session that answers from a record, one call after the other, until its credentials expire."""

    leader, partition = REGION, "aws"
    credentials = output_shape = input_shape = archive = None

    def __init__(self, evidence: Evidence, lasts: int) -> None:
        self.account = evidence.header.accounts[0].id
        self.caller = evidence.header.caller
        self.clients = self
        self.calls: list[str] = []
        self._lasts = lasts
        self._known = {record.key: record.outcome for record in evidence}

    def offered(self, service: str, region: str) -> bool:
        return True

    def model(self, service: str, operation: str) -> Any:
        return self

    def answer(self, service: str, operation: str, params: Any, *, region: str, **_: Any) -> dict[str, Any]:
        call = f"{service}:{operation}"
        self.calls.append(call)
        if len(self.calls) > self._lasts:
            raise _error("ExpiredTokenException", "The security token included in the request is expired")
        if operation in ("DescribeRegions", "ListRegions"):  # it is an account of one region
            return {"Regions": [{"RegionName": REGION, "OptInStatus": "opt-in-not-required"}]}
        given = {name: value for name, value in params.items() if name not in _SIZES.get(call, {})}
        match self._known[(call, canonical(given), self.account, region)]:
            case Answer(body=body):
                return dict(body)
            case Absent(code=code, message=message) | Refusal(code=code, message=message):
                raise _error(code, message)


def _error(code: str, message: str) -> Exception:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return botocore.exceptions.ClientError(answer, "X")


@pytest.fixture(scope="module")
def recorded() -> Evidence:
    """All that a clean account answers."""
    with pytest.MonkeyPatch.context() as patch:
        return walk_world(patch, SCENARIOS["responding"](), only=[REGION])


def walked(recorded: Evidence, lasts: int) -> tuple[Recorded, Evidence]:
    session = Recorded(recorded, lasts)
    return session, walk(session, COLLECTORS, max_workers=1)  # type: ignore[arg-type]  # a stand-in


@pytest.fixture(scope="module")
def whole(recorded: Evidence) -> tuple[Evidence, dict[tuple[str, str, str], Verdict]]:
    """The evidence of credentials that last, with its verdicts."""
    _, evidence = walked(recorded, 10_000)
    found = evaluate.evaluate(evidence, catalog.builtin())
    return evidence, verdicts({item.check: item for item in found})


def test_the_record_is_walked_whole(whole: tuple[Evidence, Any]) -> None:
    """Nothing expires where credentials last, and the walk is shorter than what is tried below."""
    evidence, before = whole

    assert {record.call for record in evidence.refusals()} == {"s3:HeadBucket"}  # the log archive's buckets
    assert Verdict.UNKNOWN not in before.values()
    assert 100 < evidence.header.calls <= MOST


@pytest.mark.parametrize("lasts", part(range(2, MOST), of=24))
def test_credentials_that_last_for_n_calls(
    recorded: Evidence, whole: tuple[Evidence, dict[tuple[str, str, str], Verdict]], lasts: int
) -> None:
    """The answers so far are kept as they were, no call follows the expiry, and no verdict is another one."""
    complete, before = whole

    session, evidence = walked(recorded, lasts)

    found = {item.check: item for item in evaluate.evaluate(evidence, catalog.builtin())}
    assert len(session.calls) <= lasts + 1 and evidence.header.calls == len(session.calls)
    for record in evidence:
        known = complete.find(record.call, record.account, record.region, record.params)
        expired = isinstance(record.outcome, Refusal) and record.outcome.kind is RefusalKind.EXPIRED
        assert expired or (known is not None and known.outcome == record.outcome)
    for place, verdict in verdicts(found).items():
        if verdict in (Verdict.PASS, Verdict.FAIL):
            assert verdict is before.get(place, verdict) or before[place] is Verdict.NOT_APPLICABLE, place
            assert not (verdict is Verdict.FAIL and before.get(place) is not Verdict.FAIL), place
        assert verdict is not Verdict.NOT_APPLICABLE or before.get(place) not in (
            Verdict.PASS,
            Verdict.FAIL,
        ), place
    if lasts < complete.header.calls:
        hidden = [item for item in found.values() if item.severity is not Severity.INFO]
        unknown = any(item.having(Verdict.UNKNOWN) for item in hidden)
        assert decide(found.values()).code == (4 if unknown else 0)
        assert unknown or lasts > complete.header.calls - 20


def test_credentials_that_expire_before_the_regions_are_known(recorded: Evidence) -> None:
    """There is nothing to judge: the audit did not run."""
    with pytest.raises(CredentialsError, match="expired"):
        walked(recorded, 0)
