"""Config's rules: which run, how each is triggered, whether it can evaluate, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, malformed, member
from postureaudit.services.config import asks, managed, recorder
from postureaudit.services.config.health import DAY, PERIODS, Bodies, health
from postureaudit.services.times import age_hours

_SCHEDULED = "ScheduledNotification"
_CHANGED = ("ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification")
_AT_ONCE = 25  # rules that StartConfigRulesEvaluation takes (API reference)
_RUNNING = (
    "ACTIVE",
    "EVALUATING",
    "DELETING_RESULTS",
)  # the last deletes results, not the rule (API reference)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a region. `Own` are those that no service made, without those that are being deleted.

    `Names` are all names that are taken. `Running` are managed identifiers, of all rules. `NotOffered` are the
    identifiers that AWS does not have in this region, `Deployable` those that need no parameter, as far as is known.
    """

    Present: bool
    Own: list[str]
    Names: list[str]
    Running: list[str]
    NotOffered: list[str]
    Deployable: list[str]


class Triggers(msgspec.Struct, frozen=True, kw_only=True):
    """What makes the account's own rules evaluate: a change, a period, or AWS's choice where none is told.

    `Blind` are rules that only a change triggers, with their resource types that the recorder does not record: these
    are never evaluated. `Unrecorded` are those types, `CanEvaluate` says whether there are none.
    """

    CanEvaluate: bool | Refusal
    OnChange: list[str]
    Periodic: list[str]
    Blind: list[str]
    Unrecorded: list[str]


class RuleHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the account's own rules do. `Idle` are those that are only late or have never run, 25 at most."""

    Healthy: bool | Refusal | None
    Failing: list[str]
    Idle: list[str]


def own(rules: Bodies) -> Bodies:
    """The account's own rules: made by no service, with results one can see, and not being deleted."""
    return [
        rule
        for rule in rules
        if not rule.get("CreatedBy")
        and rule.get("RuleEvaluationVisibility") != "INTERNAL"
        and rule.get("ConfigRuleState") != "DELETING"
    ]


def identifier(rule: Mapping[str, Json]) -> str:
    """The managed rule's identifier, "" for a custom rule."""
    source = rule.get("Source") or {}
    return str(source.get("SourceIdentifier") or "") if source.get("Owner") == "AWS" else ""


def summary(rules: Bodies | Refusal, region: str) -> Rules | Refusal:
    """Which rules there are."""
    if isinstance(rules, Refusal):
        return rules
    names = sorted(str(rule["ConfigRuleName"]) for rule in own(rules))
    running = {identifier(rule) for rule in rules if rule.get("ConfigRuleState") in _RUNNING}
    return Rules(
        Present=bool(names),
        Own=names,
        Names=sorted(str(rule["ConfigRuleName"]) for rule in rules),
        Running=sorted(running - {""}),
        NotOffered=managed.not_offered(region),
        Deployable=sorted(managed.PERIODIC),
    )


def triggers(
    view: View, region: str, rules: Bodies | Refusal, here: Mapping[str, Json] | Refusal
) -> Triggers | Refusal:
    """How the own rules are triggered; `here` is the recorder.

    AWS does not say of a managed rule whether it is periodic as well: one that was evaluated lately, although none of
    its types is recorded, is. The global IAM types are left aside: they are recorded in one region only.
    """
    if isinstance(rules, Refusal):
        return rules
    mine = own(rules)
    by_period = [rule for rule in mine if period(rule)]
    by_change = [rule for rule in mine if _kinds(rule) or _messages(rule) & {*_CHANGED}]
    known: list[bool | Refusal | None] = []
    blind: dict[str, list[str]] = {}
    for rule in by_change:
        missing = _unrecorded(_kinds(rule), here, region) if rule not in by_period else []
        fine: bool | Refusal = missing if isinstance(missing, Refusal) else not missing
        if fine is False and identifier(rule) and missing == _kinds(rule):
            fine = _lately(view, region, str(rule["ConfigRuleName"]))
        if fine is False and not isinstance(missing, Refusal):
            blind[str(rule["ConfigRuleName"])] = missing
        known.append(fine)
    found = health(known, ()).Healthy
    return Triggers(
        CanEvaluate=True if found is None else found,
        OnChange=_names(by_change),
        Periodic=_names(by_period),
        Blind=[f"{name}: {', '.join(kinds)}" for name, kinds in sorted(blind.items())],
        Unrecorded=sorted({kind for kinds in blind.values() for kind in kinds}),
    )


def evaluated(view: View, region: str, rules: Bodies) -> RuleHealth:
    """The account's own rules: active, evaluated in time, and without an error newer than the last success.

    A rule that was made less than a day ago and has not run yet is left out. AWS gives no evaluation status of
    custom Lambda rules (API reference, DescribeConfigRuleEvaluationStatus): these are judged by their state and their
    function, where that is this account's.
    """
    call = asks.RULE_STATUS.call
    found = member(view.outcome(call, region), "ConfigRulesEvaluationStatus", [])
    record = view.record(call, region)
    at = record.at if record else ""
    statuses = {} if isinstance(found, Refusal) else {str(item.get("ConfigRuleName")): item for item in found}
    known: list[bool | Refusal | None] = []
    failing = []
    idle = []
    for rule in own(rules):
        name, state = str(rule["ConfigRuleName"]), str(rule.get("ConfigRuleState") or "")
        trouble = "" if state in _RUNNING else f"is {state or 'in no known state'}"
        trouble = trouble or _function_trouble(view, region, rule)
        status = statuses.get(name)
        fine: bool | Refusal | None = True
        if trouble:
            fine = False
        elif state == "DELETING_RESULTS":
            fine = None
        elif status is not None:
            fine, trouble = _worked(status, at)
            if not trouble and (trouble := _idle(status, period(rule), at)):
                fine = False
                idle.append(name)
        elif (rule.get("Source") or {}).get("Owner") == "CUSTOM_LAMBDA":
            fine = _hidden_function(view, region, rule) or True
        else:
            fine = (
                found if isinstance(found, Refusal) else malformed(call, region, f"no status of rule {name}")
            )
        known.append(fine)
        failing += [f"{name}: {trouble}"] if trouble else []
    settled = [value for value in known if value is not None]
    return RuleHealth(Healthy=health(settled or known, ()).Healthy, Failing=failing, Idle=idle[:_AT_ONCE])


