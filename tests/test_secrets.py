"""Secrets stay where they are: not in evidence, not in a report, not in an error, not in a traceback."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.answers import plain
from postureaudit.aws.hidden import hidden
from postureaudit.render import FORMATS
from tests.fakeaws import Fault, World
from tests.fakeaws.scenarios import SCENARIOS

Cli = Callable[..., Any]
CANARY = "CaNaRy"
SECRET_KEY = f"{CANARY}/wJalrXUtnFEMI+K7MDENGbPxRfiCYzzzz"  # 40 characters, as a secret access key has
TOKEN = f"IQoJ{CANARY}" + "b3JpZ2luX2VjEJr" * 20
CANONICAL = (
    "The request signature we calculated does not match the signature you provided. The Canonical String for this "
    f"request should have been\n'POST\n/\n\nhost:x\nx-amz-date:20261125T000000Z\nx-amz-security-token:{TOKEN}\n\nhost'"
)


def test_a_secret_key_has_forty_characters() -> None:
    """The canary is as long as what it stands for."""
    assert len(SECRET_KEY) == 40 and SECRET_KEY not in hidden(f"key {SECRET_KEY} here")


def filled(shape: Any, at: str, sensitive: bool, stack: tuple[str, ...], found: dict[str, str]) -> Any:
    """An answer of this shape in which every text says where it stands; `found` learns which AWS calls sensitive."""
    sensitive = sensitive or bool(shape.metadata.get("sensitive"))
    if shape.name in stack:
        return None
    inside = (*stack, shape.name)
    match shape.type_name:
        case "structure":
            return {
                name: filled(inner, f"{at}.{name}", sensitive, inside, found)
                for name, inner in shape.members.items()
            }
        case "list":
            return [filled(shape.member, at, sensitive, inside, found)]
        case "map":
            key = filled(shape.key, f"{at}.key", sensitive, inside, found)
            return {key: filled(shape.value, f"{at}.value", sensitive, inside, found)}
        case "string":
            text = f"<{at}>"
            found[text] = "sensitive" if sensitive else ""
            return text
        case "blob":
            return f"<{at}>".encode()
        case "boolean":
            return True
        case _:
            return 1


@pytest.fixture(scope="module")
def kept() -> dict[str, tuple[str, dict[str, str]]]:
    """For each call: what is kept of an answer that has everything, and its texts with what AWS says of them."""
    core = botocore.session.Session()
    made = {}
    for call in sorted(ALLOWED):
        service, _, name = call.partition(":")
        shape = core.get_service_model(service).operation_model(name).output_shape
        if shape is not None:
            found: dict[str, str] = {}
            body = filled(shape, call, False, (), found)
            made[call] = (json.dumps(plain(body, shape, service), default=repr), found)
    return made


def test_what_aws_marks_sensitive_is_dropped(kept: dict[str, tuple[str, dict[str, str]]]) -> None:
    """Of every call that may be made, no member that AWS's model marks sensitive is kept, at any depth."""
    marked = [text for _, found in kept.values() for text, what in found.items() if what == "sensitive"]
    leaked = {
        text for whole, found in kept.values() for text, what in found.items() if what and text in whole
    }

    assert len(marked) > 40 and not leaked


@pytest.mark.parametrize(
    "path",
    [
        "lambda:ListFunctions.Functions.ImageConfigResponse.ImageConfig.Command",
        "lambda:ListFunctions.Functions.ImageConfigResponse.ImageConfig.EntryPoint",
        "lambda:GetFunctionConfiguration.Environment.Variables.value",
        "events:ListTargetsByRule.Targets.Input",
        "events:ListTargetsByRule.Targets.InputTransformer.InputTemplate",
        "events:ListTargetsByRule.Targets.HttpParameters.HeaderParameters.value",
        "events:ListTargetsByRule.Targets.HttpParameters.PathParameterValues",
        "events:ListTargetsByRule.Targets.SageMakerPipelineParameters.PipelineParameterList.Value",
        "config:DescribeConfigRules.ConfigRules.InputParameters",
        "config:DescribeConformancePacks.ConformancePackDetails.ConformancePackInputParameters.ParameterValue",
        "ssm:DescribeDocument.Document.Parameters.DefaultValue",
        "stepfunctions:DescribeStateMachine.definition",
    ],
)
def test_settings_in_which_people_keep_passwords_are_dropped(
    kept: dict[str, tuple[str, dict[str, str]]], path: str
) -> None:
    """What AWS does not mark and people use for passwords all the same."""
    whole, found = kept[re.match(r"[^.]+", path)[0]]  # type: ignore[index]  # it fits

    assert f"<{path}>" in found and f"<{path}>" not in whole


