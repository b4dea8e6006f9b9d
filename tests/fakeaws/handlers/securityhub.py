"""Security Hub: the hub of a region, standards, controls, aggregation, integrations, organization, and V2."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import CIS_1, FSBP, STANDARDS, Call, Json, now, standard_arn
from .registry import handles, manager, only

# The severity of controls that are not HIGH (user guide, control reference).
_SEVERITY = {"Config.1": "CRITICAL", "IAM.4": "CRITICAL", "IAM.6": "CRITICAL", "S3.1": "MEDIUM"}
_PRODUCTS = ("access-analyzer", "config", "firewall-manager", "guardduty", "health", "inspector", "macie")


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidAccessException", text, 401)


def _hub(call: Call) -> Json:
    """The region's Security Hub, when it is on."""
    if call.here.securityhub["hub"] is None:
        raise _invalid(f"Account {call.account.id} is not subscribed to AWS Security Hub")
    return call.here.securityhub


def _administers(call: Call) -> Json:
    """The same, for the organization's delegated administrator only."""
    state = _hub(call)
    boss = manager(call)
    region = call.world.accounts[boss].regions.get(call.region) if boss else None
    if region is None or call.account.id not in region.securityhub["org_admins"]:
        raise _invalid(f"Account {call.account.id} is not an administrator for this organization")
    return state


def _missing(
    text: str = "The request was rejected because we can't find the specified resource.",
) -> AwsError:
    return AwsError("ResourceNotFoundException", text, 404)


@handles("securityhub:DescribeHub")
def _describe(call: Call, given: Json) -> Json:
    return dict(_hub(call)["hub"])


@handles("securityhub:EnableSecurityHub")
def _enable(call: Call, given: Json) -> Json:
    if call.here.securityhub["hub"]:
        raise AwsError("ResourceConflictException", "Account is already subscribed to Security Hub", 409)
    on = given.get("EnableDefaultStandards", True)
    recorded = any(item["status"]["recording"] for item in call.here.config["recorders"].values())
    call.here.add_hub(
        standards=(),
        ControlFindingGenerator=given.get("ControlFindingGenerator", "SECURITY_CONTROL"),
        products=_PRODUCTS,
    )
    for name in (FSBP, CIS_1) if on else ():
        _add(call, name, recorded)
    return {}


def _add(call: Call, name: str, recorded: bool) -> str:
    if recorded:
        return call.here.add_standard(name)
    return call.here.add_standard(name, status="INCOMPLETE", reason="NO_AVAILABLE_CONFIGURATION_RECORDER")


@handles("securityhub:UpdateSecurityHubConfiguration")
def _configure(call: Call, given: Json) -> Json:
    _hub(call)["hub"] |= only(given, "AutoEnableControls", "ControlFindingGenerator")
    return {}


@handles("securityhub:GetEnabledStandards")
def _enabled(call: Call, given: Json) -> Json:
    known, wanted = _hub(call)["standards"], given.get("StandardsSubscriptionArns")
    return {"StandardsSubscriptions": [item for arn, item in known.items() if not wanted or arn in wanted]}


@handles("securityhub:DescribeStandards")
def _standards(call: Call, given: Json) -> Json:
    _hub(call)
    return {
        "Standards": [
            {
                "StandardsArn": standard_arn(name, call.region),
                "Name": title,
                "Description": title,
                "EnabledByDefault": name in (FSBP, CIS_1),
            }
            for name, title in STANDARDS.items()
        ]
    }


@handles("securityhub:BatchEnableStandards")
def _enable_standards(call: Call, given: Json) -> Json:
    state = _hub(call)
    recorded = any(item["status"]["recording"] for item in call.here.config["recorders"].values())
    found = []
    for item in given["StandardsSubscriptionRequests"]:
        name = "/".join(item["StandardsArn"].split("/")[1:])
        if name not in STANDARDS or item["StandardsArn"] != standard_arn(name, call.region):
            raise AwsError("InvalidInputException", f"Invalid parameter: {item['StandardsArn']}")
        found.append(state["standards"][_add(call, name, recorded)])
    return {"StandardsSubscriptions": found}


