"""A configuration file is found where people look for it, read strictly, and never weakens a gate unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from postureaudit import settings
from postureaudit.cli.main import run
from postureaudit.errors import ConfigError


def test_found_up_to_the_repository_then_at_home(tmp_path: Path) -> None:
    """The nearest file wins alone; the search ends at .git; the user's own file comes last."""
    home, repository, inner = tmp_path / "home", tmp_path / "repo", tmp_path / "repo" / "a" / "b"
    inner.mkdir(parents=True)
    (home / "postureaudit").mkdir(parents=True)
    (repository / ".git").mkdir()
    (tmp_path / ".postureaudit.yaml").write_text("skip: [x.y]")

    assert settings.find(inner, home=home) is None
    own = home / "postureaudit" / "config.yaml"
    own.write_text("regions: [eu-west-1]")
    assert settings.find(inner, home=home) == own
    project = repository / "pyproject.toml"
    project.write_text("[project]\nname = 'x'\n")
    assert settings.find(inner, home=home) == own
    project.write_text("[tool.postureaudit]\nregions = ['eu-*']\nfail-on = 'low'\n")
    assert settings.find(inner, home=home) == project
    near = repository / "a" / ".postureaudit.yaml"
    near.write_text("regions: [us-east-1]")
    assert settings.find(inner, home=home) == near


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    """Both formats give equal settings."""
    yaml, toml = tmp_path / "config.yaml", tmp_path / "pyproject.toml"
    yaml.write_text("regions: [eu-*]\nfail-on: high\nparameters: {LOG_BUCKET: logs}\n")
    toml.write_text(
        "[tool.postureaudit]\nregions = ['eu-*']\nfail-on = 'high'\nparameters = {LOG_BUCKET = 'logs'}\n"
    )

    assert settings.load(yaml, found=False) == settings.load(toml, found=False)


@pytest.mark.parametrize(
    "text",
    [
        "fail-on: none",
        "fail-on: critical",
        "profile: prod",
        "role-arn: arn:aws:iam::111122223333:role/x",
        "waivers: w.yaml",
        "checks-file: c.yaml",
        "disable: [cloudtrail.enabled]",
        "severities: {cloudtrail.enabled: low}",
        "parameters: {LOG_BUCKET: a-strangers-bucket}",
        "check-parameters: {cloudtrail.bucket-retention: {days: 1}}",
    ],
)
def test_found_file_may_not_weaken_the_gate(tmp_path: Path, text: str) -> None:
    """What lowers the gate, acts for the caller or fills in fixes needs a file named on purpose."""
    file = tmp_path / ".postureaudit.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match="only found") as caught:
        settings.load(file, found=True)

    assert "--config" in caught.value.hint
    settings.load(file, found=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("regoins: [x]", ":1: no setting 'regoins'"),
        ("- x", "is a mapping"),
        ("fail-on: hihg", "hihg"),
        ("regions: eu-west-1", "regions"),
        ("regions: [a]\nregions: [b]", ":2: key 'regions' is there twice"),
    ],
)
def test_broken_file_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    """A file that cannot be used names itself, the line and the reason."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        settings.load(file, found=False)

    assert said in caught.value.message and str(file) in caught.value.message


@pytest.mark.parametrize("text", ["parameters: {LOG_BUKET: x}", "fail-on: .inf", "regions: 1:30.5"])
def test_what_means_nothing_is_refused(tmp_path: Path, text: str) -> None:
    """A misspelt parameter and a number that is none are errors with file:line."""
    file = tmp_path / "c.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"c\.yaml:1"):
        settings.load(file, found=False)


@pytest.mark.parametrize("suffix", ["yaml", "toml"])
def test_one_setting_in_two_spellings_is_refused(tmp_path: Path, suffix: str) -> None:
    """Which of the two would win is not for the order of lines to decide: one of them opens the gate."""
    path = tmp_path / f"config.{suffix}"
    text = "fail-on: low\nfail_on: none\n"
    if suffix == "toml":
        text = "[tool.postureaudit]\nfail-on = 'low'\nfail_on = 'none'\n"
    path.write_text(text)

    with pytest.raises(ConfigError, match="as well"):
        settings.load(path, found=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("severities: {guardduty.enabeld: low}", "did you mean guardduty.enabled"),
        ("check-parameters: {config.retention: {day: 3}}", "did you mean days"),
        ("check-parameters: {config.retention: {days: '3'}}", "days is a whole number, not text"),
        ("disable: [guardduty.enabeld]", "did you mean guardduty.enabled"),
    ],
)
def test_mistakes_about_checks_name_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """A check or parameter that does not exist, and a value of another type: the file and what was meant."""
    file = tmp_path / "named.yaml"
    file.write_text(text)

    assert run(["demo", "--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert f"{file}: " in told and said in told