def test_nothing_else_sounds_like_a_secret(kept: dict[str, tuple[str, dict[str, str]]]) -> None:
    """A call that is new to the list, with a member that sounds like a secret, is looked at by somebody first."""
    sounds = re.compile(
        r"(?i)secret|passw|credential|apikey|environment|userdata|definition$|content$|script$|sql"
    )
    expected = {
        "events:ListTargetsByRule.Targets.RedshiftDataParameters.SecretManagerArn",
        "organizations:DescribeEffectivePolicy.EffectivePolicy.PolicyContent",
        *(f"rds:DescribeDBClusters.DBClusters.MasterUserSecret.{name}" for name in _SECRET),
        *(f"rds:DescribeDBInstances.DBInstances.MasterUserSecret.{name}" for name in _SECRET),
        "rds:DescribeDBClusters.DBClusters.DomainMemberships.AuthSecretArn",
        "rds:DescribeDBInstances.DBInstances.DomainMemberships.AuthSecretArn",
        "rds:DescribeDBInstances.DBInstances.TdeCredentialArn",
        "rds:DescribeDBInstances.DBInstances.MasterUserAuthenticationType",
    }

    found = {
        text[1:-1]
        for whole, texts in kept.values()
        for text in texts
        if text in whole and sounds.search(text)
    }

    assert found <= expected, sorted(found - expected)


_SECRET = ("SecretArn", "SecretStatus", "KmsKeyId")


def a_world() -> World:
    """An account in which every place that may hold a secret holds one, and which AWS refuses with more of them."""
    world = SCENARIOS["responding"]()
    region = world.account("111122223333").region("us-east-1")
    variables = {"DB_PASSWORD": f"{CANARY}-variable"}
    function = region.add_function(
        "job",
        allow=("events.amazonaws.com", None),
        Environment={"Variables": variables},
        ImageConfigResponse={"ImageConfig": {"Command": [f"--password={CANARY}-command"]}},
    )
    hook = f"https://user:{CANARY}-login@hooks.example.com/{CANARY}-path?key={CANARY}-query"
    destination = region.add_api_destination("hook", endpoint=hook)
    machine = region.add_state_machine(
        "flow", definition=json.dumps({"StartAt": "A", "Comment": f"{CANARY}-definition", "States": {}})
    )
    template = {"InputPathsMap": {"a": "$.a"}, "InputTemplate": f'"{CANARY}-template"'}
    region.add_event_rule(
        "canary",
        pattern={"source": ["aws.guardduty"]},
        targets=[
            {"Id": "a", "Arn": function, "Input": json.dumps({"token": f"{CANARY}-input"})},
            {"Id": "b", "Arn": function, "InputTransformer": template},
            {
                "Id": "c",
                "Arn": destination,
                "HttpParameters": {"HeaderParameters": {"X": f"{CANARY}-header"}},
            },
            {"Id": "d", "Arn": machine, "RoleArn": "arn:aws:iam::111122223333:role/r"},
        ],
    )
    region.add_topic("canary", subscriptions=[{"Protocol": "https", "Endpoint": hook}])
    world.faults = [
        Fault(service="macie2", code="InvalidSignatureException", message=CANONICAL, status=403),
        Fault(service="detective", message=f"denied; Authorization: {CANARY}-header; sessionToken={TOKEN}"),
    ]
    return world


ENV = {"AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_SESSION_TOKEN": TOKEN}
AUDIT = ("--no-config", "--region", "us-east-1", "--debug")
# The checks that read what holds the canaries.
CHOSEN = [f"--check={name}" for name in ("eventbridge.*", "sns.*", "macie.*", "detective.*", "guardduty.*")]


