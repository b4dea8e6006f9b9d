"""AWS's wire protocols, driven by botocore's models: which operation a request is, and how to answer it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.validate
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import DefaultAttributePicker, get_serializer_class
from werkzeug.datastructures import MultiDict

from .faults import AwsError, FakeBug

_LOADER = botocore.loaders.Loader()
_VALIDATOR = botocore.validate.ParamValidator()
_SERVICES = {  # by signing name
    "monitoring": "cloudwatch",
    "access-analyzer": "accessanalyzer",
    "states": "stepfunctions",
    "notifications-contacts": "notificationscontacts",
}
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# The models say at least one; nothing found is an empty list all the same.
_EMPTY_ANYWAY = {
    *("MemberDataSourceConfigurations", "Targets", "ShardLevelMetrics"),
    "ProcessedAutomationRules",
}
_PLACEHOLDER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class Request:
    """What arrived, and what its signature says about it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @functools.cached_property
    def scope(self) -> tuple[str, str, str]:
        """(access key, region, service) of the signature."""
        match = _SCOPE.search(self.headers.get("Authorization", ""))
        if match is None:
            raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        key, region, service = match.groups()
        if service == "s3" and self.headers.get("x-amz-account-id"):
            service = "s3control"
        return key, region, _SERVICES.get(service, service)


@functools.lru_cache(maxsize=64)
def model(service: str) -> ServiceModel:
    """The model of a service."""
    try:
        return ServiceModel(_LOADER.load_service_model(service, "service-2"), service)
    except botocore.exceptions.UnknownServiceError:
        raise FakeBug(f"no such service: {service}") from None


@functools.lru_cache(maxsize=2048)
def operation(service: str, name: str) -> Any:
    """The model of an operation."""
    return model(service).operation_model(name)


@functools.lru_cache(maxsize=64)
def protocol_of(service: str) -> str:
    """The protocol that botocore speaks with the service."""
    return str(model(service).resolved_protocol)


@functools.lru_cache(maxsize=64)
def keeps_query_codes(service: str) -> bool:
    """Whether the service once spoke the query protocol, and still gives its error codes beside JSON's."""
    return "awsQueryCompatible" in model(service).metadata


@functools.lru_cache(maxsize=64)
def _routes(service: str) -> list[tuple[str, re.Pattern[str], frozenset[str], str]]:
    """(method, path, words that the query must hold, operation), the most specific first."""
    found = []
    for name in model(service).operation_names:
        spec = operation(service, name)
        path, _, query = spec.http["requestUri"].partition("?")
        pattern, last = "", 0
        for match in _PLACEHOLDER.finditer(path):
            group = ".+" if match[2] else "[^/]+"
            pattern += re.escape(path[last : match.start()]) + f"(?P<{match[1]}>{group})"
            last = match.end()
        pattern += re.escape(path[last:]).removesuffix("/")
        needed = {part for part in query.split("&") if part}
        shape = spec.input_shape
        if shape is not None:
            needed |= {
                shape.members[item].serialization.get("name", item)
                for item in shape.required_members
                if shape.members[item].serialization.get("location") == "querystring"
            }
        literal = len(_PLACEHOLDER.sub("", path))
        weight = (-len(needed), -literal, bool(spec.deprecated))
        found.append((weight, (spec.http["method"], re.compile(pattern + "/?$"), frozenset(needed), name)))
    return [route for _, route in sorted(found, key=lambda pair: pair[0])]


def resolve(request: Request, service: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """(operation, values in the path, query or form) of a request."""
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    if target:
        return target, {}, {}
    if protocol_of(service) in ("query", "ec2"):
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        return form.get("Action", ""), {}, form
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    words = set(query) | {f"{name}={value}" for name, value in query.items()}
    for method, pattern, needed, name in _routes(service):
        match = pattern.match(request.path)
        if method == request.method and match and needed <= words:
            return name, {key: unquote(value) for key, value in match.groupdict().items()}, query
    raise FakeBug(f"{service} has no operation for {request.method} {request.path}?{request.query}")


def parse(request: Request, service: str) -> tuple[str, dict[str, Any]]:
    """(operation, checked input) of a request."""
    name, in_path, query = resolve(request, service)
    try:
        spec = operation(service, name)
    except botocore.model.OperationNotFoundError:
        raise FakeBug(f"{service} has no operation {name!r}") from None
    values = MultiDict(parse_qsl(request.query, keep_blank_values=True) if in_path or not query else query)
    if protocol_of(service).startswith("rest"):
        values = MultiDict(parse_qsl(request.query, keep_blank_values=True))
    parser = PROTOCOL_PARSERS[protocol_of(service)](spec)
    given = parser.parse(
        {
            "body": request.body,
            "headers": request.headers,  # type: ignore[typeddict-item]
            "method": request.method,
            "url_params": in_path,
            "url_path": request.path,
            "values": values,
        }
    )
    if spec.input_shape is not None:
        given = given or {}
        report = _VALIDATOR.validate(given, spec.input_shape)
        problems = [report.generate_report()] if report.has_errors() else []
        problems += _too_long(given, spec.input_shape)
        if problems:
            raise AwsError("ValidationException", f"1 validation error detected: {'; '.join(problems)}")
    return name, given


def _too_long(value: Any, shape: Any, name: str = "input") -> list[str]:
    """The lists that are longer than the model allows (which botocore does not check before sending)."""
    if shape.type_name == "structure" and isinstance(value, dict):
        inner = [
            _too_long(item, shape.members[key], key) for key, item in value.items() if key in shape.members
        ]
        return [text for part in inner for text in part]
    if shape.type_name != "list":
        return []
    limit = shape.metadata.get("max")
    if limit is not None and len(value) > limit:
        return [f"Value at '{name}' failed to satisfy constraint: length must be at most {limit}"]
    return [text for item in value for text in _too_long(item, shape.member, name)]


def answer(service: str, name: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of an answer that fits the model; FakeBug when it does not."""
    spec = operation(service, name)
    if spec.output_shape is None:
        if body:
            raise FakeBug(f"{service}:{name} answers nothing, not {sorted(body)}")
    else:
        report = _VALIDATOR.validate(body, spec.output_shape)
        report._errors = [item for item in report._errors if item[1].rpartition(".")[2] not in _EMPTY_ANYWAY]
        if report.has_errors():
            raise FakeBug(f"{service}:{name}: {report.generate_report()}")
    kind = get_serializer_class(service, protocol_of(service))
    found = kind(spec, value_picker=DefaultAttributePicker()).serialize(body)
    data = found["body"]
    return found["status_code"], dict(found["headers"]), data.encode() if isinstance(data, str) else data


def failure(service: str, error: AwsError) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of an error in the service's protocol."""
    protocol = protocol_of(service)
    headers = {"x-amzn-requestid": "00000000-0000-0000-0000-000000000000", **error.headers}
    if protocol in ("json", "rest-json"):
        text = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
        if keeps_query_codes(service):
            headers.setdefault("x-amzn-query-error", f"{error.code};Sender")
        return error.status, {"x-amzn-errortype": error.code, **headers}, text.encode()
    detail = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    body = {
        "ec2": f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>0</RequestID></Response>",
        "query": f"<ErrorResponse><Error>{detail}</Error><RequestId>0</RequestId></ErrorResponse>",
    }.get(protocol, f"<Error>{detail}</Error>")
    return error.status, {"Content-Type": "text/xml", **headers}, body.encode()