@handles("securityhub:DescribeStandardsControls")
def _controls(call: Call, given: Json) -> Json:
    state, arn = _hub(call), given["StandardsSubscriptionArn"]
    if arn not in state["standards"]:
        raise _missing()
    if state["standards"][arn].get("StandardsControlsUpdatable") == "NOT_READY_FOR_UPDATES":
        return {"Controls": []}
    base = arn.replace(":subscription/", ":control/")
    return {
        "Controls": [
            {
                "StandardsControlArn": f"{base}/{name}",
                "ControlStatus": status,
                "ControlStatusUpdatedAt": now(days=50),
                "ControlId": name,
                "Title": name,
                "SeverityRating": _SEVERITY.get(name, "HIGH"),
                **({"DisabledReason": "not needed"} if status == "DISABLED" else {}),
            }
            for name, status in state["controls"].get(arn, {}).items()
        ]
    }


@handles("securityhub:UpdateStandardsControl")
def _update_control(call: Call, given: Json) -> Json:
    base, _, name = given["StandardsControlArn"].replace(":control/", ":subscription/").rpartition("/")
    controls = _hub(call)["controls"]
    if name not in controls.get(base, {}):
        raise _missing()
    controls[base][name] = given["ControlStatus"]
    return {}


def _associations(call: Call, control: str) -> list[Json]:
    state = _hub(call)
    found = []
    for arn, subscription in state["standards"].items():
        ready = subscription.get("StandardsControlsUpdatable") != "NOT_READY_FOR_UPDATES"
        if ready and control in state["controls"].get(arn, {}):
            found.append(
                {
                    "StandardsArn": subscription["StandardsArn"],
                    "SecurityControlId": control,
                    "SecurityControlArn": call.here.arn("securityhub", f"security-control/{control}"),
                    "AssociationStatus": state["controls"][arn][control],
                    "UpdatedAt": now(days=50),
                    "StandardsControlTitle": control,
                }
            )
    return found


@handles("securityhub:ListStandardsControlAssociations")
def _list_associations(call: Call, given: Json) -> Json:
    return {"StandardsControlAssociationSummaries": _associations(call, given["SecurityControlId"])}


@handles("securityhub:BatchUpdateStandardsControlAssociations")
def _update_associations(call: Call, given: Json) -> Json:
    state = _hub(call)
    for item in given["StandardsControlAssociationUpdates"]:
        for arn, subscription in state["standards"].items():
            if subscription["StandardsArn"] == item["StandardsArn"]:
                state["controls"][arn][item["SecurityControlId"]] = item["AssociationStatus"]
    return {"UnprocessedAssociationUpdates": []}


@handles("securityhub:ListSecurityControlDefinitions")
def _definitions(call: Call, given: Json) -> Json:
    names = sorted({name for controls in _hub(call)["controls"].values() for name in controls})
    text = {"Description": "", "RemediationUrl": "https://docs.aws.amazon.com/", "SeverityRating": "HIGH"}
    return {
        "SecurityControlDefinitions": [
            {"SecurityControlId": name, "Title": name, **text, "CurrentRegionAvailability": "AVAILABLE"}
            for name in names
        ]
    }


def _aggregator(call: Call) -> Json | None:
    """The account's one aggregator, which every region lists."""
    found = (region.securityhub["aggregator"] for region in call.account.regions.values())
    return next((item for item in found if item), None)


@handles("securityhub:ListFindingAggregators")
def _aggregators(call: Call, given: Json) -> Json:
    _hub(call)
    found = _aggregator(call)
    return {"FindingAggregators": [only(found, "FindingAggregatorArn")] if found else []}


@handles("securityhub:GetFindingAggregator")
def _get_aggregator(call: Call, given: Json) -> Json:
    _hub(call)
    found = _aggregator(call)
    if found is None or found["FindingAggregatorArn"] != given["FindingAggregatorArn"]:
        raise _missing()
    return found


@handles("securityhub:CreateFindingAggregator")
def _create_aggregator(call: Call, given: Json) -> Json:
    state = _hub(call)
    if state["admin"]:
        text = "A finding aggregator cannot be created by a member account."
        raise AwsError("InvalidInputException", text, 401)
    if _aggregator(call):
        raise AwsError("InvalidInputException", "A finding aggregator already exists.", 400)
    state["aggregator"] = aggregator(call.here, **only(given, "RegionLinkingMode", "Regions"))
    return dict(state["aggregator"])


