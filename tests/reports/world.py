"""A project with a week of guardrail runs, counted by hand, and a mail server that keeps what it gets."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from guardrails.reports.models import ReportSchedule
from guardrails.reports.services import create_schedule, set_recipients
from projects.models import Organization, Project, User
from tests.pages.spans import Spanlet, request_of
from tests.services import free_ports

HOUR_NS = 3_600 * 10**9
# Monday, 16 November 2026, 00:00 in Seoul; the week before began on the 9th.
MONDAY = datetime(2026, 11, 15, 15, tzinfo=UTC)
NEXT_MONDAY = datetime(2026, 11, 22, 15, tzinfo=UTC)
DUE = datetime(2026, 11, 22, 23, tzinfo=UTC)  # Monday, 23 November, 08:00
MONDAY_NS = int(MONDAY.timestamp()) * 10**9
HOSTILE = '<img src=x onerror=alert(1)>\r\nBcc: eve@example.com =HYPERLINK("http://evil.example") {{ 7 }}'


def chat(model: str, **more: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        **more,
    }


def check(number: int, name: str, status: str, mode: str = "pre_call", start: float = 0) -> Spanlet:
    attributes = {"guardrail_name": name, "guardrail_mode": mode, "guardrail_status": status}
    return Spanlet("guardrail", id=number, parent=1, start=start, end=start + 20, attributes=attributes)


def trace(*spans: Spanlet, user: str = "", agent: str = "") -> list[Spanlet]:
    named = {**({"user.id": user} if user else {}), **({"agent.name": agent} if agent else {})}
    return [Spanlet("request", end=500, attributes=named), *spans]


def call(model: str, cost: float | None = None, **more: Any) -> Spanlet:
    attributes = chat(model, **more) | ({} if cost is None else {"gen_ai.usage.cost": cost})
    return Spanlet("chat", id=9, parent=1, start=100, end=400, attributes=attributes)


# What happened, and when: hours after Monday, 00:00.
WEEK: dict[int, tuple[float, list[Spanlet]]] = {
    1: (9, trace(check(2, "pii", "success"), call("gpt-4o", 0.5), user="u1", agent="Support")),
    2: (10, trace(check(2, "pii", "guardrail_intervened"), user="u1", agent="Support")),
    3: (
        33,
        trace(check(2, "pii", "guardrail_intervened"), check(3, "toxic", "success", "post_call", 30), user="u2\0"),
    ),  # a sign that PostgreSQL does not take
    4: (34, trace(check(2, "pii", "guardrail_failed_to_respond"), call("gpt-4o", 0.25))),
    5: (57, trace(call("claude-3"), user=HOSTILE)),  # nobody looked at it, and nobody knows what it cost
    6: (167.9, trace(check(2, HOSTILE, "guardrail_intervened"), user=HOSTILE)),
    # The week before.
    11: (-100, trace(check(2, "pii", "guardrail_intervened"), call("gpt-4o", 1))),
    12: (-99, trace(check(2, "old", "success"))),
    # The Monday after, a moment past midnight.
    21: (168.01, trace(check(2, "pii", "guardrail_intervened"))),
}


def week() -> ExportTraceServiceRequest:
    starts = {number: MONDAY_NS + int(hours * HOUR_NS) for number, (hours, _spans) in WEEK.items()}
    return request_of({number: spans for number, (_hours, spans) in WEEK.items()}, starts)


def failed() -> int:
    return Status.STATUS_CODE_ERROR


def weekly(
    organization: Organization, project: Project | None, *members: User, now: datetime = MONDAY, **values: Any
) -> ReportSchedule:
    """A schedule in Seoul's time that was made when the week began, with members as recipients."""
    given = {"name": "Weekly", "timezone": "Asia/Seoul", "formats": [], **values}
    schedule = create_schedule(organization=organization, project=project, values=given, actor=None, now=now)
    set_recipients(schedule=schedule, members=members, addresses={}, actor=None, now=now)
    return schedule


class Mailbox:
    """What a mail server got, and how it answers: `answer` may refuse or fall silent."""

    def __init__(self) -> None:
        self.raw: list[tuple[str, bytes]] = []
        self.answer: Callable[[str], str] = lambda address: "250 OK"
        self.lock = threading.Lock()

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        with self.lock:
            [address] = envelope.rcpt_tos
            assert isinstance(envelope.content, bytes)
            answer = self.answer(address)
            if answer.startswith("250") or not answer:
                self.raw.append((address, envelope.content))
        if not answer:
            server.transport.abort()
        return answer or "250 OK"

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=SMTP) for _address, raw in self.raw]


@contextmanager
def mail_server(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()
    [port] = free_ports(1)
    controller = Controller(box, hostname="127.0.0.1", port=port)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    controller.start()
    try:
        settings.EMAIL_IS_CONFIGURED = True
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = port
        yield box
    finally:
        controller.stop()
