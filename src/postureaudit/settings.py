"""The configuration file: found or named, read strictly; one that was merely found can't weaken the gate."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from postureaudit.catalog import NEEDS
from postureaudit.errors import ConfigError
from postureaudit.evidence import Json
from postureaudit.findings import Severity

if TYPE_CHECKING:
    from postureaudit.problems import Lines

NAMES = (".postureaudit.yaml", ".postureaudit.yml")
PYPROJECT = "pyproject.toml"
# What makes an audit smaller: allowed, and said each time.
NARROWING = ("regions", "exclude_regions", "check", "skip", "services", "frameworks")
# What only the command line, the environment or a named file may set: the found one may come from a stranger.
_NAMED_ONLY = (
    *("profile", "role_arn", "external_id", "checks_file", "waivers", "baseline", "disable", "severities"),
    *("audit_account", "log_archive_role", "log_archive_external_id"),  # a stranger's account in a fix
    *("parameters", "check_parameters"),  # a stranger's bucket in a fix, a threshold of one day
)


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
    audit_account: str = ""
    log_archive_account: str = ""
    log_archive_role: str = ""
    log_archive_external_id: str = ""
    waivers: str = ""
    baseline: str = ""
    checks_file: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    check_parameters: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    severities: dict[str, Severity] = msgspec.field(default_factory=dict)
    disable: tuple[str, ...] = ()


def find(start: Path, *, home: Path | None = None) -> Path | None:
    """The first configuration file from `start` up to the folder that holds .git (or the root), else the user's own.

    In a folder .postureaudit.yaml comes before a pyproject.toml with a table [tool.postureaudit]. `home` is the
    user's configuration folder ($XDG_CONFIG_HOME), in which postureaudit/config.yaml is looked for.
    """
    for folder in (start, *start.parents):
        for name in NAMES:
            if (folder / name).is_file():
                return folder / name
        if _has_table(folder / PYPROJECT):
            return folder / PYPROJECT
        if (folder / ".git").exists():
            break
    own = home / "postureaudit" / "config.yaml" if home else None
    return own if own and own.is_file() else None


def _has_table(path: Path) -> bool:
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool")
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError):
        return False  # not ours to complain about: nobody named it
    return isinstance(tools, dict) and "postureaudit" in tools


def load(path: Path, *, found: bool) -> Settings:
    """Read a configuration file; `found` when nobody named it. Raises ConfigError with file:line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read configuration {path}: {getattr(error, 'strerror', None) or error}",
            hint="name another with --config, or use --no-config",
        ) from error
    data, lines = _parsed(text, path)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: a configuration file is a mapping")
    given = {key.replace("-", "_"): value for key, value in data.items()}
    for key in data:
        if "_" in key and key.replace("_", "-") in data:
            raise ConfigError(
                f"{path}:{lines.get((key,), 1)}: {key!r} stands there as {key.replace('_', '-')!r} as well",
                hint="keep one of the two",
            )
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
    for name in settings.parameters:
        if name not in NEEDS:
            line = lines.get(("parameters", name), 1)
            raise ConfigError(
                f"{path}:{line}: parameters: {name!r} is nothing that a fix needs",
                hint=f"there is: {', '.join(NEEDS)}",
            )
    return settings


def _parsed(text: str, path: Path) -> tuple[Any, Lines]:
    """The settings as plain data, with the lines they stand on where the format tells."""
    if path.suffix != ".toml":
        from postureaudit import strict_yaml

        return strict_yaml.load_marked(text, name=str(path), error=ConfigError)
    try:
        tools = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return tools.get("postureaudit", {}) if isinstance(tools, dict) else {}, {}


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
