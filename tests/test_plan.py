"""The plan: what comes first is first, nothing twice, and no command undoes another."""

from __future__ import annotations

import random
from typing import Any

import pytest

from postureaudit import catalog, fixes, lint, plan
from postureaudit.catalog import Catalog, Check, Variant
from postureaudit.findings import Finding, Fix, Place, Severity, Verdict, Waived
from tests import scripts

ONE, TWO = "111122223333", "999988887777"
ORDER = plan.order(catalog.builtin().checks)


def a_check(name: str, *after: str) -> Check:
    return Check(
        id=name,
        title="t",
        severity=Severity.HIGH,
        resource="config.region",
        pass_when="A",
        why="w",
        fix=(Variant(command="aws sts get-caller-identity", effect="e", after=after),),
    )


def a_gap(
    check: str,
    shell: str,
    *,
    account: str = ONE,
    region: str | None = "us-east-1",
    resource: str | None = None,
    waived: bool = False,
    **fix: Any,
) -> Finding:
    """A finding with one open place."""
    waiver = Waived(id="w", owner="o", reason="r", expires="2030-01-01") if waived else None
    made = Fix(shell=shell, account=account, region=region, **fix)
    place = Place(
        fingerprint="p", region=region, resource=resource, verdict=Verdict.FAIL, fix=made, waiver=waiver
    )
    return Finding(
        fingerprint="f",
        check=check,
        title="t",
        severity=Severity.HIGH,
        verdict=Verdict.FAIL,
        account=account,
        why="w",
        service=check.partition(".")[0],
        places=(place,),
    )


def shells(findings: list[Finding], order: tuple[str, ...] = ORDER) -> list[str]:
    return [task.fix.shell for task in plan.make(findings, order).ready]


def test_what_comes_first_is_first_whatever_the_input_order() -> None:
    """Bucket before trail, channel before recorder, recorder before standards: for every order of the findings."""
    wanted = [
        "cloudtrail.bucket-exists",
        "cloudtrail.enabled",
        "cloudtrail.management-events",
        "cloudtrail.cloudwatch-logs",
        "config.delivery-channel",
        "config.recorder-on",
        "guardduty.enabled",
        "guardduty.runtime-monitoring",
        "guardduty.publishing-destination",
        "securityhub.enabled",
        "securityhub.standard-fsbp",
        "securityhub.aggregator",
        "sns.topic-has-confirmed-subscription",
        "eventbridge.targets-exist",
        "alarms.can-notify",
        "signal.guardduty-high",
    ]
    findings = [a_gap(name, f"aws x {name}") for name in wanted]
    for seed in range(20):
        random.Random(seed).shuffle(findings)
        assert shells(findings) == [f"aws x {name}" for name in wanted]


def test_every_check_comes_after_what_it_names() -> None:
    """The catalogue's order keeps every `after` and `requires`."""
    rank = {name: index for index, name in enumerate(ORDER)}

    assert set(rank) == {check.id for check in catalog.builtin().checks}
    for check in catalog.builtin().checks:
        assert all(rank[name] < rank[check.id] for name in plan.following(check)), check.id


def test_a_round_of_afters_is_refused_by_lint() -> None:
    """Three checks that wait for each other are named with the way round; one that names nothing known too."""
    own = [
        a_check("x.a", "x.b"),
        a_check("x.b", "x.c"),
        a_check("x.c", "x.a"),
        a_check("x.d", "x.z"),
        a_check("x.e"),
    ]

    problems = lint.lint(Catalog([*catalog.builtin().checks, *own], ""), only=[check.id for check in own])
    found = {(item.check, item.at, item.text) for item in problems}

    assert ("x.a", ("fix",), "its fix comes after itself: x.a after x.b after x.c after x.a") in found
    assert ("x.d", ("fix", 0, "after", 0), "comes after 'x.z', which does not exist") in found
    assert not [text for name, _, text in found if name == "x.e" and "after" in text]
    assert len(plan.order(own)) == len(own)


def test_equal_fixes_are_one_task_for_all_their_checks() -> None:
    """A fix that closes several checks is run once, where the first of them stands, and keeps what each waits for."""
    one = a_gap("cloudtrail.enabled", "aws a", after=("cloudtrail.bucket-exists",))
    same = a_gap("cloudtrail.multi-region", "aws a", region=None, after=("cloudtrail.enabled",))

    [task] = plan.make([same, one], ORDER).ready

    assert task.checks == ("cloudtrail.enabled", "cloudtrail.multi-region")
    assert task.fix.after == ("cloudtrail.bucket-exists", "cloudtrail.enabled")


def test_accounts_are_kept_apart() -> None:
    """The same command for two accounts is two tasks, and an account's tasks stand together."""
    findings = [
        a_gap(check, shell, account=account)
        for account in (TWO, ONE)
        for check, shell in (("guardduty.enabled", "aws g"), ("cloudtrail.enabled", "aws c"))
    ]

    made = plan.make(findings, ORDER)

    assert [(task.fix.account, task.fix.shell) for task in made.ready] == [
        (ONE, "aws c"),
        (ONE, "aws g"),
        (TWO, "aws c"),
        (TWO, "aws g"),
    ]


