"""Where a signal comes from: is its source on, does something hide it, and on which buses does it appear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Absent, Json, Outcome, Record, Refusal, RefusalKind
from postureaudit.resources import View, body, member
from postureaudit.services import cloudtrail
from postureaudit.signals import events, findings, mends
from postureaudit.signals.events import Member, Place, Signal
from postureaudit.signals.model import Hop, Road, State

DETECTOR_CALLS = ("guardduty:ListDetectors", "guardduty:GetDetector")
FILTER_CALLS = ("guardduty:ListFilters", "guardduty:GetFilter")
HUB_CALLS = ("securityhub:DescribeHub", "securityhub:ListEnabledProductsForImport")
RULE_CALLS = ("securityhub:ListAutomationRules", "securityhub:BatchGetAutomationRules")
LINK_CALLS = ("securityhub:ListFindingAggregators", "securityhub:GetFindingAggregator")
RECORDER_CALLS = ("config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus")
CALLS = (
    *(*DETECTOR_CALLS, *FILTER_CALLS, *HUB_CALLS, *RULE_CALLS, *LINK_CALLS, *RECORDER_CALLS),
    *("guardduty:GetAdministratorAccount", "securityhub:GetAdministratorAccount"),
    *("securityhub:DescribeSecurityHubV2", *cloudtrail.EVENT_CALLS),
)
_PRODUCTS = {"guardduty": "guardduty", "config": "config"}


class Emission(msgspec.Struct, frozen=True):
    """An event as it appears on the default bus of a region, and the hops that brought it there."""

    event: dict[str, Json]
    region: str
    hops: Road


def applies(view: View, signal: Signal, region: str) -> bool | Refusal:
    """Whether the signal can arise here at all: the new Security Hub is optional, and missing is not a gap."""
    return _new_hub(view, region) if signal.kind == "securityhub-v2" else True


def _new_hub(view: View, region: str) -> bool | Refusal:
    outcome = view.outcome("securityhub:DescribeSecurityHubV2", region)
    return outcome if isinstance(outcome, Refusal) else not isinstance(outcome, Absent)


def emissions(view: View, signal: Signal, item: Member, region: str) -> Iterable[Emission]:
    """Every bus that the event appears on: its own region's, and by way of Security Hub the linked region's."""
    place, event = place_of(view, region), _event(view, signal, item, region)
    source = _source(view, event, region, kind=signal.kind, globally=signal.leader_only or item.leader_only)
    hidden = _archived(view, event, region) if signal.kind == "guardduty" else ()
    start: Road = (*source, *hidden)
    if signal.kind == "securityhub":
        yield from _through_hub(view, event, region, start, product="")
        return
    yield Emission(event, region, start)
    imported = events.in_security_hub(signal.kind, event, place)
    if imported is not None:
        yield from _through_hub(view, imported, region, start, product=_PRODUCTS[signal.kind])


class Sent(msgspec.Struct, frozen=True):
    """Findings that go to the account which administers the service: the hops so far, and how they appear there.

    `view` is that account's where it was read in the same run, else None: then the road ends with the last hop.
    """

    hops: Road
    view: View | None = None
    emissions: tuple[Emission, ...] = ()


def administered(view: View, signal: Signal, item: Member, region: str) -> Iterable[Sent]:
    """The road to the account that administers the service: its members' findings are sent to it as well."""
    if signal.kind not in ("guardduty", "securityhub"):
        return
    place, event = place_of(view, region), _event(view, signal, item, region)
    if signal.kind == "guardduty":
        start = (_detector(view, region), *_archived(view, event, region))
        detector = detector_id(view, region)
        if isinstance(detector, Refusal) or not detector:
            return  # the source hop says so
        outcome = view.outcome("guardduty:GetAdministratorAccount", region, DetectorId=detector)
    else:
        start = _hub(view, region, "")
        outcome = view.outcome("securityhub:GetAdministratorAccount", region)
    found = member(outcome, "Administrator", {})
    if isinstance(found, Refusal):
        yield Sent((*start, _hop("administrator", "administrator account", region, found, "")))
        return
    account = (found or {}).get("AccountId")
    status = str((found or {}).get("RelationshipStatus") or (found or {}).get("MemberStatus") or "")
    if not account or account == view.account or status.lower() not in ("enabled", ""):
        return
    hop = Hop(kind="administrator", name=str(account), region=region)
    other = view.other(str(account))
    if other is None:
        reason = f"findings go to account {account} too, which is not read here"
        yield Sent((*start, msgspec.structs.replace(hop, state=State.LEAVES, reason=reason)))
        return
    # There the event is the administrator's own; the finding in it names its member (GuardDuty user guide, "Processing
    # GuardDuty findings with Amazon EventBridge"; Security Hub user guide, "Using EventBridge").
    there = {**event, "account": other.account}
    if signal.kind == "securityhub":
        emissions = tuple(_through_hub(other, there, region, (), product=""))
    else:
        hidden = _archived(other, there, region)
        imported = events.in_security_hub(signal.kind, there, place)
        emissions = (Emission(there, region, hidden),)
        if imported is not None:
            imported = {**imported, "account": other.account}
            emissions += tuple(_through_hub(other, imported, region, hidden, product=_PRODUCTS[signal.kind]))
    yield Sent((*start, hop), other, emissions)


