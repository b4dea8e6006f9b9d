"""The configuration file: found or named, read strictly; one that was merely found can't weaken the gate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from postureaudit import strict_yaml
from postureaudit.errors import ConfigError
from postureaudit.evidence import Json
from postureaudit.findings import Severity

NAMES = (".postureaudit.yaml", ".postureaudit.yml")
# What only the command line, the environment or a named file may set: the found one may come from a stranger.
_NAMED_ONLY = ("profile", "role_arn", "external_id", "checks_file", "waivers", "off", "severities")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a configuration file may say. Anything not here is an error."""

    regions: tuple[str, ...] = ()
    exclude_regions: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    fail_on: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    waivers: str = ""
    checks_file: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    check_parameters: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    severities: dict[str, Severity] = msgspec.field(default_factory=dict)
    off: tuple[str, ...] = ()


def find(start: Path) -> Path | None:
    """The first configuration file from `start` up to the folder that holds .git (or the root)."""
    for folder in (start, *start.parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
        if (folder / ".git").exists():
            return None
    return None


def load(path: Path, *, found: bool) -> Settings:
    """Read a configuration file; `found` when nobody named it. Raises ConfigError with file:line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read configuration {path}: {getattr(error, 'strerror', None) or error}",
            hint="name another with --config, or use --no-config",
        ) from error
    data, lines = strict_yaml.load_marked(text, name=str(path), error=ConfigError)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: a configuration file is a mapping")
    given = {key.replace("-", "_"): value for key, value in data.items()}
    for key in data:
        if key.replace("-", "_") not in Settings.__struct_fields__:
            raise ConfigError(
                f"{path}:{lines.get((key,), 1)}: no setting {key!r}",
                hint=f"there is: {', '.join(name.replace('_', '-') for name in Settings.__struct_fields__)}",
            )
    if found:
        _refuse_weakening(given, path, lines)
    try:
        settings = msgspec.convert(given, Settings)
        if settings.fail_on and settings.fail_on != "none":
            Severity(settings.fail_on)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{path}:1: {error}") from error
    return settings


def _refuse_weakening(given: Mapping[str, Json], path: Path, lines: Mapping[tuple[Any, ...], int]) -> None:
    """A found file may choose what to audit and raise the gate; it may not act for the caller or lower it."""
    for key in _NAMED_ONLY:
        if key in given:
            line = lines.get((key,), lines.get((key.replace("_", "-"),), 1))
            raise ConfigError(
                f"{path}:{line}: {key.replace('_', '-')} may not be set by a file that was only found",
                hint=f"name it on purpose: --config {path}",
            )
    if given.get("fail_on") not in (None, "low", "info"):
        raise ConfigError(
            f"{path}:1: fail-on {given['fail_on']!r} would lower the gate in a file that was only found",
            hint=f"name it on purpose: --config {path}, or use --fail-on",
        )
