"""ClickHouse's tables as Django models: every column, no answer without a scope, nothing is written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.checks import run_checks
from django.db import router
from django.db.models import Count, Q, Sum

from agentops_portal.clickhouse.client import get_client
from agentops_portal.clickhouse.gate import Scope
from agentops_portal.clickhouse.scoped import ReadOnly, ScopedQuerySet, Unscoped
from tests.pages.spans import Spanlet, Value, recorded, request_of, span_id, store, trace_id
from tests.rollups import naive
from traces.models import GuardrailRun, InboxRequest, Span, SpanVerdict, Trace, UnreadableRequest, UsageQuarter
from traces.store.queries.scopes import whole_time
from traces.store.schema.objects import Column
from traces.store.shape.description import description
from traces.store.shape.fields import MODELS, model_faults

RECORDED = datetime(2026, 11, 23, tzinfo=UTC)
in_stores = pytest.mark.django_db(databases=["default", "clickhouse"])


def test_every_column_has_its_field_with_its_type() -> None:
    assert model_faults() == []
    assert not [each for each in run_checks() if each.id == "traces.E001"]


def test_a_column_without_a_field_and_a_wrong_type_are_named() -> None:
    today = description()
    spans = today.tables[0]
    columns = {**spans.columns, "brain_size": Column("UInt64"), "model": Column("String")}
    changed = replace(today, tables=(replace(spans, columns=columns), *today.tables[1:]))

    assert model_faults(changed) == [
        "Span, column brain_size of otel_traces: field None, column UInt64.",
        "Span, column model of otel_traces: field LowCardinality(String), column String.",
    ]


def test_they_are_read_from_clickhouse_and_no_migration_makes_them() -> None:
    assert set(MODELS) == {Span, SpanVerdict, Trace, UsageQuarter, GuardrailRun, InboxRequest, UnreadableRequest}
    for model in MODELS:
        assert router.db_for_read(model) == router.db_for_write(model) == "clickhouse"
        assert not model._meta.managed


ASK: list[Callable[[Any], object]] = [
    list,
    len,
    bool,
    repr,
    lambda found: found.count(),
    lambda found: found.exists(),
    lambda found: found.first(),
    lambda found: found.get(pk=1),
    lambda found: found.aggregate(Count("pk")),
    lambda found: found[:3][0],
    lambda found: list(found.iterator()),
    lambda found: list(found.values_list("project_id", flat=True).distinct()),
    lambda found: list(found.values("project_id").annotate(n=Count("pk"))),
    lambda found: found.in_bulk([1]),
    lambda found: found.contains(found.model(pk=1)),
    lambda found: found.explain(),
    lambda found: str(found.query),
    lambda found: found.raw("SELECT 1"),
    lambda found: list(found.union(found)),
]


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_read_without_a_scope(model: Any, ask: Callable[[Any], object]) -> None:
    for found in (model.objects.all(), model.objects.filter(project_id=uuid4()), model._base_manager.all()):
        with pytest.raises(Unscoped, match=r"objects\.within\(scope\)|gate\.select"):
            ask(found)


def test_a_scope_cannot_be_widened() -> None:
    mine = Span.objects.within(whole_time(uuid4()))

    with pytest.raises(Unscoped, match="same scope"):
        mine | Span.objects.all()
    with pytest.raises(Unscoped, match="same scope"):
        mine | Span.objects.within(whole_time(uuid4()))
    with pytest.raises(ValueError, match="scope already"):
        mine.within(whole_time(uuid4()))


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_written(model: Any) -> None:
    found = model.objects.within(whole_time(uuid4()))
    for write in (
        lambda: found.delete(),
        lambda: found.update(project_id=uuid4()),
        lambda: model.objects.create(),
        lambda: model.objects.bulk_create([model()]),
        lambda: model().save(),
        lambda: model(pk=1).delete(),
    ):
        with pytest.raises(ReadOnly):
            write()


@pytest.fixture
def project_id(db: None) -> UUID:
    project_id = uuid4()
    store(project_id, recorded("litellm-1.106.2-mixed"))
    return project_id


@in_stores
def test_what_the_models_say_is_what_the_spans_say(project_id: UUID) -> None:
    scope = Scope(project_id, RECORDED, RECORDED + timedelta(days=1))
    spans = naive.spans_of(project_id)
    traces = naive.figures(project_id)

    def within(model: Any) -> ScopedQuerySet:
        found: ScopedQuerySet = model.objects.within(scope)
        return found

    assert within(Span).count() == len(spans)
    assert within(Span).filter(is_llm_call=True).aggregate(tokens=Sum("total_tokens"))["tokens"] == sum(
        span["total_tokens"] for span in spans
    )
    assert set(within(Trace).values_list("trace_id", flat=True)) == {trace.trace_id for trace in traces}
    assert within(Trace).aggregate(spans=Sum("spans"))["spans"] == len(spans)
    assert within(UsageQuarter).aggregate(spans=Sum("spans"))["spans"] == len(spans)
    runs = {(run.guardrail, run.mode, run.outcome) for run in naive.guardrail_runs(spans)}
    assert set(within(GuardrailRun).values_list("guardrail", "mode", "outcome")) == runs
    assert within(Span).filter(Q(model="nobody") | Q(model="else")).count() == 0


@in_stores
@pytest.mark.parametrize("model", [Span, Trace, UsageQuarter, GuardrailRun])
def test_a_row_is_read_with_every_column(project_id: UUID, model: Any) -> None:
    row = model.objects.within(whole_time(project_id)).first()

    assert str(row.project_id) == str(project_id)
    assert str(row)


@in_stores
def test_a_verdict_takes_back_what_its_span_says_and_says_what_counts(db: None) -> None:
    usage: dict[str, Value] = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 9}
    calls = [Spanlet("outer", 1, attributes=usage), Spanlet("inner", 2, 1, start=1, end=9, attributes=usage)]
    project_id = uuid4()
    store(project_id, request_of({1: calls}, 1_790_000_000 * 10**9))
    own = Span.objects.within(whole_time(project_id)).values("SpanId", "input_tokens", "is_llm_call")

    said = SpanVerdict.objects.within(whole_time(project_id)).order_by("sign")

    assert [(row["SpanId"], row["input_tokens"], row["is_llm_call"]) for row in own] == [
        (span_id(1), 9, True),
        (span_id(2), 9, True),
    ]
    before, counts = said
    assert (before.SpanId, before.sign, before.input_tokens, before.is_llm_call) == (span_id(1), -1, 9, True)
    assert (counts.SpanId, counts.sign, counts.input_tokens, counts.is_llm_call) == (span_id(1), 1, 0, False)
    assert (counts.same_as, counts.why, str(counts)) == (span_id(2), "nested", f"{trace_id(1)}/{span_id(1)}: nested")


@in_stores
def test_a_scope_holds_one_project_and_a_half_open_range(project_id: UUID) -> None:
    start = 1_700_000_000
    store(project_id, request_of({1: [Spanlet("edge")]}, start * 10**9))
    moment = datetime.fromtimestamp(start, UTC)

    def names(first: datetime, end: datetime) -> list[str]:
        return list(Span.objects.within(Scope(project_id, first, end)).values_list("SpanName", flat=True))

    second = timedelta(seconds=1)
    assert names(moment, moment + second) == ["edge"]
    assert names(moment - second, moment) == []
    assert Span.objects.within(Scope(uuid4(), moment, moment + second)).count() == 0
    for model in (Trace, UsageQuarter):
        assert model.objects.within(Scope(project_id, moment, moment + second)).count() == 1
        assert (
            model.objects.within(Scope(project_id, moment - timedelta(days=9), moment - timedelta(days=2))).count() == 0
        )


@in_stores
def test_requests_that_wait_or_cannot_be_read_are_found(db: None) -> None:
    project_id = uuid4()
    values = f"'{project_id}', '{uuid4()}', unhex('00ff00ff00ff00ff00ff00ff00ff00ff'), 3, unhex('0aff')"
    columns = "project_id, key_id, digest, spans, body"
    get_client().command(f"INSERT INTO otlp_inbox (segment, {columns}) VALUES ('x-1', {values})")
    get_client().command(f"INSERT INTO otlp_unreadable (reason, {columns}) VALUES ('odd', {values})")
    try:
        waiting = InboxRequest.objects.within(whole_time(project_id)).get()
        odd = UnreadableRequest.objects.within(whole_time(project_id)).get()
    finally:
        get_client().command("ALTER TABLE otlp_inbox DROP PARTITION 'x-1'")

    assert (waiting.segment, waiting.spans, waiting.project_id) == ("x-1", 3, project_id)
    assert (odd.reason, odd.spans, odd.body, str(odd)) == ("odd", 3, "Cv8=", "odd")
    assert waiting.digest == odd.digest == "00ff" * 8
    assert InboxRequest.objects.within(whole_time(project_id)).filter(digest="00ff" * 8).count() == 0  # it is gone
