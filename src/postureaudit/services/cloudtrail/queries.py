"""Ready commands that answer CloudTrail's everyday questions, with the real names filled in. All of them only read."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

import msgspec

from postureaudit import fixes
from postureaudit.services.cloudtrail.searching import HISTORY, LOG_GROUP, STORE, Place

DAYS = 7  # how far back a printed query looks; whoever runs it pays for what it scans
_FIELDS = "@timestamp, awsRegion, eventSource, eventName, userIdentity.arn, sourceIPAddress, errorCode"
# Which calls delete cannot be told by their names alone; these are the words that AWS's APIs begin with.
_GONE = "Delete|BatchDelete|Terminate|Deregister|Release|ScheduleKeyDeletion"
_READS = ("Get", "List", "Generate", "Simulate")

# CloudWatch Logs Insights. A sign-in by a role of an identity provider says MFAUsed "No", whatever the provider asked.
INSIGHTS: Mapping[str, str] = {
    "deletions": f"fields {_FIELDS}, requestParameters"
    f" | filter eventName like /^({_GONE})/ | sort @timestamp desc | limit 200",
    "access": f"fields {_FIELDS}, additionalEventData.MFAUsed"
    " | filter errorCode like /AccessDenied|UnauthorizedOperation|Unauthorized/"
    ' or (eventName = "ConsoleLogin" and responseElements.ConsoleLogin = "Success"'
    ' and additionalEventData.MFAUsed != "Yes") | sort @timestamp desc | limit 200',
    "iam-changes": f"fields {_FIELDS}, requestParameters"
    ' | filter eventSource = "iam.amazonaws.com"'
    f" and eventName not like /^({'|'.join(_READS)})/ | sort @timestamp desc | limit 200",
}
_COLUMNS = "eventTime, awsRegion, eventSource, eventName, userIdentity.arn, sourceIPAddress, errorCode"
# CloudTrail Lake's SQL ("CloudTrail Lake SQL constraints"): columns of a map are read with element_at.
SQL: Mapping[str, str] = {
    "deletions": f"regexp_like(eventName, '^({_GONE})')",
    "access": "(regexp_like(errorCode, 'AccessDenied|UnauthorizedOperation|Unauthorized')"
    " OR (eventName = 'ConsoleLogin' AND element_at(responseElements, 'ConsoleLogin') = 'Success'"
    " AND element_at(additionalEventData, 'MFAUsed') <> 'Yes'))",
    "iam-changes": "eventSource = 'iam.amazonaws.com'"
    f" AND NOT regexp_like(eventName, '^({'|'.join(_READS)})')",
}
_SHOWN = "[EventTime,EventName,Username,Resources[0].ResourceName]"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Commands to run one after the other; `why` says what the answer is, or why there is no command."""

    argv: tuple[tuple[str, ...], ...]
    why: str


def window(ended: str) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when a printed query looks: the days before the evidence was complete.

    A fixed time pastes into every shell alike, and the same evidence prints the same command.
    """
    end = datetime.datetime.fromisoformat(ended.replace("Z", "+00:00")).astimezone(datetime.UTC)
    end = end.replace(microsecond=0)
    return end - datetime.timedelta(days=DAYS), end


def query(place: Place, question: str, ended: str, region: str) -> Query:
    """The command that asks a place a question; `region` is the one whose event history is asked."""
    start, end = window(ended)
    try:
        match place.kind:
            case kind if kind == LOG_GROUP:
                return _in_log_group(place, question, start, end)
            case kind if kind == STORE:
                return _in_store(place, question, start, end)
            case kind if kind == HISTORY:
                return _in_history(question, start, end, region)
    except fixes.NoCommand as error:
        return Query(argv=(), why=f"no command can be filled in: {error}")
    return Query(argv=(), why="ask it with Amazon Athena, over the database that Security Lake made")


def _in_log_group(place: Place, question: str, start: datetime.datetime, end: datetime.datetime) -> Query:
    argv = fixes.command(
        "logs",
        "start-query",
        {
            "--log-group-name": place.name,
            "--start-time": str(int(start.timestamp())),
            "--end-time": str(int(end.timestamp())),
            "--query-string": INSIGHTS[question],
            "--region": place.region,
        },
    )
    return Query(argv=(argv,), why=f"then: aws logs get-query-results --query-id ID --region {place.region}")


def _in_store(place: Place, question: str, start: datetime.datetime, end: datetime.datetime) -> Query:
    found = re.fullmatch(
        r"arn:[a-z-]+:cloudtrail:[a-z0-9-]+:\d{12}:eventdatastore/([A-Za-z0-9-]+)", place.name
    )
    if found is None:
        raise fixes.NoCommand("the ARN of the event data store is none that SQL could name")
    text = (
        f"SELECT {_COLUMNS} FROM {found[1]} WHERE eventTime > '{start:%Y-%m-%d %H:%M:%S}'"
        f" AND eventTime < '{end:%Y-%m-%d %H:%M:%S}' AND {SQL[question]} ORDER BY eventTime DESC LIMIT 200"
    )
    argv = fixes.command("cloudtrail", "start-query", {"--query-statement": text, "--region": place.region})
    return Query(
        argv=(argv,), why=f"then: aws cloudtrail get-query-results --query-id ID --region {place.region}"
    )


def _in_history(question: str, start: datetime.datetime, end: datetime.datetime, region: str) -> Query:
    """LookupEvents takes one attribute, and none of them is an error: the CLI picks from what comes."""
    times = {"--start-time": _iso(start), "--end-time": _iso(end)}
    deletes = " || ".join(f"starts_with(EventName, '{name}')" for name in _GONE.split("|"))
    reads = " || ".join(f"starts_with(EventName, '{name}')" for name in _READS)
    picks: dict[str, list[tuple[str, str, str]]] = {
        "deletions": [("ReadOnly", "false", f"Events[?{deletes}].{_SHOWN}")],
        "access": [
            ("EventName", "ConsoleLogin", _picked('"MFAUsed":"No"')),
            ("", "", _picked('"errorCode":"AccessDenied', '"errorCode":"Client.UnauthorizedOperation')),
        ],
        "iam-changes": [("EventSource", "iam.amazonaws.com", f"Events[?!({reads})].{_SHOWN}")],
    }
    argvs = [
        fixes.command(
            "cloudtrail",
            "lookup-events",
            {
                **(
                    {"--lookup-attributes": [{"AttributeKey": name, "AttributeValue": value}]} if name else {}
                ),
                **times,
                "--query": pick,
                "--output": "text",
                "--region": region,
            },
        )
        for name, value, pick in picks[question]
    ]
    return Query(argv=tuple(argvs), why="two calls a second: a busy region takes a while")


def _picked(*texts: str) -> str:
    """A filter of events by what their JSON text holds."""
    return f"Events[?{' || '.join(f'contains(CloudTrailEvent, {text!r})' for text in texts)}].{_SHOWN}"


def _iso(time: datetime.datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
