"""What Tab offers: ids of checks, services, frameworks, signals and formats, and the script that asks for them.

A shell waits for each answer, so nothing here parses YAML, builds the catalogue or loads boto3 or rich: the names
are in data/names.json, which scripts/make_names.py makes of the catalogue; a test fails when it is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_NAMES = Path(__file__).resolve().parents[1] / "data" / "names.json"


def check_ids() -> list[str]:
    """Every id of the shipped catalogue, in its order."""
    return _names("checks")


def signals() -> list[str]:
    """Every signal that `trace --signal` knows."""
    return [name.removeprefix("signal.") for name in check_ids() if name.startswith("signal.")]


def frameworks() -> list[str]:
    """Every framework that `--framework` knows."""
    return _names("frameworks")


def services() -> list[str]:
    """Every service that --service knows."""
    return _names("services")


def families_and_checks() -> list[str]:
    """What --check and --skip take: each family with its star, then each check."""
    return [f"{name}.*" for name in services()] + check_ids()


def formats() -> list[str]:
    """What -o takes before its =PATH."""
    from postureaudit.render import FORMATS

    return sorted(FORMATS)


def from_names(names: Callable[[], Iterable[str]]) -> Completer:
    """A completer for click that offers those of the names that begin as the word does."""

    def complete(_: click.Context, __: click.Parameter, word: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names() if name.startswith(word)]

    return complete


def script(shell: str) -> str:
    """The script that a shell sources; click's own, which asks this program for words.

    Made without click's check of the installed bash, which starts a shell: whoever asks for a script knows theirs.
    """
    found = get_completion_class(shell)
    if found is None:  # click dropped a shell that SHELLS still names
        raise click.UsageError(f"no completions for {shell}")
    made = found(click.Command("postureaudit"), {}, "postureaudit", "_POSTUREAUDIT_COMPLETE")
    return made.source_template % made.source_vars()


def _names(of: str) -> list[str]:
    """One list of names.json; nothing is offered where it cannot be read, for a shell shows no errors."""
    try:
        import json

        found: dict[str, list[str]] = json.loads(_NAMES.read_text("utf-8"))
        return found[of]
    except (OSError, ValueError, KeyError):
        return []
