"""Fix commands survive hostile names, missing facts and a real shell."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit import fixes
from postureaudit.catalog import Check, Variant
from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.findings import Fix, Place, Severity, Verdict
from postureaudit.resources import Resource
from postureaudit.services.base import Document, Need

ACCOUNT = "111122223333"
START = Variant(
    command="aws configservice start-configuration-recorder --configuration-recorder-name "
    "{Recorder.name} --region {Region}",
    effect="writes",
    undo="aws configservice stop-configuration-recorder --configuration-recorder-name "
    "{Recorder.name} --region {Region}",
)
CHANNEL = Variant(
    command="aws configservice put-delivery-channel --delivery-channel {Doc.channel} --region {Region}",
    effect="writes",
)


def a_fix(
    variant: Variant,
    needs: dict[str, str] | None = None,
    documents: dict[str, Document] | None = None,
    **facts: Json,
) -> Any:
    """The fix of a check with this one variant, on a resource with these facts."""
    check = Check(
        id="config.x",
        title="t",
        severity=Severity.HIGH,
        resource="config.region",
        pass_when="A",
        why="w",
        fix=(variant,),
    )
    resource = Resource(type="config.region", account="111122223333", region="eu-west-1", facts=facts)
    env = {
        **facts,
        "Region": "eu-west-1",
        "Account": "111122223333",
        "Partition": "aws",
        "Owner": "111122223333",
    }
    documents = documents or {
        "channel": lambda env: {"name": env["Recorder"]["name"], "s3BucketName": Need("CONFIG_BUCKET")}
    }
    return fixes.fix(check, resource, env, documents, needs or {})


def test_command_is_filled_in() -> None:
    """A plain name gives argv, a shell line and the undo."""
    found = a_fix(START, Recorder={"name": "default"})

    assert found.argv[0][-3:] == ("default", "--region", "eu-west-1")
    assert shlex.split(found.shell) == list(found.argv[0])
    assert "stop-configuration-recorder" in found.undo


@pytest.mark.parametrize("name", ["--debug", "file:///etc/passwd", "fileb://x", "https://example.com", "-x"])
def test_names_the_cli_would_misread_travel_as_json(name: str) -> None:
    """What the AWS CLI takes for an option or a file is inside --cli-input-json."""
    found = a_fix(START, Recorder={"name": name})

    [argv] = found.argv
    assert json.loads(argv[argv.index("--cli-input-json") + 1]) == {"ConfigurationRecorderName": name}
    assert not any(word == name for word in argv)


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\u202eb", "\x00CONFIG_BUCKET\x00"])
def test_names_with_control_characters_give_no_command(name: str) -> None:
    """A name that would act on the terminal gives a sentence instead."""
    found = a_fix(START, Recorder={"name": name})

    assert found.argv is None and not found.shell
    assert "control characters" in found.steps[0]


def test_refused_fact_gives_no_command() -> None:
    """A command is never filled with what AWS refused to say."""
    refusal = Refusal(RefusalKind.DENIED, call="config:DescribeConfigurationRecorders", region="eu-west-1")

    found = a_fix(START, Recorder=refusal)

    assert found.argv is None
    assert "DescribeConfigurationRecorders" in found.steps[0]


def test_need_stops_the_shell_while_unset() -> None:
    """A bucket that only the user knows: no argv, and a shell line that refuses to run."""
    found = a_fix(CHANNEL, Recorder={"name": "it's"})

    assert found.argv is None and found.needs == ("CONFIG_BUCKET",)
    shown = subprocess.run(
        ["sh", "-c", found.shell.replace("aws ", "echo ", 1)], capture_output=True, text=True
    )
    assert shown.returncode != 0 and not shown.stdout
    assert "log archive account" in shown.stderr


@pytest.mark.parametrize("name", ["\\u0000LOG_BUCKET\\u0000", "\\u0000X\\u0000", "\\\\u0000", "a\u202eb"])
def test_name_that_looks_like_a_need_is_text(name: str) -> None:
    """A recorder's name can't pass for a parameter in a document, nor act on the terminal."""
    found = a_fix(CHANNEL, Recorder={"name": name})

    assert found.needs == ("CONFIG_BUCKET",) and found.shell.isascii()
    script = f'CONFIG_BUCKET=b; aws() {{ printf %s "$4"; }}; {found.shell}'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == {"name": name, "s3BucketName": "b"}


def test_unset_need_beside_a_hostile_name_is_still_a_need() -> None:
    """Inside --cli-input-json too, a missing parameter leaves no argv and stops the shell."""
    variant = Variant(
        command="aws configservice put-delivery-channel --delivery-channel {Doc.channel} "
        "--region {Recorder.name}",
        effect="writes",
    )
    found = a_fix(variant, Recorder={"name": "-x"})
    other = a_fix(
        Variant(
            command="aws logs associate-kms-key --log-group-name {Recorder.name} --kms-key-id {Need.KMS_KEY_ARN}",
            effect="writes",
        ),
        Recorder={"name": "-x"},
    )

    assert (found.argv, other.argv) == (None, None)
    assert other.needs == ("KMS_KEY_ARN",) and "${KMS_KEY_ARN:?" in other.shell


def test_condition_that_cannot_be_told_gives_no_command() -> None:
    """Null is not "no": the next variant might do the wrong thing."""
    check = Check(
        id="config.x",
        title="t",
        severity=Severity.HIGH,
        resource="config.region",
        pass_when="A",
        why="w",
        fix=(Variant(when="!(A.B)", command="aws sts get-caller-identity", effect="e"), START),
    )
    resource = Resource(type="config.region", account="1", region="eu-west-1", facts={})
    env: dict[str, Json] = {"A": {}, "Recorder": {"name": "x"}, "Region": "eu-west-1"}

    found = fixes.fix(check, resource, env, {}, {})

    assert found and found.argv is None and "does not say" in found.steps[0]


def test_name_that_holds_the_region_makes_no_loop() -> None:
    """A loop is only for commands that differ in nothing but the region."""
    one, two = (
        a_fix(START, Recorder={"name": f"x --region {region}"}) for region in ("eu-west-1", "us-east-1")
    )
    two = msgspec.structs.replace(
        two, region="us-east-1", shell=two.shell.replace("--region eu-west-1", "--region us-east-1")
    )

    assert not any("for region" in text for text in fixes.loops([one, two]))


def test_need_given_by_the_user_fills_the_document() -> None:
    """With --set, the same fix is complete."""
    found = a_fix(CHANNEL, {"CONFIG_BUCKET": "org-config"}, Recorder={"name": "default"})

    [argv] = found.argv
    assert json.loads(argv[4]) == {"name": "default", "s3BucketName": "org-config"}


def test_need_set_in_the_environment_reaches_the_document_whole() -> None:
    """The shell line with the variable set gives the AWS CLI one JSON argument."""
    found = a_fix(CHANNEL, Recorder={"name": "it's $HOME"})
    script = f'CONFIG_BUCKET=org-config; aws() {{ printf %s "$4"; }}; {found.shell}'

    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

    assert json.loads(shown.stdout) == {"name": "it's $HOME", "s3BucketName": "org-config"}


def test_command_for_each_item_of_a_list() -> None:
    """A fix for many regions at once prints its command for each, and none where there is no item."""
    variant = Variant(
        for_each="Others",
        command="aws configservice put-configuration-recorder --configuration-recorder {Item.Recorder} "
        "--region {Item.Region}",
        effect="writes",
    )
    items = [{"Region": region, "Recorder": {"name": "it's"}} for region in ("eu-west-2", "eu-west-3")]

    found, none = a_fix(variant, Others=items), a_fix(variant, Others=[])

    assert [argv[-1] for argv in found.argv] == ["eu-west-2", "eu-west-3"]
    assert [json.loads(argv[4]) for argv in found.argv] == [{"name": "it's"}] * 2
    assert none.argv is None and "nothing in Others" in none.steps[0]


def test_need_inside_an_arn_keeps_its_prefix() -> None:
    """A bucket that only the user knows, inside the ARN that a document wants."""
    document = {"DestinationArn": Need("FINDINGS_BUCKET", prefix="arn:aws:s3:::")}
    variant = Variant(
        command="aws guardduty create-publishing-destination --destination-properties {Doc.channel}",
        effect="writes",
    )

    open_, known = (
        a_fix(variant, needs, documents={"channel": lambda env: document})
        for needs in ({}, {"FINDINGS_BUCKET": "org-findings"})
    )

    assert json.loads(known.argv[0][4]) == {"DestinationArn": "arn:aws:s3:::org-findings"}
    script = f'FINDINGS_BUCKET=org-findings; aws() {{ printf %s "$4"; }}; {open_.shell}'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == {"DestinationArn": "arn:aws:s3:::org-findings"}


def test_regions_that_differ_only_in_the_region_make_one_loop() -> None:
    """Equal commands in many regions are one loop, and it runs."""
    variant = Variant(command="aws guardduty create-detector --enable --region {Region}", effect="writes")
    one = a_fix(variant)
    two = msgspec.structs.replace(one, region="us-east-1", shell=one.shell.replace("eu-west-1", "us-east-1"))

    [text] = fixes.loops([one, two])

    shown = subprocess.run(
        ["sh", "-c", f"aws() {{ echo $4; }}\n{text}"], capture_output=True, text=True, check=True
    )
    assert "for region in eu-west-1 us-east-1; do" in text
    assert shown.stdout.count("--region") == 2 or len(shown.stdout.splitlines()) == 2


def test_what_an_account_needs_once_stands_before_the_loop() -> None:
    """A role of the account is made once, also where one of the regions is the leader."""
    role = "aws iam create-service-linked-role --aws-service-name config.amazonaws.com --region us-east-1"
    made = [
        Fix(shell=f"{role}\naws configservice x --region {region}", account=ACCOUNT, region=region)
        for region in ("eu-west-1", "us-east-1", "us-west-2")
    ]

    head, loop = fixes.loops(made)

    assert head == role
    assert "for region in eu-west-1 us-east-1 us-west-2; do" in loop and "iam" not in loop


@given(name=st.text(min_size=1, max_size=40))
def test_any_name_is_one_argument_or_no_command(name: str) -> None:
    """Whatever a recorder is called, the command keeps its shape."""
    found = a_fix(START, Recorder={"name": name})
    if found.argv is None:
        return
    [argv] = found.argv
    assert shlex.split(found.shell) == list(argv)
    assert argv[:3] == ("aws", "configservice", "start-configuration-recorder")
    values = json.loads(argv[-1])["ConfigurationRecorderName"] if "--cli-input-json" in argv else argv[4]
    assert values == name


def test_a_value_of_the_users_stays_inside_a_document() -> None:
    """What --set gives is JSON text inside a document, and the value itself as an option."""
    argv = fixes.command("events", "put-targets", {"--targets": [{"Arn": Need("ALERT_TOPIC_ARN")}]})
    plain = fixes.command("sns", "x", {"--topic-arn": Need("ALERT_TOPIC_ARN")})
    value = 'a","Id":"evil\\'

    filled, whole = (fixes.fill_needs(words, {"ALERT_TOPIC_ARN": value}) for words in (argv, plain))

    assert json.loads(filled[-1]) == [{"Arn": value}] and whole[-1] == value


def test_a_combined_fix_keeps_accounts_effects_and_undos_apart() -> None:
    """Commands for two accounts have no common argv, and each says where it runs; no effect or undo is lost."""
    own = Fix(
        argv=(("aws", "a"),),
        shell="aws a",
        effect="writes",
        undo="aws ua",
        account=ACCOUNT,
        region="us-east-1",
    )
    theirs = Fix(
        argv=(("aws", "b"),),
        shell="aws b",
        effect="deletes",
        undo="aws ub",
        account="999988887777",
        region=None,
    )
    steps = Fix(steps=("Ask.",), account="9; rm -rf ~", region=None)

    found = fixes.combined(a_place(fix) for fix in (own, theirs, steps))

    assert found is not None and found.argv is None and found.account == ""
    assert found.shell == f"# in account {ACCOUNT}\naws a\n# in account 999988887777\naws b"
    assert found.undo == f"# in account {ACCOUNT}\naws ua\n# in account 999988887777\naws ub"
    assert found.effect == "writes; deletes"
    assert found.steps == ("In the owner's account: Ask.",)


def test_a_combined_undo_covers_every_region() -> None:
    """The undo of a loop is a loop, not the first region's command."""
    made = [
        Fix(
            argv=(("aws", "x", "--region", region),),
            shell=f"aws x --region {region}",
            undo=f"aws y --region {region}",
            account=ACCOUNT,
            region=region,
        )
        for region in ("eu-west-1", "us-east-1")
    ]

    found = fixes.combined(map(a_place, made))

    assert found is not None and found.account == ACCOUNT and len(found.argv or ()) == 2
    assert "for region in eu-west-1 us-east-1" in found.undo


def a_place(fix: Fix) -> Place:
    return Place(fingerprint="pa1:x", region=fix.region, resource=None, verdict=Verdict.FAIL, fix=fix)