def place_of(view: View, region: str) -> Place:
    """Where and when an event of this region would happen: the moment the evidence was complete."""
    return view.once(
        ("place", region),
        lambda: Place(
            account=view.account,
            region=region,
            partition=view.partition,
            time=view.evidence.header.ended or "2026-01-01T00:00:00Z",
        ),
    )


def _event(view: View, signal: Signal, item: Member, region: str) -> dict[str, Json]:
    """The event as it happens in this region; not to be changed."""
    return view.once(
        ("event", signal.id, item.name, region),
        lambda: events.document(item.template, place_of(view, region)),
    )


def _source(view: View, event: Mapping[str, Json], region: str, *, kind: str, globally: bool) -> Road:
    match kind:
        case "guardduty":
            return (_detector(view, region),)
        case "securityhub":
            return ()  # the hub is a hop of its own
        case "securityhub-v2":
            found = _new_hub(view, region)
            return (_hop("source", "Security Hub", region, found, "the new Security Hub is off here"),)
        case "config":
            return (_recorder(view, region),)
        case _:
            return (_trail(view, event, region, globally=globally),)


def _hop(kind: str, name: str, region: str, stands: bool | Refusal, reason: str) -> Hop:
    if isinstance(stands, Refusal):
        return Hop(
            kind=kind,
            name=name,
            region=region,
            state=State.UNKNOWN,
            reason=stands.reason(),
            refusal=stands,
        )
    if stands:
        return Hop(kind=kind, name=name, region=region)
    return Hop(kind=kind, name=name, region=region, state=State.BROKEN, reason=reason)


def _detector(view: View, region: str) -> Hop:
    return view.once(("detector", region), lambda: _detecting(view, region))


def _detecting(view: View, region: str) -> Hop:
    found = detector_id(view, region)
    if isinstance(found, Refusal) or not found:
        stands: bool | Refusal = found if isinstance(found, Refusal) else False
        return _hop("source", "GuardDuty", region, stands, "GuardDuty has no detector here")
    status = member(view.outcome("guardduty:GetDetector", region, DetectorId=found), "Status")
    on = status if isinstance(status, Refusal) else status == "ENABLED"
    return _hop("source", "GuardDuty", region, on, "the GuardDuty detector is suspended")


def detector_id(view: View, region: str) -> str | Refusal:
    """The region's detector id, "" where there is none."""
    return view.once(("detector id", region), lambda: _detector_id(view, region))


def _detector_id(view: View, region: str) -> str | Refusal:
    found = member(view.outcome("guardduty:ListDetectors", region), "DetectorIds", [])
    return found if isinstance(found, Refusal) else str(next(iter(found), ""))


