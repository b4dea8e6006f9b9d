"""Which operations are ordinary: what else there is, the direct path leaves to boto3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The event handlers that the direct path stands in for or calls; one more, and a call goes through boto3.
KNOWN_HANDLERS: Mapping[str, frozenset[str]] = {
    "provide-client-params": frozenset(),
    "before-parameter-build": frozenset(
        {
            "botocore.handlers.generate_idempotent_uuid",  # operations that have such members are not direct
            "botocore.handlers._handle_request_validation_mode_member",  # nor those with checksums
            "botocore.handlers.ParameterAlias.alias_parameter_in_call",  # called
        }
    ),
    "before-endpoint-resolution": frozenset({"postureaudit.aws.aim._take_aim"}),  # called
    "before-call": frozenset(
        {
            "postureaudit.aws.guard.refuse_unlisted",  # called by Clients
            "botocore.handlers.add_recursion_detection_header",  # called
            "botocore.handlers.inject_api_version_header_if_needed",  # operations that need it are not direct
        }
    ),
    "request-created": frozenset(
        {
            "botocore.signers.RequestSigner.handler",
            "botocore.retries.standard.MaxAttemptsSeeder.seed_max_attempts",
            "botocore.useragent.UserAgentString.rebuild_and_replace_user_agent_handler",
            "botocore.handlers.add_retry_headers",
        }
    ),
    "choose-signer": frozenset(
        {
            "botocore.handlers.set_operation_specific_signer",  # called
            "botocore.handlers._set_auth_scheme_preference_signer",  # called
        }
    ),
    "before-sign": frozenset(),
    "before-send": frozenset({"postureaudit.aws.direct._hand_over"}),
    "response-received": frozenset(),
    "before-parse": frozenset({"postureaudit.aws.clients._refuse_fragments"}),
    "needs-retry": frozenset({"botocore.retries.standard.RetryHandler.needs_retry"}),
    "after-call": frozenset(
        {
            "botocore.retries.standard.RetryQuotaChecker.release_retry_quota",
            "botocore.handlers._handle_sqs_compatible_error",
            "botocore.handlers.json_decode_policies",
        }
    ),
    "after-call-error": frozenset(),
}
# Those of them that change what a successful answer says: its converter would not know.
CHANGE_ANSWERS = frozenset({"botocore.handlers.json_decode_policies"})


class Unusual(Exception):
    """A call has no direct path, and why."""


def handlers_of(client: Any, model: Any) -> frozenset[str]:
    """The event handlers of an operation. Raises Unusual for one that the direct path knows nothing of."""
    service_id = model.service_model.service_id.hyphenize()
    emitter = getattr(client.meta.events, "_emitter", client.meta.events)
    found: set[str] = set()
    for event, known in KNOWN_HANDLERS.items():
        there = {
            _qualified(one) for one in emitter._handlers.prefix_search(f"{event}.{service_id}.{model.name}")
        }
        if there - known:
            raise Unusual(f"{event} has the handler {min(there - known)}")
        found |= there
    return frozenset(found)


def _qualified(handler: Any) -> str:
    return f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', repr(handler))}"


def refuse_unusual(client: Any, model: Any, handlers: frozenset[str]) -> None:
    """Raise Unusual for an operation or a configuration that asks for more than the direct path does."""
    rules = client._ruleset_resolver
    unusual = {
        "has no endpoint rules": rules is None,
        "has an endpoint for each account": any(
            getattr(item, "builtin", None) in ("AWS::Auth::AccountId", "AWS::Auth::AccountIdEndpointMode")
            for item in (rules._param_definitions.values() if rules is not None else ())
        ),
        "has an endpoint that depends on its parameters": bool(
            model.context_parameters or model.static_context_parameters or model.operation_context_parameters
        ),
        "has a host of its own": model.endpoint is not None,
        "has checksums": bool(model.http_checksum or model.http_checksum_required),
        "streams": bool(model.has_streaming_input or model.has_streaming_output),
        "sends or receives events": bool(model.has_event_stream_input or model.has_event_stream_output),
        "compresses": model.request_compression is not None,
        "makes up members": bool(model.idempotent_members),
        "discovers endpoints": bool(model.is_endpoint_discovery_operation or model.endpoint_discovery),
        "has a preferred signature": bool(client.meta.config.auth_scheme_preference),
        "has a head and no body": model.http.get("method") == "HEAD",
        "has no credentials to send": "botocore.signers.RequestSigner.handler" not in handlers,
        "is not read-only by our guard": "postureaudit.aws.guard.refuse_unlisted" not in handlers,
        "has another protocol": model.service_model.resolved_protocol
        not in ("json", "rest-json", "query", "ec2", "smithy-rpc-v2-cbor"),
    }
    for why, found in unusual.items():
        if found:
            raise Unusual(f"{model.name} {why}")
