"""boto3 clients, few and shared: one a service, aimed at a region and an account call by call."""

from __future__ import annotations

import functools
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from postureaudit import __version__
from postureaudit.aws import aim, answers, descriptors, guard

if TYPE_CHECKING:
    from postureaudit.aws import direct

CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 30.0  # seconds
_PLACEHOLDER = "AKIAPOSTUREAUDITNONE"  # AWS refuses it: a call that lost its aim can't audit a wrong account


class Clients:
    """Makes AWS calls. One client per service serves every region and account; calls are thread-safe.

    A call goes the direct path (`direct`) where there is one for its operation, and through boto3's client where there
    is none: S3, proxies, whatever botocore was told or taught beside the usual. POSTUREAUDIT_TRANSPORT=botocore in the
    environment sends all calls through boto3. Both give the same answers. Nothing is kept of an account.
    """

    def __init__(
        self,
        core: Any,
        *,
        leader: str,
        pool: int = 128,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        from botocore.config import Config

        self._core = core
        self._leader = leader
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._https: dict[Any, Any] = {}
        self._services: dict[str, direct.Service] = {}
        self._operations: dict[tuple[str, str], direct.Operation | None] = {}
        self._connections: dict[int, Any] = {}  # of each shared HTTP session
        self._direct = _direct_path()
        self._pool = pool
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            max_pool_connections=pool,
            parameter_validation=False,
            user_agent_extra=f"postureaudit/{__version__}",
        )

    def model(self, service: str, operation: str) -> Any:
        """botocore's model of an operation."""
        return self._client(service).meta.service_model.operation_model(operation)

    def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, region: str, credentials: Any
    ) -> dict[str, Any]:
        """Make one request; the answer as boto3 gives it. Raises botocore's exceptions."""
        way = self._way(service, operation)
        if way is not None and self._direct is not None:
            try:
                return way.raw(params, region, credentials)
            except self._direct.Unusual:
                pass
        return self._through_boto3(service, operation, params, region, credentials)

    def answer(
        self, service: str, operation: str, params: Mapping[str, Any], *, region: str, credentials: Any
    ) -> dict[str, Any]:
        """Make one request; the answer as `answers.plain` gives it. Raises botocore's exceptions.

        The same as `answers.plain(clients.call(...), shape, service)`, for a fifth of the time.
        """
        way = self._way(service, operation)
        found: Any = None
        if way is not None and self._direct is not None:
            try:
                found = way.plain(params, region, credentials)
                return found if isinstance(found, dict) else {}
            except self._direct.Unusual:
                pass
        raw = self._through_boto3(service, operation, params, region, credentials)
        found = answers.plain(raw, self.model(service, operation).output_shape, service)
        return found if isinstance(found, dict) else {}

    def opening(self, service: str, operation: str, region: str, *, most: int) -> Callable[[], None] | None:
        """What opens a connection for an operation's calls in a region, unless `most` were opened so.

        None where there is no direct path. Raises as a call does before it is sent.
        """
        way = self._way(service, operation)
        if way is None or self._direct is None:
            return None
        try:
            return way.opening(region, most)
        except self._direct.Unusual:
            return None

    def prepare(self, calls: Iterable[str]) -> None:
        """Get ready for these calls, such as "sts:AssumeRole": processes that are forked later share what is made."""
        for call in calls:
            service, _, operation = call.partition(":")
            self._way(service, operation)

    def forked(self) -> None:
        """In a forked process: leave boto3's connections to the parent. Ours see to it themselves."""
        for http in self._https.values():
            if http is not None:
                http.close()

    def close(self) -> None:
        """Close the connections that wait for a next call."""
        for connections in self._connections.values():
            connections.close()

    def _through_boto3(
        self, service: str, operation: str, params: Mapping[str, Any], region: str, credentials: Any
    ) -> dict[str, Any]:
        client = self._client(service)
        with aim.aimed(region, credentials):
            found: dict[str, Any] = client._make_api_call(operation, dict(params))
            return found

    def _way(self, service: str, operation: str) -> direct.Operation | None:
        """An operation's direct path, None where there is none. Raises ReadOnlyViolation for what is not listed."""
        guard.refuse_call(service, operation)
        try:
            return self._operations[(service, operation)]
        except KeyError:
            pass
        client = self._client(service)
        with self._lock:
            if (service, operation) not in self._operations:
                self._operations[(service, operation)] = self._found_way(client, service, operation)
            return self._operations[(service, operation)]

    def _found_way(self, client: Any, service: str, operation: str) -> direct.Operation | None:
        if self._direct is None:
            return None
        if service not in self._services:
            connections = self._connections_of(client)
            if connections is None:
                return None
            self._services[service] = self._direct.Service(client, service, connections)
        try:
            return self._services[service].operation(operation)
        except self._direct.Unusual:
            return None

    def _connections_of(self, client: Any) -> Any | None:
        """Our own connections for a client's calls: none where botocore's private parts moved."""
        from postureaudit.aws.connections import MAX_IDLE, Connections

        http: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
        if type(http).__name__ != "SharedHTTP":
            return None
        if id(http) not in self._connections:
            self._connections[id(http)] = Connections(
                http._get_ssl_context(),
                connect_timeout=self._config.connect_timeout,
                read_timeout=self._config.read_timeout,
                options=http._socket_options,
                max_idle=descriptors.left_beside(self._pool, most=MAX_IDLE),
            )
        return self._connections[id(http)]

    def _client(self, service: str) -> Any:
        found = self._clients.get(service)
        if found is not None:
            return found
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        client = self._core.create_client(
            service,
            region_name=self._leader,
            aws_access_key_id=_PLACEHOLDER,
            aws_secret_access_key=_PLACEHOLDER,
            aws_session_token=_PLACEHOLDER,
            config=self._config,
        )
        events = client.meta.events
        guard.install(events)
        service_id = client.meta.service_model.service_id.hyphenize()
        aim.install(events, service_id)
        events.register(f"before-parse.{service_id}", _refuse_fragments)
        self._freeze_user_agent(client)
        self._share_http(client)
        if self._direct is not None:
            self._direct.install(events)
        return client

    def _freeze_user_agent(self, client: Any) -> None:
        """The user agent is rebuilt twice a call (a tenth of a call's CPU); ours never changes."""
        creator = getattr(client, "_user_agent_creator", None)
        if creator is not None and hasattr(creator, "to_string"):
            text = creator.to_string()
            creator.to_string = lambda: text

    def _share_http(self, client: Any) -> None:
        """One HTTP session for all clients that are set up alike: it loads the CA bundle once, not on every connection.

        Where botocore's private attributes have moved, the client keeps its own session.
        """
        from postureaudit.aws import sharing

        endpoint = getattr(client, "_endpoint", None)
        key = sharing.key_of(getattr(endpoint, "http_session", None))
        if endpoint is None or key is None:
            return
        if key not in self._https:
            self._https[key] = sharing.shared(endpoint.http_session, self._pool, self._config)
        if self._https[key] is not None:
            endpoint.http_session.close()
            endpoint.http_session = self._https[key]


