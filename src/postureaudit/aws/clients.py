"""boto3 clients, few and shared: one a service, aimed at a region and an account call by call."""

from __future__ import annotations

import contextvars
import functools
import json
import re
import threading
from collections.abc import Mapping
from typing import Any

from postureaudit import __version__
from postureaudit.aws import guard

CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 30.0  # seconds
_PLACEHOLDER = "AKIAPOSTUREAUDITNONE"  # AWS refuses it: a call that lost its aim can't audit a wrong account

_aim: contextvars.ContextVar[tuple[str, Any]] = contextvars.ContextVar("aim")


class Clients:
    """Makes AWS calls. One client per service serves every region and account; calls are thread-safe.

    Aiming uses botocore's before-endpoint-resolution event: it sets the region that the endpoint rules see
    and the region and credentials that sign. The handler is registered first, so that S3's own redirect to
    a bucket's region can still correct it. All clients share one HTTP session with one TLS context.
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
        self._http: Any = None
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
        """Make one request. Raises botocore's exceptions."""
        client = self._client(service)
        token = _aim.set((region, credentials))
        try:
            found: dict[str, Any] = client._make_api_call(operation, dict(params))
            return found
        finally:
            _aim.reset(token)

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
        events.register_first(f"before-endpoint-resolution.{service_id}", _take_aim)
        events.register(f"before-parse.{service_id}", _refuse_fragments)
        self._freeze_user_agent(client)
        self._share_http(client)
        return client

    def _freeze_user_agent(self, client: Any) -> None:
        """The user agent is rebuilt twice a call (a tenth of a call's CPU); ours never changes."""
        creator = getattr(client, "_user_agent_creator", None)
        if creator is not None and hasattr(creator, "to_string"):
            text = creator.to_string()
            creator.to_string = lambda: text

    def _share_http(self, client: Any) -> None:
        """One HTTP session for all clients, which loads the CA bundle once and not on every connection.

        Where botocore's private attributes have moved, or a proxy is set, the client keeps its own session.
        """
        endpoint = getattr(client, "_endpoint", None)
        own = getattr(endpoint, "http_session", None)
        if own is None or getattr(own, "_proxy_config", None) is None:
            return
        if getattr(own._proxy_config, "_proxies", None):
            return
        if self._http is None:
            self._http = _shared_http(own, self._pool, self._config)
        if self._http is not None and endpoint is not None:
            endpoint.http_session = self._http


def _take_aim(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    region, credentials = _aim.get()
    builtins["AWS::Region"] = region
    context["signing"] = {**context.get("signing", {}), "region": region, "request_credentials": credentials}


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
        if text[:1] != b"{" or text[-1:] != b"}":
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


def _strange(text: bytes, named: frozenset[str]) -> bool:
    """Whether a JSON object has none of these names; what is no JSON is for the parser to refuse."""
    try:
        found = json.loads(text)
    except ValueError:
        return True
    return not named.intersection(found)


def _shared_http(own: Any, pool: int, config: Any) -> Any | None:
    """An HTTP session like a client's own, with one TLS context; None where botocore does not allow it."""
    import socket

    from botocore.httpsession import URLLib3Session

    needed = ("_get_ssl_context", "_get_pool_manager_kwargs", "_setup_ssl_cert")
    if not all(hasattr(URLLib3Session, name) for name in needed):
        return None

    class SharedHTTP(URLLib3Session):  # type: ignore[misc]  # botocore ships no types
        """botocore's session with the CA bundle read once."""

        _context: Any = None

        def _get_ssl_context(self) -> Any:
            if self._context is None:
                from botocore.httpsession import get_cert_path

                self._context = super()._get_ssl_context()
                if self._verify:
                    self._context.load_verify_locations(get_cert_path(self._verify))
            return self._context

        def _get_pool_manager_kwargs(self, **extra: Any) -> dict[str, Any]:
            found: dict[str, Any] = super()._get_pool_manager_kwargs(num_pools=4096, **extra)
            return found

        def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
            if verify and verify is not True and verify != self._verify:
                super()._setup_ssl_cert(conn, url, verify)
            elif verify:
                conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None
            else:
                super()._setup_ssl_cert(conn, url, verify)

    return SharedHTTP(
        verify=getattr(own, "_verify", True),
        timeout=(config.connect_timeout, config.read_timeout),
        max_pool_connections=pool,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        client_cert=getattr(own, "_cert_file", None),
    )
