"""In child processes: S3 Control puts the account before the host; let that name lead to the fake."""

import re
import socket
from typing import Any

_real = socket.getaddrinfo


def _getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(host, str) and re.fullmatch(r"\d{12}\.127\.0\.0\.1", host):
        host = "127.0.0.1"
    return _real(host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo
