"""Terraform beside the commands: every variant is HCL, and no name can be more than text in it."""

from __future__ import annotations

import json
import re
from typing import Any

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit import catalog, fixes, terraform
from postureaudit.resources import Resource
from postureaudit.services.inspector import documents as inspector
from postureaudit.terraform import Template, Variable

HOSTILE = (
    *("--debug", "file:///etc/hostname", "[/]", "a'b$(x)", 'a"b', "a\\", "${var.x}", "%{if true}", "$${x}"),
    *(
        "$$${x}",
        "x,roleARN=arn:aws:iam::666666666666:role/evil",
        "two\nlines",
        "a\u202eb",
        "ends in $",
        "%",
        "*/",
    ),
)
WITH = [
    (check.id, number, variant.terraform)
    for check in catalog.builtin().checks
    for number, variant in enumerate(check.fix)
    if variant.terraform
]


def parsed(text: str) -> dict[str, Any]:
    """The one resource of an HCL text: its arguments."""
    [block] = hcl2.loads(text)["resource"]
    [[named]] = [list(item.values()) for item in block.values()]
    return dict(named)


def plain(value: str) -> str:
    """A quoted HCL string as the text it stands for (none of the tests' characters needs \\U)."""
    assert not re.search(r"[$%]\{", value), "a template"
    found = json.loads(value)
    assert isinstance(found, str)
    return found


def every(found: str) -> terraform.Find:
    """Each placeholder is this text, each need a variable."""
    return lambda name: Variable(name.removeprefix("Need.")) if name.startswith("Need.") else found


@pytest.mark.parametrize(("check", "number", "template"), WITH, ids=[f"{row[0]}-{row[1]}" for row in WITH])
def test_every_template_is_hcl_whatever_the_names(check: str, number: int, template: Template) -> None:
    """An HCL parser reads each, with the same arguments; a hostile name stays inside its string."""
    shapes = {
        tuple(sorted(parsed(terraform.block(template, check, name, every(name)))))
        for name in ("plain", *HOSTILE)
    }

    assert len(shapes) == 1
    assert {name for name in shapes.pop() if name != "__is_block__"} - {"region"} == set(template.arguments)


def test_there_are_templates() -> None:
    """The parametrised test above has something to prove, in each of the four services."""
    assert {check.partition(".")[0] for check, _, _ in WITH} >= {
        "cloudtrail",
        "config",
        "guardduty",
        "securityhub",
    }


@given(name=st.text(max_size=40))
def test_any_name_is_one_string(name: str) -> None:
    """What HCL reads is the name itself, never a template, a second argument or half a string."""
    template = Template(type="aws_x", region="", arguments={"a": "{Bucket.Name}", "b": "pre-{Bucket.Name}"})
    try:
        text = terraform.block(template, "cloudtrail.x", name, every(name))
    except terraform.Unwritable:
        assert any(0xD800 <= ord(char) <= 0xDFFF for char in name)
        return
    if any(ord(char) > 0xFFFF for char in name):
        return  # what stands for them is checked by the parser in the test above
    found = parsed(text)
    assert set(found) == {"a", "b", "__is_block__"}
    assert (plain(found["a"]), plain(found["b"])) == (name, f"pre-{name}")


def test_needs_become_variables_also_inside_an_arn() -> None:
    """What only the user knows is a variable, declared with what it is."""
    template = Template(
        type="aws_x",
        region="",
        arguments={"a": "{Need.LOG_BUCKET}", "b": "arn:{Partition}:s3:::{Need.LOG_BUCKET}"},
    )

    found = parsed(terraform.block(template, "cloudtrail.x", "", every("aws$")))

    assert found["a"] == "${var.log_bucket}"
    assert found["b"] == '"arn:aws\\u0024:s3:::${var.log_bucket}"'
    [declared] = hcl2.loads(terraform.variable("LOG_BUCKET", 'a "bucket" ${x}'))["variable"]
    [(name, body)] = declared.items()
    assert json.loads(name) == "log_bucket" and plain(body["description"]) == 'a "bucket" ${x}'.replace(
        "${", "${"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_resource_names_come_from_us(name: str) -> None:
    """A subject shapes no resource's name but by its hash."""
    assert re.fullmatch(
        r"cloudtrail_x_us_east_1_[0-9a-f]{8}", terraform.label("cloudtrail.x", "us-east-1", name)
    )


def test_nested_blocks_and_versions_are_hcl() -> None:
    """Blocks in blocks, lists of blocks, numbers and lists of texts are what a parser reads back."""
    arguments: Any = {
        "n": 5,
        "on": True,
        "list": ["a", "b"],
        "one": {"two": {"x": "y"}},
        "many": [{"a": 1}, {"a": 2}],
    }

    found = parsed(
        terraform.block(Template(type="aws_x", arguments=arguments), "a.b", "", every("us-east-1"))
    )

    assert (found["n"], found["on"], found["list"]) == (5, True, ['"a"', '"b"'])
    assert found["one"][0]["two"][0]["x"] == '"y"' and [item["a"] for item in found["many"]] == [1, 2]
    assert hcl2.loads(terraform.versions())["terraform"]


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        (Template(type="random_id", arguments={}), "no resource type"),
        (Template(type="aws_x", arguments={"a": {"b c": 1}}), "no argument's name"),
        (Template(type="aws_x", arguments={"count": 2}), "not an argument"),
    ],
)
def test_lint_refuses_names_that_are_none(template: Template, wrong: str) -> None:
    """A template's own names are checked, since they are not escaped."""
    assert any(wrong in text for text in terraform.problems(template))


def test_explain_shows_it_with_its_placeholders() -> None:
    """The page of a check has the resource as it would be written, indented like its commands."""
    from postureaudit.cli.explain import text

    page = text(catalog.builtin().check("guardduty.publishing-destination"))

    assert 'resource "aws_guardduty_publishing_destination" "this" {' in page
    assert 'destination_arn = "arn:{Partition}:s3:::${var.findings_bucket}"' in page
    assert "First    The bucket's owner lets guardduty.amazonaws.com" in page


def test_a_list_of_names_is_a_list_of_hcl() -> None:
    """What a command takes as JSON text is an argument's own list in Terraform."""
    check = catalog.builtin().check("inspector.enabled")
    scans = {name: {"Offered": name != "LAMBDA", "On": False} for name in ("EC2", "ECR", "LAMBDA")}
    env: Any = {"Account": "111122223333", "Region": "us-east-1", "Scans": scans}
    kind = Resource(
        type=check.resource, id="us-east-1", account="111122223333", region="us-east-1", facts=env
    )

    text = fixes._terraform(check, check.fix[-1], kind, env, inspector.DOCUMENTS, {})

    found = parsed(text)
    assert (found["resource_types"], found["account_ids"]) == (['"EC2"', '"ECR"'], ['"111122223333"'])
