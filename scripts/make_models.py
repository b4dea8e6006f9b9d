"""Write src/postureaudit/data/botocore.json: the installed botocore's data cut to what may be called.

Usage: python scripts/make_models.py, after the pinned botocore or the allow-list has changed. A test fails when the
file is stale.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import botocore
import botocore.loaders
import msgspec

from postureaudit.aws import models

TARGET = Path(__file__).parents[1] / "src" / "postureaudit" / "data" / "botocore.json"


def made() -> bytes:
    """The file for the installed botocore: one line for each of botocore's files."""
    nothing = models.CutData(botocore="", files={})
    cut = {}
    for path in paths():
        [source] = [found for suffix in (".json", ".json.gz") if (found := Path(f"{path}{suffix}")).is_file()]
        content = source.read_bytes()
        kept = msgspec.json.encode(models.load(str(path), cut=nothing))
        cut[models.name_of(str(path))] = models.Cut(
            len(content), sha256(content).hexdigest(), msgspec.Raw(kept)
        )
    lines = b",\n".join(
        msgspec.json.encode(name) + b":" + msgspec.json.encode(item) for name, item in sorted(cut.items())
    )
    version = msgspec.json.encode(botocore.__version__)
    return b'{"botocore":' + version + b',"files":{\n' + lines + b"\n}}\n"


def paths() -> list[Path]:
    """Of botocore's own data, without suffix: the model of each listed service, and endpoints.json."""
    loader = botocore.loaders.Loader(include_default_search_paths=False)
    data = Path(botocore.loaders.Loader.BUILTIN_DATA_PATH)
    loader.search_paths.append(str(data))
    found = [
        data / service / loader.determine_latest_version(service, "service-2") / "service-2"
        for service in sorted(models.LISTED)
    ]
    return [*found, data / "endpoints"]


if __name__ == "__main__":
    TARGET.write_bytes(made())
