"""Reports without the names in them: accounts, resources and people become pseudonyms that stay the same."""

from __future__ import annotations

import enum
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from postureaudit.baseline import Compared
from postureaudit.evidence import Account, Evidence, Record
from postureaudit.findings import Finding, Place, fingerprint, place_fingerprint
from postureaudit.report import Report

T = TypeVar("T")
KINDS = ("accounts", "arns", "principals")
# Our own words, which a resource that happens to be called like one of them may not change.
_OURS = frozenset(
    {
        "check",
        "title",
        "severity",
        "verdict",
        "service",
        "why",
        "effect",
        "cost",
        "permissions",
        "needs",
        "after",
    }
    | {
        "maps_to",
        "kind",
        "state",
        "signal",
        "outcome",
        "call",
        "code",
        "region",
        "fingerprint",
        "expires",
        "id",
    }
)
_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]*):([a-z0-9-]*):([0-9]{12}|aws|):([^\s'\",;)}\]]+)")
_ACCOUNT = re.compile(r"(?<![0-9a-fA-F])[0-9]{12}(?![0-9a-fA-F])|[0-9]{12}(?=[^0-9]|$)")
_ORGANIZATION = re.compile(r"\bo-[a-z0-9]{10,32}\b")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
# An id that AWS drew, such as a detector's; no fingerprint of ours.
_DRAWN = re.compile(r"(?<![0-9A-Za-z:])[0-9a-f]{32}(?![0-9A-Za-z])")
_BARE = frozenset({"s3", "sns", "sqs"})  # their ARNs start with the name itself, not with a kind of resource
_SESSION = re.compile(r"(assumed-role/[^/\s]+/|federated-user/|:user/(?:[^\s/]+/)*)([^\s'\",/;)]+)")
# A name as most resources have one; it is looked up, so that thousands of names cost no more than one.
_WORD = re.compile(r"[A-Za-z0-9_]+(?:[./:@+=-]+[A-Za-z0-9_]+)*")
_BETWEEN = re.compile(r"([/:=@])")
_HEAD = re.compile(r"^(\s*aws \S+ \S+)", re.MULTILINE)  # the command itself, before its arguments
# Facts that are no names: words of closed alphabets, numbers, times, versions, regions.
_PLAIN = re.compile(
    r"[A-Z][A-Z0-9_]*|[a-z]{2}(-[a-z]+)+-[0-9]|[0-9T:Z.+-]*|[a-z0-9.-]+\.amazonaws\.com|true|false"
)

_AWS_OWN = frozenset(
    {"default"}
)  # what AWS calls a recorder, a channel and a bus: it tells nothing, and is a word


class Redactor:
    """Turns names into pseudonyms, by HMAC-SHA256 with one key: the same name and key give the same pseudonym.

    `kinds` is a choice of "accounts" (account ids wherever they stand, account and organization names), "arns" (the
    names of resources) and "principals" (session, user and e-mail names, and `people`: the owners of waivers, of whom
    warnings may tell).
    """

    def __init__(self, kinds: Iterable[str], key: bytes, people: Iterable[str] = ()) -> None:
        self.kinds = frozenset(kinds)
        self._key = key
        self._people = _any_of({name for name in people if name}) if "principals" in self.kinds else None
        self._calls: frozenset[str] = frozenset()
        self._plain: frozenset[str] = frozenset()
        self._odd: re.Pattern[str] | None = None

    def report(self, report: Report) -> Report:
        """The report with pseudonyms everywhere, also in fingerprints, so that tickets still group."""
        if "arns" in self.kinds:
            names = _names(report)
            self._plain = frozenset(name for name in names if _WORD.fullmatch(name))
            self._odd = _any_of(names - self._plain)
            self._calls = _calls(report)
        header = report.evidence.header
        accounts = tuple(
            Account(id=self.text(item.id), name=self._account_name(item.name)) for item in header.accounts
        )
        shown = msgspec.structs.replace(
            header,
            caller=self.text(header.caller),
            accounts=accounts,
            interrupted=self.text(header.interrupted),
        )
        findings = tuple(self._finding(item, header.partition) for item in report.findings)
        renamed = {
            old.fingerprint: new.fingerprint for old, new in zip(report.findings, findings, strict=True)
        }
        seen = report.first_seen
        rest = {
            name: self._walk(getattr(report, name), name)
            for name in report.__struct_fields__
            if name
            not in ("evidence", "findings", "first_seen", "evidence_digest", "baseline", "digest", "roles")
        }
        warnings = (self._person(text) for text in report.warnings)
        return msgspec.structs.replace(
            report,
            **{
                **rest,
                "evidence": Evidence(shown, self._refusals(report.evidence)),
                "evidence_digest": report.evidence_digest or report.evidence.digest(),
                "findings": findings,
                "baseline": self._compared(report, findings),
                "roles": {
                    self.text(account): self._walk(found, "roles") for account, found in report.roles.items()
                },
                "first_seen": None if seen is None else {**seen, **_renamed(seen, renamed)},
                "warnings": (
                    *map(self.text, warnings),
                    f"names are redacted ({', '.join(sorted(self.kinds))})",
                ),
            },
        )

    def text(self, text: str) -> str:
        """A text with the names of the chosen kinds replaced."""
        if "principals" in self.kinds:
            text = _SESSION.sub(lambda match: match[1] + self.pseudonym("user", match[2]), text)
            text = _MAIL.sub(lambda match: self.pseudonym("mail", match[0]), text)
        if "arns" in self.kinds:
            text = _ARN.sub(self._arn, text)
            text = _DRAWN.sub(lambda match: self.pseudonym("id", match[0]), text)
            if self._odd is not None:
                text = self._odd.sub(lambda match: self.pseudonym("name", match[0]), text)
            text = _WORD.sub(self._word, text)
        if "accounts" in self.kinds:
            text = _ORGANIZATION.sub(lambda match: self.pseudonym("org", match[0]), text)
            text = _ACCOUNT.sub(lambda match: self.pseudonym("account", match[0]), text)
        return text

    def pseudonym(self, kind: str, name: str) -> str:
        """What a name is called: its kind and twelve letters, never twelve digits."""
        digest = hmac.new(self._key, f"{kind}\x1f{name}".encode("utf-8", "surrogatepass"), "sha256").digest()
        # Letters only, so that no pseudonym can look like an account again.
        return f"{kind}-" + "".join(chr(ord("a") + byte % 26) for byte in digest[:12])

    def _arn(self, match: re.Match[str]) -> str:
        partition, service, region, account, resource = match.groups()
        if service in _BARE:
            name, mark, rest = re.match(r"([^/:]*)([/:]?)(.*)", resource, re.DOTALL).groups()  # type: ignore[union-attr]  # it fits all
            rest = rest if rest in ("", "*") else self.pseudonym("name", rest)
            return f"arn:{partition}:{service}:{region}:{account}:{self.pseudonym('name', name)}{mark}{rest}"
        kind, slash, _ = resource.partition("/")
        if not slash:
            kind, slash, _ = resource.partition(":")
        head = kind + slash if slash and re.fullmatch(r"[a-z-]+", kind) else ""
        return f"arn:{partition}:{service}:{region}:{account}:{head}{self.pseudonym('name', resource[len(head) :])}"

    def _word(self, match: re.Match[str]) -> str:
        """A word that is a name, or whose parts between slashes and colons are."""
        word = match[0]
        if word in self._plain:
            return self.pseudonym("name", word)
        if word in self._calls:
            return word
        if "/" not in word and ":" not in word:
            return word
        parts = _BETWEEN.split(word)
        return "".join(self.pseudonym("name", part) if part in self._plain else part for part in parts)

    def _account_name(self, name: str) -> str:
        return self.pseudonym("alias", name) if name and "accounts" in self.kinds else self.text(name)

    def _person(self, text: str) -> str:
        """A text in which owners of waivers are pseudonyms."""
        if self._people is None:
            return text
        return self._people.sub(lambda match: self._owner(match[0]), text)

    def _owner(self, name: str) -> str:
        return self.pseudonym("mail" if _MAIL.fullmatch(name) else "owner", name)

    def _compared(self, report: Report, findings: tuple[Finding, ...]) -> Compared | None:
        """The comparison with the baseline, without the fingerprints that tell an account to who tries all of them."""
        found = report.baseline
        if found is None:
            return None
        names = {
            old.fingerprint: new.fingerprint
            for before, after in zip(report.findings, findings, strict=True)
            for old, new in zip(before.places, after.places, strict=True)
        }

        def renamed(keys: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(sorted(names.get(key) or self._gone(key) for key in keys))

        return Compared(
            findings=findings,
            new=found.new,
            old=found.old,
            resolved=renamed(found.resolved),
            not_rechecked=renamed(found.not_rechecked),
        )

    def _gone(self, key: str) -> str:
        """A fingerprint for a place that the run does not have any more."""
        return "pa1:" + hmac.new(self._key, key.encode(), "sha256").hexdigest()[:32]

    def _finding(self, finding: Finding, partition: str) -> Finding:
        account = self.text(finding.account)
        places = tuple(self._place(place, finding, partition) for place in finding.places)
        return msgspec.structs.replace(
            finding,
            account=account,
            fingerprint=fingerprint(partition, account, finding.check),
            places=places,
            fix=self._walk(finding.fix, "fix"),
        )

    def _place(self, place: Place, finding: Finding, partition: str) -> Place:
        subject = None if place.resource is None else self._subject(place.resource)
        key = place_fingerprint(
            partition, self.text(finding.account), finding.check, place.region, subject or ""
        )
        waiver = place.waiver
        if waiver and "principals" in self.kinds:
            waiver = msgspec.structs.replace(waiver, owner=self._owner(waiver.owner))
        shown: Place = self._walk(msgspec.structs.replace(place, resource=None, waiver=waiver), "place")
        return msgspec.structs.replace(shown, resource=subject, fingerprint=key)

    def _subject(self, name: str) -> str:
        """A resource's name; "*" stands for a listing that was refused and is nobody's name."""
        if "arns" not in self.kinds or name == "*":
            return self.text(name)
        return self.text(name) if name.startswith("arn:") else self.pseudonym("name", name)

    def _refusals(self, evidence: Evidence) -> Iterator[Record]:
        for record in evidence.refusals():
            yield msgspec.structs.replace(
                record,
                account=self.text(record.account),
                params={"redacted": self.pseudonym("params", repr(record.key))},
                outcome=msgspec.structs.replace(record.outcome, message=""),
            )

    def _walk(self, value: T, name: str) -> T:
        """A value with every text of AWS's in it replaced; our own words stay."""
        found: Any = value
        match found:
            case enum.Enum() | None | bool() | int() | float():
                return value
            case str():
                found = found if name in _OURS else self._command(found)
            case msgspec.Struct():
                fields = {
                    field: self._walk(getattr(found, field), field)
                    for field in found.__struct_fields__
                    if field not in ("refusal", "mend")
                }
                if "argv" in fields and "shell" in fields:
                    fields["argv"] = None  # a command with a pseudonym in it is not to be run
                found = msgspec.structs.replace(found, **fields)
            case dict() if name == "facts":  # its keys may be AWS's; those of other mappings are ours
                found = {self.text(key): self._walk(item, "facts") for key, item in found.items()}
            case dict():
                found = {key: self._walk(item, "") for key, item in found.items()}
            case tuple():
                found = tuple(self._walk(item, name) for item in found)
            case list():
                found = [self._walk(item, name) for item in found]
        return found  # type: ignore[no-any-return]  # of the type it came with

    def _command(self, text: str) -> str:
        """Text in which `aws service operation` stays what it is."""
        parts = _HEAD.split(text)
        return "".join(part if index % 2 else self.text(part) for index, part in enumerate(parts))


def _renamed(seen: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {names[key]: when for key, when in seen.items() if key in names}


def _any_of(names: set[str]) -> re.Pattern[str] | None:
    """A pattern for any of these names where it stands alone, longest first."""
    if not names:
        return None
    options = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    return re.compile(f"(?<![A-Za-z0-9_])(?:{options})(?![A-Za-z0-9_])")


def _names(report: Report) -> set[str]:
    """The names of resources that the report shows: subjects, tails of ARNs, and texts of facts that are no enum."""
    found: set[str] = set()
    for finding in report.findings:
        for place in finding.places:
            texts = list(_texts(place.facts))
            found.update(text for text in texts if not _PLAIN.fullmatch(text) and " " not in text)
            for text in (*texts, place.resource or "", place.reason, place.fix.shell if place.fix else ""):
                found.update(_tails(text))
            if place.resource and place.resource != "*":
                found.add(place.resource)
    for route in report.routes:
        for hop in route.hops:
            found.add(hop.name)
            found.update(_tails(f"{hop.name} {hop.reason}"))
    for account in report.investigation:
        found.update(place.name for answered in account.answered for place in answered.places)
    found.update(_asked(report.evidence))
    return {name for name in found if len(name) > 1 and not name.startswith("arn:") and name not in _AWS_OWN}


def _asked(evidence: Evidence) -> Iterator[str]:
    """The names that calls were made with: sentences tell them without an ARN (a bucket, a log group)."""
    for record in evidence:
        for key, value in record.params.items():
            if key.endswith(("Name", "Names")) or key in ("Bucket", "Rule"):
                yield from (name for name in _texts(value) if not _PLAIN.fullmatch(name))


def _calls(report: Report) -> frozenset[str]:
    """The calls that sentences about refusals name: they stay readable where a resource is called like a service."""
    behind = (place.blind for finding in report.findings for place in finding.places)
    refused = {record.call for record in report.evidence.refusals()}
    return frozenset(refused.union(call for refusals in behind for call, _, _ in refusals))


def _tails(text: str) -> Iterator[str]:
    for match in _ARN.finditer(text):
        resource = match[5]
        yield (
            resource.rpartition("/")[2].rpartition(":")[2] if "/" in resource or ":" in resource else resource
        )


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