def _archived(view: View, event: Mapping[str, Json], region: str) -> Road:
    """The archive filters that hide this finding, or whose criteria may not be read."""
    detector = detector_id(view, region)
    if isinstance(detector, Refusal) or not detector:
        return ()  # the source hop says so
    names = member(view.outcome("guardduty:ListFilters", region, DetectorId=detector), "FilterNames", [])
    if isinstance(names, Refusal):
        return (_hop("suppression", "archive filters", region, names, ""),)
    hops = []
    for name in names:
        outcome = view.outcome("guardduty:GetFilter", region, DetectorId=detector, FilterName=name)
        action = member(outcome, "Action", "NOOP")
        criteria = member(outcome, "FindingCriteria", {})
        if isinstance(criteria, Refusal):
            hops.append(_hop("suppression", str(name), region, criteria, ""))
        elif (
            action == "ARCHIVE"
            and (hides := findings.guardduty_filter(criteria, event["detail"])) is not False
        ):
            reason = f"the filter {name!r} archives the finding: archived findings are sent to nobody"
            hops.append(
                Hop(
                    kind="suppression",
                    name=str(name),
                    region=region,
                    state=State.BROKEN if hides else State.UNKNOWN,
                    mend=mends.unarchive(detector, str(name), _given(outcome), region) if hides else None,
                    reason=reason if hides else f"the filter {name!r} has a criterion that is not understood",
                )
            )
    return tuple(hops)


def _recorder(view: View, region: str) -> Hop:
    return view.once(("recorder", region), lambda: _recording(view, region))


def _recording(view: View, region: str) -> Hop:
    listed = member(
        view.outcome("config:DescribeConfigurationRecorders", region), "ConfigurationRecorders", []
    )
    status = member(
        view.outcome("config:DescribeConfigurationRecorderStatus", region),
        "ConfigurationRecordersStatus",
        [],
    )
    stands: bool | Refusal
    if isinstance(listed, Refusal):
        stands = listed
    elif not listed:
        stands = False
    else:
        stands = status if isinstance(status, Refusal) else any(item.get("recording") for item in status)
    return _hop("source", "AWS Config", region, stands, "AWS Config records nothing here")


def _trail(view: View, event: Mapping[str, Json], region: str, *, globally: bool) -> Hop:
    """EventBridge gets API calls and sign-ins only where a trail logs management events.

    Source: EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
    """
    source = str(event["detail"]["eventSource"])
    name = "CloudTrail"
    stands = view.once(
        ("covered", region, source, globally),
        lambda: cloudtrail.covered(
            view, region, lambda trail: cloudtrail.writes(trail, source=source, globally=globally)
        ),
    )
    return _hop("source", name, region, stands, f"no logging trail records the events of {source} here")


def _through_hub(
    view: View, event: dict[str, Json], region: str, start: Road, *, product: str
) -> Iterable[Emission]:
    """The finding as Security Hub sends it on: in its own region, and in the region that others are linked to."""
    hub = _hub(view, region, product)
    here, changed = _automated(view, event, region)
    yield Emission(changed, region, (*start, *hub, *here))
    linked = linked_region(view, region)
    if isinstance(linked, Refusal):
        hop = _hop("aggregation", "finding aggregator", region, linked, "")
        yield Emission(changed, region, (*start, *hub, *here, hop))
    elif linked and linked != region:
        # The copy is announced there: the event's region is that one, the finding's stays its own.
        there, again = _automated(view, {**changed, "region": linked}, linked)
        hop = Hop(kind="aggregation", name=f"findings of {region} are linked here", region=linked)
        yield Emission(again, linked, (*start, *hub, *here, hop, *there))


def _hub(view: View, region: str, product: str) -> Road:
    return view.once(("hub", region, product), lambda: _accepting(view, region, product))


def _accepting(view: View, region: str, product: str) -> Road:
    outcome = view.outcome("securityhub:DescribeHub", region)
    on = outcome if isinstance(outcome, Refusal) else not isinstance(outcome, Absent)
    hub = _hop("source" if not product else "hub", "Security Hub", region, on, "Security Hub is off here")
    if not product or on is not True:
        return (hub,)
    found = member(
        view.outcome("securityhub:ListEnabledProductsForImport", region), "ProductSubscriptions", []
    )
    accepts = (
        found
        if isinstance(found, Refusal)
        else any(str(arn).endswith(f":product-subscription/aws/{product}") for arn in found)
    )
    reason = f"Security Hub does not accept findings of {product} here"
    hop = _hop("integration", product, region, accepts, reason)
    if accepts is False:
        mend = mends.import_product(product, {"ProductSubscriptions": found}, place_of(view, region))
        hop = msgspec.structs.replace(hop, mend=mend)
    return (hub, hop)


