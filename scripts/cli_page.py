"""docs/reference/cli.md: every command, argument, option and environment variable, read from click."""

from __future__ import annotations

from collections.abc import Iterator

import click

from postureaudit.cli.main import main
from scripts.markdown_text import code, page, plain, table

_HEAD = [
    "Every command with its options, as `postureaudit COMMAND --help` has them.",
    "",
    "An option comes from the command line, else from its environment variable, else from a settings file "
    "([files](files.md#settings)), else it is its default. In an environment variable the values of an option that "
    "may be repeated are separated by spaces; a switch takes `1` or `0`.",
    "",
]
_OTHERS = (
    (
        "`AWS_PROFILE`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and others",
        "Credentials and endpoints, as in the AWS CLI.",
    ),
    (
        "`AWS_CA_BUNDLE`, `HTTPS_PROXY`, `AWS_ENDPOINT_URL`, `AWS_USE_FIPS_ENDPOINT`",
        "The way to AWS, as in the AWS CLI.",
    ),
    ("`POSTUREAUDIT_TRANSPORT`", "`botocore` sends every call through boto3's own client."),
    (
        "`_POSTUREAUDIT_COMPLETE`",
        "`bash_source`, `zsh_source` or `fish_source`: prints the completion of the shell.",
    ),
    ("`NO_COLOR`, `FORCE_COLOR`, `COLUMNS`", "Colour and width of the terminal."),
    ("`XDG_CONFIG_HOME`", "Where your own `postureaudit/config.yaml` is."),
    ("`CI`, `GITHUB_STEP_SUMMARY`", "No progress bar; where `-o github` adds its summary."),
)


def pages() -> Iterator[tuple[str, str]]:
    """The page's path in docs/ and its text."""
    context = main.make_context("postureaudit", [], resilient_parsing=True)
    lines = [*_HEAD]
    found = list(_commands(context))
    for command in found:
        name = command.command_path
        lines += [
            f"- [`{name}`](#{name.replace(' ', '-')}): {plain(command.command.get_short_help_str(200))}"
        ]
    lines.append("")
    for command in found:
        lines += _section(command)
    lines += ["## Other environment variables", "", *table(("Variable", "What it does"), _OTHERS)]
    yield "reference/cli.md", page("Command line", lines)


def commands() -> tuple[click.Context, ...]:
    """A context for each command that runs, the groups' included."""
    return tuple(_commands(main.make_context("postureaudit", [], resilient_parsing=True)))


def _commands(context: click.Context) -> Iterator[click.Context]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(inner)
        else:
            yield inner


def _section(context: click.Context) -> list[str]:
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {context.command_path}", "", *_help(command.help or ""), ""]
    lines += ["```text", f"{context.command_path} {usage}", "```", ""]
    rows = [
        _row(option, context)
        for option in command.get_params(context)
        if isinstance(option, click.Option) and not option.hidden
    ]
    return [*lines, *table(("Option", "What it does", "Environment variable"), rows)]


def _help(text: str) -> list[str]:
    """The command's help: paragraphs, unwrapped."""
    import inspect

    paragraphs = inspect.cleandoc(text).split("\n\n")
    found: list[str] = []
    for paragraph in paragraphs:
        found += [plain(" ".join(paragraph.split())), ""]
    return found[:-1]


def _row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in sorted((*option.opts, *option.secondary_opts), key=len))
    value = _value(option, context)
    said = [plain(option.help.rstrip(".") + ".")] if option.help else []
    if option.multiple:
        said.append("May be repeated.")
    if option.required:
        said.append("Required.")
    if isinstance(option.default, str | int | float) and not isinstance(option.default, bool):
        said.append(f"Default: {code(str(option.default))}.")
    variable = "" if option.name == "help" else f"`{_variable(option, context)}`"
    return f"{names}{' ' + value if value else ''}", " ".join(said), variable


def _value(option: click.Option, context: click.Context) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return " \\| ".join(code(str(choice)) for choice in option.type.choices)
    return code(option.make_metavar(context)).replace("|", "\\|")


def _variable(option: click.Option, context: click.Context) -> str:
    """As click makes it from auto_envvar_prefix; an option may name its own."""
    if option.envvar:
        return option.envvar if isinstance(option.envvar, str) else option.envvar[0]
    return f"{context.auto_envvar_prefix}_{(option.name or '').upper()}"
