"""Read-only, proven: what is not listed is never sent, what is listed only reads, and nobody but AWS is spoken to."""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from botocore.credentials import Credentials

import postureaudit
from postureaudit.aws import guard, models
from postureaudit.aws.allowed import ALLOWED, FOR_CREDENTIALS, IAM_ACTIONS
from postureaudit.aws.clients import Clients
from postureaudit.aws.session import LEADERS
from tests.conftest import Ran

SOURCES = sorted(Path(postureaudit.__file__).parent.rglob("*.py"))
USED = sorted({call.partition(":")[0] for call in ALLOWED | FOR_CREDENTIALS})
KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "secret", "token")


class _Nothing:
    """A botocore session that breaks when it is touched."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was reached before the guard")


@cache
def operations(service: str) -> tuple[str, ...]:
    """All operations of a service in the botocore that is installed (not in the data that this program ships)."""
    model = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return tuple(model["operations"])


def unlisted(services: list[str]) -> Iterator[tuple[str, str]]:
    for service in services:
        for name in operations(service):
            if f"{service}:{name}" not in ALLOWED | FOR_CREDENTIALS:
                yield service, name


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that something wanted to reach; nothing is reached."""
    found: list[str] = []

    def resolve(host: Any, *_: Any, **__: Any) -> Any:
        found.append(str(host))
        raise socket.gaierror("no network in this test")

    def connect(_: socket.socket, address: Any) -> Any:
        found.append(str(address))
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return found


def refuses_all(services: list[str]) -> int:
    clients = Clients(_Nothing(), leader="us-east-1")
    count = 0
    for service, name in unlisted(services):
        for send in (clients.call, clients.answer):
            with pytest.raises(guard.ReadOnlyViolation):
                send(service, name, {}, region="us-east-1", credentials=KEYS)
        count += 1
    return count


def test_no_unlisted_operation_of_a_used_service_gets_past_the_door() -> None:
    """Every other operation of the services that are asked is refused before a client or a request is made."""
    assert refuses_all(USED) > 2000


@pytest.mark.exhaustive
def test_no_unlisted_operation_of_any_service_gets_past_the_door() -> None:
    """So is every operation of every service that the installed botocore knows."""
    everything = botocore.loaders.create_loader().list_available_services("service-2")
    assert len(everything) > 350
    assert refuses_all(sorted(everything)) > 10_000


