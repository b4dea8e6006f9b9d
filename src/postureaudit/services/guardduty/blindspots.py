"""Which finding types GuardDuty can never raise in a region, because what they are made from is off there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import View, body, member
from postureaudit.services import workloads
from postureaudit.services.guardduty import detector
from postureaudit.services.guardduty.catalogue import Catalogue, FindingType, catalogue

PLAN = "MALWARE_PROTECTION_PLAN"
_AGENTS = {
    "EKS_ADDON_MANAGEMENT": "EKS",
    "ECS_FARGATE_AGENT_MANAGEMENT": "ECS on Fargate",
    "EC2_AGENT_MANAGEMENT": "EC2",
}


class State(StrEnum):
    """What GuardDuty says of a source in a region.

    STARTED: nothing to turn on, somebody has to start it. IDLE: off, and nothing is there that it could watch.
    """

    ON = "on"
    OFF = "off"
    NOT_OFFERED = "not_offered"
    IDLE = "idle"
    STARTED = "started"
    UNKNOWN = "unknown"


class Sight(StrEnum):
    """Whether a finding type can be raised. BY_HAND: only by a scan that somebody starts."""

    RAISED = "raised"
    BY_HAND = "by_hand"
    BLIND = "blind"
    UNKNOWN = "unknown"


_GONE = frozenset({State.OFF, State.NOT_OFFERED, State.IDLE})


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a category's finding types can be raised here."""

    category: str
    tactic: str | None
    raised: int
    by_hand: int
    blind: int
    unknown: int

    @property
    def total(self) -> int:
        return self.raised + self.by_hand + self.blind + self.unknown

    @property
    def word(self) -> str:
        """ "all", "some", "none", or "unknown" where a refused answer decides between them."""
        if self.raised == self.total:
            return "all"
        if self.blind == self.total:
            return "none"
        can, cannot = self.raised + self.by_hand, self.blind + self.by_hand
        return "some" if can and cannot else "unknown"


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is not there, and the types that need it. `name` is "" where the whole detector is missing."""

    name: str
    title: str
    state: str
    check: str
    types: tuple[str, ...]
    by_hand: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Its state in words, after its title."""
        return _SAID.get(self.state, "is off")


_SAID = {"not_offered": "is not offered", "idle": "has no bucket to scan"}


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """What GuardDuty sees in a region. `detector` is on, suspended, missing, not_offered or unknown.

    `reason` is the refusal that leaves it unknown. `strangers` are features that GuardDuty reports and this version
    does not know; `notes` say what was not read.
    """

    account: str
    region: str
    detector: str
    reason: str
    sources: dict[str, State]
    types: dict[str, Sight]
    missing: tuple[Missing, ...]
    strangers: tuple[str, ...]
    notes: tuple[str, ...]

    def of(self, sight: Sight) -> tuple[str, ...]:
        """The types of this sight, in order."""
        return tuple(name for name, found in self.types.items() if found is sight)

    def standings(self) -> tuple[Standing, ...]:
        """How every category stands here."""
        table = catalogue()
        found = []
        for name, category in table.categories.items():
            own = [self.types[item.name] for item in table.types.values() if item.category == name]
            count = {sight: own.count(sight) for sight in Sight}
            found.append(
                Standing(
                    category=name,
                    tactic=category.tactic,
                    raised=count[Sight.RAISED],
                    by_hand=count[Sight.BY_HAND],
                    blind=count[Sight.BLIND],
                    unknown=count[Sight.UNKNOWN],
                )
            )
        return tuple(found)


def regions(view: View) -> tuple[Region, ...]:
    """Every audited region whose detectors were asked for."""
    return tuple(
        region(view, name)
        for name in view.regions
        if view.record("guardduty:ListDetectors", name) is not None
    )