def _direct_path() -> ModuleType | None:
    """The direct path's module; None where it is not wanted, or not for this botocore."""
    if os.environ.get("POSTUREAUDIT_TRANSPORT", "") == "botocore":
        return None
    try:
        from postureaudit.aws import direct
    except ImportError:
        return None
    return direct


def _refuse_fragments(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Raise ResponseParserError for a successful answer that is not this operation's, and whole.

    botocore takes text that is no JSON, an empty body, and any well-formed page for an empty answer, which would read
    "there is none". A proxy that answers in AWS's place says none of AWS's names.
    """
    from botocore.parsers import ResponseParserError

    output, body = operation_model.output_shape, response_dict.get("body")
    if response_dict["status_code"] >= 300 or output is None or not isinstance(body, bytes):
        return
    named = _named(output)
    if not named:  # all of it is in headers, or it is a text of the user's own
        return
    text = body.strip()
    protocol = operation_model.service_model.resolved_protocol
    if protocol in ("json", "rest-json"):
        if text[:1] != b"{" or not _is_object(text):
            raise ResponseParserError("the answer is not a whole JSON object")
        if len(text) < _SHORT and text != b"{}" and _strange(text, named):
            raise ResponseParserError("the answer has no member that this operation's has")
    elif protocol in ("query", "ec2", "rest-xml"):
        found = _ROOT.match(text)
        root = found[1].decode() if found else ""
        if root not in _roots(operation_model):
            raise ResponseParserError("the answer is not this operation's XML")


_SHORT = 4096  # what is longer is not read twice: no proxy tells a program that much
_ROOT = re.compile(rb"(?:<\?xml[^>]*\?>\s*)?<(?:[\w-]+:)?([\w.-]+)")


# The outermost elements of S3's answers (S3 API reference, "Response Syntax"), where they are no member of the output.
_S3 = {
    "ListBuckets": "ListAllMyBucketsResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketVersioning": "VersioningConfiguration",
}


def _roots(operation_model: Any) -> frozenset[str]:
    """What the outermost element of an answer in XML can be called."""
    output, response = operation_model.output_shape, f"{operation_model.name}Response"
    if operation_model.service_model.resolved_protocol != "rest-xml":
        return frozenset({response})
    only = [output.serialization.get("payload") or ""] + (
        list(output.members) if len(output.members) == 1 else []
    )
    return frozenset({_S3.get(operation_model.name, ""), response, output.name, *only} - {""})


@functools.lru_cache(maxsize=512)
def _named(output: Any) -> frozenset[str]:
    """The names that a body of this shape can have at its top; none where it has no names of AWS's."""
    payload = output.serialization.get("payload")
    if payload is not None:
        inner = output.members[payload]
        return _named(inner) if inner.type_name == "structure" else frozenset()
    members = output.members.items()
    return frozenset(
        item.serialization.get("name", name)
        for name, item in members
        if not item.serialization.get("location")
    )


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _strange(text: bytes, named: frozenset[str]) -> bool:
    """Whether a JSON object has none of these names; what is no JSON is for the parser to refuse."""
    try:
        found = json.loads(text)
    except ValueError:
        return True
    return not named.intersection(found)
