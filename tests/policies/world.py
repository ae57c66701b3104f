"""Forty minutes of a project, counted by hand. One request a minute, at its half; all is said of minutes after 11:00.

 0 to  9  a call of gpt-4o for 1 $, user u1, and the guardrail pii looked at it
10 to 14  the request failed, and called no model
15 to 29  a call of claude-3 for 0.50 $, user u2; pii failed to answer at 20, toxic blocked at 25
30 to 39  nothing
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from guardrails.policies.models import Policy, PolicyClock
from guardrails.policies.services import create_policy, set_contacts
from projects.models import User
from tests.cast import Cast
from tests.pages.spans import Spanlet, request_of
from tests.reports.world import call, check, trace

ELEVEN = datetime(2026, 11, 23, 11, tzinfo=UTC)  # a Monday
STARTS = {number: int(ELEVEN.timestamp() + 60 * (number - 1) + 30) * 10**9 for number in range(1, 31)}

CHECKS = {20: [check(2, "pii", "guardrail_failed_to_respond")], 25: [check(2, "toxic", "guardrail_intervened")]}


def at(minute: int) -> datetime:
    return ELEVEN + timedelta(minutes=minute)


def minutes() -> ExportTraceServiceRequest:
    traces: dict[int, list[Spanlet]] = {}
    for minute in range(30):
        if minute < 10:
            spans = trace(check(2, "pii", "success"), call("gpt-4o", 1.0), user="u1")
        elif minute < 15:
            spans = [Spanlet("request", status=2, end=500)]
        else:
            checks = {
                20: [check(2, "pii", "guardrail_failed_to_respond")],
                25: [check(2, "toxic", "guardrail_intervened")],
            }
            spans = trace(*checks.get(minute, []), call("claude-3", 0.5), user="u2")
        traces[minute + 1] = spans
    return request_of(traces, STARTS)


def policy(cast: Cast, kind: str, *members: User, of_organization: bool = False, **values: Any) -> Policy:
    """Over five minutes, made before it all began."""
    given = {"name": kind, "kind": kind, "window": "5m", "threshold": 1, **values}
    made = create_policy(
        organization=cast.organization,
        project=None if of_organization else cast.project,
        values=given,
        actor=None,
        now=at(-60),
    )
    set_contacts(policy=made, members=members, hooks={}, actor=None, now=at(-60))
    return made


def start_clock(minute: int = 0) -> None:
    PolicyClock.objects.update_or_create(pk=1, defaults={"evaluated_until": at(minute)})
