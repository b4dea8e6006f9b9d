"""What is kept of AWS's answers."""

from __future__ import annotations

import re

import pytest

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


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/t/hunter2", "HTTPS://bob:hunter2@hooks.example.com:8443/?key=hunter2"]
)
def test_of_a_web_hook_only_the_host_is_kept(url: str) -> None:
    """Whoever has the whole address may post there; a hash still tells two of them apart."""
    kept = plain({"Subscriptions": [{"Protocol": "https", "Endpoint": url}]}, None, "sns")
    again = plain({"InvocationEndpoint": url + "/other"}, None, "events")["InvocationEndpoint"]

    [found] = kept["Subscriptions"]
    assert re.fullmatch(r"https://hooks\.example\.com/#sha256:[0-9a-f]{16}", found["Endpoint"])
    assert (
        re.fullmatch(r"https://hooks\.example\.com/#sha256:[0-9a-f]{16}", again)
        and again != found["Endpoint"]
    )


@pytest.mark.parametrize("endpoint", ["soc@example.com", "arn:aws:lambda:eu-west-1:111122223333:function:f"])
def test_what_is_no_url_is_kept(endpoint: str) -> None:
    """A function's ARN is followed, and an e-mail address is needed to send the confirmation again."""
    assert plain({"Endpoint": endpoint}, None, "sns") == {"Endpoint": endpoint}


def test_half_a_character_can_be_saved() -> None:
    """JSON admits a lone surrogate, UTF-8 does not: the evidence could not be written."""
    assert plain({"Name": "a\ud800\u00e9"}, None, "sns") == {"Name": "a\\ud800\u00e9"}
