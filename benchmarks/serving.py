"""Start the endpoint for a benchmark, and the environment in which a child reaches it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import answers
import certificates
import places

HERE = Path(__file__).parent


class Served:
    """A running endpoint."""

    def __init__(self, port: int, bundle: Path, folder: Path, process: subprocess.Popen[str]) -> None:
        self.port, self.bundle, self.folder, self.process = port, bundle, folder, process
        self.url = f"https://127.0.0.1:{port}"
        self._context = ssl.create_default_context(cafile=str(bundle))

    def stats(self, *, reset: bool = False) -> dict[str, Any]:
        """What the endpoint has counted since the last reset."""
        path = "/_reset" if reset else "/_stats"
        with urllib.request.urlopen(self.url + path, context=self._context) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def env(self, hosts: str = "real", account: str = answers.MANAGEMENT) -> dict[str, str]:
        """The environment of a measured process: nothing of this machine's AWS set-up, and nothing that slows Python.

        `hosts` is "real" (AWS's names, each with its own connections, lead to the endpoint) or "one"
        (AWS_ENDPOINT_URL: all calls go to one host).
        """
        found = plain_env()
        found |= {
            "AWS_CA_BUNDLE": str(self.bundle),
            "AWS_ACCESS_KEY_ID": f"AKIA{account}",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": os.pathsep.join([str(HERE / "hosts"), found["PYTHONPATH"]]),
        }
        if hosts == "real":
            found["POSTUREAUDIT_BENCH_PORT"] = str(self.port)
        else:
            found["AWS_ENDPOINT_URL"] = self.url
        return found


def plain_env() -> dict[str, str]:
    """This process's environment without what would change what is measured."""
    mine = ("AWS_", "POSTUREAUDIT_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return {**kept, "PYTHONPATH": str(HERE.parent / "src"), "NO_COLOR": "1", "CI": "true"}


@contextlib.contextmanager
def serving(
    *,
    regions: Sequence[str],
    latencies: dict[str, float],
    state: str = "mix",
    accounts: int = 0,
    handshake_round_trips: int = 2,
    hang: Sequence[str] = (),
    faults: Sequence[tuple[str, str, str]] = (),
    refusing: Sequence[str] = (),
    throttle: bool = False,
    lenient: bool = False,
) -> Iterator[Served]:
    """Run an endpoint while the block runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is running is ended with us
    with tempfile.TemporaryDirectory(prefix="postureaudit-bench-") as name:
        folder = Path(name)
        bundle = certificates.make(folder, dict.fromkeys([*regions, "us-east-1"]))
        options = folder / "options.json"
        given = {
            "folder": name,
            "regions": list(regions),
            "latencies": latencies,
            "state": state,
            "accounts": accounts,
            "handshake_round_trips": handshake_round_trips,
            "hang": list(hang),
            "faults": [list(item) for item in faults],
            "refusing": list(refusing),
            "throttle": throttle,
            "lenient": lenient,
        }
        options.write_text(json.dumps(given))
        command = [sys.executable, str(HERE / "endpoint.py"), str(options)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_server_env())
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line:
                raise SystemExit("the endpoint did not start")
            yield Served(int(line), bundle, folder, process)
        finally:
            process.terminate()
            process.wait()


def _server_env() -> dict[str, str]:
    found = plain_env()
    found["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent), found["PYTHONPATH"]])
    return found


def add_places(parser: Any, *, regions: int = 17, latency: float = 100) -> None:
    """The options that say how many regions there are and how far they are."""
    parser.add_argument("--regions", type=int, default=regions)
    parser.add_argument("--latency", type=float, default=latency, help="milliseconds of a round trip")
    parser.add_argument(
        "--profile", choices=("even", "europe"), default="even", help="europe: 30 to 290 ms, by region"
    )


def placed(given: Any) -> dict[str, Any]:
    """The endpoint's regions and latencies, from these options."""
    names = places.regions(given.regions)
    return {
        "regions": names,
        "latencies": places.latencies(names, profile=given.profile, latency=given.latency),
    }
