"""What the endpoint answers: the call mix from a small table, whole accounts and organizations from the fake AWS."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
MANAGEMENT, SECURITY, ARCHIVE = "111122223333", "222200002222", "999988887777"
MEMBER = "333300003333"  # every simulated account answers as this one does, with its own id


class Request(NamedTuple):
    """One HTTP request, and what its signature's scope says."""

    method: str
    path: str
    head: str
    body: bytes
    account: str
    region: str
    service: str


class Answer(NamedTuple):
    """`operation` is `service:Operation`; `headers` are whole lines."""

    operation: str
    status: int
    headers: bytes
    body: bytes


class Answers(Protocol):
    """Answers a request; asked once for each that differs, and then remembered by the endpoint."""

    def answer(self, request: Request) -> Answer: ...

    def template(self, account: str) -> str:
        """The account that this one answers as: equal but for its id."""
        ...


class Mix:
    """The answers of the call mix (mix.py): a few kilobytes each, the same in every region."""

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = regions

    def template(self, account: str) -> str:
        return MANAGEMENT

    def answer(self, request: Request) -> Answer:
        service = request.service
        if target := re.search(r"x-amz-target: *\S+\.(\w+)", request.head, re.IGNORECASE):
            return _json(f"{service}:{target[1]}", _TABLE.get(target[1], {}))
        if action := re.search(rb"Action=(\w+)", request.body):
            name = action[1].decode()
            return Answer(f"{service}:{name}", 200, b"Content-Type: text/xml\r\n", _xml(name, self._regions))
        for service, pattern, name, found in _PATHS:
            if service == request.service and re.match(pattern, f"{request.method} {request.path} "):
                return _json(f"{service}:{name}", found)
        return _json(f"{service}:? {request.method} {request.path}", {})


def _json(operation: str, found: object) -> Answer:
    return Answer(operation, 200, b"Content-Type: application/json\r\n", json.dumps(found).encode())


def _xml(action: str, regions: Sequence[str]) -> bytes:
    if action == "GetCallerIdentity":
        inner = f"<Arn>arn:aws:sts::{MANAGEMENT}:assumed-role/bench/x</Arn><UserId>u</UserId>"
        inner += f"<Account>{MANAGEMENT}</Account>"
        return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>".encode()
    if action == "DescribeRegions":
        item = "<item><regionName>{}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        found = "".join(item.format(name) for name in regions)
        return f"<{action}Response><regionInfo>{found}</regionInfo></{action}Response>".encode()
    return f"<{action}Response><reservationSet/><{action}Result/></{action}Response>".encode()


