"""Traces as a file: written while it is read, in three formats."""

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give
from tests.pages.spans import MS, Spanlet, request_of, trace_id
from traces.reading import export
from traces.store.queries.trace_list import trace_page

from .conftest import MIDNIGHT_NS, OCTOBER, call

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.getvalue()
    return str(answer.getvalue().decode())


def test_csv_has_a_row_for_each_trace_and_a_name_to_store_it_under(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/traces/export?{OCTOBER}", person="bo")

    rows = list(csv.DictReader(io.StringIO(text(answer))))
    assert [row["trace_id"] for row in rows] == [trace_id(3), trace_id(2), trace_id(1)]
    assert (rows[2]["cost_usd"], rows[2]["total_tokens"], rows[1]["cost_usd"]) == ("0.75", "100", "")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="traces-alices-agents-20261001-20261003.csv"'


@pytest.mark.parametrize(
    ("bom", "begins"), [("", b"trace_id,"), ("&bom=0", b"trace_id,"), ("&bom=1", b"\xef\xbb\xbftrace_id,")]
)
def test_a_byte_order_mark_comes_when_it_is_asked_for(
    figures: Cast, get: Get, at: str, bom: str, begins: bytes
) -> None:
    assert get(f"{at}/traces/export?{OCTOBER}{bom}", person="bo").getvalue().startswith(begins)
    assert get(f"{at}/traces/export?{OCTOBER}{bom}&format=jsonl", person="bo").getvalue().startswith(b"{")


def test_json_lines_and_json_hold_the_same(figures: Cast, get: Get, at: str) -> None:
    lines = text(get(f"{at}/traces/export?{OCTOBER}&format=jsonl&spans=true", person="bo"))
    whole = json.loads(text(get(f"{at}/traces/export?{OCTOBER}&format=json&spans=true", person="bo")))

    assert [json.loads(line) for line in lines.splitlines()] == whole["traces"]
    assert (whole["complete"], whole["trace_count"]) == (True, 3)
    assert [len(trace["spans"]) for trace in whole["traces"]] == [1, 3, 4]
    assert "attributes" not in whole["traces"][2]["spans"][0]


def test_what_was_said_comes_when_it_is_asked_for(figures: Cast, get: Get, at: str) -> None:
    query = f"{OCTOBER}&format=jsonl&spans=true&attributes=true&agent=planner"
    [trace] = map(json.loads, text(get(f"{at}/traces/export?{query}", person="bo")).splitlines())

    assert trace["spans"][2]["attributes"]["gen_ai.request.model"] == "gpt-4o"


@pytest.mark.parametrize(("query", "count"), [("guardrail=blocked", 1), ("min_cost=0.5", 1), ("q=nothing", 0)])
def test_it_takes_the_filters_of_the_list(figures: Cast, get: Get, at: str, query: str, count: int) -> None:
    lines = text(get(f"{at}/traces/export?{OCTOBER}&format=jsonl&{query}", person="bo"))

    assert len(lines.splitlines()) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [("format=pdf", "format"), ("attributes=true", "attributes"), ("limit=5", "limit"), ("status=x", "status")],
)
def test_a_wrong_parameter_is_400_and_named(get: Get, at: str, query: str, field: str) -> None:
    answer = get(f"{at}/traces/export?{query}", person="bo")

    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.fixture
def many(cast: Cast) -> Cast:
    """Two thousand traces."""
    spans = {number: [Spanlet("x", attributes=call("gpt-4o", 1, 1, 0.001))] for number in range(1, 2001)}
    give(cast.project, request_of(spans, {number: MIDNIGHT_NS + number * MS for number in spans}))
    return cast


def test_the_first_piece_goes_out_before_the_rest_is_read(
    many: Cast, get: Get, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    page = trace_page

    def spy(*args: Any) -> Any:
        asked.append(args)
        return page(*args)

    monkeypatch.setattr(export, "trace_page", spy)
    monkeypatch.setattr(export, "PAGE", 100)
    monkeypatch.setattr(export, "CHUNK_BYTES", 4096)
    answer = get(f"{at}/traces/export?{OCTOBER}&format=jsonl", person="bo")
    first = next(iter(answer.streaming_content))

    assert first.startswith(b'{"trace_id"')
    assert len(asked) == 1
    assert len(first.splitlines() + text(answer).splitlines()) == 2000
    assert len(asked) == 20


def test_memory_does_not_grow_with_the_file(many: Cast, get: Get, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 100)
    monkeypatch.setattr(export, "CHUNK_BYTES", 4096)

    def peak(query: str) -> tuple[int, int]:
        answer = get(f"{at}/traces/export?{OCTOBER}&format=jsonl&{query}", person="bo")
        tracemalloc.start()
        size = sum(len(piece) for piece in answer.streaming_content)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size, used

    peak("q=x")  # what is imported and cached on the way
    size, used = peak("spans=false")

    assert size > 1_000_000
    assert used < size