def _automated(view: View, event: dict[str, Json], region: str) -> tuple[Road, dict[str, Json]]:
    """What Security Hub's automation rules of this region make of a finding before EventBridge sees it."""
    found = view.once(("automation rules", region), lambda: _automation_rules(view, region))
    if isinstance(found, Refusal):
        return (_hop("suppression", "automation rules", region, found, ""),), event
    return _ruled(found, event, region)


def _automation_rules(view: View, region: str) -> list[tuple[dict[str, Any], Record]] | Refusal:
    """The automation rules of a region, each with the record that it stands in."""
    listed = member(view.outcome("securityhub:ListAutomationRules", region), "AutomationRulesMetadata", [])
    if isinstance(listed, Refusal):
        return listed
    rules: list[tuple[dict[str, Any], Record]] = []
    for record in view.evidence.of("securityhub:BatchGetAutomationRules", view.account, region):
        found = member(view.outcome(record.call, region, **record.params), "Rules", [])
        if isinstance(found, Refusal):
            return found
        rules += [(item, record) for item in found]
    on = {str(item.get("RuleArn")) for item in listed if item.get("RuleStatus") == "ENABLED"}
    if on - {str(item.get("RuleArn")) for item, _ in rules}:
        return Refusal(RefusalKind.NOT_COLLECTED, call="securityhub:BatchGetAutomationRules", region=region)
    return rules


def _ruled(
    rules: list[tuple[dict[str, Any], Record]], event: dict[str, Json], region: str
) -> tuple[Road, dict[str, Json]]:
    """Rules run in their order; a later one wins, and a terminal one ends it (user guide, "Automation rules")."""
    hops: list[Hop] = []
    finding = dict(event["detail"]["findings"][0])
    for rule, record in sorted(rules, key=lambda pair: pair[0].get("RuleOrder") or 0):
        if rule.get("RuleStatus") != "ENABLED":
            continue
        name = str(rule.get("RuleName"))
        fits = findings.hub_criteria(rule.get("Criteria") or {}, finding)
        if fits is None:
            reason = f"the automation rule {name!r} has a criterion that is not understood"
            hops.append(Hop(kind="suppression", name=name, region=region, state=State.UNKNOWN, reason=reason))
        if not fits:
            continue
        for action in rule.get("Actions") or []:
            update = action.get("FindingFieldsUpdate") or {}
            finding = {**finding, **update}
            if (update.get("Workflow") or {}).get("Status") == "SUPPRESSED":
                reason = f"the automation rule {name!r} suppresses the finding before EventBridge sees it"
                hops.append(
                    Hop(
                        kind="suppression",
                        name=name,
                        region=region,
                        state=State.BROKEN,
                        reason=reason,
                        mend=mends.disable_automation(rule, record.params, _given(record.outcome), region),
                    )
                )
        if rule.get("IsTerminal"):
            break
    return tuple(hops), {**event, "detail": {**event["detail"], "findings": [finding]}}


def _given(outcome: Outcome) -> dict[str, Json]:
    """The body of an answer that is known to be one."""
    found = body(outcome)
    return {} if isinstance(found, Refusal) else found


def linked_region(view: View, region: str) -> str | Refusal:
    """The region that this region's findings are copied to; "" when they stay here."""
    return view.once(("linked region", region), lambda: _linked_region(view, region))


def _linked_region(view: View, region: str) -> str | Refusal:
    listed = member(view.outcome("securityhub:ListFindingAggregators", region), "FindingAggregators", [])
    if isinstance(listed, Refusal):
        return listed
    for item in listed:
        arn = str(item.get("FindingAggregatorArn"))
        home = arn.split(":")[3] if arn.count(":") >= 5 else region
        outcome = view.outcome("securityhub:GetFindingAggregator", home, FindingAggregatorArn=arn)
        mode = member(outcome, "RegionLinkingMode", "NO_REGIONS")
        if isinstance(mode, Refusal):
            return mode
        named = set(member(outcome, "Regions", []))
        linked = {
            "ALL_REGIONS": True,
            "ALL_REGIONS_EXCEPT_SPECIFIED": region not in named,
            "SPECIFIED_REGIONS": region in named,
        }.get(str(mode), False)
        if linked:
            return str(member(outcome, "FindingAggregationRegion", home))
    return ""
