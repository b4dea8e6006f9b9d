"""The direct request path: what boto3 does for a call, with everything that is the same for all calls done once.

Parameters are serialized by botocore's serializer, endpoints come from botocore's rule sets, signatures from
botocore.auth, and whatever is no plain success is botocore's to parse and raise. What is saved is asking each time
what cannot change between two calls of one operation. Where anything is unusual, an operation has no direct path and
boto3's own client makes its calls (`Clients` decides per operation; POSTUREAUDIT_TRANSPORT=botocore decides for all).
"""

from __future__ import annotations

import contextvars
import functools
import json
import os
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.credentials
from botocore.auth import SIGNED_HEADERS_BLACKLIST, _host_from_url
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, create_request_object
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.handlers import add_recursion_detection_header

from postureaudit.aws import aim, answers, converters, ordinary
from postureaudit.aws.connections import Connections, Host, Received
from postureaudit.aws.ordinary import Unusual
from postureaudit.aws.signing import Signable, Signer, frozen

_NOWHERE = "https://nowhere.invalid"
_KEPT_REQUESTS = 8  # serialized requests kept of an operation: most ask the same in every region and account
_SET_WHEN_SIGNED = {
    "authorization",
    "date",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    "host",
}
_KEPT_TARGETS = 512  # of a service: more regions than there are

_received: contextvars.ContextVar[AWSResponse | None] = contextvars.ContextVar("received", default=None)


class _Target(NamedTuple):
    """Where an operation's calls in one region go, and how they are signed."""

    base: str  # https://host:port
    place: Host
    host: str  # as the header names it
    region: str
    name: str
    context: dict[str, Any]


class _Request(NamedTuple):
    """An operation with its parameters: the same for every region and account."""

    method: str
    path: str
    headers: dict[str, str]
    length: str | None
    body: bytes
    to_sign: dict[str, str]


def install(events: Any) -> None:
    """On a client's event system: let botocore take an answer that is there already for one that it sent for."""
    events.register_first("before-send", _hand_over, unique_id="postureaudit-received")


def _hand_over(request: Any, **_: Any) -> AWSResponse | None:
    return _received.get()


class Service:
    """One service's direct path: a boto3 client's parts, and connections of our own."""

    def __init__(self, client: Any, name: str, connections: Connections) -> None:
        self.client = client
        self.name = name
        self.connections = connections
        # The header that counts attempts: always the first, as the walk repeats calls itself. None: not compared yet.
        self.attempts: str | None = None
        self.unlike = False  # botocore's requests are not ours: no call goes the direct path any more
        self.targets: dict[tuple[str, str], _Target] = {}  # by region and kind of signature

    def operation(self, name: str) -> Operation:
        """An operation's direct path. Raises Unusual."""
        try:
            return Operation(self, self.client.meta.service_model.operation_model(name))
        except (AttributeError, TypeError, KeyError) as error:  # a private part of botocore has moved
            raise Unusual(f"{type(error).__name__}: {error}") from error


