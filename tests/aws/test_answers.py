"""What is kept of AWS's answers."""

from __future__ import annotations

from postureaudit.aws.answers import plain


def test_a_setting_that_may_hold_passwords_is_kept_empty() -> None:
    """That a target rewrites the event decides what a filter on the message's body sees; how it does is nobody's."""
    transformer = {"InputPathsMap": {"a": "$.a"}, "InputTemplate": "password=hunter2"}
    body = {
        "Targets": [
            {"Id": "a", "Input": '{"token":"hunter2"}'},
            {"Id": "b", "InputTransformer": transformer},
            {"Id": "c"},
        ]
    }

    kept = plain(body, None, "events")

    assert kept == {"Targets": [{"Id": "a", "Input": ""}, {"Id": "b", "InputTransformer": {}}, {"Id": "c"}]}


def test_environments_of_functions_are_kept_empty() -> None:
    """The names of variables say too much as well."""
    kept = plain({"FunctionName": "f", "Environment": {"Variables": {"KEY": "hunter2"}}}, None, "lambda")

    assert kept == {"FunctionName": "f", "Environment": {}}
