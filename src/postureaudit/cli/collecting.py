"""Walk AWS for a command: session, signals, progress."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, Any

from postureaudit.cli.options import IN_FLIGHT

if TYPE_CHECKING:
    from postureaudit.aws.ahead import Ahead
    from postureaudit.aws.session import Session
    from postureaudit.catalog import Catalog
    from postureaudit.evidence import Evidence


def collect(given: Mapping[str, Any], catalog: Catalog, ids: frozenset[str]) -> tuple[Evidence, int]:
    """Walk AWS. The second value is 130 or 143 when a signal ended the walk early.

    Raises Interrupted when it ended before there was anything to judge.
    """
    from postureaudit import services
    from postureaudit.aws.ahead import Ahead
    from postureaudit.aws.walk import walk
    from postureaudit.aws.workers import Workers
    from postureaudit.catalog import calls
    from postureaudit.cli import choices
    from postureaudit.cli.progress import Progress
    from postureaudit.errors import Interrupted, PostureAuditError

    stop = threading.Event()
    code = [0]

    def end(number: int, _: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        code[0] = 128 + number
        stop.set()
        print("\nstopping: waiting for calls in flight (again to stop at once)", file=sys.stderr)

    collectors = [service.collect for service in services.all_services()]
    in_flight = given["max_workers"] or IN_FLIGHT
    workers = Workers(in_flight)
    where: dict[str, Any] = {"only": given["regions"], "exclude": given["exclude"]}
    where["wanted"] = calls(catalog, ids, services.types())
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        session = opened(given, Ahead(collectors, workers, **where))
        if given["log_archive_role"]:
            session.open_archive(given["log_archive_role"], given["log_archive_external_id"])
        with Progress("none" if given["quiet"] else given["progress"]) as progress:
            evidence = walk(
                session,
                collectors,
                **where,
                workers=workers,
                max_workers=in_flight,
                timeout=given["timeout"],
                on_progress=progress,
                stop=stop,
                named=choices.accounts(given),
            )
    except PostureAuditError as error:
        if code[0]:  # whatever failed after the signal failed because of it
            raise Interrupted(code[0]) from error
        raise
    finally:
        workers.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    return evidence, code[0]


def second_opinion(given: Mapping[str, Any], evidence: Evidence, names: Set[str]) -> list[str]:
    """Ask AWS itself what its rules and metric filters match, and say in a sentence each where it disagrees."""
    from postureaudit.aws.walk import walk
    from postureaudit.resources import View
    from postureaudit.signals import opinions

    view = View(evidence, evidence.header.accounts[0].id)
    possible = opinions.questions(view, names)
    asked = possible[: opinions.MOST]
    if not asked:
        return ["AWS was not asked for a second opinion: no rule and no metric filter is about these signals"]
    answers = walk(
        opened(given),
        [opinions.collector(asked)],
        only=given["regions"],
        exclude=given["exclude"],
        max_workers=given["max_workers"] or IN_FLIGHT,
        timeout=given["timeout"],
    )
    found = opinions.disagreements(asked, answers)
    count = sum(len(question.about) for question in asked)
    left_out = len(possible) - len(asked)
    return [
        *(
            [item.sentence for item in found]
            or [f"AWS agrees with all {count} matches that it was asked about"]
        ),
        *([f"{left_out} of {len(possible)} questions were not asked: name a --signal"] if left_out else []),
    ]


def opened(given: Mapping[str, Any], ahead: Ahead | None = None) -> Session:
    from postureaudit.aws.session import open_session

    return open_session(
        profile=given["profile"],
        role_arn=given["role_arn"],
        external_id=given["external_id"],
        session_name=given["role_session_name"],
        expect_account=given["expect_account"],
        # botocore itself reads AWS_DEFAULT_REGION only; every other SDK reads AWS_REGION first.
        region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        max_workers=given["max_workers"] or IN_FLIGHT,
        ahead=ahead,
    )