def period(rule: Mapping[str, Json]) -> int:
    """How many hours lie between two evaluations of a periodic rule; 0 where no period is told.

    A custom rule's own period, else 24 hours, is what ScheduledNotification means (API reference, SourceDetail).
    """
    source = rule.get("Source") or {}
    told = [str(item.get("MaximumExecutionFrequency") or "") for item in source.get("SourceDetails") or []]
    for frequency in (str(rule.get("MaximumExecutionFrequency") or ""), *told):
        if frequency in PERIODS:
            return PERIODS[frequency]
    return PERIODS["TwentyFour_Hours"] if _SCHEDULED in _messages(rule) else 0


def _names(rules: Bodies) -> list[str]:
    return sorted(str(rule["ConfigRuleName"]) for rule in rules)


def _messages(rule: Mapping[str, Json]) -> set[str]:
    details = (rule.get("Source") or {}).get("SourceDetails") or []
    return {str(item.get("MessageType")) for item in details}


def _kinds(rule: Mapping[str, Json]) -> list[str]:
    return sorted((rule.get("Scope") or {}).get("ComplianceResourceTypes") or [])


def _unrecorded(kinds: Iterable[str], here: Mapping[str, Json] | Refusal, region: str) -> list[str] | Refusal:
    if isinstance(here, Refusal):
        return here
    return (
        recorder.unrecorded(kinds, here)
        if recorder.known(here)
        else malformed(asks.RECORDERS.call, region, f"recording strategy {recorder.strategy(here)!r}")
    )


def _lately(view: View, region: str, name: str) -> bool | Refusal:
    """Whether a rule was evaluated in the last two days."""
    call = asks.RULE_STATUS.call
    found = member(view.outcome(call, region), "ConfigRulesEvaluationStatus", [])
    if isinstance(found, Refusal):
        return found
    record = view.record(call, region)
    times = (item.get("LastSuccessfulEvaluationTime") for item in found if item.get("ConfigRuleName") == name)
    ages = [age_hours(when, record.at if record else "") for when in times]
    return any(age is not None and age <= 2 * DAY for age in ages)


def _worked(status: Mapping[str, Json], at: str) -> tuple[bool | None, str]:
    """Whether the last evaluation worked, and what went wrong; None for a rule that has not run yet."""
    for kind in ("Invocation", "Evaluation"):
        failed = age_hours(status.get(f"LastFailed{kind}Time"), at)
        worked = age_hours(status.get(f"LastSuccessful{kind}Time"), at)
        if failed is not None and (worked is None or failed <= worked):
            return False, _error(status) or f"the last {kind.lower()} failed"
    return (True if status.get("FirstEvaluationStarted") is True else None), ""


def _idle(status: Mapping[str, Json], hours: int, at: str) -> str:
    """Whether a rule should have run by now: one that is a day old, or a periodic one two periods and a day ago."""
    if status.get("FirstEvaluationStarted") is True:
        ran = age_hours(status.get("LastSuccessfulInvocationTime"), at)
        late = bool(hours) and ran is not None and ran > 2 * hours + DAY
        return f"due every {hours} hours, has not run for {ran:.0f}" if late else ""
    activated = age_hours(status.get("FirstActivatedTime"), at)
    return "" if activated is None or activated <= DAY else "has never run"


def _error(status: Mapping[str, Json]) -> str:
    code, message = (str(status.get(name) or "") for name in ("LastErrorCode", "LastErrorMessage"))
    return f"{code} ({message[:120]})" if code and message else code or message[:120]


def _function(rule: Mapping[str, Json]) -> str:
    """The ARN of a custom rule's function, "" for another rule."""
    source = rule.get("Source") or {}
    return str(source.get("SourceIdentifier") or "") if source.get("Owner") == "CUSTOM_LAMBDA" else ""


def _function_trouble(view: View, region: str, rule: Mapping[str, Json]) -> str:
    """What keeps this account's own function from running, "" where nothing is known."""
    ask = asks.function_ask(_function(rule), view.account)
    if ask is None:
        return ""
    outcome = view.outcome(ask.call, ask.region or region, **ask.params)
    if isinstance(outcome, Absent):
        return f"its function {ask.params['FunctionName']} does not exist"
    state = member(outcome, "State")
    return f"its function {ask.params['FunctionName']} is {state}" if state == "Failed" else ""


def _hidden_function(view: View, region: str, rule: Mapping[str, Json]) -> Refusal | None:
    ask = asks.function_ask(_function(rule), view.account)
    if ask is None:
        return None
    outcome = view.outcome(ask.call, ask.region or region, **ask.params)
    return outcome if isinstance(outcome, Refusal) else None
