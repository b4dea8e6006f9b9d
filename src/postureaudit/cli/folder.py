"""A folder of files written whole or not at all, and never over what somebody else put there."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from postureaudit.errors import OutputError, UsageError

MARK = ".postureaudit.json"  # lists what we wrote, with SHA-256, so that a later run may replace just that


def prove(path: Path) -> None:
    """Raise UsageError unless the folder can be written: absent, empty, or holding only our untouched files."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link", hint="name the real folder")
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {path} does not exist", hint="create it first")
    if not path.exists():
        return
    if not path.is_dir():
        raise UsageError(f"{path} is no folder", hint="name a new or empty folder")
    if foreign := _foreign(path):
        raise UsageError(
            f"{path} holds what postureaudit did not write, or what was changed since: {foreign}",
            hint="name a new or empty folder",
        )


def write(path: Path, files: Mapping[str, str]) -> None:
    """Write these files (names with / for folders) into the folder, in place of our earlier ones.

    All is written beside it and then renamed. Folders are 0700 and files 0600: they name what is weak, and no file
    is executable. Raises UsageError or OutputError.
    """
    prove(path)
    made = ""
    try:
        made = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.")
        data = {name: text.encode("utf-8", "backslashreplace") for name, text in files.items()}
        listed = {name: sha256(content).hexdigest() for name, content in data.items()}
        data[MARK] = (json.dumps({"files": listed}, indent=1) + "\n").encode()
        for name, content in data.items():
            _write(Path(made), name, content)
        _swap(Path(made), path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", hint="name a folder that exists and has room"
        ) from error
    finally:
        if made and os.path.isdir(made):
            shutil.rmtree(made)


def _write(folder: Path, name: str, content: bytes) -> None:
    file = folder.joinpath(*name.split("/"))
    for parent in reversed(file.relative_to(folder).parents[:-1]):
        (folder / parent).mkdir(mode=0o700, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _swap(made: Path, path: Path) -> None:
    """Put the new folder where the old one is; the old one goes aside first, and comes back if that fails."""
    if not path.exists():
        os.rename(made, path)
        return
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    os.rename(path, aside / "old")
    try:
        os.rename(made, path)
    except OSError:
        os.rename(aside / "old", path)
        raise
    finally:
        shutil.rmtree(aside)


def _foreign(path: Path) -> str:
    """The first thing in the folder that is not ours as we wrote it; "" when there is none."""
    present = sorted(item.relative_to(path).as_posix() for item in path.rglob("*"))
    if not present:
        return ""
    try:
        listed = json.loads((path / MARK).read_bytes())["files"] if _is_plain(path / MARK) else {}
        known = {str(name): str(digest) for name, digest in listed.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        known = {}
    folders = {part.as_posix() for name in known for part in Path(name).parents}
    for name in present:
        item = path / name
        if name == MARK and known:
            continue
        if item.is_dir() and not item.is_symlink() and name in folders:
            continue
        if name not in known or not _is_plain(item) or sha256(item.read_bytes()).hexdigest() != known[name]:
            return name
    return ""


def _is_plain(path: Path) -> bool:
    """A regular file, not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