class Operation:
    """One operation's direct path."""

    def __init__(self, service: Service, model: Any) -> None:
        self._service = service
        self._client = service.client
        self._model = model
        handlers = ordinary.handlers_of(self._client, model)
        ordinary.refuse_unusual(self._client, model, handlers)
        plain = not handlers & ordinary.CHANGE_ANSWERS
        protocol = model.service_model.resolved_protocol
        self._convert = converters.compiled(model.output_shape, protocol, service.name) if plain else None
        self._auth_type = str(model.resolved_auth_type)
        self._prepared = functools.lru_cache(maxsize=_KEPT_REQUESTS)(self._serialized)
        self._in_lambda = "AWS_LAMBDA_FUNCTION_NAME" in os.environ

    def plain(self, params: Mapping[str, Any], region: str, credentials: Any) -> Any:
        """One request's answer as `answers.plain` gives it. Raises Unusual, and botocore's exceptions."""
        url, received = self._exchange(params, region, credentials)
        if self._convert is not None and 200 <= received.status < 300:
            try:
                if found := self._convert(received.body):
                    return (
                        found  # one with nothing in it may be no answer of AWS's: the other path looks closer
                    )
            except Exception:  # whatever is not as usual in an answer is botocore's to judge
                pass
        return answers.plain(self._parsed(url, received), self._model.output_shape, self._service.name)

    def raw(self, params: Mapping[str, Any], region: str, credentials: Any) -> dict[str, Any]:
        """One request's answer as botocore gives it. Raises Unusual, and botocore's exceptions."""
        return self._parsed(*self._exchange(params, region, credentials))

    def opening(self, region: str, most: int) -> Callable[[], None]:
        """What opens a connection for calls in a region, unless `most` were opened so. Raises Unusual."""
        return functools.partial(self._service.connections.open_ahead, self._target(region).place, most)

    def _exchange(self, params: Mapping[str, Any], region: str, credentials: Any) -> tuple[str, Received]:
        try:
            target = self._target(region)
            if self._service.attempts is None:
                self._compare(params, target)
            url, request = self.signed(params, target, credentials, self._service.attempts or "")
        except (Unusual, BotoCoreError, ClientError):
            raise
        except Exception as error:  # nothing is sent yet: what boto3 makes of it counts
            raise Unusual(f"{type(error).__name__}: {error}") from error
        return url, self._service.connections.exchange(target.place, request, url)

    def signed(
        self, params: Mapping[str, Any], target: _Target, credentials: Any, attempts: str
    ) -> tuple[str, bytes]:
        """The URL, and the request's bytes."""
        if credentials is None:
            raise NoCredentialsError()
        method, path, headers, length, body, to_sign = self._prepared(_as_json(params))
        url = target.base + path
        signable = Signable(method, url, body, dict(headers), to_sign, target.host)
        Signer(frozen(credentials), target.name, target.region).add_auth(signable)
        found = signable.headers
        found["amz-sdk-invocation-id"] = _invocation()
        found["amz-sdk-request"] = attempts
        if self._in_lambda:
            add_recursion_detection_header({"headers": found})
        if length is not None:
            found["Content-Length"] = length
        lines = [f"{method} {path} HTTP/1.1", f"Host: {target.host}", "Accept-Encoding: identity"]
        lines += [f"{name}: {value}" for name, value in found.items()]
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or " " in path:
            raise Unusual("a header or the path holds what HTTP forbids")
        return url, f"{head}\r\n\r\n".encode() + body

    def _serialized(self, encoded: str) -> _Request:
        """What botocore makes of the parameters, up to the signature."""
        client, context = self._client, _context(self._client, self._model)
        params = client._emit_api_params(
            api_params=json.loads(encoded), operation_model=self._model, context=context
        )
        made = client._convert_to_request_dict(
            api_params=params, operation_model=self._model, endpoint_url=_NOWHERE, context=context
        )
        if made.get("host_prefix"):
            raise Unusual("the parameters are part of the host's name")
        request = create_request_object(made)
        headers = dict(request.headers.items())
        names = {name.lower() for name in headers}
        prepared = request.prepare()
        path = prepared.url[len(_NOWHERE) :]
        body = request.body or b""
        usual = (
            len(names) == len(request.headers.items())
            and not names & _SET_WHEN_SIGNED
            and prepared.url.startswith(_NOWHERE + "/")
            and isinstance(body, bytes)
            and set(prepared.headers) - set(request.headers) <= {"Content-Length"}
            and all(isinstance(value, str) for value in headers.values())
        )
        if not usual:
            raise Unusual("the request has parts that others do not have")
        to_sign = {name.lower(): value for name, value in headers.items()}
        to_sign = {name: value for name, value in to_sign.items() if name not in SIGNED_HEADERS_BLACKLIST}
        length = prepared.headers.get("Content-Length")
        return _Request(request.method, path, headers, length, body, to_sign)

    def _target(self, region: str) -> _Target:
        """Where botocore's endpoint rules and signers put this operation's calls in a region."""
        if (known := self._service.targets.get((region, self._auth_type))) is not None:
            return known
        client, context = self._client, _context(self._client, self._model)
        with aim.aimed(region, None):
            base, headers, _ = client._resolve_endpoint_ruleset(self._model, {}, context)
        parts = urlsplit(base)
        if (
            parts.scheme not in ("http", "https")
            or parts.path not in ("", "/")
            or parts.query
            or parts.username
        ):
            raise Unusual("the endpoint is more than a host")
        if client._endpoint.http_session._proxy_config.proxy_url_for(base):
            raise Unusual("there is a proxy")
        signer = client._request_signer
        if signer._choose_signer(self._model.name, "standard", context) != "v4":
            raise Unusual("another signature than SigV4")
        if headers:
            raise Unusual("the endpoint asks for headers")
        if not context.get("payload_signing_enabled", True):
            raise Unusual("the body is not signed")
        signing = context["signing"]
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = _Target(
            base=f"{parts.scheme}://{parts.netloc}",
            place=Host(parts.scheme, parts.hostname or "", port),
            host=_host_from_url(base),
            region=signing.get("region") or signer._region_name,
            name=signing.get("signing_name") or signer._signing_name,
            context=context,
        )
        if len(self._service.targets) < _KEPT_TARGETS:
            self._service.targets[(region, self._auth_type)] = found
        return found

    def _compare(self, params: Mapping[str, Any], target: _Target) -> None:
        """Before a service's first call: raise Unusual unless botocore's own request is the same as ours."""
        if self._service.unlike:
            raise Unusual("botocore makes other requests")
        client = self._client
        credentials = botocore.credentials.Credentials("AKID", "secret", "token")
        context = {
            **target.context,
            "retries": {"attempt": 1, "invocation-id": "none"},
            "signing": {**target.context["signing"], "request_credentials": credentials},
        }
        given = client._emit_api_params(api_params=dict(params), operation_model=self._model, context=context)
        made = client._convert_to_request_dict(
            api_params=given, operation_model=self._model, endpoint_url=target.base, context=context
        )
        theirs = client._endpoint.create_request(made, self._model)
        headers = {name.lower(): _as_text(value) for name, value in theirs.headers.items()}
        attempts = headers.get("amz-sdk-request", "")
        url, ours = self.signed(params, target, credentials, attempts)
        head, _, body = ours.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        found = dict(_header(line) for line in lines)
        body_there = theirs.body.encode() if isinstance(theirs.body, str) else theirs.body or b""
        if found.pop("host") != target.host or found.pop("accept-encoding") != "identity":
            raise Unusual("another host")
        signatures = [each.pop("authorization", "") for each in (found, headers)]
        dates = [each.pop("x-amz-date", "") for each in (found, headers)]
        for each in (found, headers):
            each.pop("amz-sdk-invocation-id", None)
            each.pop("x-amzn-trace-id", None)
        if dates[0] != dates[1]:  # a second has passed between the two
            signatures = [each.partition("SignedHeaders=")[2].partition(",")[0] for each in signatures]
        same = (first, url, body, found) == (
            f"{theirs.method} {theirs.url[len(target.base) :]} HTTP/1.1",
            theirs.url,
            body_there,
            headers,
        )
        if not same or signatures[0] != signatures[1]:
            self._service.unlike = True
            raise Unusual("botocore makes another request")
        self._service.attempts = attempts

    def _parsed(self, url: str, received: Received) -> dict[str, Any]:
        """What botocore makes of an answer: its parsers, its events, its exceptions."""
        client, model, context = self._client, self._model, _context(self._client, self._model)
        raw = _Body(received.body)
        there = AWSResponse(url, received.status, _joined(received.headers), raw)
        token = _received.set(there)
        try:
            request = AWSPreparedRequest("", url, {}, b"", False)
            success, failure = client._endpoint._do_get_response(request, model, context)
        finally:
            _received.reset(token)
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # it knows this frame, which would know it
        http, parsed = success
        service_id = client.meta.service_model.service_id.hyphenize()
        client.meta.events.emit(
            f"after-call.{service_id}.{model.name}",
            http_response=http,
            parsed=parsed,
            model=model,
            context=context,
        )
        if http.status_code >= 300:
            code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
            raise client.exceptions.from_code(code)(parsed, model.name)
        found: dict[str, Any] = parsed
        return found


class _Body:
    """A body that is there already, as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def _invocation() -> str:
    """An identifier of one call for AWS's support: random, and no secret."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _context(client: Any, model: Any) -> dict[str, Any]:
    """A call's context, as botocore's client begins one."""
    return {
        "client_region": client.meta.region_name,
        "client_config": client.meta.config,
        "has_streaming_input": model.has_streaming_input,
        "auth_type": model.resolved_auth_type,
        "unsigned_payload": model.unsigned_payload,
        "auth_options": model.service_model.metadata.get("auth"),
    }


def _as_json(params: Mapping[str, Any]) -> str:
    """Parameters as a key of what they are serialized to. Raises Unusual for what is no JSON: bytes, times."""
    try:
        return json.dumps(params)
    except (TypeError, ValueError) as error:
        raise Unusual(str(error)) from error


def _joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Header lines as one mapping; of a name that comes twice, both values."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        before = found.get(name.lower())
        found[name.lower()] = (before[0], f"{before[1]}, {value}") if before else (name, value)
    return dict(found.values())


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name.lower(), value


def _as_text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
