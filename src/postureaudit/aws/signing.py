"""Signatures of the direct path: botocore's signer, told what it would find out anew for each request."""

from __future__ import annotations

import functools
import hmac
import time
import weakref
from typing import Any

from botocore.auth import SigV4Auth

KEPT_KEYS = 1024  # keys derived for signing kept: of a few accounts


class Signable:
    """As much of a request as botocore's signer looks at."""

    __slots__ = ("body", "context", "headers", "method", "params", "to_sign", "url")

    def __init__(
        self, method: str, url: str, body: bytes, headers: dict[str, str], to_sign: dict[str, str], host: str
    ) -> None:
        self.method = method
        self.url = url
        self.body = body
        self.headers = headers
        self.to_sign = _HeadersToSign(to_sign, host=host)
        self.params: dict[str, str] = {}
        self.context: dict[str, Any] = {}


class _HeadersToSign(dict[str, str]):
    """Names in lower case, once each: what the signer reads of botocore's HTTPHeaders."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]


class Signer(SigV4Auth):  # type: ignore[misc]  # botocore ships no types
    """botocore's signer. It is told which headers to sign, and keeps the last days', regions' and services' keys."""

    def headers_to_sign(self, request: Signable) -> _HeadersToSign:
        found = request.to_sign
        for name in ("X-Amz-Date", "X-Amz-Security-Token"):
            if name in request.headers:
                found[name.lower()] = request.headers[name]
        return found

    def _sign(self, key: bytes, msg: str, hex: bool = False) -> Any:
        return _hmac(key, msg).hex() if hex else _derived(key, msg)


_FROZEN = 1.0  # seconds for which credentials are not asked whether they have to be renewed: they are minutes before
_frozen: weakref.WeakKeyDictionary[Any, tuple[float, Any]] = weakref.WeakKeyDictionary()


def frozen(credentials: Any) -> Any:
    """botocore's credentials as they are now: renewed where that is due. Raises as botocore does."""
    now = time.monotonic()
    found = _frozen.get(credentials)
    if found is None or now >= found[0]:
        found = _frozen[credentials] = (now + _FROZEN, credentials.get_frozen_credentials())
    return found[1]


def _hmac(key: bytes, msg: str) -> bytes:
    # Not hmac.digest: it lets other threads in each time, and getting back in takes longer than the digest.
    return hmac.new(key, msg.encode("utf-8"), "sha256").digest()


@functools.lru_cache(maxsize=KEPT_KEYS)
def _derived(key: bytes, msg: str) -> bytes:
    """A step from a secret key to the one that signs: four a call, and the same for a service's calls in a region."""
    return _hmac(key, msg)
