"""In measured processes: AWS's names lead to the local endpoint, so that each is a host with connections of its own."""

import os
import socket
import sys
from typing import Any

_PORT = os.environ.get("POSTUREAUDIT_BENCH_PORT")
_real = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name.endswith((".amazonaws.com", ".api.aws", ".127.0.0.1")):
        return _real("127.0.0.1", int(_PORT) if _PORT else port, *args, **kwargs)
    return _real(host, port, *args, **kwargs)


if "botocore" not in sys.modules:  # always so: this file is read before any program
    socket.getaddrinfo = _getaddrinfo