_TABLE: dict[str, object] = {
    "DescribeTrails": {
        "trailList": [{"Name": "main", "TrailARN": TRAIL, "S3BucketName": "b", "HomeRegion": "us-east-1"}]
    },
    "GetTrailStatus": {"IsLogging": True, "LatestDeliveryTime": 1790000000},
    "GetEventSelectors": {"TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "All"}]},
    "ListEventDataStores": {"EventDataStores": []},
    "DescribeConfigurationRecorders": {
        "ConfigurationRecorders": [{"name": "default", "roleARN": "arn:aws:iam::1:role/x"}]
    },
    "DescribeConfigurationRecorderStatus": {
        "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
    },
    "DescribeDeliveryChannels": {"DeliveryChannels": [{"name": "default", "s3BucketName": "b"}]},
    "DescribeDeliveryChannelStatus": {"DeliveryChannelsStatus": [{"name": "default"}]},
    "DescribeConfigRules": {
        "ConfigRules": [
            {"ConfigRuleName": f"rule-{n}", "Source": {"Owner": "AWS", "SourceIdentifier": "X"}}
            for n in range(20)
        ]
    },
    "DescribeRetentionConfigurations": {"RetentionConfigurations": []},
    "DescribeKey": {"KeyMetadata": {"KeyId": "k", "KeyState": "Enabled"}},
    "DescribeLogGroups": {"logGroups": [{"logGroupName": f"g{n}"} for n in range(20)]},
    "ListClusters": {"clusterArns": []},
}
_FEATURES = [{"name": f"FEATURE_{n}", "status": "ENABLED"} for n in range(9)]
_HUB = {"HubArn": "arn:aws:securityhub:us-east-1:111122223333:hub/default"}
_PATHS: list[tuple[str, str, str, object]] = [
    ("guardduty", r"GET /detector/[^/]+/filter", "ListFilters", {"filterNames": ["one"]}),
    (
        "guardduty",
        r"GET /detector/[^/]+/publishingDestination",
        "ListPublishingDestinations",
        {"destinations": []},
    ),
    (
        "guardduty",
        r"GET /detector/[^/? ]+[? ]",
        "GetDetector",
        {"status": "ENABLED", "serviceRole": "r", "features": _FEATURES},
    ),
    ("guardduty", r"GET /detector", "ListDetectors", {"detectorIds": ["d1"]}),
    ("securityhub", r"GET /accounts", "DescribeHub", _HUB),
    ("securityhub", r"POST /standards/get", "GetEnabledStandards", {"StandardsSubscriptions": []}),
    (
        "securityhub",
        r"GET /productSubscriptions",
        "ListEnabledProductsForImport",
        {"ProductSubscriptions": [f"arn:p{n}" for n in range(10)]},
    ),
    (
        "securityhub",
        r"GET /findingAggregator/list",
        "ListFindingAggregators",
        {"FindingAggregators": [{"FindingAggregatorArn": "arn-a"}]},
    ),
    (
        "securityhub",
        r"GET /findingAggregator/get",
        "GetFindingAggregator",
        {"FindingAggregatorArn": "arn-a", "RegionLinkingMode": "ALL_REGIONS"},
    ),
    ("lambda", r"GET /2015-03-31/functions", "ListFunctions", {"Functions": []}),
    ("eks", r"GET /clusters", "ListClusters", {"clusters": []}),
    ("account", r"POST /listRegions", "ListRegions", {"Regions": []}),
]


class Accounts:
    """A whole account, or an organization of many, answered by the fake AWS that the tests use.

    Its answers are checked against AWS's models. `state` is "empty" (nothing is on) or "configured" (nothing is
    missing). With `accounts`, there is an organization of as many: a management account, a security account that
    administers everything, a log archive, and members that are all alike.
    """

    def __init__(
        self, state: str, regions: tuple[str, ...], accounts: int = 0, *, lenient: bool = False
    ) -> None:
        self._lenient = lenient
        root = str(Path(__file__).parent.parent)
        if root not in sys.path:
            sys.path.insert(0, root)
        from tests.fakeaws import landing_zone, responding, scenarios

        self._own = {MANAGEMENT, SECURITY, ARCHIVE, MEMBER}
        if accounts:
            make = landing_zone.landing_zone if state == "configured" else landing_zone.bare
            given: dict[str, Any] = {"regions": regions, "responds": True} if state == "configured" else {}
            self.world = make(**given)
            enlarge(self.world, account_ids(accounts), regions)
        elif state == "configured":
            self.world = responding.respond(scenarios.well_configured(readable=True, regions=regions))
        else:
            self.world = scenarios.empty(regions)

    def template(self, account: str) -> str:
        return account if account in self._own else MEMBER

    def answer(self, request: Request) -> Answer:
        from tests.fakeaws import protocol, server
        from tests.fakeaws.faults import AwsError
        from tests.fakeaws.handlers import HANDLERS

        headers = _Headers(line.partition(":") for line in request.head.split("\r\n")[1:])
        path, _, query = _path_style(request, headers).partition("?")
        asked = protocol.Request(request.method, path, query, headers, request.body)
        service, name = request.service, "?"
        try:
            _, region, service = asked.scope
            name, given = protocol.parse(asked, service)
            call = self.world.call(f"AKIA{request.account}", region, service, name)
            handler = HANDLERS.get(f"{service}:{name}")
            if handler is None and self._lenient:
                self.world.missing.append(f"{service}:{name}")
                handler = _nothing
            if handler is None:
                self.world.missing.append(f"{service}:{name}")
                raise AwsError("NotImplementedByFake", f"{service}:{name}", 501)
            size = 20 if service == "organizations" else self.world.page_size  # AWS gives 20 accounts a page
            found = server._page(call, given, _filtered(name, given, handler(call, given)), size)
            status, extra, body = protocol.answer(service, name, found)
        except AwsError as error:
            status, extra, body = protocol.failure(service, error)
        except Exception as error:
            self.world.bugs.append(f"{service} {request.method} {request.path}: {error!r}")
            status, extra, body = 500, {"x-amzn-errortype": "FakeAwsBug"}, b'{"__type":"FakeAwsBug"}'
        lines = "".join(
            f"{key}: {value}\r\n" for key, value in extra.items() if key.lower() != "content-length"
        )
        return Answer(f"{service}:{name}", status, lines.encode(), b"" if request.method == "HEAD" else body)


def _filtered(name: str, given: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """DescribeRegions by opt-in status, which the fake AWS leaves out: ScoutSuite asks for those that are off."""
    wanted = [set(item["Values"]) for item in given.get("Filters", ()) if item.get("Name") == "opt-in-status"]
    if name != "DescribeRegions" or not wanted:
        return found
    kept = [item for item in found["Regions"] if all(item.get("OptInStatus") in values for values in wanted)]
    return {**found, "Regions": kept}


def _nothing(call: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The smallest answer that fits the model: empty lists, and of the rest only what must be there."""
    from tests.fakeaws import protocol

    shape = protocol.operation(call.service, call.operation).output_shape
    found: dict[str, Any] = {} if shape is None else _least(shape)
    for name, member in shape.members.items() if shape is not None else ():
        if member.type_name in ("list", "map"):
            found[name] = [] if member.type_name == "list" else {}
    return found


def _least(shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _least(shape.members[name]) for name in shape.required_members}
        case "list":
            return []
        case "map":
            return {}
        case "string" | "character":
            return (getattr(shape, "enum", None) or ["none"])[0]
        case "timestamp":
            return 1_790_000_000
        case "boolean":
            return False
        case "blob":
            return b""
        case _:
            return 0


class _Headers(dict[str, str]):
    """Headers by name in any case."""

    def __init__(self, parts: Any) -> None:
        super().__init__((name.strip().lower(), value.strip()) for name, _, value in parts)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def _path_style(request: Request, headers: _Headers) -> str:
    """The path with the bucket in it, where the host names the bucket."""
    host = str(headers.get("host", ""))
    bucket, dot, _ = host.partition(".s3.")
    if request.service == "s3" and dot and host.endswith(".amazonaws.com"):
        return f"/{bucket}{request.path}"
    return request.path


def account_ids(count: int) -> tuple[str, ...]:
    """The ids of an organization of so many accounts; the first three have parts of their own."""
    named = (MANAGEMENT, SECURITY, ARCHIVE)
    return (*named, *(str(500_000_000_000 + number) for number in range(count - len(named))))[:count]


def enlarge(world: Any, ids: Sequence[str], regions: Sequence[str]) -> None:
    """Have the world's organization be of these accounts, all of them members of what the security account runs."""
    organization = world.organization
    listed = {item["Id"]: item for item in organization["Accounts"]}
    pattern = json.dumps(listed[MEMBER], default=str)
    joined = listed[MEMBER]["JoinedTimestamp"]
    accounts = []
    for name in ids:
        known = listed.get(name)
        made = known or {**json.loads(pattern.replace(MEMBER, name)), "JoinedTimestamp": joined}
        accounts.append({**made, "Name": made["Name"] if known else f"member-{name[-5:]}"})
    organization["Accounts"] = accounts
    members = [name for name in ids if name != SECURITY]
    for region in regions:
        found = world.account(SECURITY).region(region)
        for service in ("guardduty", "securityhub", "macie2", "inspector2", "detective"):
            settings = getattr(found, service)
            if settings.get("members"):
                pattern_of = settings["members"].get(MEMBER)
                settings["members"] = {name: settings["members"].get(name, pattern_of) for name in members}