def region(view: View, name: str) -> Region:
    """What can be raised in a region: a refusal leaves it unknown, and never blind."""
    table = catalogue()
    found = detector.detector_id(view, name)
    if isinstance(found, Refusal):
        if found.kind is RefusalKind.NOT_IN_REGION:
            return _nothing(view, name, "not_offered", "GuardDuty is not offered here")
        return _unseen(view, name, found)
    if not found:
        return _nothing(view, name, "missing", "there is no detector")
    settings = body(view.outcome("guardduty:GetDetector", name, DetectorId=found))
    if isinstance(settings, Refusal):
        return _unseen(view, name, settings)
    match settings.get("Status"):
        case "DISABLED":
            return _nothing(view, name, "suspended", "the detector is suspended")
        case "ENABLED":
            pass
        case _:
            return _unseen(view, name, Refusal(RefusalKind.MALFORMED, message="a detector without a status"))
    features = _features(settings)
    states = {source: _state(view, name, source, features) for source in table.sources}
    types = {item.name: sight(item, states) for item in table.types.values()}
    return Region(
        account=view.account,
        region=name,
        detector="on",
        reason="",
        sources=states,
        types=types,
        missing=tuple(_missing(table, states, types)),
        strangers=tuple(item for item in _names(features) if not table.knows(item)),
        notes=tuple(_notes(states, features)),
    )


def sight(item: FindingType, states: Mapping[str, State]) -> Sight:
    """Whether a type can be raised while its sources stand like this."""
    own = [states[name] for name in item.sources]
    if set(own) == {State.STARTED}:
        return Sight.RAISED  # there is nothing to turn on
    if item.together:
        if _GONE & set(own):
            return Sight.BLIND
        return Sight.UNKNOWN if State.UNKNOWN in own else Sight.RAISED
    if State.ON in own:
        return Sight.RAISED
    if State.UNKNOWN in own:
        return Sight.UNKNOWN
    return Sight.BY_HAND if State.STARTED in own else Sight.BLIND


def without(check: str) -> dict[str, Sight]:
    """The types that suffer where all that a check wants on is off and everything else is on."""
    table = catalogue()
    wanted = {item.name for item in table.sources.values() if item.check == check}
    if not wanted:
        return {}
    states = {
        item.name: State.OFF if item.name in wanted else State.STARTED if item.kind == "started" else State.ON
        for item in table.sources.values()
    }
    found = {item.name: sight(item, states) for item in table.types.values()}
    return {name: how for name, how in found.items() if how is not Sight.RAISED}


def blind_families(types: Iterable[str]) -> tuple[list[str], list[str]]:
    """Families all of whose types are among these ("Exfiltration:S3"), and the types of no such family."""
    given = set(types)
    whole = [name for name, own in catalogue().families().items() if given.issuperset(own)]
    rest = sorted(name for name in given if name.partition("/")[0] not in whole)
    return sorted(whole), rest


