"""Standards and controls of a hub: which are enabled, which are ready, which critical controls are off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, malformed, member
from postureaudit.services.securityhub.asks import control_ask, of_aws, updatable
from postureaudit.services.times import age_hours

FSBP = "aws-foundational-security-best-practices/v/"
CIS = "cis-aws-foundations-benchmark/v/"
AI = "ai-security-best-practices/v/"
NO_VERSION = "0"
_SETTLED = {"READY": True, "INCOMPLETE": False, "FAILED": False}
# A new control is DISABLED for "up to several days" before AWS turns it on (API, AutoEnableControls).
_NEW_CONTROL_HOURS = 7 * 24


class Standards(msgspec.Struct, frozen=True, kw_only=True):
    """The standards for AWS of a hub, by name ("nist-800-53/v/5.0.0"); a version is "0" where there is none.

    `Pending` is false, or the Refusal that says that AWS is still setting one up: PENDING proves neither
    that a standard checks nor that it does not (API, StandardsStatus). `Coming` are those that are ready
    or being set up. `NotReady` is for people.
    """

    Any: bool
    AllReady: bool | Refusal
    Fsbp: bool | Refusal
    FsbpEnabled: bool
    Ai: bool | Refusal
    AiEnabled: bool
    Cis: str
    CisComing: str
    CisEnabled: str
    Names: list[str]
    Ready: list[str]
    Coming: list[str]
    Pending: bool | Refusal
    NotReady: list[str]


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """The critical controls of the standards that check: `Off` are ARNs, `OffNames` are for people."""

    Any: bool | Refusal
    CriticalOn: bool | Refusal
    Off: list[str]
    OffNames: list[str]


def name(arn: str) -> str:
    """A standard's name and version, whichever form its ARN has (CIS 1.2.0 is a ruleset, without a region)."""
    for kind in (":standards/", ":ruleset/"):
        if kind in arn:
            return arn.partition(kind)[2]
    return arn


def standard_arn(standard: str, partition: str, region: str) -> str:
    """The ARN that enables a standard in a region."""
    if standard == f"{CIS}1.2.0":
        return f"arn:{partition}:securityhub:::ruleset/{standard}"
    return f"arn:{partition}:securityhub:{region}::standards/{standard}"


def standards(view: View, region: str) -> Standards | Refusal:
    """Which standards are enabled in a region, and how they are."""
    found = _enabled(view, region)
    if isinstance(found, Refusal):
        return found
    ready = {name(str(item.get("StandardsArn"))): _ready(item, region) for item in found}
    coming = [item for item, state in ready.items() if state is not False]
    return Standards(
        Any=bool(ready),
        AllReady=all_of(ready.values()) if ready else False,
        Fsbp=any_of(state for item, state in ready.items() if item.startswith(FSBP)),
        FsbpEnabled=any(item.startswith(FSBP) for item in ready),
        Ai=any_of(state for item, state in ready.items() if item.startswith(AI)),
        AiEnabled=any(item.startswith(AI) for item in ready),
        Cis=_newest(item for item, state in ready.items() if state is True),
        CisComing=_newest(coming),
        CisEnabled=_newest(ready),
        Names=sorted(ready),
        Ready=sorted(item for item, state in ready.items() if state is True),
        Coming=sorted(coming),
        Pending=next((state for state in ready.values() if isinstance(state, Refusal)), False),
        NotReady=sorted(_described(item) for item in found if item.get("StandardsStatus") != "READY"),
    )


def _enabled(view: View, region: str) -> list[dict[str, Json]] | Refusal:
    found = member(view.outcome("securityhub:GetEnabledStandards", region), "StandardsSubscriptions", [])
    return found if isinstance(found, Refusal) else of_aws(found)


def _ready(item: Mapping[str, Json], region: str) -> bool | Refusal:
    status = str(item.get("StandardsStatus"))
    return _SETTLED.get(status, _unsettled("securityhub:GetEnabledStandards", region, status))


def _unsettled(call: str, region: str, state: str) -> Refusal:
    """What AWS is still working on: the answer is there, and does not decide."""
    text = "AWS is still setting this up: audit again later"
    return Refusal(RefusalKind.NOT_COLLECTED, code=state, message=text, call=call, region=region)


def _described(item: Mapping[str, Json]) -> str:
    reason = (item.get("StandardsStatusReason") or {}).get("StatusReasonCode")
    text = f"{name(str(item.get('StandardsArn')))} is {item.get('StandardsStatus')}"
    return f"{text} ({reason})" if reason else text


def _newest(names: Iterable[str]) -> str:
    """The highest CIS version of these standards, compared number by number."""
    versions = [item.removeprefix(CIS) for item in names if item.startswith(CIS)]
    numbers = [item for item in versions if item.replace(".", "").isdigit()]
    return max(numbers, key=lambda item: [int(part) for part in item.split(".") if part], default=NO_VERSION)


def controls(view: View, region: str, *, auto_enable: bool) -> Controls:
    """The critical controls that are off, in every standard whose controls AWS lists.

    A standard that failed and lists no controls is left to the check of standards; one that is being set
    up, or lists none though it should, leaves the answer open: an empty list is not "none disabled".
    """
    found = _enabled(view, region)
    if isinstance(found, Refusal):
        return Controls(Any=found, CriticalOn=found, Off=[], OffNames=[])
    checking = [item for item in found if updatable(item) or _ready(item, region) is not False]
    states: list[bool | Refusal] = []
    off: dict[str, str] = {}
    for item in checking:
        listed = _critical(view, region, item)
        if isinstance(listed, Refusal):
            states.append(listed)
            continue
        for control, at in listed:
            on = _on(control, at, region, auto_enable=auto_enable)
            states.append(on)
            if on is False:
                standard = name(str(item.get("StandardsArn")))
                off[str(control.get("StandardsControlArn"))] = f"{control.get('ControlId')} in {standard}"
    return Controls(
        Any=bool(checking),
        CriticalOn=all_of(states),
        Off=sorted(off),
        OffNames=[off[arn] for arn in sorted(off)],
    )


def _critical(
    view: View, region: str, subscription: Mapping[str, Json]
) -> list[tuple[dict[str, Json], str]] | Refusal:
    """The critical controls of a standard, each with the moment it was read."""
    ask = control_ask(subscription)
    if not updatable(subscription):
        return _unsettled(ask.call, region, "NOT_READY_FOR_UPDATES")
    listed = member(view.outcome(ask.call, region, **ask.params), "Controls", [])
    if isinstance(listed, Refusal):
        return listed
    if not listed:
        return malformed(ask.call, region, "a standard without controls")
    record = view.record(ask.call, region, **ask.params)
    at = record.at if record else ""
    return [(item, at) for item in listed if item.get("SeverityRating") == "CRITICAL"]


def _on(control: Mapping[str, Json], at: str, region: str, *, auto_enable: bool) -> bool | Refusal:
    """Whether a control checks. AWS asks for a reason to disable one, so a new one without is its own doing."""
    if control.get("ControlStatus") != "DISABLED":
        return True
    age = age_hours(control.get("ControlStatusUpdatedAt"), at)
    if auto_enable and not control.get("DisabledReason") and age is not None and age <= _NEW_CONTROL_HOURS:
        return _unsettled("securityhub:DescribeStandardsControls", region, "NEW_CONTROL")
    return False
