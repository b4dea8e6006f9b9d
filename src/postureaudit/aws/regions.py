"""Which regions the account has, from the account itself; never from botocore's list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from postureaudit.asks import Ask
from postureaudit.errors import CredentialsError, PostureAuditError, UsageError
from postureaudit.evidence import Answer, Record, Refusal, RefusalKind, Regions

DESCRIBE = Ask("ec2:DescribeRegions", AllRegions=True)
LIST = Ask("account:ListRegions")
# Enabled in every account, and not to be disabled: AWS Account Management User Guide, "Enable or disable AWS Regions
# in your account". Good for guessing ahead; what is audited is what the account says.
_ALWAYS = {
    "aws": (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
_ON = {"ENABLED", "ENABLED_BY_DEFAULT", "DISABLING", "opt-in-not-required", "opted-in"}


def always(partition: str, *, only: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """The regions that every account of a partition has, as far as we know them, within these globs."""
    return _within(_ALWAYS.get(partition, ()), only, exclude)


def choose(records: Iterable[Record], *, only: Sequence[str] = (), exclude: Sequence[str] = ()) -> Regions:
    """Audited, not enabled and excluded regions, from the records of DESCRIBE and LIST.

    `only` and `exclude` are globs. Raises UsageError for one that fits no region, and PostureAuditError
    when both calls were refused (CredentialsError when that is because the credentials expired): there is no silent
    fall-back to one region.
    """
    states: dict[str, str] = {}
    refused: list[str] = []
    expired = False
    for record in records:
        if not isinstance(record.outcome, Answer):
            refused.append(f"{record.call} ({_why(record)})")
            expired = expired or getattr(record.outcome, "kind", None) is RefusalKind.EXPIRED
            continue
        for item in record.get("Regions") or []:
            name = item.get("RegionName")
            state = item.get("RegionOptStatus") or item.get("OptInStatus")
            if name and state:
                states[name] = state
    if not states and expired:
        raise CredentialsError(
            f"the credentials expired before the account's regions were known: {', '.join(refused)}",
            hint="sign in again, then run the audit again",
        )
    if not states:
        raise PostureAuditError(
            f"cannot learn the account's regions: {', '.join(refused) or 'no answer'}",
            hint="allow ec2:DescribeRegions (it is in SecurityAudit)",
        )
    enabled = sorted(name for name, state in states.items() if state in _ON)
    _check_globs((*only, *exclude), sorted(states))
    audited = _within(enabled, only, exclude)
    if not audited:
        raise UsageError("no enabled region is left to audit", hint=f"enabled: {', '.join(enabled)}")
    return Regions(
        audited=audited,
        not_enabled=tuple(sorted(set(states) - set(enabled))),
        excluded=tuple(name for name in enabled if name not in audited),
    )


def _why(record: Record) -> str:
    """What a call that was not answered says, in a word."""
    outcome = record.outcome
    kind = outcome.kind.value if isinstance(outcome, Refusal) else ""
    return getattr(outcome, "code", "") or kind.replace("_", " ")


def _within(names: Iterable[str], only: Sequence[str], exclude: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if _fits(name, only or ("*",)) and not _fits(name, exclude))


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _check_globs(globs: Iterable[str], known: Sequence[str]) -> None:
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in known):
            near = get_close_matches(glob, known, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"there is: {', '.join(known)}"
            raise UsageError(f"this account has no region {glob!r}", hint=hint)
