"""What ClickHouse computes for calls that nobody told the cost of, against a sheet that was worked out by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from compat.agentops.v4.metrics import metrics_of_span
from projects.models import Organization, Project
from tests.pages.spans import MS, Spanlet, request_of, store
from traces.store.figures import Cost
from traces.store.prices.filling import fill
from traces.store.prices.models import ModelPrice
from traces.store.prices.repricing import preview, reprice
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.trace_detail import trace_figures
from traces.store.queries.trace_list import totals, trace_page
from traces.store.queries.trace_spans import span_by_id
from traces.store.queries.usage import usage_by, usage_total
from traces.store.shape import renewal

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED, WRITTEN = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
HOUR, REASONED = "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", "gen_ai.usage.reasoning_tokens"
HEARD, SEEN = "gen_ai.usage.input_audio_tokens", "gen_ai.usage.input_image_tokens"
DREW = "gen_ai.usage.output_image_tokens"
SONNET, OPUS, HAIKU = "claude-sonnet-4-5", "claude-opus-4-1", "claude-3-5-haiku-latest"
JULY = datetime(2026, 7, 1, tzinfo=UTC)

# Provider, model, counts, dollars: (tokens x dollars for a million) / 1,000,000, part by part.
SHEET: list[tuple[str, str, dict[str, int], str]] = [
    ("openai", "gpt-4o-mini", {IN: 1000, OUT: 100}, "0.00021"),  # 0.15, 0.60
    ("openai", "gpt-4o-mini", {IN: 1000, CACHED: 400, OUT: 100}, "0.00018"),  # cached 0.075
    ("openai", "gpt-4o-mini-2024-07-18", {IN: 2_000_000, OUT: 0}, "0.3"),
    ("openai", "openai/gpt-4o-mini", {IN: 10, OUT: 10}, "0.0000075"),
    ("openai", "gpt-4o", {IN: 1000, OUT: 500}, "0.0075"),  # 2.50, 10
    ("openai", "gpt-4o", {IN: 1000, CACHED: 1000, OUT: 0}, "0.00125"),  # cached 1.25
    ("azure", "gpt-4o", {IN: 1000, OUT: 500}, "0.0075"),
    ("openai", "GPT-4o", {IN: 4, OUT: 1}, "0.00002"),
    ("openai", "o3", {IN: 1000, OUT: 800, REASONED: 600}, "0.0084"),  # 2, 8; thoughts are in the answer
    ("openai", "o3", {IN: 1000, CACHED: 500, OUT: 100}, "0.00205"),  # cached 0.50
    ("openai", "o3", {IN: 1, OUT: 1}, "0.00001"),
    ("openai", "gpt-4.1", {IN: 100_000, CACHED: 80_000, OUT: 1000}, "0.088"),  # 2, 0.50, 8
    ("openai", "gpt-4.1", {IN: 300_000, OUT: 0}, "0.6"),
    ("openai", "gpt-image-1", {IN: 1000, SEEN: 600, OUT: 4000}, "0.168"),  # 5, image 10, 40
    ("openai", "gpt-image-1", {IN: 100, OUT: 1000}, "0.0405"),
    ("anthropic", SONNET, {IN: 1000, OUT: 200}, "0.006"),  # 3, 15
    ("anthropic", SONNET, {IN: 10_000, CACHED: 8000, OUT: 100}, "0.0099"),  # read 0.30
    ("anthropic", SONNET, {IN: 10_000, WRITTEN: 4000, OUT: 100}, "0.0345"),  # written 3.75
    ("anthropic", SONNET, {IN: 10_000, WRITTEN: 4000, HOUR: 4000, OUT: 100}, "0.0435"),  # for an hour 6
    ("anthropic", SONNET, {IN: 10_000, CACHED: 5000, WRITTEN: 4000, HOUR: 1000, OUT: 0}, "0.02175"),
    ("anthropic", SONNET, {IN: 200_000, OUT: 1000}, "0.615"),
    ("anthropic", SONNET, {IN: 200_001, OUT: 1000}, "1.222506"),  # over 200,000: 6, 22.50
    ("anthropic", SONNET, {IN: 300_000, CACHED: 250_000, OUT: 0}, "0.45"),  # read 0.60
    ("anthropic", "claude-sonnet-4-5-20250929", {IN: 1000, OUT: 200}, "0.006"),
    ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", {IN: 1000, OUT: 200}, "0.006"),
    ("anthropic", OPUS, {IN: 1000, OUT: 1000}, "0.09"),  # 15, 75
    ("anthropic", OPUS, {IN: 2000, CACHED: 1000, WRITTEN: 1000, OUT: 0}, "0.02025"),  # 1.50, 18.75
    ("anthropic", HAIKU, {IN: 1000, OUT: 1000}, "0.0048"),  # 0.80, 4
    ("anthropic", HAIKU, {IN: 1000, CACHED: 500, OUT: 10}, "0.00048"),  # read 0.08
    ("gcp.gemini", "gemini-2.5-pro", {IN: 1000, OUT: 1000, REASONED: 900}, "0.01125"),  # 1.25, 10
    ("gcp.gemini", "gemini-2.5-pro", {IN: 200_000, OUT: 0}, "0.25"),
    ("gcp.gemini", "gemini-2.5-pro", {IN: 400_000, CACHED: 100_000, OUT: 1000}, "0.79"),  # 2.50, 0.25, 15
    ("gcp.vertex_ai", "gemini-2.5-flash", {IN: 1000, OUT: 1000}, "0.0028"),  # 0.30, 2.50
    ("gcp.gemini", "gemini-2.5-flash", {IN: 2000, HEARD: 1500, OUT: 100}, "0.0019"),  # heard 1.00
    ("gcp.gemini", "gemini-2.5-flash", {IN: 1000, CACHED: 1000, OUT: 0}, "0.00003"),
    ("gcp.gemini", "gemini-2.5-flash-image", {IN: 100, OUT: 1300, DREW: 1290}, "0.038755"),  # image 30
    ("mistral_ai", "mistral-large-latest", {IN: 1000, OUT: 1000}, "0.008"),  # 2, 6
    ("groq", "llama-3.3-70b-versatile", {IN: 1000, OUT: 1000}, "0.00138"),  # 0.59, 0.79
    ("deepseek", "deepseek-chat", {IN: 1000, CACHED: 200, OUT: 100}, "0.00017"),  # 0.135, 0.035, 0.55
    ("openai", "text-embedding-3-small", {IN: 5000}, "0.0001"),  # 0.02
]


def call(number: int, provider: str, model: str, more: dict[str, Any], **span: Any) -> Spanlet:
    named = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model}
    return Spanlet("chat", id=number, start=number, end=number + 1, attributes={**named, **more}, **span)


def stored(calls: list[Spanlet], moment: datetime = JULY, project_id: UUID | None = None) -> UUID:
    """A project whose only trace has these calls."""
    project_id = project_id or uuid4()
    store(project_id, request_of({project_id.int >> 1: calls}, int(moment.timestamp()) * 1000 * MS))
    return project_id


def cost_of(project_id: UUID, number: int) -> Cost:
    span: SpanDetail | None = span_by_id(project_id, f"{number:016x}")
    assert span is not None
    return span.cost


@pytest.mark.usefixtures("filled_book")
def test_the_sheet() -> None:
    calls = [call(number, provider, model, more) for number, (provider, model, more, _) in enumerate(SHEET, start=1)]

    project_id = stored(calls)

    found = {number: cost_of(project_id, number).computed for number in range(1, len(SHEET) + 1)}
    wrong = {
        SHEET[number - 1]: amount
        for number, amount in found.items()
        if amount is None
        or abs(amount - Decimal(SHEET[number - 1][3])) > Decimal("0.005") * Decimal(SHEET[number - 1][3])
    }
    assert not wrong
    assert len(SHEET) == 40
    # AgentOps' fields say what of it is for the input.
    sonnet = span_by_id(project_id, f"{20:016x}")
    assert sonnet is not None
    assert not sonnet.book_differs
    fields = metrics_of_span(sonnet)
    assert [fields[f"{name}_cost"] for name in ("prompt", "completion", "other", "total")] == [
        "0.0217500", "0.0000000", "0.0000000", "0.0217500",
    ]  # fmt: skip
    thinker = span_by_id(project_id, f"{30:016x}")
    assert thinker is not None
    fields = metrics_of_span(thinker)
    assert [fields[f"{name}_cost"] for name in ("prompt", "completion", "other", "total")] == [
        "0.0012500", "0.0100000", "0.0000000", "0.0112500",
    ]  # fmt: skip
    # By every door the same sum, and nothing of it as if a client had said it.
    scope = whole_time(project_id)
    whole = Cost(None, 0, computed=sum((Decimal(amount) for *_, amount in SHEET), Decimal(0)))
    [trace] = trace_page(scope, TraceFilter(), None, 5).traces
    on_its_page = trace_figures(scope, trace.trace_id)
    assert on_its_page is not None
    sums = totals(scope, TraceFilter())
    assert trace.cost == on_its_page.cost == sums.cost == usage_total(scope).cost == whole
    assert (whole.source, trace.llm_calls) == ("computed", 40)
    assert usage_by(scope, "model")["gpt-4o-mini"].cost.computed == Decimal("0.3003975")


@pytest.mark.usefixtures("filled_book")
def test_what_is_not_computed() -> None:
    usage = {IN: 1000, OUT: 100}
    project_id = stored(
        [
            call(1, "openai", "gpt-4o", usage | {"gen_ai.usage.cost": "0.5"}),  # reported wins
            call(2, "openai", "a-model-of-nobody", usage),
            call(3, "openai", "gpt-4o", {"gen_ai.response.id": "r"}),  # nothing tells how much it was
            call(4, "openai", "gpt-4o", {}, status=2),
            call(
                5,
                "openai",
                "whisper-1",
                {"gen_ai.operation.name": "transcription", "gen_ai.usage.raw": '{"seconds": 90}'},
            ),
        ]
    )

    assert cost_of(project_id, 1) == Cost(Decimal("0.5"), 0)
    first = span_by_id(project_id, f"{1:016x}")
    assert first is not None
    # 1000 x 2.50 and 100 x 10 of a million: far from what was reported, which counts all the same.
    assert (first.book_cost, first.book_prompt_cost) == (Decimal("0.0035"), Decimal("0.0025"))
    assert first.book_differs
    assert cost_of(project_id, 2) == cost_of(project_id, 3) == cost_of(project_id, 4) == Cost(None, 1)
    assert cost_of(project_id, 5) == Cost(None, 0, computed=Decimal("0.009"))  # 0.36 an hour
    total = usage_total(whole_time(project_id)).cost
    assert total == Cost(Decimal("0.5"), 3, computed=Decimal("0.009"))
    assert (total.known, total.source, total.is_partial) == (Decimal("0.509"), "mixed", True)


@pytest.mark.usefixtures("filled_book")
def test_a_changed_book_prices_anew_what_it_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "MARGIN", renewal.MARGIN / 100)
    organization = Organization.objects.create(name="Acme")
    own = Project.objects.create(name="own", organization=organization)
    name, usage = f"brain-{uuid4().hex[:6]}", {IN: 1_000_000, OUT: 1_000_000}
    calls = [call(1, "acme", name, usage), call(2, "openai", "gpt-4o-mini", usage)]
    stored(calls, project_id=own.pk)
    other = stored(calls)
    june = stored(calls, datetime(2026, 6, 1, tzinfo=UTC))
    ModelPrice.objects.create(model=name, rates={"input": "1", "output": "2"}, valid_from=JULY)
    ModelPrice.objects.create(model="gpt-4o-mini", organization=organization, rates={"input": "0", "output": "0.1"})
    ModelPrice.objects.create(model="brain-*", organization=organization, rates={"input": "7", "output": "7"})
    before = Cost(None, 1, computed=Decimal("0.75"))
    assert usage_total(whole_time(own.pk)).cost == usage_total(whole_time(other)).cost == before

    seen = preview()
    assert usage_total(whole_time(own.pk)).cost == before  # nothing is changed yet
    change = reprice()

    assert change == seen
    assert (change.calls, change.after - change.before, len(change.days)) == (3, Decimal("16.35"), 1)
    after = {
        own.pk: Cost(None, 0, computed=Decimal("14.1")),
        other: Cost(None, 0, computed=Decimal("3.75")),
        june: before,
    }
    for project_id, cost in after.items():
        scope = whole_time(project_id)
        [trace] = trace_page(scope, TraceFilter(), None, 5).traces
        on_its_page = trace_figures(scope, trace.trace_id)
        assert on_its_page is not None
        assert trace.cost == on_its_page.cost == usage_total(scope).cost == cost
    assert reprice().days == ()
    stored([call(3, "acme", name, usage)], project_id=other)  # what comes is priced, too
    assert usage_total(whole_time(other)).cost.computed == Decimal("6.75")
    ModelPrice.objects.all().delete()
    fill()