def test_a_command_that_was_run_is_not_run_again() -> None:
    """A role of the account is made by the first fix that needs it."""
    role = "aws iam create-service-linked-role --aws-service-name config.amazonaws.com --region us-east-1"
    findings = [
        a_gap("config.recorder-on", f"{role}\naws x --region {region}", region=region)
        for region in ("a", "b")
    ]

    assert shells(findings) == [f"{role}\naws x --region a", "aws x --region b"]


RECORDER = "aws configservice put-configuration-recorder --configuration-recorder '{}' --region {}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            "aws configservice put-configuration-recorder --configuration-recorder '{\"a\":1}' --region eu-west-1",
            "aws configservice put-configuration-recorder --configuration-recorder '{\"a\":2}' --region eu-west-1",
            id="recorder",
        ),
        pytest.param(
            "aws cloudtrail put-event-selectors --trail-name t --advanced-event-selectors '[1]' --region eu-west-1",
            'aws cloudtrail put-event-selectors --region eu-west-1 --cli-input-json \'{"TrailName":"t"}\'',
            id="selectors",
        ),
        pytest.param(
            'aws cloudwatch put-metric-alarm --region eu-west-1 --cli-input-json \'{"AlarmName":"a","Threshold":1}\'',
            'aws cloudwatch put-metric-alarm --region eu-west-1 --cli-input-json \'{"AlarmName":"a","Threshold":2}\'',
            id="alarm",
        ),
        pytest.param(
            "aws s3api put-bucket-policy --bucket b --policy '{\"a\":1}' --region eu-west-1",
            "aws s3api put-bucket-policy --bucket b --policy '{\"a\":2}' --region eu-west-2",
            id="bucket",
        ),
        pytest.param(
            "aws macie2 update-automated-discovery-configuration --status ENABLED --region r",
            "aws macie2 update-automated-discovery-configuration --status ENABLED"
            " --auto-enable-organization-members ALL --region r",
            id="discovery",
        ),
        pytest.param(
            "aws securityhub update-aggregator-v2 --aggregator-v2-arn a --linked-regions '[\"b\"]' --region r",
            "aws securityhub update-aggregator-v2 --aggregator-v2-arn a --linked-regions '[\"c\"]' --region r",
            id="aggregator of V2",
        ),
        pytest.param(
            "aws sns set-topic-attributes --topic-arn t --attribute-name Policy --attribute-value '{}' --region r",
            "aws sns set-topic-attributes --topic-arn t --attribute-name Policy --attribute-value '{ }' --region r",
            id="topic",
        ),
        pytest.param(
            "aws cloudwatch enable-alarm-actions --alarm-names '[\"a\"]' --region r",
            'aws cloudwatch put-metric-alarm --region r --cli-input-json \'{"AlarmName":"a","ActionsEnabled":false}\'',
            id="switch and alarm",
        ),
        pytest.param(
            "aws events put-rule --name a --event-pattern '{}' --state DISABLED --region r",
            "aws events enable-rule --name a --event-bus-name default --region r",
            id="rule and switch",
        ),
    ],
)
def test_two_writes_that_replace_one_thing_are_not_in_one_plan(first: str, second: str) -> None:
    """The second does not know of the first and would undo it: it waits for the next audit."""
    findings = [
        a_gap("config.service-linked-role", first),
        a_gap("config.all-resource-types", second),
    ]

    made = plan.make(findings, ORDER)

    assert [task.fix.shell for task in made.ready] == [first]
    assert [task.check for task in made.later] == ["config.all-resource-types"]


def test_what_waits_for_a_fix_that_is_left_is_left_too() -> None:
    """In its own region and account; elsewhere it is not held up."""
    one, two = (RECORDER.replace("{}", text, 1).replace("{}", "us-east-1") for text in ('{"a":1}', '{"a":2}'))
    after = {"after": ("config.all-resource-types",)}
    findings = [
        a_gap("config.service-linked-role", one),
        a_gap("config.all-resource-types", two),
        a_gap("config.continuous-recording", "aws here", **after),
        a_gap("config.continuous-recording", "aws there", region="eu-west-1", **after),
        a_gap("config.continuous-recording", "aws them", account=TWO, **after),
    ]

    made = plan.make(findings, ORDER)

    assert {task.fix.shell for task in made.later} == {two, "aws here"}
    assert {task.fix.shell for task in made.ready} == {one, "aws there", "aws them"}