def texts(folder: Path) -> Iterator[str]:
    yield from (path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_no_command_and_no_format_tells_a_secret(cli: Cli, tmp_path: Path) -> None:
    """Credentials, environments, inputs, headers and web hooks are in no evidence, report, fix, trace or message."""
    world, file = a_world(), tmp_path / "evidence.json"
    files = [f"-o{name}={tmp_path / name}" for name in FORMATS]

    ran = [
        cli("collect", *AUDIT, *CHOSEN, "--check", "signal.*", "-o", str(file), world=world, env=ENV),
        cli(
            "report", str(file), "--no-config", "--details", *files, "--write-fixes", str(tmp_path / "fixes")
        ),
        cli("trace", "--from", str(file), "--no-config", "--signal", "guardduty-high", "--details"),
        cli("audit", *AUDIT, "--check", "eventbridge.*", "--check", "macie.*", world=world, env=ENV),
        cli("trace", *AUDIT, "--signal", "guardduty-high", "--verify-with-aws", world=world, env=ENV),
        *(
            cli("explain", name, "--from", str(file))
            for name in ("investigation", "eventbridge.targets-exist")
        ),
    ]

    assert [item.code for item in ran[:2]] == [0, 4] and "hooks.example.com" in file.read_text()
    assert len(list(tmp_path.iterdir())) == len(FORMATS) + 2
    said = [*texts(tmp_path), *(item.out + item.err for item in ran)]
    leaks = {match for text in said for match in re.findall(rf"\S*{CANARY}\S*", text)}
    assert not leaks


CREDENTIALS = f"[default]\naws_access_key_id = AKIAX\naws_secret_access_key = {SECRET_KEY}\n"
NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""}
SSO = (
    "[default]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\nregion = us-east-1\n"
    "[sso-session s]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
)
PROCESS = "[default]\nregion = us-east-1\ncredential_process = sh {home}/process\n"
BROKEN = {
    "token with a line break": ({}, {}, {**ENV, "AWS_SESSION_TOKEN": f"{TOKEN}\n"}),
    "file without a section": ({"credentials": CREDENTIALS.partition("\n")[2]}, {}, NO_KEYS),
    "file with a torn line": ({"credentials": f"[default]\n{CANARY}line\n{CREDENTIALS}"}, {}, NO_KEYS),
    "config with a key and no sense": ({"config": f"aws_secret_access_key {SECRET_KEY}"}, {}, NO_KEYS),
    "half of the keys": ({"credentials": f"[default]\naws_secret_access_key = {SECRET_KEY}\n"}, {}, NO_KEYS),
    "process that fails": (
        {
            "config": PROCESS,
            "../process": f"echo 'cannot renew {SECRET_KEY}' >&2\necho {TOKEN} {CANARY}short >&2\nexit 3\n",
        },
        {},
        NO_KEYS,
    ),
    "process that prints no JSON": (
        {"config": PROCESS, "../process": f"echo '{{ {SECRET_KEY}'\n"},
        {},
        NO_KEYS,
    ),
    "process of another version": (
        {"config": PROCESS, "../process": f'echo \'{{"Version": 9, "SecretAccessKey": "{SECRET_KEY}"}}\'\n'},
        {},
        NO_KEYS,
    ),
    "process without a key id": (
        {"config": PROCESS, "../process": f'echo \'{{"Version": 1, "SecretAccessKey": "{SECRET_KEY}"}}\'\n'},
        {},
        NO_KEYS,
    ),
    "sign-in that ran out": ({"config": SSO, "sso": "2020-01-01T00:00:00Z"}, {}, NO_KEYS),
    "sign-in that AWS refuses": (
        {"config": SSO, "sso": "2099-01-01T00:00:00Z"},
        {},
        {**NO_KEYS, "AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:9"},
    ),
    "sign-in file that is torn": ({"config": SSO, "sso": ""}, {}, NO_KEYS),
    "signature that AWS does not accept": (
        {},
        {"service": "sts", "code": "SignatureDoesNotMatch", "message": CANONICAL, "status": 403},
        ENV,
    ),
}