def aggregator(region: Any, **fields: Any) -> Json:
    """A finding aggregator in a home region (see Region)."""
    return {
        "FindingAggregatorArn": region.arn(
            "securityhub", "finding-aggregator/00000000-aaaa-bbbb-cccc-000000000001"
        ),
        "FindingAggregationRegion": region.name,
        "RegionLinkingMode": "ALL_REGIONS",
        **fields,
    }


@handles("securityhub:UpdateFindingAggregator")
def _update_aggregator(call: Call, given: Json) -> Json:
    _hub(call)
    found = _aggregator(call)
    if found is None or found["FindingAggregatorArn"] != given["FindingAggregatorArn"]:
        raise _missing()
    if found["FindingAggregationRegion"] != call.region:
        raise AwsError("InvalidInputException", "Call this in the aggregation Region.")
    found.pop("Regions", None)
    found.update(only(given, "RegionLinkingMode", "Regions"))
    return found


@handles("securityhub:ListEnabledProductsForImport")
def _products(call: Call, given: Json) -> Json:
    return {"ProductSubscriptions": _hub(call)["products"]}


@handles("securityhub:EnableImportFindingsForProduct")
def _import(call: Call, given: Json) -> Json:
    name = given["ProductArn"].partition("product/")[2]
    arn = call.here.arn("securityhub", f"product-subscription/{name}")
    if arn in _hub(call)["products"]:
        raise AwsError("ResourceConflictException", "Account is already subscribed to product", 409)
    _hub(call)["products"].append(arn)
    return {"ProductSubscriptionArn": arn}


@handles("securityhub:DisableImportFindingsForProduct")
def _stop_import(call: Call, given: Json) -> Json:
    products = _hub(call)["products"]
    if given["ProductSubscriptionArn"] not in products:
        raise _missing()
    products.remove(given["ProductSubscriptionArn"])
    return {}


@handles("securityhub:GetAdministratorAccount")
def _administrator(call: Call, given: Json) -> Json:
    admin = _hub(call)["admin"]
    found = {"AccountId": admin, "InvitedAt": now(days=200), "MemberStatus": "Enabled"}
    return {"Administrator": found} if admin else {}


@handles("securityhub:ListMembers")
def _members(call: Call, given: Json) -> Json:
    known = _statuses(_hub(call))
    if given.get("OnlyAssociated", True):
        known = {item: status for item, status in known.items() if status == "Enabled"}
    return {
        "Members": [
            {"AccountId": item, "AdministratorId": call.account.id, "MemberStatus": status}
            for item, status in known.items()
        ]
    }


def _statuses(state: Json) -> dict[str, str]:
    """The members with their status; a plain list means that all are enabled."""
    known = state["members"]
    return dict(known) if isinstance(known, dict) else dict.fromkeys(known, "Enabled")


@handles("securityhub:CreateMembers")
def _create_members(call: Call, given: Json) -> Json:
    """The administrator of an organization makes accounts members at once; others are only added."""
    state = _hub(call)
    org = call.world.organization if manager(call) else None
    own = {item["Id"] for item in (org or {"Accounts": []})["Accounts"]}
    made = {
        item["AccountId"]: "Enabled" if item["AccountId"] in own else "Created"
        for item in given["AccountDetails"]
    }
    state["members"] = _statuses(state) | made
    return {"UnprocessedAccounts": []}