# Fixes' operations that put or update, and do not replace what another fix of ours sets: they merge, or one check alone
# has them, or all that have them say the same. An operation that replaces belongs into plan.py.
MERGING = {
    ("account", "put-alternate-contact"),
    ("cloudtrail", "update-trail"),
    ("configservice", "put-config-rule"),
    ("configservice", "put-conformance-pack"),
    ("configservice", "put-remediation-configurations"),
    ("configservice", "put-retention-configuration"),
    ("detective", "update-organization-configuration"),
    ("guardduty", "update-detector"),
    ("logs", "put-retention-policy"),
    ("macie2", "update-macie-session"),
    ("macie2", "update-member-session"),
    ("macie2", "update-organization-configuration"),
    ("s3api", "put-public-access-block"),
    ("security-ir", "update-membership"),
    ("securityhub", "update-security-hub-configuration"),
    ("securityhub", "update-standards-control"),
}


def test_every_operation_that_replaces_is_known_to_the_plan() -> None:
    """Whoever adds a fix that puts or updates something says which of the two it does."""
    used = {
        (template[1], template[2])
        for check in catalog.builtin().checks
        for variant in check.fix
        for template in variant.templates()
        if template[2].startswith(("put-", "update-", "set-"))
    }

    assert used - set(plan._REPLACES) == MERGING


def test_different_things_are_replaced_side_by_side() -> None:
    """Two recorders of two regions, or two attributes of one topic, are two things."""
    lines = [RECORDER.replace("{}", "[1]", 1).replace("{}", region) for region in ("us-east-1", "eu-west-1")]
    topic = "aws sns set-topic-attributes --topic-arn t --attribute-name {} --attribute-value x --region r"
    lines += [topic.format(name) for name in ("Policy", "KmsMasterKeyId")]

    made = plan.make([a_gap("config.retention", line, resource=line) for line in lines], ORDER)

    assert len(made.ready) == 4 and not made.later


def test_waived_places_are_not_in_the_plan() -> None:
    """What was accepted is not mended."""
    assert plan.make([a_gap("guardduty.enabled", "aws g", waived=True)], ORDER) == plan.Plan()


def test_an_owner_that_is_no_account_gets_steps() -> None:
    """An owner is read from an ARN; nothing is run in the name of whatever stands there."""
    [task] = plan.make(
        [a_gap("guardduty.enabled", "aws g", account="1; rm -rf ~", resource="x")], ORDER
    ).by_hand

    assert task.fix.account == "" and "aws g" in task.fix.steps[0] and not task.fix.shell


# ---------------------------------------------------------------- loops


def test_loops_of_fixes_of_several_lines_run_every_command_in_every_region(tmp_path: Any) -> None:
    """A fix of a role and three commands is one head and one loop, and what runs is what the fixes said, in order."""
    role = "aws iam create-service-linked-role --aws-service-name config.amazonaws.com --region us-east-1"
    document = """'{"k":"$(x)"}'"""
    regions = ("eu-west-1", "us-east-1", "us-west-2")
    made = [
        Fix(
            shell=f"{role}\naws a --name 'x y' --region {region}\n"
            f"aws b --document {document} --region {region}\naws c --region {region}",
            account=ONE,
            region=region,
        )
        for region in regions
    ]

    text = "\n".join(fixes.loops(made))
    done, argvs = scripts.run(text, tmp_path / "work")

    assert done.returncode == 0, done.stderr
    assert text.count("for region in") == 1 and text.count("create-service-linked-role") == 1
    assert argvs[0][1:3] == ("iam", "create-service-linked-role")
    assert argvs[1:] == [
        argv
        for region in regions
        for argv in (
            ("aws", "a", "--name", "x y", "--region", region),
            ("aws", "b", "--document", '{"k":"$(x)"}', "--region", region),
            ("aws", "c", "--region", region),
        )
    ]


def test_loops_of_several_accounts_stay_under_each_account(tmp_path: Any) -> None:
    """Two accounts' fixes in two regions are two loops, each under a comment that names its account."""
    made = [
        Place(
            fingerprint="p",
            region=region,
            resource=None,
            verdict=Verdict.FAIL,
            fix=Fix(shell=f"aws g --id {account} --region {region}", account=account, region=region),
        )
        for account in (ONE, TWO)
        for region in ("eu-west-1", "us-east-1")
    ]

    found = fixes.combined(made)
    assert found is not None
    done, argvs = scripts.run(found.shell, tmp_path / "work")

    assert done.returncode == 0, done.stderr
    assert [argv[3] for argv in argvs] == [ONE, ONE, TWO, TWO]
    parts = found.shell.split("# in account ")[1:]
    assert [part[:12] for part in parts] == [ONE, TWO]
    assert all(part.count("for region in") == 1 for part in parts)


def test_tasks_keep_their_fix_as_it_is() -> None:
    """The plan drops commands, never parts of one."""
    fix = a_gap("guardduty.enabled", "aws g", effect="writes", undo="aws u", permissions=("g:C",))

    [task] = plan.make([fix], ORDER).ready

    assert task.fix == fix.places[0].fix
