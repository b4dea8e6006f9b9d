"""What ships as YAML, read once for all: its data as JSON, with the SHA-256 of the texts that it was made from.

The YAML stays what people write and what counts: where a text is not the one that the JSON was made from, or the JSON
is not there or not readable, the YAML is read. scripts/make_compiled.py writes the files; a test fails when one is
stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
FOLDER = Path(__file__).parent / "data" / "compiled"


class Compiled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: `of` is the SHA-256 of each text by its name, in hex; `data` what was read from them."""

    of: dict[str, str]
    data: msgspec.Raw


def read(name: str, texts: Mapping[str, str], kind: type[T], *, folder: Path = FOLDER) -> T | None:
    """The data made from these very texts, as this type; None where there is none."""
    try:
        found = msgspec.json.decode((folder / f"{name}.json").read_bytes(), type=Compiled)
        return msgspec.json.decode(found.data, type=kind) if found.of == _digests(texts) else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def made(texts: Mapping[str, str], data: Any) -> bytes:
    """A file of this data, made from these texts: one line for each item of a list or of a mapping."""
    encode = msgspec.json.encode
    match data:
        case dict():
            opens, closes = b"{", b"}"
            lines = [encode(key) + b":" + encode(item) for key, item in data.items()]
        case _:
            opens, closes = b"[", b"]"
            lines = [encode(item) for item in data]
    whole = opens + b"\n" + b",\n".join(lines) + b"\n" + closes
    return b'{"of":' + encode(_digests(texts)) + b',"data":' + whole + b"}\n"


def plain(name: str, file: Path) -> Any:
    """The plain data of a YAML file that ships with postureaudit. Raises CatalogError for one that is not strict."""
    text = file.read_text("utf-8")
    found = read(name, {file.name: text}, object)
    if found is None:
        from postureaudit import strict_yaml
        from postureaudit.errors import CatalogError

        return strict_yaml.load(text, name=file.name, error=CatalogError)
    return found


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: sha256(text.encode()).hexdigest() for name, text in texts.items()}
