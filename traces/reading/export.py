"""Traces as a file that is written while it is read: CSV, JSON or JSON lines, whatever their number.

Figures are those of traces/store/figures.py. What is in memory at a time is a page of traces and a block of spans.

When reading fails in the middle, the file says so at its end, and `ExportBroken` is raised after that: a server then
breaks off the connection, so that no client takes a part for the whole. The mark is, by format:
csv     a last row whose first cell is `#incomplete`, with the reason in the second
jsonl   a last line `{"incomplete": true, "error": reason}`
json    `"complete": false, "error": reason` behind the traces; it is valid JSON all the same, and a file that is whole
        ends with `"complete": true`
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Literal

from agentops_portal.clickhouse.gate import ClickHouseError, Scope
from agentops_portal.units import iso_utc, milliseconds
from traces.store.figures import TOKENS, TraceFigures
from traces.store.guard import shown_or
from traces.store.queries.export import spans_of_traces
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import scope_of
from traces.store.queries.trace_list import trace_page
from traces.store.values.readable import readable_values

from .csv_text import BYTE_ORDER_MARK, csv_line, json_text

Format = Literal["csv", "json", "jsonl"]
CONTENT_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
}

PAGE = 1_000  # traces read at a time
TOGETHER = 500  # spans that are asked for at a time; a trace with more is asked for alone
CHUNK_BYTES = 64 * 1024

TRACE_COLUMNS = (
    "trace_id",
    "name",
    "service",
    "status",
    "start_time",
    "end_time",
    "duration_ms",
    "span_count",
    "error_count",
    "llm_calls",
    "cache_hits",
    *TOKENS,
    "cost_usd",
    "computed_cost_usd",
    "unknown_cost_calls",
    "saved_cost_usd",
    "models",
    "agents",
    "session_id",
    "user_id",
    "guardrail",
    "guardrail_runs",
    "blocked_runs",
    "masked_runs",
    "flagged_runs",
    "failed_runs",
    "unknown_runs",
)
SPAN_COLUMNS = (
    "span_id",
    "parent_span_id",
    "name",
    "service",
    "kind",
    "type",
    "start_time",
    "end_time",
    "duration_ms",
    "status",
    "status_message",
    "model",
    "provider",
    *TOKENS,
    "cache_write_tokens",
    "cost_usd",
    "discount_percent",
    "agent",
    "tool",
    "guardrail",
    "guardrail_mode",
    "guardrail_outcome",
    "http_status",
    "same_call_as",
    "same_call_service",
)
CONTENT_COLUMNS = ("attributes", "resource_attributes", "events")

Row = dict[str, Any]


class ExportBroken(Exception):
    """The file ended before its end, and says so; the cause is in the log."""


def export_traces(
    scope: Scope,
    wanted: TraceFilter,
    format: Format,
    *,
    spans: bool = False,
    attributes: bool = False,
    bom: bool = False,
) -> Iterator[bytes]:
    """The traces of the scope that fit the filter, the newest first, as pieces of a UTF-8 file.

    csv: a header, then a row for each trace. With `spans` a row for each of its spans follows: `record` says which a
    row is, and columns of spans (`span_…`) are empty in rows of traces and the other way round, so that a sum over a
    column counts nothing twice. Text that a spreadsheet would run as a formula begins with an apostrophe. With `bom`
    the file begins with U+FEFF: without it, Excel on Windows reads UTF-8 in the code page of the country.
    json: `{"project_id", "start_time", "end_time", "traces": [...], "trace_count", "complete"}`; jsonl: a trace in each
    line. With `spans` every trace has "spans".
    `attributes` adds attributes, resource attributes and events to the spans; without `spans` it adds nothing.

    Times are ISO 8601 in UTC with nanoseconds, durations milliseconds, costs US dollars: what is reported or, where
    nothing is, what the price book says, null or empty without either; `unknown_cost_calls` says how many calls are not
    in it, `computed_cost_usd` how much of it nobody reported.

    Raises ClickHouseError before the first piece, ExportBroken after it.
    """
    writer = _writer(format, scope, spans, attributes)
    if bom and format == "csv":
        writer = replace(writer, head=BYTE_ORDER_MARK + writer.head)
    yield from _gathered(_pieces(writer, scope, wanted, spans, attributes))


def trace_row(trace: TraceFigures) -> Row:
    """A trace as a row of TRACE_COLUMNS; costs are Decimal or None, models and agents lists."""
    row = {each.name: getattr(trace, each.name) for each in fields(trace) if each.name != "cost"}
    row |= {
        "start_time": iso_utc(trace.start_ns),
        "end_time": iso_utc(trace.end_ns),
        "duration_ms": milliseconds(trace.duration_ns),
        "cost_usd": trace.cost.known,
        "computed_cost_usd": trace.cost.computed,
        "unknown_cost_calls": trace.cost.unknown_calls,
        "saved_cost_usd": trace.cost.saved,
        "guardrail": trace.guardrail,
    }
    return {name: row[name] for name in TRACE_COLUMNS}


def span_row(span: Mapping[str, Any]) -> Row:
    """A span of queries.export as a row of SPAN_COLUMNS, and of CONTENT_COLUMNS when it has content."""
    row = dict(span) | {
        "start_time": iso_utc(span["start_ns"]),
        "end_time": iso_utc(span["end_ns"]),
        "duration_ms": milliseconds(span["end_ns"] - span["start_ns"]),
        "cost_usd": span["cost"],
        "discount_percent": span["book_discount"] or None,
    }
    if "attributes" in span:
        events = zip(span["event_times"], span["event_names"], span["event_attributes"], strict=True)
        row["events"] = [
            {"time": iso_utc(time), "name": name, "attributes": readable_values(of)} for time, name, of in events
        ]
        for name in ("attributes", "resource_attributes"):
            row[name] = readable_values(row[name])
    return {name: row[name] for name in (*SPAN_COLUMNS, *CONTENT_COLUMNS) if name in row}


def _span_row(span: Mapping[str, Any]) -> Row:
    """`span_row`; where that fails, a row that says so."""
    empty = dict.fromkeys((*SPAN_COLUMNS, *(CONTENT_COLUMNS if "attributes" in span else ())))
    return shown_or(
        lambda reason: {**empty, "span_id": span["span_id"], "status_message": reason},
        lambda: span_row(span),
        where="export",
        span_id=span["span_id"],
    )


@dataclass(frozen=True)
class _Writer:
    """How one format puts rows down. `trace(row, spans, is_first)` gives the pieces of one trace."""

    head: str
    trace: Callable[[Row, Iterable[Row], bool], Iterator[str]]
    end: Callable[[int], str]  # takes the number of traces
    broken: Callable[[int, str], str]  # … and the reason


def _pieces(writer: _Writer, scope: Scope, wanted: TraceFilter, spans: bool, attributes: bool) -> Iterator[str]:
    traces = _traces(scope, wanted)
    first_page = next(traces)  # a store that is away is an error, not a file
    yield writer.head
    written = 0
    try:
        for page in _chained(first_page, traces):
            for trace, of_trace in _with_spans(scope, page, attributes) if spans else ((each, ()) for each in page):
                yield from writer.trace(trace_row(trace), map(_span_row, of_trace), written == 0)
                written += 1
    except ClickHouseError as error:
        yield writer.broken(written, "The span store stopped answering: ask for the file again.")
        raise ExportBroken(f"export ended after {written} traces") from error
    yield writer.end(written)


def _chained(first: list[TraceFigures], others: Iterator[list[TraceFigures]]) -> Iterator[list[TraceFigures]]:
    yield first
    yield from others


def _traces(scope: Scope, wanted: TraceFilter) -> Iterator[list[TraceFigures]]:
    """Pages, at least one, maybe empty."""
    cursor = None
    while True:
        page = trace_page(scope, wanted, cursor, PAGE)
        yield page.traces
        cursor = page.next_cursor
        if cursor is None:
            return


def _with_spans(
    scope: Scope, page: list[TraceFigures], attributes: bool
) -> Iterator[tuple[TraceFigures, Iterable[Mapping[str, Any]]]]:
    for together in _groups(page):
        start, end = min(trace.start_ns for trace in together), max(trace.end_ns for trace in together)
        ids = [trace.trace_id for trace in together]
        rows = spans_of_traces(scope_of(scope.project_id, start, end), ids, attributes=attributes)
        found = groupby(rows, lambda row: row["trace_id"])
        trace_id, of_trace = next(found, ("", iter(())))
        for trace in together:
            if trace.trace_id != trace_id:  # its spans are gone (retention), its figures not yet
                yield trace, ()
                continue
            yield trace, of_trace
            trace_id, of_trace = next(found, ("", iter(())))


def _groups(traces: Iterable[TraceFigures]) -> Iterator[list[TraceFigures]]:
    group: list[TraceFigures] = []
    spans = 0
    for trace in traces:
        if group and spans + trace.span_count > TOGETHER:
            yield group
            group, spans = [], 0
        group.append(trace)
        spans += trace.span_count
    if group:
        yield group


def _gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    """Pieces of a size that is worth sending. What was written before an error goes out before it."""
    buffer: list[str] = []
    size = 0
    try:
        for piece in pieces:
            buffer.append(piece)
            size += len(piece)
            if size >= CHUNK_BYTES:
                yield "".join(buffer).encode()
                buffer, size = [], 0
    except ExportBroken:
        yield "".join(buffer).encode()
        raise
    if buffer:
        yield "".join(buffer).encode()


def _writer(format: Format, scope: Scope, spans: bool, attributes: bool) -> _Writer:
    if format == "csv":
        return _csv_writer(spans, attributes)
    if format == "jsonl":
        return _Writer(
            head="",
            trace=lambda row, of_trace, is_first: _json_trace(row, of_trace if spans else None, "", "\n"),
            end=lambda count: "",
            broken=lambda count, reason: json_text({"incomplete": True, "error": reason}) + "\n",
        )
    about = {
        "project_id": str(scope.project_id),
        "start_time": scope.start.isoformat(),
        "end_time": scope.end.isoformat(),
    }
    return _Writer(
        head=json_text(about).removesuffix("}") + ',"traces":[',
        trace=lambda row, of_trace, is_first: _json_trace(
            row, of_trace if spans else None, "\n" if is_first else ",\n", ""
        ),
        end=lambda count: f'\n],"trace_count":{count},"complete":true}}\n',
        # The comma may be behind a span or within a trace: what is open is closed by _json_trace.
        broken=lambda count, reason: f'\n],"trace_count":{count},"complete":false,"error":{json_text(reason)}}}\n',
    )


def _json_trace(row: Row, of_trace: Iterable[Row] | None, before: str, after: str) -> Iterator[str]:
    if of_trace is None:
        yield before + json_text(row) + after
        return
    yield before + json_text(row).removesuffix("}") + ',"spans":['
    try:
        for number, span in enumerate(of_trace):
            yield ("," if number else "") + json_text(span)
    except ClickHouseError:
        yield "]}" + after  # valid to the end; what follows says that it is not whole
        raise
    yield "]}" + after


def _csv_writer(spans: bool, attributes: bool) -> _Writer:
    span_columns = (*SPAN_COLUMNS, *(CONTENT_COLUMNS if attributes else ())) if spans else ()
    names = [name if "span" in name else f"span_{name}" for name in span_columns]
    head = (["record"] if spans else []) + [*TRACE_COLUMNS, *names]

    def trace(row: Row, of_trace: Iterable[Row], is_first: bool) -> Iterator[str]:
        cells = [row[name] for name in TRACE_COLUMNS]
        if not spans:
            yield csv_line(cells)
            return
        yield csv_line(["trace", *cells, *(None for _ in span_columns)])
        of_span = ["span", row["trace_id"], *(None for _ in TRACE_COLUMNS[1:])]
        for span in of_trace:
            yield csv_line([*of_span, *(span[name] for name in span_columns)])

    return _Writer(
        head=csv_line(head),
        trace=trace,
        end=lambda count: "",
        broken=lambda count, reason: csv_line(["#incomplete", reason, *(None for _ in head[2:])]),
    )