@handles("securityhub:ListOrganizationAdminAccounts")
def _org_admins(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _invalid(f"Account {call.account.id} is not the organization management account")
    admins = call.here.securityhub["org_admins"]
    if (
        given.get("Feature") == "SecurityHubV2"
    ):  # whoever administers CSPM administers V2, but for the manager
        boss = [item for item in admins if item != manager(call)]
        admins = boss or call.here.securityhub["org_admins_v2"]
    return {"AdminAccounts": [{"AccountId": item, "Status": "ENABLED"} for item in admins]}


@handles("securityhub:EnableOrganizationAdminAccount")
def _enable_admin(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _invalid(f"Account {call.account.id} is not the organization management account")
    admin = given["AdminAccountId"]
    if given.get("Feature") == "SecurityHubV2":
        if admin == manager(call):
            raise AwsError("InvalidInputException", "The management account cannot administer Security Hub.")
        call.here.securityhub["org_admins_v2"] = [admin]
        return {"AdminAccountId": admin, "Feature": "SecurityHubV2"}
    if call.here.securityhub["org_admins"] not in ([], [admin]):
        raise AwsError("ResourceConflictException", "Another account is the administrator already.", 409)
    call.here.securityhub["org_admins"] = [admin]
    region = call.world.account(admin).region(call.region)
    if region.securityhub["hub"] is None:
        region.add_hub(standards=())
    return {"AdminAccountId": admin, "Feature": given.get("Feature", "SecurityHub")}


@handles("securityhub:DescribeOrganizationConfiguration")
def _org_config(call: Call, given: Json) -> Json:
    default = {
        "AutoEnable": False,
        "MemberAccountLimitReached": False,
        "AutoEnableStandards": "NONE",
        "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
    }
    return {**default, **(_administers(call)["org"] or {})}


@handles("securityhub:UpdateOrganizationConfiguration")
def _update_org(call: Call, given: Json) -> Json:
    state = _administers(call)
    old = state["org"] or {}
    kind = (given.get("OrganizationConfiguration") or old.get("OrganizationConfiguration") or {}).get(
        "ConfigurationType", "LOCAL"
    )
    standards = given.get("AutoEnableStandards") or ("DEFAULT" if given["AutoEnable"] else "NONE")
    if kind == "CENTRAL" and (given["AutoEnable"] or standards != "NONE"):
        raise AwsError("InvalidInputException", "AutoEnable must be false with central configuration.")
    state["org"] = {
        "AutoEnable": given["AutoEnable"],
        "AutoEnableStandards": standards,
        "OrganizationConfiguration": {"ConfigurationType": kind, "Status": "ENABLED"},
    }
    return {}


@handles("securityhub:ListConfigurationPolicies")
def _policies(call: Call, given: Json) -> Json:
    text = "Must be a Security Hub delegated administrator with Central Configuration enabled"
    try:
        state = _administers(call)
    except AwsError:
        raise AwsError("AccessDeniedException", text, 403) from None
    home = _aggregator(call)
    if home is None or home["FindingAggregationRegion"] != call.region:
        raise AwsError("AccessDeniedException", text, 403)
    return {"ConfigurationPolicySummaries": state["policies"]}


@handles("securityhub:ListAutomationRules")
def _rules(call: Call, given: Json) -> Json:
    names = ("RuleArn", "RuleStatus", "RuleOrder", "RuleName", "Description", "IsTerminal")
    return {"AutomationRulesMetadata": [only(item, *names) for item in _hub(call)["automation_rules"]]}


@handles("securityhub:BatchGetAutomationRules")
def _get_rules(call: Call, given: Json) -> Json:
    wanted = given["AutomationRulesArns"]
    return {"Rules": [item for item in _hub(call)["automation_rules"] if item["RuleArn"] in wanted]}


@handles("securityhub:BatchUpdateAutomationRules")
def _update_rules(call: Call, given: Json) -> Json:
    known = {item["RuleArn"]: item for item in _hub(call)["automation_rules"]}
    done: list[str] = []
    failed: list[Json] = []
    for item in given["UpdateAutomationRulesRequestItems"]:
        if item["RuleArn"] in known:
            known[item["RuleArn"]].update(item)
            done.append(item["RuleArn"])
        else:
            failed.append({"RuleArn": item["RuleArn"], "ErrorCode": 404, "ErrorMessage": "Rule not found"})
    return {"ProcessedAutomationRules": done, "UnprocessedAutomationRules": failed}


@handles("securityhub:BatchDeleteAutomationRules")
def _delete_rules(call: Call, given: Json) -> Json:
    state, wanted = _hub(call), given["AutomationRulesArns"]
    known = [item["RuleArn"] for item in state["automation_rules"]]
    state["automation_rules"] = [item for item in state["automation_rules"] if item["RuleArn"] not in wanted]
    failed = [
        {"RuleArn": arn, "ErrorCode": 404, "ErrorMessage": "Rule not found"}
        for arn in wanted
        if arn not in known
    ]
    done = [arn for arn in wanted if arn in known]
    return {"ProcessedAutomationRules": done, "UnprocessedAutomationRules": failed}


@handles("securityhub:ListAutomationRulesV2")
def _rules_v2(call: Call, given: Json) -> Json:
    names = ("RuleArn", "RuleId", "RuleOrder", "RuleName", "RuleStatus", "Description", "CreatedAt")
    found = _v2(call)["automation_rules_v2"]
    kinds = [[{"Type": one["Type"]} for one in item["Actions"]] for item in found]
    return {
        "Rules": [{**only(item, *names), "Actions": kind} for item, kind in zip(found, kinds, strict=True)]
    }


@handles("securityhub:GetAutomationRuleV2")
def _rule_v2(call: Call, given: Json) -> Json:
    for item in _v2(call)["automation_rules_v2"]:
        if given["Identifier"] in (item["RuleId"], item["RuleArn"]):
            return dict(item)
    raise _missing()


def _v2(call: Call) -> Json:
    """The region's Security Hub V2, when it is on."""
    if call.here.securityhub["v2"] is None:
        raise AwsError("AccessDeniedException", "Security Hub V2 is not enabled", 403)
    return call.here.securityhub


@handles("securityhub:DescribeSecurityHubV2")
def _describe_v2(call: Call, given: Json) -> Json:
    if call.here.securityhub["v2"] is None:
        raise _missing("Account is not subscribed to Security Hub V2")
    return dict(call.here.securityhub["v2"])


@handles("securityhub:EnableSecurityHubV2")
def _enable_v2(call: Call, given: Json) -> Json:
    found = hub_v2(call.here)
    call.here.securityhub["v2"] = found
    return only(found, "HubV2Arn")


def hub_v2(region: Any) -> Json:
    """Security Hub V2 in a region (see Region)."""
    return {"HubV2Arn": region.arn("securityhub", "hubv2/1"), "SubscribedAt": "2026-01-01T00:00:00.000Z"}


@handles("securityhub:ListAggregatorsV2")
def _aggregators_v2(call: Call, given: Json) -> Json:
    if call.here.securityhub["v2"] is None:
        raise AwsError("AccessDeniedException", "Security Hub V2 is not enabled", 403)
    found = (region.securityhub["aggregator_v2"] for region in call.account.regions.values())
    return {"AggregatorsV2": [only(item, "AggregatorV2Arn") for item in found if item]}


@handles("securityhub:GetAggregatorV2")
def _aggregator_v2(call: Call, given: Json) -> Json:
    found = call.here.securityhub["aggregator_v2"]  # it answers in its home region only
    if not found or found["AggregatorV2Arn"] != given["AggregatorV2Arn"]:
        raise _missing()
    return dict(found)


@handles("securityhub:CreateAggregatorV2")
def _create_aggregator_v2(call: Call, given: Json) -> Json:
    if call.here.securityhub["v2"] is None:
        raise AwsError("AccessDeniedException", "Security Hub V2 is not enabled", 403)
    found = aggregator_v2(call.here, **only(given, "RegionLinkingMode", "LinkedRegions"))
    call.here.securityhub["aggregator_v2"] = found
    return found


@handles("securityhub:UpdateAggregatorV2")
def _update_aggregator_v2(call: Call, given: Json) -> Json:
    found = call.here.securityhub["aggregator_v2"]
    if not found or found["AggregatorV2Arn"] != given["AggregatorV2Arn"]:
        raise _missing()
    if given["RegionLinkingMode"] != "SPECIFIED_REGIONS":
        raise AwsError("ValidationException", "RegionLinkingMode must be set to 'SPECIFIED_REGIONS'")
    found |= only(given, "RegionLinkingMode", "LinkedRegions")
    return dict(found)


def aggregator_v2(region: Any, **fields: Any) -> Json:
    """An aggregator of Security Hub V2 in a home region (see Region)."""
    arn = region.arn("securityhub", "aggregatorv2/00000000-aaaa-bbbb-cccc-000000000002")
    base = {"AggregatorV2Arn": arn, "AggregationRegion": region.name, "RegionLinkingMode": "ALL_REGIONS"}
    return {**base, **fields}
