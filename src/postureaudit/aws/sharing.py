"""One HTTP session for all boto3 clients that are set up alike, with one TLS context."""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Hashable
from typing import Any

_NEEDED = ("_get_ssl_context", "_get_pool_manager_kwargs", "_setup_ssl_cert", "_proxy_config", "_verify")


def key_of(own: Any) -> Hashable | None:
    """What has to be the same for two clients' HTTP sessions to be one.

    None where botocore's parts have moved, and where the proxy is spoken to with certificates of its own.
    """
    proxies = getattr(own, "_proxy_config", None)
    if proxies is None or not all(hasattr(own, name) for name in _NEEDED):
        return None
    try:
        if {"proxy_ca_bundle", "proxy_client_cert"} & set(proxies._proxies_settings):
            return None
        settings = json.dumps([proxies._proxies, proxies._proxies_settings], sort_keys=True)
        return (own._verify, settings, own._cert_file, own._key_file, tuple(own._socket_options))
    except (AttributeError, TypeError, ValueError):
        return None


def shared(own: Any, pool: int, config: Any) -> Any | None:
    """An HTTP session like a client's own, with one TLS context; None where botocore does not allow it."""
    options = [*own._socket_options]
    if (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) not in options:
        options.append((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))
    try:
        return _shared_http()(
            verify=own._verify,
            proxies=own._proxy_config._proxies,
            proxies_config=own._proxy_config._proxies_settings,
            timeout=(config.connect_timeout, config.read_timeout),
            max_pool_connections=pool,
            socket_options=options,
            client_cert=(own._cert_file, own._key_file) if own._key_file else own._cert_file,
        )
    except (AttributeError, TypeError):
        return None


@functools.lru_cache(maxsize=1)
def _shared_http() -> Any:
    from botocore.httpsession import URLLib3Session

    from postureaudit.aws.connections import tls_context

    class SharedHTTP(URLLib3Session):  # type: ignore[misc]  # botocore ships no types
        """botocore's session with the CA bundle read once."""

        _context: Any = None

        def _get_ssl_context(self) -> Any:
            if self._context is None:
                certificate = (self._cert_file, self._key_file) if self._key_file else self._cert_file
                self._context = tls_context(self._verify, certificate)
            return self._context

        def _get_pool_manager_kwargs(self, **extra: Any) -> dict[str, Any]:
            found: dict[str, Any] = super()._get_pool_manager_kwargs(num_pools=4096, **extra)
            return found

        def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
            if verify and url.lower().startswith("https") and verify == self._verify:
                conn.cert_reqs, conn.ca_certs = "CERT_REQUIRED", None
            else:
                super()._setup_ssl_cert(conn, url, verify)

    return SharedHTTP