def _features(settings: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    listed = settings.get("Features")
    if not isinstance(listed, list):
        return {}
    return {str(item.get("Name")): item for item in listed}


def _names(features: Mapping[str, Mapping[str, Json]]) -> Iterable[str]:
    for name, item in sorted(features.items()):
        yield name
        for extra in item.get("AdditionalConfiguration") or []:
            yield str(extra.get("Name"))


def _state(view: View, name: str, source: str, features: Mapping[str, Mapping[str, Json]]) -> State:
    kind = catalogue().sources[source].kind
    if kind == "started":
        return State.STARTED
    if source == PLAN:
        return _scans(view, name)
    if source not in features:  # GuardDuty lists what it offers; what it reads of itself it offers everywhere
        return State.UNKNOWN if kind == "foundational" or not features else State.NOT_OFFERED
    match features[source].get("Status"):
        case "ENABLED":
            return State.ON
        case "DISABLED":
            return State.OFF
        case _:
            return State.UNKNOWN


def _scans(view: View, name: str) -> State:
    """Whether a malware protection plan scans uploads here: one that works in part (WARNING) does."""
    call = "guardduty:GetMalwareProtectionPlan"
    listed = member(view.outcome("guardduty:ListMalwareProtectionPlans", name), "MalwareProtectionPlans", [])
    if isinstance(listed, Refusal):
        return State.NOT_OFFERED if listed.kind is RefusalKind.NOT_IN_REGION else State.UNKNOWN
    unknown = False
    for item in listed:
        plan = body(view.outcome(call, name, MalwareProtectionPlanId=item.get("MalwareProtectionPlanId")))
        if isinstance(plan, Refusal):
            unknown = True
        elif plan.get("Status") in ("ACTIVE", "WARNING"):
            return State.ON
    if unknown:
        return State.UNKNOWN
    # Such a plan is one bucket's: where there is none, nobody can have one.
    return State.IDLE if not listed and workloads.has_buckets(view, name) is False else State.OFF


def _missing(table: Catalogue, states: Mapping[str, State], types: Mapping[str, Sight]) -> Iterable[Missing]:
    """Each source that is off, with the types that it takes along: a type counts for the first that it lacks."""
    lost: dict[str, list[str]] = {}
    for item in table.types.values():
        if types[item.name] in (Sight.BLIND, Sight.BY_HAND):
            off = [name for name in item.sources if states[name] is State.OFF]
            off += [name for name in item.sources if states[name] in _GONE and name not in off]
            lost.setdefault(off[0], []).append(item.name)
    for name, source in table.sources.items():
        if name in lost:
            yield Missing(
                name=name,
                title=source.title,
                state=states[name].value,
                check=source.check,
                types=tuple(item for item in lost[name] if types[item] is Sight.BLIND),
                by_hand=tuple(item for item in lost[name] if types[item] is Sight.BY_HAND),
            )


def _notes(states: Mapping[str, State], features: Mapping[str, Mapping[str, Json]]) -> Iterable[str]:
    """What is known of agents, without which Runtime Monitoring sees nothing, and what is not."""
    if states["RUNTIME_MONITORING"] is State.ON:
        extras = features["RUNTIME_MONITORING"].get("AdditionalConfiguration") or []
        on = {str(item.get("Name")) for item in extras if item.get("Status") == "ENABLED"}
        legacy = features.get("EKS_RUNTIME_MONITORING", {}).get("AdditionalConfiguration") or []
        if states["EKS_RUNTIME_MONITORING"] is State.ON:
            on |= {str(item.get("Name")) for item in legacy if item.get("Status") == "ENABLED"}
        by_hand = [title for name, title in _AGENTS.items() if name not in on]
        if by_hand:
            yield (
                f"Runtime Monitoring is on, and GuardDuty does not manage its agent on {', '.join(by_hand)}: "
                "it sees what has the agent all the same, which is not read"
            )
    elif states["EKS_RUNTIME_MONITORING"] is State.ON:
        yield "EKS Runtime Monitoring, which is on, watches EKS alone: its findings are raised for nothing else"


def _nothing(view: View, name: str, state: str, reason: str) -> Region:
    table = catalogue()
    gone = State.NOT_OFFERED if state == "not_offered" else State.OFF
    return Region(
        account=view.account,
        region=name,
        detector=state,
        reason=reason,
        sources=dict.fromkeys(table.sources, gone),
        types=dict.fromkeys(table.types, Sight.BLIND),
        missing=(
            Missing(name="", title=reason, state=state, check="guardduty.enabled", types=tuple(table.types)),
        ),
        strangers=(),
        notes=(),
    )


def _unseen(view: View, name: str, refusal: Refusal) -> Region:
    table = catalogue()
    return Region(
        account=view.account,
        region=name,
        detector="unknown",
        reason=refusal.reason(),
        sources=dict.fromkeys(table.sources, State.UNKNOWN),
        types=dict.fromkeys(table.types, Sight.UNKNOWN),
        missing=(),
        strangers=(),
        notes=(),
    )
