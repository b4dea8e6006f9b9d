"""One ask as requests: its pages, its retries within AWS's limits, and what an error of it means."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from postureaudit.asks import Ask
from postureaudit.aws import outcomes, pages
from postureaudit.aws.hidden import hidden
from postureaudit.aws.limits import Limits
from postureaudit.aws.session import Session
from postureaudit.evidence import Answer, Outcome, Refusal, RefusalKind

MAX_ATTEMPTS = 4
_BACKOFF = 0.5  # seconds; full jitter up to twice as much with each attempt


def _always() -> bool:
    return True


class Refused(Exception):
    """A request that came to nothing, and the outcome that says why."""

    def __init__(self, outcome: Any) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


class Calls:
    """Makes the requests of one walk, and counts them. `ended` says that nothing is to be tried again."""

    def __init__(self, session: Session, stop: threading.Event, ended: Callable[[], bool]) -> None:
        self.sent = 0
        self.enabled: frozenset[str] = frozenset()  # the account's regions, once they are known
        self._session = session
        self._stop = stop
        self._ended = ended
        self._limits = Limits()
        self._counting = threading.Lock()

    def close(self) -> None:
        """Nothing is to be tried again, whoever was asked before."""
        self._ended = _always

    def answer(self, ask: Ask, account: str, region: str, credentials: Any, *, raw: bool = False) -> Outcome:
        """The outcome of one ask, with all its pages; `raw` with what AWS marks sensitive, for what is not kept."""
        model = self._session.clients.model(ask.service, ask.operation)

        def page(params: dict[str, Any]) -> dict[str, Any]:
            return self._request(ask, account, region, params, credentials, raw)

        try:
            return Answer(pages.read_all(ask.call, ask.params, pages.token_of(model), ask.until, page))
        except Refused as refused:
            return refused.outcome
        except pages.Truncated as error:
            return Refusal(RefusalKind.TRUNCATED, message=str(error))

    def _request(
        self, ask: Ask, account: str, region: str, params: dict[str, Any], credentials: Any, raw: bool
    ) -> dict[str, Any]:
        """One request with bounded retries: throttles, 5xx and broken connections back off, a time-out ends it."""
        attempt = 0
        send = self._session.clients.call if raw else self._session.clients.answer
        while True:
            attempt += 1
            if delay := self._limits.reserve(account, region, ask.call):
                self._stop.wait(delay)
            with self._counting:
                self.sent += 1
            try:
                return send(ask.service, ask.operation, params, region=region, credentials=credentials)
            except Exception as error:
                outcome, status = self._outcome(error, ask, region)
                retry = outcomes.is_retryable(outcome, status)
                limit = MAX_ATTEMPTS
                kind = outcome.kind if isinstance(outcome, Refusal) else None
                if kind is RefusalKind.NETWORK:
                    retry, limit = True, 3
                elif kind is RefusalKind.THROTTLED:
                    self._limits.slow(account, region, ask.call)
                    limit = 5
                if not retry or attempt >= limit or self._ended():
                    raise Refused(outcome) from error
            self._stop.wait(random.uniform(0.05, min(_BACKOFF * 2**attempt, 4.0)))

    def _outcome(self, error: Exception, ask: Ask, region: str) -> tuple[Any, int]:
        import botocore.exceptions as failed
        import botocore.parsers

        text = hidden(str(error))[:300]
        match error:
            case failed.ClientError():
                detail = error.response.get("Error", {})
                status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
                code, message = str(detail.get("Code", "")), str(detail.get("Message", ""))
                found = outcomes.classify(ask.service, ask.operation, code, message, status=status)
                return self._in_an_enabled_region(found, region), status
            case failed.ConnectTimeoutError() | failed.ReadTimeoutError():
                return Refusal(RefusalKind.TIMEOUT, type(error).__name__, text), 0
            case failed.EndpointConnectionError() if not self._session.offered(ask.service, region):
                return Refusal(RefusalKind.NOT_IN_REGION, type(error).__name__, text), 0
            case failed.HTTPClientError() | failed.ConnectionError():
                return Refusal(RefusalKind.NETWORK, type(error).__name__, text), 0
            case (
                botocore.parsers.ResponseParserError()
                | ValueError()
                | LookupError()
                | TypeError()
                | AttributeError()
            ):
                return Refusal(RefusalKind.MALFORMED, type(error).__name__, text), 0
            case (
                failed.NoCredentialsError()
                | failed.CredentialRetrievalError()
                | failed.SSOError()
                | failed.TokenRetrievalError()
                | failed.LoginError()
            ):
                return Refusal(RefusalKind.EXPIRED, type(error).__name__, text), 0
            case _:
                return Refusal(RefusalKind.ERROR, type(error).__name__, text), 0

    def _in_an_enabled_region(self, outcome: Outcome, region: str) -> Outcome:
        """What "not enabled" means in a region that the account has enabled: it does not know these credentials.

        Tokens of STS's global endpoint are not valid in regions that were opted into (STS API reference,
        "Activating and deactivating AWS STS in an AWS Region").
        """
        if not isinstance(outcome, Refusal) or outcome.kind is not RefusalKind.REGION_DISABLED:
            return outcome
        if region not in self.enabled:
            return outcome
        message = (
            "the region is enabled and does not know these credentials: "
            "use a token of a regional STS endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional)"
        )
        return msgspec.structs.replace(outcome, kind=RefusalKind.DENIED, message=message)
