"""Config in the whole account: the global IAM types recorded once, and a conformance pack somewhere."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import Resource, View, all_of, any_of, facts, malformed
from postureaudit.services.config import asks, recorder
from postureaudit.services.config.region import customer, is_on, keeper, packs


class Spare(msgspec.Struct, frozen=True, kw_only=True):
    """A region that records the global IAM types beside the one that should, and its recorder without them."""

    Region: str
    Recorder: dict[str, Json] | Refusal


class GlobalTypes(msgspec.Struct, frozen=True, kw_only=True):
    """Where the global IAM types are recorded.

    `Possible`: a region of this run can record them. `Recorded`: each type is, continuously, somewhere. `Known`
    counts the regions that record any of them, `Count` too, but unknown while a region is hidden. `Home` is the
    region that should, "" when no recorder that could is on; `Elsewhere` the others.
    """

    Possible: bool
    Recorded: bool | Refusal
    Missing: list[str]
    Known: int
    Count: int | Refusal
    Regions: list[str]
    Home: str
    Elsewhere: list[Spare]


class AccountPacks(msgspec.Struct, frozen=True, kw_only=True):
    """Whether any region has a conformance pack."""

    Present: bool | Refusal


def account(view: View) -> Iterator[Resource]:
    """One place: what all regions together have."""
    found = _global_types(view)
    here = customer(view, found.Home) if found.Home else {}
    yield Resource(
        type="config.account",
        account=view.account,
        region=None,
        facts=facts(
            GlobalTypes=found,
            Packs=_packs(view),
            Recorder=here,
            RecordingRegion=next(iter(_recording(view)), ""),
        ),
    )


def _seen(view: View) -> tuple[str, ...]:
    """The regions where something may be: audited, and left out of this run (which hide what they have)."""
    return (*view.regions, *view.evidence.header.regions.excluded)


def _records(view: View, region: str, kind: str) -> bool | Refusal:
    """Whether a recorder that is on records each change of a global type in this region."""
    here = customer(view, region)
    if isinstance(here, Refusal):
        return here
    if kind not in recorder.global_types(here, region) or not recorder.continuous(here, kind):
        return False
    return is_on(view, region)


def _any_kind(view: View, region: str) -> bool | Refusal:
    here = customer(view, region)
    if isinstance(here, Refusal):
        return here
    return is_on(view, region) if recorder.global_types(here, region) else False


def _global_types(view: View) -> GlobalTypes:
    able = [region for region in _seen(view) if region not in recorder.WITHOUT_GLOBAL_TYPES]
    kinds = {kind: any_of(_records(view, region, kind) for region in able) for kind in recorder.GLOBAL_TYPES}
    # Twice is a matter of cost: regions that the user left out of the run do not make it unknown.
    found = {region: _any_kind(view, region) for region in view.regions if region in able}
    known = [region for region, here in found.items() if here is True]
    hidden = next((here for here in found.values() if isinstance(here, Refusal)), None)
    home = keeper(view)
    return GlobalTypes(
        Possible=bool(able),
        Recorded=all_of(kinds.values()),
        Missing=[kind for kind, here in kinds.items() if here is False],
        Known=len(known),
        Count=len(known) if hidden is None else hidden,
        Regions=known,
        Home=home
        if is_on(view, home) is True
        else next((name for name in _recording(view) if name in able), ""),
        Elsewhere=[Spare(Region=name, Recorder=_without(view, name)) for name in known if name != home],
    )


def _without(view: View, region: str) -> dict[str, Json] | Refusal:
    here = customer(view, region)
    if isinstance(here, Refusal):
        return here
    return recorder.without_global_types(here) or malformed(
        asks.RECORDERS.call, region, "the recorder records nothing else"
    )


def _recording(view: View) -> list[str]:
    """The regions whose recorder is on, the leader first."""
    on = [region for region in view.regions if is_on(view, region) is True]
    return sorted(on, key=lambda region: region != view.leader)


def _packs(view: View) -> AccountPacks:
    found = [packs(view, region) for region in _seen(view)]
    return AccountPacks(Present=any_of(here if isinstance(here, Refusal) else here.Present for here in found))
