"""Tokens and cost that clients tell by metrics: counted once, apart from calls, and only where no call tells them."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test import Client
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from agentops_portal.clickhouse.gate import Scope
from projects.credentials import Credential
from projects.models import Project
from tests.cast import Cast, make_cast
from tests.kept import give
from tests.pages.spans import Spanlet, Value, request_of, store
from tests.receiver import PAYLOADS
from traces.ingest.inbox.table import Entry
from traces.ingest.otlp import receiver
from traces.ingest.otlp.request import JSON, PROTOBUF, read_request
from traces.ingest.otlp.signals import METRICS
from traces.lifecycle.erasure.records import ErasureKind
from traces.lifecycle.erasure.services import carry_out, request_erasure
from traces.lifecycle.purge import purge
from traces.lifecycle.retention.run import enforce
from traces.store.queries.filters import TraceFilter
from traces.store.queries.metric_usage import MetricUsage, metric_usage
from traces.store.queries.trace_list import trace_page
from traces.store.queries.usage import NOTHING, usage_total
from traces.store.rollups.rollup import NO_TRACE

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

CLAUDE = (PAYLOADS / "other_signals" / "claude-code-metrics.pb").read_bytes()
LOGFIRE = (PAYLOADS / "other_signals" / "logfire-metrics.pb").read_bytes()
# Claude Code was told 1001, 1002 and 1003 tokens in, each with 128 read from the cache and 64 written to it beside, and
# says the cost.
TOLD = [
    MetricUsage("pyai-logfire", "gpt-4o-mini", 8051, 451),
    MetricUsage("claude-code", "claude-sonnet-4-5", 3006 + 3 * 192, 156, 3 * 128, Decimal("0.0121932")),
]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = "start=2026-11-27T00:00:00Z&end=2026-11-28T00:00:00Z"
CALL: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 7}
DELTA, CUMULATIVE = 1, 2


def send(project: Project, *bodies: bytes) -> None:
    for body in bodies:
        credential = Credential(project_id=project.pk, key_id=UUID(int=1), scopes=frozenset({"ingest"}))
        entry = Entry.of(credential, read_request(body, PROTOBUF, project.pk, METRICS), len(body))
        receiver.committer().submit(entry).result(timeout=60)
    receiver.committer().settle()


class Metrics:
    """A request, put together point by point."""

    def __init__(self) -> None:
        self.request = ExportMetricsServiceRequest()

    def add(self, service: str, name: str, temporality: int, *points: tuple[float, float, float], **said: str) -> None:
        """points: minutes after NOON of the series' begin and of the point, and the value."""
        held = self.request.resource_metrics.add()
        held.resource.attributes.add(key="service.name").value.string_value = service
        metric = held.scope_metrics.add().metrics.add(name=name)
        metric.sum.aggregation_temporality = temporality  # type: ignore[assignment]
        metric.sum.is_monotonic = True
        for began, minutes, value in points:
            point = metric.sum.data_points.add(as_double=value)
            point.start_time_unix_nano, point.time_unix_nano = (ns(each) for each in (began, minutes))
            for key, text in said.items():
                point.attributes.add(key=key.replace("__", ".")).value.string_value = text


def ns(minutes: float) -> int:
    return int((NOON + timedelta(minutes=minutes)).timestamp() * 10**9)


def in_minutes(project: Project, start: float, end: float) -> list[tuple[Any, ...]]:
    scope = Scope(project.pk, NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))
    return [astuple(each) for each in metric_usage(scope)]


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_recorded_clients_are_counted_once_and_beside_all_calls(cast: Cast) -> None:
    project = cast.project
    send(project, CLAUDE, LOGFIRE, CLAUDE)
    scope = Scope(project.pk, datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC))

    assert metric_usage(scope) == TOLD
    assert usage_total(scope) == NOTHING
    assert trace_page(scope, TraceFilter(), None).traces == []

    client = Client()
    client.force_login(cast["bob"])
    answer = client.get(f"/api/v1/projects/{project.pk}/usage/metrics?{DAY}").json()
    assert answer["results"][1] == {
        "service": "claude-code",
        "model": "claude-sonnet-4-5",
        "tokens": {"input": 3582, "output": 156, "cached_input": 384, "total": 3738},
        "cost": "0.0121932",
    }
    assert answer["results"][0]["cost"] is None
    page = client.get(f"/projects/{project.pk}/analytics/?{DAY}").content.decode()
    assert "Told by metrics, without traces" in page
    assert "3,582" in page
    assert client.get(f"/projects/{project.pk}/traces/{NO_TRACE}/").status_code == 404


