"""What an account names that may be another one's: buckets, ARNs, and the accounts that administer it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from postureaudit.asks import Ask, Batch, Collection, Fork, Scope
from postureaudit.evidence import Evidence, Json
from postureaudit.services import buckets, cloudtrail
from postureaudit.services.cloudtrail.asks import rotatable, rotation_ask
from postureaudit.signals import asks
from postureaudit.signals.arns import Arn

# Where settings name things by ARN; each finds them in the answer of one call.
_ARNS = {
    "events:ListTargetsByRule": "Targets[].[Arn, RoleArn][]",
    "cloudwatch:DescribeAlarms": "[MetricAlarms, CompositeAlarms][][].AlarmActions[]",
    "sns:ListSubscriptionsByTopic": "Subscriptions[].Endpoint",
    "cloudtrail:DescribeTrails": "trailList[].[TrailARN, KmsKeyId, CloudWatchLogsLogGroupArn][]",
    "sns:GetTopicAttributes": "Attributes.KmsMasterKeyId",
    "sqs:GetQueueAttributes": "Attributes.KmsMasterKeyId",
}
_ADMINISTRATORS = {
    "guardduty:GetAdministratorAccount": "Administrator.AccountId",
    "securityhub:GetAdministratorAccount": "Administrator.AccountId",
}


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What one account's evidence names: `arns` and `accounts` of others, `buckets` that it writes to or asks about,
    and `owned`, the buckets that it lists as its own."""

    account: str
    arns: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()


def names(evidence: Evidence) -> Names:
    """The names in the evidence of one account."""
    account = evidence.header.accounts[0].id
    arns: set[str] = set()
    accounts: set[str] = set()
    wanted: set[str] = set()
    owned: set[str] = set()
    for record in evidence:
        if record.call in _ARNS:
            arns.update(text for text in map(str, record.pick(_ARNS[record.call])) if _foreign(text, account))
        elif record.call in _ADMINISTRATORS:
            accounts.update(
                str(found) for found in record.pick(_ADMINISTRATORS[record.call]) if found != account
            )
        elif record.call == "s3:HeadBucket":
            wanted.add(str(record.params["Bucket"]))
        elif record.call == "s3:ListBuckets":
            owned.update(map(str, record.pick("Buckets[].Name")))
    return Names(
        account=account,
        arns=tuple(sorted(arns)),
        accounts=tuple(sorted(accounts)),
        buckets=tuple(sorted(wanted - owned)),
        owned=tuple(sorted(owned)),
    )


def _foreign(text: str, account: str) -> bool:
    return Arn.parse(text).account not in ("", account)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What others name of one account: its buckets and ARNs; none of either where they look at it alone."""

    buckets: tuple[str, ...] = ()
    arns: tuple[str, ...] = ()


def wanted(found: Iterable[Names]) -> tuple[dict[str, Wanted], dict[str, str]]:
    """By account, what others name of it; and the owner of each bucket that is written to from another account.

    A bucket that two accounts list as their own (which S3 rules out) is nobody's.
    """
    everyone = list(found)
    read = {item.account for item in everyone}
    asked = {bucket for item in everyone for bucket in item.buckets}
    owners: dict[str, set[str]] = {}
    for item in everyone:
        for bucket in asked.intersection(item.owned):
            owners.setdefault(bucket, set()).add(item.account)
    owner = {
        bucket: next(iter(accounts)) for bucket, accounts in sorted(owners.items()) if len(accounts) == 1
    }
    arns: dict[str, set[str]] = {}
    for item in everyone:
        for account in item.accounts:
            arns.setdefault(account, set())
        for text in item.arns:
            arns.setdefault(Arn.parse(text).account, set()).add(text)
    for account in owner.values():
        arns.setdefault(account, set())
    return {
        account: Wanted(
            buckets=tuple(sorted(bucket for bucket, holder in owner.items() if holder == account)),
            arns=tuple(sorted(named)),
        )
        for account, named in sorted(arns.items())
        if account in read
    }, owner


class Follow:
    """A collector that asks an account for what others name of it. Callable with a Scope, and it can be pickled."""

    def __init__(self, named: Wanted) -> None:
        self._named = named

    def __call__(self, scope: Scope) -> Collection:
        return _follow(scope, self._named)


def _follow(scope: Scope, named: Wanted) -> Collection:
    if not scope.first:  # each ask names its region
        return
    yield [Fork(buckets.collect(scope, bucket, scope.leader) for bucket in named.buckets)]
    arns = [text for text in named.arns if Arn.parse(text).account == scope.account]
    yield [*asks.followed(scope, arns), Fork(_others(scope, arns))]


def _others(scope: Scope, arns: Iterable[str]) -> Iterator[Collection]:
    """Keys, log groups and trails: what is no target of an event."""
    for text in arns:
        arn = Arn.parse(text)
        match arn.service:
            case "kms":
                yield _key(text, arn.region)
            case "logs" if arn.kind == "log-group":
                name, region, _ = cloudtrail.log_group(
                    {"CloudWatchLogsLogGroupArn": f"{text.removesuffix(':*')}:*"}
                )
                yield asks.group(scope, name, region)
            case "cloudtrail" if arn.kind == "trail":
                yield _trail(scope, text, arn.region)


def _key(key: str, region: str) -> Collection:
    described = Ask("kms:DescribeKey", region=region, KeyId=key)
    (found,) = yield [described]
    body: dict[str, Json] = found.get("KeyMetadata") or {}
    more: Batch = [rotation_ask(described)] if rotatable(body) else []
    if body.get("Arn"):
        more.append(asks.key_policy_ask(str(body["Arn"])))
    yield more


def _trail(scope: Scope, arn: str, home: str) -> Collection:
    yield [
        Ask("cloudtrail:GetEventSelectors", region=home, TrailName=arn),
        *(Ask("cloudtrail:GetTrailStatus", region=region, Name=arn) for region in scope.regions),
    ]