def home_of(tmp_path: Path, files: dict[str, str]) -> dict[str, str]:
    """A home with these files below .aws, and the environment that names it."""
    import hashlib

    folder = tmp_path / ".aws"
    (folder / "sso" / "cache").mkdir(parents=True)
    for name, text in files.items():
        if name == "sso":
            token = {"startUrl": "https://x.awsapps.com/start", "region": "us-east-1", "accessToken": TOKEN}
            whole = json.dumps({**token, "expiresAt": text}) if text else json.dumps(token)[:-9]
            (folder / "sso" / "cache" / f"{hashlib.sha1(b's').hexdigest()}.json").write_text(whole)
        else:
            (folder / name).write_text(text.replace("{home}", str(tmp_path)))
    return {
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
    }


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
@pytest.mark.parametrize(("files", "fault", "env"), BROKEN.values(), ids=BROKEN)
def test_credentials_that_fail_are_not_told(
    cli: Cli,
    tmp_path: Path,
    files: dict[str, str],
    fault: dict[str, Any],
    env: dict[str, str],
    debug: tuple[str, ...],
) -> None:
    """However credentials fail, the message names what to do, and neither it nor the traceback quotes them."""
    world = World(faults=[Fault(**fault)] if fault else [])

    ran = cli("audit", "--no-config", *debug, world=world, env={**home_of(tmp_path, files), **env})

    assert (ran.code, ran.out) == (1, "") and "\n  " in ran.err
    assert ("Traceback" in ran.err) is bool(debug)
    assert CANARY not in ran.err, ran.err


def test_what_names_weaknesses_is_for_its_owner(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence, reports and fixes are readable by their owner alone, whatever the umask."""
    import os

    file, fixes = tmp_path / "evidence.json.gz", tmp_path / "fixes"
    reports = [tmp_path / name for name in ("r.json", "r.sarif", "r.html")]
    before = os.umask(0)
    try:
        cli("collect", *AUDIT, *CHOSEN, "--check", "signal.*", "-o", str(file), world=SCENARIOS["empty"]())
        outputs = [f"-o{path.suffix[1:]}={path}" for path in reports]
        ran = cli("report", str(file), "--no-config", "-s", "config", *outputs, "--write-fixes", str(fixes))
    finally:
        os.umask(before)

    assert ran.code == 3
    modes = {
        stat.S_IMODE(path.stat().st_mode) for path in (file, *reports, *fixes.rglob("*")) if path.is_file()
    }
    folders = {stat.S_IMODE(path.stat().st_mode) for path in (fixes, *fixes.rglob("*")) if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


def test_a_report_that_was_for_others_stays_so(
    cli: Cli, saved: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whoever prepared the file decides who reads it."""
    file = tmp_path / "r.json"
    file.touch(0o644)

    cli("report", str(saved("empty")), "--no-config", "-s", "config", f"-ojson={file}")

    assert stat.S_IMODE(file.stat().st_mode) == 0o644 and file.stat().st_size


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
@pytest.mark.parametrize(
    "text",
    [
        f"Invalid header value b'{CANARY}'",
        f"AWS_SECRET_ACCESS_KEY={CANARY}",
        f"{{'SecretAccessKey': '{CANARY}', 'SessionToken': '{CANARY}'}}",
        f"authorization: {CANARY}",
        SECRET_KEY,
        f"x {TOKEN} y",
        CANONICAL,
    ],
)
def test_a_bug_quotes_no_secret(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, text: str, debug: tuple[str, ...]
) -> None:
    """Whatever an unforeseen error says, neither its line nor its traceback has a credential in it."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(text)

    monkeypatch.setattr("postureaudit.cli.collecting.collect", fail)

    ran = cli("audit", "--no-config", *debug)

    assert ran.code == 1 and "internal error" in ran.err and CANARY not in ran.err
    assert ("Traceback" in ran.err) is bool(debug)


@pytest.mark.parametrize(
    "text",
    [
        "User: arn:aws:sts::111122223333:assumed-role/Audit/alice is not authorized to perform: sns:ListTopics",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab does not exist",
        "Could not connect to the endpoint URL: https://securityhub.eu-west-1.amazonaws.com/accounts",
        "with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-abcdefghij/x",
    ],
)
def test_what_is_no_secret_is_told(text: str) -> None:
    """A message that says what to do is not spoiled."""
    assert hidden(text) == text


def test_debug_changes_no_exit_code(cli: Cli) -> None:
    """A traceback more is for people; a script sees the same."""
    assert [cli("audit", "--check", "nope.x", *debug).code for debug in ((), ("--debug",))] == [2, 2]
