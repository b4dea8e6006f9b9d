"""The whole empty account: its fixes in the plan's order, as written, until no gap is left that a command can close."""

from __future__ import annotations

from pathlib import Path

import pytest

from postureaudit import catalog, evaluate, plan
from postureaudit.cli import folder
from postureaudit.findings import Finding, Verdict
from postureaudit.plan import Plan
from postureaudit.render import script
from tests import aws_cli, scripts
from tests.conftest import walk_world
from tests.fakeaws import World
from tests.fakeaws.scenarios import empty
from tests.fakeaws.world import REGIONS
from tests.gaps import HOME, OTHER, needs
from tests.reports import a_report

# What only the log archive's owner can do with the buckets that needs() gives, and with its topic's key.
LEFT = {
    "cloudtrail.bucket-access-logging",
    "cloudtrail.bucket-source-restricted",
    "cloudtrail.bucket-tamper-proof",
    "sns.topic-encrypted",
}
# What a person decides, signs or answers (tests/fix_exceptions.py says why); nothing else is left.
DECIDED = {
    "accessanalyzer.internal-access",
    "account.other-contacts",
    "account.phone-verified",
    "securityincidentresponse.membership",
    "securitylake.enabled",
}
# A topic hears EventBridge in its own region only; forwarding takes a role, so there are steps.
FAR = {"signal.securityhub-v2-critical"}
ROUNDS = 5  # trail, recorder and hub; then what needs them; then what replaces what the round before wrote


def one_round(
    patch: pytest.MonkeyPatch, world: World, given: dict[str, str], where: Path
) -> tuple[Plan, dict[str, Finding]]:
    """Audit, write the fixes, run the script, and hand its commands to the real AWS CLI in their order."""
    evidence = walk_world(patch, world, max_workers=4)  # more threads only wait for each other
    findings = evaluate.evaluate(evidence, catalog.builtin(), needs=given)
    made = plan.make(findings, plan.order(catalog.builtin().checks))
    folder.write(where, script.files(a_report(evidence, findings), made))
    if made.ready:
        done, argvs = scripts.run(str(where / script.SCRIPT), where)
        assert done.returncode == 0, done.stderr
        with aws_cli.serving(patch, world, folder=where) as aws:
            for argv in argvs:
                code, _, said = aws.run(argv)
                assert code == 0, (argv, said)
    return made, {item.check: item for item in findings}


def settle(patch: pytest.MonkeyPatch, world: World, where: Path) -> None:
    """Rounds of audit and script until no script has a command; then no gap has one either."""
    given = needs(world)
    world.add_bucket("uploads")
    for number in range(ROUNDS + 1):
        made, found = one_round(patch, world, given, where / str(number))
        if not made.ready:
            break
    assert made.ready == made.later == (), [(task.checks, task.fix.shell) for task in made.ready]
    gaps = {name: item for name, item in found.items() if item.verdict is Verdict.FAIL}
    assert [name for name, item in gaps.items() if item.fix and item.fix.shell] == []
    far = FAR if len(world.account().regions) > 1 else set()
    assert set(gaps) == LEFT | DECIDED | far, {name: item.places[0].reason for name, item in gaps.items()}


@pytest.mark.exhaustive
def test_empty_account_reaches_fixpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one region, a few scripts leave no gap that a command can close."""
    settle(monkeypatch, empty((HOME,)), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("regions", [(HOME, OTHER), REGIONS], ids=["two", "all"])
def test_empty_account_reaches_fixpoint_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, regions: tuple[str, ...]
) -> None:
    """The same in two regions and in all of them, where equal commands are loops."""
    settle(monkeypatch, empty(regions), tmp_path)
