"""What stands in an exported file: figures counted by hand, cells that run no formula, an end that tells the truth."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from agentops_portal.clickhouse.gate import ClickHouseUnavailable, Scope
from tests.kept import stored_once
from tests.pages.spans import MS, Spanlet, Value, recorded, request_of, span_id, store, store_trace, trace_id
from traces.reading import export
from traces.reading.export import CONTENT_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS, ExportBroken, Format, export_traces
from traces.store.queries.export import spans_of_traces
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_list import trace_page

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

DAY = (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
ANSWERED = {
    "trace_id": "95c31d28b21739cb93431e8f9e5df0a6",
    "name": "POST /v1/chat/completions",
    "status": "ok",
    "span_count": 13,
    "error_count": 0,
    "llm_calls": 1,
    "input_tokens": 11,
    "output_tokens": 8,
    "total_tokens": 19,
    "cost_usd": 0.00000645,
    "unknown_cost_calls": 0,
    "models": ["gpt-4o-mini"],
    "guardrail": "allowed",
    "guardrail_runs": 3,
}
START_NS = 1_795_000_000_123_456_789  # 2026-11-18T11:06:40.123456789Z


@pytest.fixture
def litellm() -> Scope:
    return Scope(stored_once(recorded("litellm-1.106.2-mixed")), *DAY)


def written(scope: Scope, format: Format, wanted: TraceFilter | None = None, **options: bool) -> str:
    return b"".join(export_traces(scope, wanted or TraceFilter(), format, **options)).decode()


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_holds_the_figures_counted_by_hand(litellm: Scope) -> None:
    file = orjson.loads(written(litellm, "json"))

    assert (file["project_id"], file["trace_count"], file["complete"]) == (str(litellm.project_id), 9, True)
    assert file["start_time"] == "2026-11-23T00:00:00+00:00"
    traces = {trace["trace_id"]: trace for trace in file["traces"]}
    answered = traces[ANSWERED["trace_id"]]
    assert {name: answered[name] for name in ANSWERED} == ANSWERED
    assert answered["duration_ms"] == pytest.approx(598.158, abs=0.001)
    assert set(answered) == set(TRACE_COLUMNS)
    unpriced = traces["0bc4ed10adf7267627b4fcf03e4879ad"]
    assert (unpriced["cost_usd"], unpriced["unknown_cost_calls"]) == (None, 1)
    assert [trace["start_time"] for trace in file["traces"]] == sorted(
        (trace["start_time"] for trace in file["traces"]), reverse=True
    )


def test_csv_and_json_lines_say_the_same_as_json(litellm: Scope) -> None:
    traces = orjson.loads(written(litellm, "json"))["traces"]

    lines = [orjson.loads(line) for line in written(litellm, "jsonl").splitlines()]
    rows = csv_rows(written(litellm, "csv"))

    assert lines == traces
    assert [row["trace_id"] for row in rows] == [trace["trace_id"] for trace in traces]
    assert list(rows[0]) == list(TRACE_COLUMNS)
    answered = next(row for row in rows if row["trace_id"] == ANSWERED["trace_id"])
    assert (answered["cost_usd"], answered["total_tokens"], answered["models"]) == ("0.00000645", "19", "gpt-4o-mini")
    unpriced = next(row for row in rows if row["trace_id"] == "0bc4ed10adf7267627b4fcf03e4879ad")
    assert (unpriced["cost_usd"], unpriced["unknown_cost_calls"]) == ("", "1")


def test_a_cost_keeps_every_digit() -> None:
    project_id = uuid4()
    llm: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.usage.total_cost": 0.000000000123}
    store_trace(project_id, [Spanlet("call", attributes=llm)])

    assert '"cost_usd":0.000000000123,' in written(whole_time(project_id), "json")


def test_spans_stand_in_their_traces_with_what_they_carried(litellm: Scope) -> None:
    file = orjson.loads(written(litellm, "json", spans=True, attributes=True))

    assert sum(len(trace["spans"]) for trace in file["traces"]) == 103
    for trace in file["traces"]:
        assert len(trace["spans"]) == trace["span_count"]
        assert [span["start_time"] for span in trace["spans"]] == sorted(span["start_time"] for span in trace["spans"])
    answered = next(trace for trace in file["traces"] if trace["trace_id"] == ANSWERED["trace_id"])
    [call] = [span for span in answered["spans"] if span["type"] == "llm"]
    assert (call["model"], call["total_tokens"], call["cost_usd"]) == ("gpt-4o-mini", 19, 0.00000645)
    assert call["attributes"]["gen_ai.request.model"] == "gpt-4o-mini"
    assert call["resource_attributes"]["service.name"] == "litellm-proxy"
    assert set(call) == {*SPAN_COLUMNS, *CONTENT_COLUMNS}


def test_spans_come_without_attributes_unless_they_are_asked_for(litellm: Scope) -> None:
    file = orjson.loads(written(litellm, "json", spans=True))

    assert set(file["traces"][0]["spans"][0]) == set(SPAN_COLUMNS)
    assert "spans" not in orjson.loads(written(litellm, "json", attributes=True))["traces"][0]


def test_a_column_of_a_csv_with_spans_adds_up_to_what_the_traces_have(litellm: Scope) -> None:
    alone, mixed = csv_rows(written(litellm, "csv")), csv_rows(written(litellm, "csv", spans=True, attributes=True))

    assert [row["record"] for row in mixed].count("trace") == 9
    assert [row["record"] for row in mixed].count("span") == 103
    for name in ("total_tokens", "cost_usd", "error_count"):
        assert sum(Decimal(row[name] or 0) for row in mixed) == sum(Decimal(row[name] or 0) for row in alone)
    span = next(row for row in mixed if row["record"] == "span" and row["span_type"] == "llm")
    assert orjson.loads(span["span_attributes"])["gen_ai.request.model"] == span["span_model"]
    assert all(row["trace_id"] for row in mixed)


def test_a_filter_chooses_the_traces(litellm: Scope) -> None:
    file = orjson.loads(written(litellm, "json", TraceFilter(status="error")))

    assert file["traces"]
    assert {trace["status"] for trace in file["traces"]} == {"error"}


def test_nothing_found_is_a_whole_file_too() -> None:
    nothing = whole_time(uuid4())

    assert orjson.loads(written(nothing, "json"))["traces"] == []
    assert written(nothing, "jsonl") == ""
    assert written(nothing, "csv") == ",".join(TRACE_COLUMNS) + "\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_runs_as_a_formula(start: str) -> None:
    project_id = uuid4()
    evil = f'{start}cmd|" /C calc"!A0'
    store_trace(project_id, [Spanlet(evil, message=evil, status=2, attributes={"session.id": "s"})])

    rows = csv_rows(written(whole_time(project_id), "csv", spans=True, attributes=True))

    assert rows[0]["name"] == rows[1]["span_name"] == rows[1]["span_status_message"] == f"'{evil}"
    [trace] = orjson.loads(written(whole_time(project_id), "json"))["traces"]
    assert trace["name"] == evil  # where nothing runs it, it stays what it was


def test_text_of_any_language_and_any_character_survives() -> None:
    project_id = uuid4()
    name = '주문 "조회", 1;\n2행 \x00 끝 🛒'
    store_trace(project_id, [Spanlet(name, attributes={"답": "예, 그렇습니다\n"})], start_ns=START_NS)

    [trace, span] = csv_rows(written(whole_time(project_id), "csv", spans=True, attributes=True))
    [line] = [orjson.loads(line) for line in written(whole_time(project_id), "jsonl", spans=True).splitlines()]

    assert trace["name"] == span["span_name"] == line["name"] == line["spans"][0]["name"] == name
    assert orjson.loads(span["span_attributes"]) == {"답": "예, 그렇습니다\n"}
    assert (trace["start_time"], trace["duration_ms"]) == ("2026-11-18T11:06:40.123456789Z", "10.0")


def test_pages_and_groups_leave_nothing_out_and_repeat_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 3)
    monkeypatch.setattr(export, "TOGETHER", 5)
    monkeypatch.setattr(export, "CHUNK_BYTES", 1)
    project_id = uuid4()
    sizes = {number: number % 7 + 1 for number in range(1, 12)}
    traces = {
        number: [Spanlet(f"{number}-{each}", id=each + 1, parent=min(each, 1), start=each) for each in range(size)]
        for number, size in sizes.items()
    }
    store(project_id, request_of(traces, {number: START_NS + number * MS for number in traces}))

    file = orjson.loads(written(whole_time(project_id), "json", spans=True))

    assert [trace["trace_id"] for trace in file["traces"]] == [trace_id(number) for number in range(11, 0, -1)]
    for trace in file["traces"]:
        size = sizes[int(trace["trace_id"], 16)]
        assert [span["span_id"] for span in trace["spans"]] == [span_id(each + 1) for each in range(size)]


def test_a_trace_whose_spans_are_gone_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    project_id = uuid4()
    for number in (1, 2, 3):
        store_trace(project_id, [Spanlet(f"{number}")], number=number, start_ns=START_NS + number)
    real = spans_of_traces

    def without_the_second(*args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        return (span for span in real(*args, **kwargs) if span["trace_id"] != trace_id(2))

    monkeypatch.setattr(export, "spans_of_traces", without_the_second)

    traces = orjson.loads(written(whole_time(project_id), "json", spans=True))["traces"]

    assert [(trace["name"], len(trace["spans"])) for trace in traces] == [("3", 1), ("2", 0), ("1", 1)]


def _breaks(monkeypatch: pytest.MonkeyPatch, what: str, after: int) -> UUID:
    """A project of three traces, and a store that fails after some rows."""
    project_id = uuid4()
    for number in (1, 2, 3):
        spans = [Spanlet(f"{number}-{each}", id=each, start=each) for each in (1, 2)]
        store_trace(project_id, spans, number=number, start_ns=START_NS + number * MS)
    if what == "pages":
        real_page = trace_page
        asked: list[object] = []

        def page(*args: Any) -> Any:
            asked.append(args)
            if len(asked) > after:
                raise ClickHouseUnavailable("gone")
            return real_page(*args)

        monkeypatch.setattr(export, "PAGE", 1)
        monkeypatch.setattr(export, "trace_page", page)
    else:
        real = spans_of_traces

        def failing_spans(*args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
            for number, span in enumerate(real(*args, **kwargs)):
                if number == after:
                    raise ClickHouseUnavailable("gone")
                yield span

        monkeypatch.setattr(export, "spans_of_traces", failing_spans)
    return project_id


@pytest.mark.parametrize(("what", "after"), [("pages", 2), ("spans", 0), ("spans", 3), ("spans", 4)])
@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_a_file_that_breaks_off_says_so_and_the_connection_breaks(
    monkeypatch: pytest.MonkeyPatch, format: Format, what: str, after: int
) -> None:
    project_id = _breaks(monkeypatch, what, after)
    pieces: list[bytes] = []

    with pytest.raises(ExportBroken):
        pieces.extend(export_traces(whole_time(project_id), TraceFilter(), format, spans=True))

    text = b"".join(pieces).decode()
    if format == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[-1][0] == "#incomplete"
        assert "ask for the file again" in rows[-1][1]
        assert {len(row) for row in rows} == {len(rows[0])}
    elif format == "jsonl":
        *traces, last = [orjson.loads(line) for line in text.splitlines()]
        assert (last["incomplete"], "trace_id" in last) == (True, False)
        assert all("trace_id" in trace for trace in traces)
    else:
        file = orjson.loads(text)
        assert (file["complete"], "ask for the file again" in file["error"]) == (False, True)
        assert len(file["traces"]) >= file["trace_count"]


def test_a_store_that_is_away_gives_an_error_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    project_id = _breaks(monkeypatch, "pages", 0)

    with pytest.raises(ClickHouseUnavailable):
        next(export_traces(whole_time(project_id), TraceFilter(), "json"))