@pytest.mark.parametrize("transport", ["direct", "botocore"])
def test_boto3_itself_sends_nothing_that_is_not_listed(
    transport: str, hosts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gets hold of a client meets the guard behind the door too: no byte leaves for a write."""
    monkeypatch.setenv("POSTUREAUDIT_TRANSPORT", transport)
    core = botocore.session.Session()
    guard.install(core.get_component("event_emitter"))
    clients = Clients(core, leader="us-east-1")
    refused = 0
    for service, name in unlisted(["sts", "sns", "cloudtrail", "securityhub"]):
        client = clients._client(service)
        with pytest.raises((guard.ReadOnlyViolation, Exception)) as caught:
            clients._through_boto3(service, name, {}, "us-east-1", KEYS)
        # Some have an address that needs parameters: botocore cannot even build those. None is sent.
        refused += caught.type is guard.ReadOnlyViolation
        assert client and hosts == [], (service, name)
    assert refused > 100


def _level(action: str) -> str | None:
    from policy_sentry.shared.iam_data import get_service_prefix_data

    prefix, _, name = action.partition(":")
    known = get_service_prefix_data(prefix) or {"privileges": {}}
    return {key.lower(): item["access_level"] for key, item in known["privileges"].items()}.get(name.lower())


@pytest.mark.parametrize("action", sorted(set(IAM_ACTIONS.values())))
def test_every_allowed_call_is_a_read_by_the_service_authorization_reference(action: str) -> None:
    """AWS calls the action of every allowed call List or Read (the reference as policy-sentry ships it)."""
    assert _level(action) in ("List", "Read")


def test_actions_have_the_names_of_their_operations() -> None:
    """A call's action has the operation's own name, in the namespace that signs its requests; two services rename."""
    loader = botocore.loaders.create_loader()
    for call, action in IAM_ACTIONS.items():
        service, _, name = call.partition(":")
        prefix, _, own = action.partition(":")
        meta = loader.load_service_model(service, "service-2")["metadata"]
        signs = meta.get("signingName") or meta["endpointPrefix"]
        # CloudWatch signs as "monitoring", and IAM calls it cloudwatch (service authorization reference).
        assert prefix == {"monitoring": "cloudwatch"}.get(signs, signs), call
        assert own == name or service in ("s3", "s3control", "detective"), call


def test_what_obtains_credentials_is_no_way_around() -> None:
    """Beside the reads, only calls that give a session: nothing of another service, nothing that keeps anything."""
    assert {call.partition(":")[0] for call in FOR_CREDENTIALS} == {"sts", "sso", "sso-oidc", "signin"}
    for call in FOR_CREDENTIALS - ALLOWED:
        assert call.partition(":")[2].startswith(("AssumeRole", "GetRoleCredentials", "Create")), call
        assert "Token" in call or not call.partition(":")[2].startswith("Create")


# Where the means to make a request may stand at all, and which.
_MAKERS = {"create_client", "client", "resource"}
_NETWORK = {
    "socket",
    "ssl",
    "http",
    "urllib3",
    "requests",
    "httpx",
    "aiohttp",
    "urllib.request",
    "ftplib",
    "smtplib",
}
_PLACES = {
    "aws/clients.py": {"create_client"},
    "aws/session.py": {"create_client", "botocore.session"},
}
# The connections that Clients makes calls on; doctor says which OpenSSL there is.
_NETWORK_PLACES = {"aws/connections.py", "aws/doctor.py", "aws/sharing.py"}


def _words(source: Path) -> tuple[set[str], set[str]]:
    """What a module does that makes clients, and the modules of the network that it imports."""
    makes: set[str] = set()
    network: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in _MAKERS:
                makes.add(name)
            case ast.Attribute(attr="Session") if ast.unparse(node) in (
                "boto3.Session",
                "boto3.session.Session",
            ):
                makes.add("boto3.Session")
            case ast.Import(names=names):
                modules = {item.name for item in names}
            case ast.ImportFrom(module=str(module), names=names):
                modules = {module, *(f"{module}.{item.name}" for item in names)}
        if isinstance(node, ast.Import | ast.ImportFrom):
            makes |= {name for name in modules if name.split(".")[0] == "boto3"}
            makes |= {"botocore.session"} & modules
            network |= {name for name in modules if name in _NETWORK or name.split(".")[0] in _NETWORK}
    return makes, network


def test_requests_are_made_in_the_named_places_alone() -> None:
    """No other module makes a client, opens a session or imports what could reach the network."""
    root = Path(postureaudit.__file__).parent
    found = {source.relative_to(root).as_posix(): _words(source) for source in SOURCES}
    assert {name: makes for name, (makes, _) in found.items() if makes} == _PLACES
    assert {name for name, (_, network) in found.items() if network} == _NETWORK_PLACES


def _value(shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _value(shape.members[name]) for name in shape.required_members}
        case "list":
            return [_value(shape.member)]
        case "boolean":
            return True
        case "integer" | "long":
            return 1
        case "string":
            return "111122223333"
    return {}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_only_endpoints_of_the_partition_are_asked(partition: str, hosts: list[str]) -> None:
    """Every allowed call, aimed at regions of a partition, looks up names below that partition's own suffixes."""
    loader = botocore.loaders.create_loader()
    [known] = [p for p in loader.load_data("partitions")["partitions"] if p["id"] == partition]
    suffixes = tuple(f".{known['outputs'][key]}" for key in ("dnsSuffix", "dualStackDnsSuffix"))
    others = [name for name in known["regions"] if not name.startswith("aws-") and name != LEADERS[partition]]
    core = botocore.session.Session()
    guard.install(core.get_component("event_emitter"))
    models.slim(core)
    clients = Clients(core, leader=LEADERS[partition])
    seen = set()
    for index, call in enumerate(sorted(ALLOWED)):
        service, _, name = call.partition(":")
        shape = clients.model(service, name).input_shape
        for region in (LEADERS[partition], others[index % len(others)]):
            before = len(hosts)
            with pytest.raises(Exception, match=r"no network|Could not connect|endpoint"):
                clients.call(service, name, _value(shape) if shape else {}, region=region, credentials=KEYS)
            assert len(hosts) > before, (call, region)
            seen.add(service)
    assert seen == {call.partition(":")[0] for call in ALLOWED}
    assert [host for host in hosts if not host.endswith(suffixes)] == []


def test_the_command_line_looks_up_sts_and_nothing_else_before_it_knows_who_asks(
    hosts: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No telemetry, no version check, no instance metadata: where STS is out of reach, nobody else was asked."""
    from postureaudit.cli.main import run

    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    assert run(["audit", "--no-config", "-c", "guardduty.*"]) == 1
    assert set(hosts) == {"sts.us-east-1.amazonaws.com"}
    hosts.clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert run(["audit", "--no-config", "-c", "guardduty.*"]) == 1
    assert run(["demo", "-q"]) == 0
    assert hosts == []
    capsys.readouterr()


def test_a_whole_audit_connects_to_the_endpoint_that_was_named_alone(
    cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an endpoint URL in force, every connection of an audit goes there."""
    real = socket.socket.connect
    places: set[Any] = set()

    def connect(self: socket.socket, address: Any) -> Any:
        places.add(address[:2])
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    done = cli("audit", "--no-config", "-c", "guardduty.enabled", "-o", "json", "-r", "us-east-1")
    assert done.code in (0, 3), done.err
    assert {host for host, _ in places} == {"127.0.0.1"} and len({port for _, port in places}) == 1