def test_series_of_both_kinds_and_a_service_that_tells_its_calls(cast: Cast) -> None:
    give(cast.project, request_of({1: [Spanlet("call", attributes={**CALL, "service.name": "tests"})]}, ns(5)))
    project = cast.project
    metrics = Metrics()
    model = {"gen_ai__request__model": "m", "gen_ai__token__type": "input"}
    # 100 by 11:50, 250 by 12:20; begun anew at 12:30 it comes to 50: in the hour from noon on 150 + 50.
    growing = [(-60, -10, 100), (-60, 10, 160), (-60, 20, 250), (30, 40, 30), (30, 50, 50)]
    metrics.add("growing", "gen_ai.client.token.usage", CUMULATIVE, *growing, **model)
    # Its points of more than a day ago are not looked for: the first of the hour is what it is counted from.
    metrics.add("old", "gen_ai.client.token.usage", CUMULATIVE, (-9000, 10, 1000), (-9000, 20, 1007), **model)
    metrics.add("steps", "gen_ai.client.token.usage", DELTA, (-20, -10, 5), (-10, 10, 6), (10, 20, 7), **model)
    # Told under an old name, too; and what the same client counts otherwise.
    metrics.add("steps", "gen_ai.usage.input_tokens", DELTA, (-10, 10, 6), (10, 20, 7), gen_ai__request__model="m")
    metrics.add("steps", "gen_ai.usage.cost", DELTA, (0, 10, 0.25), gen_ai__request__model="m")
    metrics.add("steps", "gen_ai.client.token.usage", DELTA, (0, 10, float("nan")), (0, 11, -3), **model)
    metrics.add("steps", "gen_ai.client.token.usage", 0, (0, 10, 99), **model)
    metrics.add("steps", "http.server.requests", DELTA, (0, 10, 99), **model)
    service = request_of({1: [Spanlet("x")]}, 1).resource_spans[0].resource.attributes[0].value.string_value
    metrics.add(service, "gen_ai.client.token.usage", DELTA, (0, 10, 99), **model)
    metrics.add("talks", "llm.openai.chat_completions.tokens", DELTA, (0, 10, 3), llm__usage__token_type="completion")

    send(project, metrics.request.SerializeToString(deterministic=True))

    assert in_minutes(project, 0, 60) == [
        ("growing", "m", 200, 0, 0, None),
        ("steps", "m", 13, 0, 0, Decimal("0.25")),
        ("old", "m", 7, 0, 0, None),
        ("talks", "", 0, 3, 0, None),
    ]
    assert in_minutes(project, -15, 0) == [("growing", "m", 100, 0, 0, None), ("steps", "m", 5, 0, 0, None)]
    assert in_minutes(project, 60, 90) == []


def test_what_tells_usage_is_stored_and_the_rest_is_counted() -> None:
    made = read_request(CLAUDE, PROTOBUF, uuid4(), METRICS)
    assert (made.spans, made.not_stored, made.rejected) == (10, 4, 0)
    assert b"user-replaced" not in made.body
    assert read_request(b'{"resourceMetrics": []}', JSON, uuid4(), METRICS).spans == 0


def test_points_of_metrics_stay_when_people_or_traces_are_erased(cast: Cast) -> None:
    project = cast.project
    send(project, CLAUDE, LOGFIRE)
    scope = Scope(project.pk, datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC))
    said: dict[str, Value] = {**CALL, "user.id": "ann"}
    start_ns = int(scope.start.timestamp()) * 10**9
    store(project.pk, request_of({1: [Spanlet("call", attributes=said)]}, start_ns))
    assert usage_total(scope).calls == 1
    metrics = Metrics()
    metrics.add("app", "gen_ai.usage.input_tokens", DELTA, (0, 1, 5), user__id="ann")
    send(project, metrics.request.SerializeToString())
    points = stored_points(project)

    for kind, value in ((ErasureKind.USER, "ann"), (ErasureKind.TRACE, NO_TRACE)):
        erasure = request_erasure(project=project, kind=kind, value=value, actor=cast.alice)
        carry_out(erasure)
        assert (erasure.traces, erasure.left_rows) == (1 if kind == ErasureKind.USER else 0, 0)

    assert usage_total(scope) == NOTHING
    assert (metric_usage(scope), stored_points(project)) == (TOLD, points)
    assert not [text for text in points if "ann" in text]  # nobody is named in them


def test_points_of_metrics_go_with_their_days_and_their_project(cast: Cast) -> None:
    kept, gone = cast.project, cast.foreign_project
    scope = Scope(kept.pk, datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC))
    for project in (kept, gone):
        send(project, CLAUDE, LOGFIRE)
    purge([gone.pk])
    assert (stored_points(gone), metric_usage(scope)) == ([], TOLD)

    Project.objects.filter(pk=kept.pk).update(retention_days=2)
    assert not enforce(datetime(2026, 11, 29, 12, tzinfo=UTC)).error
    assert metric_usage(scope) == TOLD
    assert not enforce(datetime(2026, 11, 30, 12, tzinfo=UTC)).error
    assert stored_points(kept) == []


def stored_points(project: Project) -> list[str]:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute(
            "SELECT toString((SpanId, ResourceAttributes, SpanAttributes)) FROM otel_traces "
            "WHERE project_id = %s AND TraceId = %s ORDER BY SpanId",
            [str(project.pk), NO_TRACE],
        )
        return [text for (text,) in cursor.fetchall()]
