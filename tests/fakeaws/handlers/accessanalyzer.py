"""IAM Access Analyzer: the analyzers of a region."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, is_administrator


def analyzer(
    region: Any, name: str = "a", kind: str = "ACCOUNT", status: str = "ACTIVE", reason: str = ""
) -> Json:
    """An analyzer as ListAnalyzers shows it."""
    arn = region.arn("access-analyzer", f"analyzer/{name}")
    found = {"arn": arn, "name": name, "type": kind, "status": status, "createdAt": now(days=90)}
    return found | ({"statusReason": {"code": reason}} if reason else {})


@handles("accessanalyzer:ListAnalyzers")
def _analyzers(call: Call, given: Json) -> Json:
    found = call.here.accessanalyzer["analyzers"]
    return {"analyzers": [item for item in found if given.get("type") in (None, item["type"])]}


@handles("accessanalyzer:CreateAnalyzer")
def _create_analyzer(call: Call, given: Json) -> Json:
    known = call.here.accessanalyzer["analyzers"]
    if given["analyzerName"] in {item["name"] for item in known}:
        raise AwsError("ConflictException", "The analyzer already exists.", 409)
    if given["type"].startswith("ORGANIZATION") and not is_administrator(
        call, "access-analyzer.amazonaws.com"
    ):
        raise AwsError(
            "ValidationException", "You must create an organization analyzer in its administrator."
        )
    if given["type"].endswith("UNUSED_ACCESS") and "unusedAccess" not in given.get("configuration", {}):
        raise AwsError("ValidationException", "An unused access analyzer needs a configuration.")
    found = analyzer(call.here, given["analyzerName"], given["type"])
    known.append(found)
    return {"arn": found["arn"]}
