"""A store of earlier code gets the shape of today's, with every figure right, while it is read and written."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.backends.utils import CursorWrapper

from tests.fresh import CLICKHOUSE, in_clickhouse
from tests.pages.spans import Spanlet, store_trace
from tests.rollups import naive
from traces.store.queries.scopes import whole_time
from traces.store.queries.summaries import figures_of
from traces.store.queries.usage import usage_total
from traces.store.rollups.rollup import Rollup
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.shape import filling, renewal
from traces.store.shape.keep import faults

from .conftest import BEFORE, Make, check_figures, column, migrate, some_spans

pytestmark = pytest.mark.usefixtures("quick")

# Summaries that know no tags.
_TAGS = re.search(r" AS user, (.+?) AS tag_texts, ", BEFORE.read_text())
assert _TAGS is not None
NO_TAGS = {
    ", tag_texts SimpleAggregateFunction(groupUniqArrayArray, Array(String))": "",
    f" AS user, {_TAGS[1]} AS tag_texts, ": " AS user, ",
}
INPUT = "input_tokens AS input, "
# And that count no tokens that go in, and a ledger that knows no modes.
OTHER_FIGURES = {
    **NO_TAGS,
    INPUT: "0 AS input, ",
    "ORDER BY (project_id, started, trace_id, guardrail, mode, ended)": "ORDER BY (project_id, started, trace_id)",
    "TTL toDateTime(received_at) + toIntervalDay(30)": "TTL toDateTime(received_at) + toIntervalDay(7)",
    "INDEX idx_span_id SpanId TYPE bloom_filter(0.01) GRANULARITY 32,": "",
    "min(started) AS Start": "max(started) AS Start",
}


@pytest.fixture
def project_id() -> UUID:
    return uuid4()


def connection_faults() -> list[str]:
    return faults(connections[CLICKHOUSE])


def test_a_store_of_the_commit_before_goes_on_without_loss(make_store: Make, project_id: UUID) -> None:
    make_store()
    some_spans(project_id)
    rows = column("SELECT count() FROM otel_traces")

    printed = migrate()

    assert "otel_traces has no column tripped_guardrail." in printed
    assert migrate() == ""
    assert column("SELECT count() FROM otel_traces") == rows
    check_figures(project_id)
    some_spans(project_id, seed=2)
    check_figures(project_id)


def test_the_inbox_learns_its_spans(make_store: Make, project_id: UUID) -> None:
    make_store()
    some_spans(project_id)
    with connections[CLICKHOUSE].cursor() as cursor:
        cursor.execute("ALTER TABLE otlp_inbox DROP COLUMN span_ids")

    assert "otlp_inbox has no column span_ids." in migrate()

    some_spans(project_id, seed=2)
    check_figures(project_id)


def test_an_empty_store_of_the_commit_before_is_quick(make_store: Make) -> None:
    make_store(OTHER_FIGURES)

    assert migrate() == ""  # nobody who starts anew need know what it was before

    assert connection_faults() == []


def test_changed_figures_are_computed_anew_and_everything_that_differs_is_named(
    make_store: Make, project_id: UUID
) -> None:
    make_store(OTHER_FIGURES)
    some_spans(project_id)
    assert any(trace.input_tokens for trace in naive.figures(project_id))

    printed = migrate()

    for line in (
        "trace_summaries has no column tag_texts.",
        "trace_summaries_mv has another text: ",
        "usage_quarters_mv has another text: ",
        "guardrail_runs has another sorting key",
        "otlp_unreadable has another TTL",
        "otel_traces has no index idx_span_id.",
        "otel_traces_trace_id_ts has another text: ",
        "trace_summaries_next: 5 of 5 days are computed",
        "trace_summaries, usage_quarters, guardrail_runs: done",
    ):
        assert line in printed
    check_figures(project_id)
    usage = usage_total(whole_time(project_id))
    assert usage.input_tokens == sum(trace.input_tokens for trace in naive.figures(project_id))
    some_spans(project_id, seed=2)
    check_figures(project_id)
    assert connection_faults() == []
    assert not column("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_next%'")
    assert migrate() == ""


@contextmanager
def receiving(project_id: UUID) -> Iterator[None]:
    """Requests arrive one after the other meanwhile."""
    done, failures = threading.Event(), []

    def send() -> None:
        number = 1000
        while not done.is_set():
            number += 1
            try:
                store_trace(project_id, [Spanlet("root"), Spanlet("child", id=2, parent=1)], number)
            except Exception as error:
                failures.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert failures == []


def test_no_span_is_lost_or_doubled_that_arrives_meanwhile(
    make_store: Make, project_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "MARGIN", timedelta(seconds=3))
    make_store(OTHER_FIGURES)
    some_spans(project_id)
    old, seen = len(naive.figures(project_id)), []
    exchange = renewal._exchange

    def look_first(cursor: CursorWrapper, rollup: Rollup) -> None:
        seen.append(int(column("SELECT uniqExact(trace_id) FROM trace_summaries")[0]))
        exchange(cursor, rollup)

    monkeypatch.setattr(renewal, "_exchange", look_first)
    with receiving(project_id):
        migrate()

    assert min(seen) >= old  # the old figures were there to be read
    assert len(naive.figures(project_id)) > old
    check_figures(project_id)
    spans = len(naive.spans_of(project_id))
    assert column("SELECT sum(spans) FROM usage_quarters") == [spans]


def test_interrupted_at_any_step_it_goes_on_where_it_stopped(
    make_store: Make, project_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(OTHER_FIGURES)
    some_spans(project_id)
    computed = []
    compute = filling._compute

    def noted(cursor: CursorWrapper, rollup: Rollup, day: int, *rest: object, **more: bool) -> None:
        computed.append((rollup.table, day))
        compute(cursor, rollup, day, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(filling, "_compute", noted)
    # Each run comes a step further than the one before, and spans arrive in between.
    for seed, step in enumerate(("fill", "_exchange", "add", "_finish"), start=2):
        computed.clear()
        with monkeypatch.context() as patch:
            interrupt(patch, step)
            with pytest.raises(KeyboardInterrupt):
                migrate()
        assert computed
        some_spans(project_id, seed)
        assert connection_faults() != []
    computed.clear()

    migrate()

    check_figures(project_id)
    some_spans(project_id, seed=6)
    check_figures(project_id)
    assert column("SELECT sum(spans) FROM usage_quarters") == [len(naive.spans_of(project_id))]
    assert connection_faults() == []
    assert computed


def interrupt(patch: pytest.MonkeyPatch, step: str) -> None:
    """Kill it at the third day that is filled, or at the second roll-up that comes to the step."""
    module: ModuleType = filling if step == "fill" else renewal
    name, after = ("_compute", 2) if step == "fill" else (step, 1)
    original = getattr(module, name)
    calls = []

    def some(*arguments: object, **more: object) -> object:
        calls.append(1)
        if len(calls) > after:
            raise KeyboardInterrupt
        return original(*arguments, **more)

    patch.setattr(module, name, some)


def test_days_that_are_done_are_not_computed_again(
    make_store: Make, project_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(OTHER_FIGURES)
    some_spans(project_id)
    with monkeypatch.context() as patch:
        interrupt(patch, "fill")
        with pytest.raises(KeyboardInterrupt):
            migrate()

    printed = migrate()

    assert "trace_summaries_next: 4 of 4 days are computed" in printed  # of five; the last one again, it may be torn


def test_tags_of_old_and_new_traces_are_learned(make_store: Make, project_id: UUID) -> None:
    make_store(NO_TAGS)
    old = store_trace(project_id, [Spanlet("root", attributes={"agentops.tags": ["old"]})], number=1)

    migrate()
    new = store_trace(project_id, [Spanlet("root", attributes={"agentops.tags": ["new"]})], number=2)

    assert figures_of(project_id, [old])[old].tags == ("old",)
    assert figures_of(project_id, [new])[new].tags == ("new",)


def test_roll_ups_that_are_empty_though_there_are_spans_are_computed(make_store: Make, project_id: UUID) -> None:
    make_store()
    migrate()
    some_spans(project_id)
    with connections[CLICKHOUSE].cursor() as cursor:
        cursor.execute("TRUNCATE TABLE usage_quarters")

    assert "usage_quarters is empty, and there are spans." in migrate()

    assert column("SELECT sum(spans) FROM usage_quarters") == [len(naive.spans_of(project_id))]


def test_what_no_alter_can_do_is_refused_with_its_name(make_store: Make, fresh: str) -> None:
    make_store({"ORDER BY (project_id, Timestamp)": "ORDER BY (Timestamp, project_id)"})

    with pytest.raises(CommandError, match="otel_traces has another sorting key"):
        migrate()

    key = in_clickhouse(f"SELECT sorting_key FROM system.tables WHERE database = '{fresh}' AND name = 'otel_traces'")
    assert key == ["Timestamp, project_id"]


def test_check_and_plan_only_look(make_store: Make, project_id: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    make_store()
    migrate()
    view, _ = TRACE_SUMMARIES.as_views()
    with connections[CLICKHOUSE].cursor() as cursor:
        cursor.execute(replace(view, text=view.text.replace(" AS input, ", " + 0 AS input, ")).alter())

    call_command("check", database=[CLICKHOUSE], databases=[CLICKHOUSE])
    warned = capsys.readouterr().err
    with pytest.raises(SystemExit):
        call_command("migrate", database=CLICKHOUSE, check_unapplied=True, verbosity=0)
    call_command("migrate", database=CLICKHOUSE, plan=True, verbosity=0)

    assert "(portal.W006) The ClickHouse store differs from what this portal needs: trace_summaries_mv has" in warned
    assert "trace_summaries_mv has another text" in capsys.readouterr().out
    [fault] = connection_faults()  # still
    assert fault.startswith("trace_summaries_mv has another text")
