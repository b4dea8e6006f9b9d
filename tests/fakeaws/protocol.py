"""AWS's wire protocols, driven by botocore's models: which operation a request is, and how to answer it."""

from __future__ import annotations

import functools
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.validate


class Bug(Exception):
    """The fake itself is wrong: an answer that AWS's model does not allow."""


@functools.lru_cache(maxsize=64)
def model(service: str) -> botocore.model.ServiceModel:
    """botocore's model of a service."""
    found = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(found, service)


@functools.lru_cache(maxsize=64)
def _targets(service: str) -> dict[str, str]:
    return {name.lower(): name for name in model(service).operation_names}


@functools.lru_cache(maxsize=64)
def _routes(service: str) -> list[tuple[str, re.Pattern[str], frozenset[str], str]]:
    """(method, path pattern, query names that must be there, operation), the most specific first."""
    found = []
    for name in model(service).operation_names:
        spec = model(service).operation_model(name)
        if spec.deprecated:
            continue
        http = spec.http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(path))
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
        needed = frozenset(part.partition("=")[0] for part in query.split("&") if part)
        found.append((http["method"], re.compile(pattern + "/?$"), needed, name))
    return sorted(found, key=lambda route: (-len(route[2]), -len(route[1].pattern)))


def parse(
    service: str, method: str, path: str, query: str, headers: Any, body: bytes
) -> tuple[str, dict[str, Any]]:
    """(operation, input) of a request. Raises Bug when no operation of the service fits."""
    protocol = model(service).metadata["protocol"]
    if protocol == "json":
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        return operation, json.loads(body or b"{}")
    if protocol in ("query", "ec2"):
        given = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return given.pop("Action"), given
    given = dict(parse_qsl(query, keep_blank_values=True))
    for verb, pattern, needed, operation in _routes(service):
        match = pattern.match(path)
        if verb == method and match and needed <= set(given):
            return operation, _rest_input(service, operation, match.groupdict(), given, headers, body)
    raise Bug(f"{service} has no operation for {method} {path}?{query}")


def _rest_input(
    service: str, operation: str, in_path: dict[str, str], query: dict[str, str], headers: Any, body: bytes
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    shape = model(service).operation_model(operation).input_shape
    if shape is None:
        return found
    payload = json.loads(body) if body[:1] == b"{" else {}
    for name, inner in shape.members.items():
        wire = inner.serialization.get("name", name)
        place = inner.serialization.get("location")
        if place == "uri" and wire in in_path:
            found[name] = unquote(in_path[wire])
        elif place == "querystring" and wire in query:
            found[name] = query[wire]
        elif place == "header" and headers.get(wire) is not None:
            found[name] = headers.get(wire)
        elif place is None and wire in payload:
            found[name] = payload[wire]
    return found


def answer(service: str, operation: str, body: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """(headers, body) of an answer. Raises Bug when AWS's model does not allow it."""
    spec = model(service).operation_model(operation)
    protocol = model(service).metadata["protocol"]
    shape = spec.output_shape
    if shape is None:
        return {}, b""
    if unknown := set(body) - set(shape.members):
        raise Bug(f"{service}:{operation} has no output member {sorted(unknown)}")
    report = botocore.validate.ParamValidator().validate(body, shape)
    if report.has_errors():
        raise Bug(f"{service}:{operation}: {report.generate_report()}")
    if protocol == "json":
        return {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(_wire(body, shape)).encode()
    headers = _headers(body, shape)
    if protocol == "rest-json":
        return {**headers, "Content-Type": "application/json"}, json.dumps(_wire(body, shape)).encode()
    if payload := shape.serialization.get("payload"):
        inner, value = shape.members[payload], body.get(payload)
        if inner.type_name != "structure":
            return headers, str(value or "").encode()
        name = inner.serialization.get("name", payload)
        text = _xml(name, value or {}, inner)
    else:
        members = {
            key: value for key, value in body.items() if not shape.members[key].serialization.get("location")
        }
        name = (
            shape.serialization.get("resultWrapper")
            or shape.serialization.get("name")
            or f"{operation}Output"
        )
        text = _xml(name, members, shape)
        if protocol == "query":
            text = f"<{operation}Response>{text}</{operation}Response>"
        if protocol == "ec2":
            text = _xml(f"{operation}Response", members, shape)
    return {**headers, "Content-Type": "text/xml"}, f'<?xml version="1.0"?>{text}'.encode()


def _headers(body: dict[str, Any], shape: Any) -> dict[str, str]:
    return {
        inner.serialization["name"]: str(body[name])
        for name, inner in shape.members.items()
        if inner.serialization.get("location") == "header" and name in body
    }


def _wire(value: Any, shape: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {
                shape.members[name].serialization.get("name", name): _wire(item, shape.members[name])
                for name, item in value.items()
                if item is not None
            }
        case "list":
            return [_wire(item, shape.member) for item in value]
        case "timestamp":
            return value.timestamp()
        case _:
            return value


def _xml(name: str, value: Any, shape: Any) -> str:
    match shape.type_name:
        case "structure":
            inner = ""
            attributes = ""
            for key, item in value.items():
                member = shape.members[key]
                wire = member.serialization.get("name", key)
                if member.serialization.get("xmlAttribute"):
                    attributes += (
                        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {wire}="{escape(str(item))}"'
                    )
                else:
                    inner += _xml(wire, item, member)
            return f"<{name}{attributes}>{inner}</{name}>"
        case "list":
            if shape.serialization.get("flattened"):
                return "".join(_xml(name, item, shape.member) for item in value)
            each = shape.member.serialization.get("name", "member")
            return f"<{name}>" + "".join(_xml(each, item, shape.member) for item in value) + f"</{name}>"
        case "boolean":
            return f"<{name}>{str(value).lower()}</{name}>"
        case "timestamp":
            return f"<{name}>{value.strftime('%Y-%m-%dT%H:%M:%SZ')}</{name}>"
        case _:
            return f"<{name}>{escape(str(value))}</{name}>"


def failure(service: str, code: str, message: str) -> tuple[dict[str, str], bytes]:
    """(headers, body) of an error in the service's protocol."""
    protocol = model(service).metadata["protocol"]
    if protocol in ("json", "rest-json"):
        return {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": message}).encode()
    detail = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "rest-xml":
        return {}, f"<Error>{detail}</Error>".encode()
    if protocol == "ec2":
        return {}, f"<Response><Errors><Error>{detail}</Error></Errors></Response>".encode()
    return {}, f"<ErrorResponse><Error>{detail}</Error></ErrorResponse>".encode()
