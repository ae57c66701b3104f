"""Computed cost in roll-ups against a recount of every call (naive_cost.py): recorded bodies and the demo's traffic."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from tests.pages.spans import recorded
from tests.receiver import entry_of
from traces.demo.otlp import requests
from traces.demo.traffic import generate
from traces.ingest.otlp import receiver
from traces.store.prices.filling import fill
from traces.store.prices.package import all_entries
from traces.store.rollups.rebuild import recompute

from . import naive
from .naive_cost import COLUMNS, Book
from .sums import found
from .test_arrangements import NAMES

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DEMO = "demo"
EXACT = Decimal("1e-9")  # ClickHouse multiplies in Float64


@pytest.fixture(scope="module")
def projects(django_db_setup: None, django_db_blocker: DjangoDbBlocker, own_store: None) -> dict[str, UUID]:
    """Stored while ClickHouse holds what the package says; all at once."""
    bodies = {name: [recorded(name)] for name in NAMES}
    bodies[DEMO] = list(requests(generate(days=3, traces=120, seed=3, now=NOW).traces))
    made = {name: uuid4() for name in bodies}
    with django_db_blocker.unblock():
        fill()
        waiting = [
            receiver.committer().submit(entry_of(made[name], each.SerializeToString()))
            for name, some in bodies.items()
            for each in some
        ]
        for each in waiting:
            each.result(timeout=60)
        receiver.committer().decoder.settle(timeout=120)
    return made


@dataclass(frozen=True)
class Sum:
    computed: Decimal | None
    unknown: int


def recounted(spans: Iterable[naive.Row], book: Book) -> Sum:
    spans = list(spans)
    paid = [cost for span in spans if (cost := book.cost(span)) is not None]
    unpaid = [s for s in spans if s["is_llm_call"] and s["reported_cost"] is None and not s["cache_hit"]]
    return Sum(sum(paid, Decimal(0)) if paid else None, len(unpaid) - len(paid))


def same(mine: Sum, computed: Decimal | None, unknown: int) -> bool:
    if mine.computed is None or computed is None:
        return (mine.computed, mine.unknown) == (computed, unknown)
    return abs(mine.computed - computed) <= EXACT and mine.unknown == unknown


def differences(projects: dict[str, UUID]) -> tuple[list[object], Decimal, int]:
    """Where roll-ups and recount differ; and what was computed in all, of how many calls."""
    store, book = found(), Book(all_entries())
    wrong: list[object] = []
    whole, calls = Decimal(0), 0
    for name, project_id in projects.items():
        spans, said = naive.spans_of(project_id, *COLUMNS), store[str(project_id)]
        for trace_id, of_trace in naive.traces_of(spans).items():
            mine, cost = recounted(of_trace, book), said.traces[trace_id].cost
            whole += mine.computed or 0
            calls += sum(book.cost(span) is not None for span in of_trace)
            if not same(mine, cost.computed, cost.unknown_calls):
                wrong.append((name, trace_id, mine, cost))
        groups: dict[tuple[str, str], list[naive.Row]] = defaultdict(list)
        for span in spans:
            if span["is_llm_call"] and span["TraceId"]:
                groups[span["agent_name"], span["counted_model"]].append(span)
        for key, some in groups.items():
            mine, used = recounted(some, book), said.usage[key]
            if not same(mine, used["computed_cost"], used["unknown_cost_calls"]):
                wrong.append((name, key, mine, used["computed_cost"], used["unknown_cost_calls"]))
    return wrong, whole, calls


def test_roll_ups_have_the_computed_cost_of_every_call(projects: dict[str, UUID]) -> None:
    wrong, whole, calls = differences(projects)

    assert not wrong
    assert calls > 150
    assert whole > Decimal("0.05")
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("SELECT DISTINCT toInt32(day) FROM trace_summaries")
        recompute(cursor, [day for (day,) in cursor.fetchall()])
    assert differences(projects) == ([], whole, calls)
