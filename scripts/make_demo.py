"""Make the demo's evidence: our own collectors, over our own fake AWS, as anyone would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.fakeaws import FakeAws  # noqa: E402 - the path above makes it importable
from tests.fakeaws.demo import demo  # noqa: E402 - the same

TARGET = ROOT / "src" / "postureaudit" / "data" / "demo.json.gz"


def main() -> None:
    """Run `postureaudit collect` against the demo's account and keep what it wrote."""
    with FakeAws(demo()) as aws:
        command = [sys.executable, "-m", "postureaudit", "collect", "--no-config", "-o", str(TARGET)]
        environment = {
            **aws.env(),
            "PYTHONPATH": os.pathsep.join([aws.env()["PYTHONPATH"], str(ROOT / "src")]),
        }
        subprocess.run(command, env=environment, check=True)
    os.chmod(TARGET, 0o644)


if __name__ == "__main__":
    main()
