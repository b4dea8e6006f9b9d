"""Whether an audit would work from here: who asks, the clock, the regions, and which calls would be refused."""

from __future__ import annotations

import datetime
import platform
import ssl
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from postureaudit.asks import Collection, Scope, first_asks
from postureaudit.aws.session import Session
from postureaudit.aws.walk import Collector, walk
from postureaudit.errors import PostureAuditError, UsageError
from postureaudit.evidence import Refusal, Regions
from postureaudit.results import Unanswered

# AWS refuses a signature that is more than five minutes off (IAM user guide, "Signature Version 4: troubleshooting").
MOST_SKEW = 300.0  # seconds
# What changes where calls go or who makes them. Of those that hold a secret, only that they are set is ever told.
_SECRET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
)
_ADDRESSES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
_PLAIN = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "NO_PROXY",
    "POSTUREAUDIT_TRANSPORT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `skew` is seconds this clock is ahead of AWS's, None where AWS gave no time; `expires` ISO 8601,
    "" where botocore does not know it. `problem` and `hint` say why no audit is possible, "" where it is.
    `refused` are the calls that did not answer, `untried` those that need names of what the first ones found."""

    problem: str = ""
    hint: str = ""
    caller: str = ""
    account: str = ""
    partition: str = ""
    found_by: str = ""
    expires: str = ""
    skew: float | None = None
    regions: Regions | None = None
    tried: int = 0
    refused: tuple[Unanswered, ...] = ()
    untried: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    environment: dict[str, str] = {}

    @property
    def is_skewed(self) -> bool:
        """Whether AWS would refuse signatures of this clock."""
        return self.skew is not None and abs(self.skew) > MOST_SKEW


def examine(
    opened: Callable[[], Session],
    collectors: Sequence[Collector],
    wanted: frozenset[str],
    *,
    environment: Mapping[str, str],
    now: Callable[[], datetime.datetime],
    timeout: float | None = None,
) -> Diagnosis:
    """Open the session, ask who it is, then make each collector's first calls once, in the leader region alone.

    Whatever goes wrong is part of the diagnosis; what no diagnosis can be made of (a wrong option) is raised.
    """
    base = Diagnosis(versions=versions(), environment=shown(environment))
    try:
        session = opened()
    except UsageError:
        raise
    except PostureAuditError as error:
        skew = _skew({"ResponseMetadata": {"HTTPHeaders": {"date": error.answered}}}, now)
        return _failed(msgspec.structs.replace(base, skew=skew), error)
    credentials = session.credentials
    base = msgspec.structs.replace(
        base,
        caller=session.caller,
        account=session.account,
        partition=session.partition,
        found_by=str(getattr(credentials, "method", "") or ""),
        expires=_expiry(credentials),
        skew=_skew(_answer_of_sts(session), now),
    )
    first = [_first(collect) for collect in collectors]
    try:
        evidence = walk(session, first, only=[session.leader], wanted=wanted, timeout=timeout)
    except PostureAuditError as error:
        return _failed(base, error)
    refused, tried = [], set()
    for record in evidence:
        if record.call not in wanted and not isinstance(record.outcome, Refusal):
            continue
        if isinstance(record.outcome, Refusal):
            if record.outcome.kind.value in ("not_collected", "not_in_region"):
                continue
            refused.append(
                Unanswered(
                    call=record.call,
                    account=record.account,
                    region=record.region,
                    kind=record.outcome.kind.value,
                    code=record.outcome.code,
                )
            )
        tried.add(record.call)
    return msgspec.structs.replace(
        base,
        regions=evidence.header.regions,
        tried=len(tried),
        refused=tuple(sorted(set(refused), key=lambda item: (item.call, item.region, item.account))),
        untried=tuple(sorted(wanted - tried)),
        problem=f"the calls were not all made: {evidence.header.interrupted}"
        if evidence.header.interrupted
        else "",
    )


def versions() -> dict[str, str]:
    """What makes the calls."""
    import botocore

    from postureaudit import __version__

    return {
        "postureaudit": __version__,
        "python": platform.python_version(),
        "botocore": botocore.__version__,
        "openssl": ssl.OPENSSL_VERSION,
    }


def shown(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter: secrets as "set", addresses as their hosts (a proxy's may hold a password)."""
    found = {}
    for name in sorted(environment):
        upper = name.upper()
        value = environment[name]
        if not value:
            continue
        if upper in _SECRET:
            found[name] = "set"
        elif upper in _ADDRESSES or upper.startswith("AWS_ENDPOINT_URL"):
            found[name] = _host(value)
        elif upper in _PLAIN:
            found[name] = value
    return found


def _host(url: str) -> str:
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}" if parts.hostname else "set"
    except ValueError:
        return "set"


def _first(collect: Collector) -> Collector:
    """A collector that asks only what the other asks before it knows anything."""

    def collector(scope: Scope) -> Collection:
        yield list(first_asks(collect(scope)))

    return collector


def _failed(base: Diagnosis, error: PostureAuditError) -> Diagnosis:
    return msgspec.structs.replace(base, problem=error.message, hint=error.hint)


def _answer_of_sts(session: Session) -> Any:
    """STS's answer to one more question who this is, for the time in its headers; None where it gives none."""
    import botocore.exceptions

    try:
        return session.clients.call(
            "sts", "GetCallerIdentity", {}, region=session.leader, credentials=session.credentials
        )
    except botocore.exceptions.ClientError as error:
        return error.response
    except botocore.exceptions.BotoCoreError:
        return None


def _skew(response: Any, now: Callable[[], datetime.datetime]) -> float | None:
    """Seconds this clock is ahead of the Date that an answer came with."""
    headers = ((response or {}).get("ResponseMetadata") or {}).get("HTTPHeaders") or {}
    try:
        told = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
    except (ValueError, TypeError):
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=datetime.UTC)
    return round((now() - told).total_seconds(), 1)


def _expiry(credentials: Any) -> str:
    """When refreshable credentials end, as botocore keeps it."""
    found = getattr(credentials, "_expiry_time", None)
    return (
        found.astimezone(datetime.UTC).isoformat(timespec="seconds")
        if isinstance(found, datetime.datetime)
        else ""
    )
