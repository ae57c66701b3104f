"""search_traces and get_trace."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from agentops_portal import formats
from agentops_portal.clickhouse.gate import Scope
from agentops_portal.formats import cut
from traces.converters import stored_trace_id
from traces.reading.tree import Node, span_tree
from traces.reading.waterfall import PLUMBING
from traces.store.figures import TraceFigures
from traces.store.queries import trace_detail as detail
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import Cursor, Totals, totals, trace_page

from .ranges import RangeParameters
from .results import Cost, TimeRange, Tokens, cost_text, counted, moment, rounded_ms, trace_url
from .tool import Answer, Exact, Fault, Parameters, Text, Tool

MAX_NAME = 200
MAX_NAMES = 20  # models or agents of one trace


class SearchParameters(RangeParameters):
    text: Text = Field("", description="Part of a span's name or a tag, in any case, or of the trace id.")
    status: Literal["", "ok", "error"] = Field("", description="error: the request failed as a whole.")
    model: Exact = Field("", description="Exact name of a model that the trace called.")
    llm_only: bool = Field(False, description="Only traces with an LLM call.")
    has_errors: bool | None = Field(None, description="true: with failed spans, whatever the status; false: without.")
    service: Exact = Field("", description="Exact name of the root's service.")
    agent: Exact = Field("", description="Exact name of an agent in the trace.")
    user: Exact = Field("", description="Exact user id.")
    session: Exact = Field("", description="Exact session id.")
    tag: Exact = Field("", description="Exact tag.")
    guardrail: Literal["", "allowed", "masked", "flagged", "blocked", "failed", "unknown"] = Field(
        "", description="Outcome of at least one guardrail run."
    )
    min_duration_ms: float | None = Field(None, ge=0, le=1e12, allow_inf_nan=False)
    min_cost_usd: Decimal | None = Field(None, ge=0, le=10**9, description="Of the known cost.")
    limit: int = Field(20, ge=1, le=100, description="Traces in the answer.")
    cursor: Text = Field("", description="`next_cursor` of the answer before, with the same other parameters.")

    def filters(self) -> TraceFilter:
        shortest = self.min_duration_ms
        return TraceFilter(
            text=self.text,
            status=self.status,
            model=self.model,
            llm_only=self.llm_only,
            has_errors=self.has_errors,
            service=self.service,
            agent=self.agent,
            user=self.user,
            session=self.session,
            tag=self.tag,
            guardrail=self.guardrail,
            min_duration_ns=None if shortest is None else round(shortest * formats.MS),
            min_cost=self.min_cost_usd,
        )

    def after(self) -> Cursor | None:
        try:
            return Cursor.parse(self.cursor) if self.cursor else None
        except ValueError:
            raise Fault("cursor: This names no page: take `next_cursor` of the answer before.") from None


class TraceItem(BaseModel):
    trace_id: str
    name: str
    service: str
    status: str = Field(description="ok or error: of the whole request; failed spans may be in a trace that is ok.")
    start: datetime
    duration_ms: float
    span_count: int
    error_count: int = Field(description="Spans that failed.")
    llm_calls: int
    tokens: Tokens
    cost: Cost
    models: list[str]
    agents: list[str]
    session_id: str
    user_id: str
    tags: list[str]
    guardrail: str = Field(description="Gravest outcome of its guardrail runs; empty when none ran.")
    url: str = Field(description="The page of the trace, for people.")

    @classmethod
    def of(cls, project_id: UUID, trace: TraceFigures) -> "TraceItem":
        return cls(
            trace_id=trace.trace_id,
            name=cut(trace.name, MAX_NAME),
            service=cut(trace.service, MAX_NAME),
            status=trace.status,
            start=moment(trace.start_ns),
            duration_ms=rounded_ms(trace.duration_ns),
            span_count=trace.span_count,
            error_count=trace.error_count,
            llm_calls=trace.llm_calls,
            tokens=Tokens(
                input=trace.input_tokens,
                output=trace.output_tokens,
                cached_input=trace.cached_input_tokens,
                reasoning=trace.reasoning_tokens,
                total=trace.total_tokens,
            ),
            cost=Cost.of(trace.cost),
            models=[cut(name, MAX_NAME) for name in trace.models[:MAX_NAMES]],
            agents=[cut(name, MAX_NAME) for name in trace.agents[:MAX_NAMES]],
            session_id=cut(trace.session_id, MAX_NAME),
            user_id=cut(trace.user_id, MAX_NAME),
            tags=[cut(tag, MAX_NAME) for tag in trace.tags],
            guardrail=trace.guardrail,
            url=trace_url(project_id, trace.trace_id),
        )


class TraceTotals(BaseModel):
    """Over every trace that fits, not only those of this answer."""

    traces: int
    error_traces: int
    spans: int
    llm_calls: int
    total_tokens: int
    cost: Cost

    @classmethod
    def of(cls, sums: Totals) -> "TraceTotals":
        return cls(
            traces=sums.traces,
            error_traces=sums.error_traces,
            spans=sums.spans,
            llm_calls=sums.llm_calls,
            total_tokens=sums.total_tokens,
            cost=Cost.of(sums.cost),
        )


class FoundTraces(BaseModel):
    range: TimeRange = Field(description="Traces that overlap it.")
    totals: TraceTotals
    traces: list[TraceItem] = Field(description="The newest first.")
    next_cursor: str = Field(description="Give it as `cursor` for older ones; empty when there are none.")


def search_traces(project_id: UUID, wanted: SearchParameters) -> Answer:
    scope = wanted.scope(project_id)
    filters = wanted.filters()
    page = trace_page(scope, filters, wanted.after(), wanted.limit)
    sums = totals(scope, filters)
    found = FoundTraces(
        range=TimeRange.of(scope),
        totals=TraceTotals.of(sums),
        traces=[TraceItem.of(project_id, trace) for trace in page.traces],
        next_cursor=str(page.next_cursor or ""),
    )
    lines = [
        f"{counted(sums.traces, 'trace')} from {found.range}, {formats.count(sums.error_traces)} failed; "
        f"{counted(sums.llm_calls, 'LLM call')}, {counted(sums.total_tokens, 'token')}, {cost_text(sums.cost)}.",
        *(_line(trace) for trace in page.traces),
    ]
    if found.next_cursor:
        lines.append(f"Older ones: cursor={found.next_cursor}")
    return Answer(found, "\n".join(lines))


def _line(trace: TraceFigures) -> str:
    start = moment(trace.start_ns).isoformat(timespec="milliseconds")
    facts = [formats.duration(trace.duration_ns), counted(trace.span_count, "span")]
    if trace.error_count:
        facts.append(f"{trace.error_count} failed")
    if trace.llm_calls:
        facts += [counted(trace.llm_calls, "LLM call"), *trace.models[:3]]
        facts += [counted(trace.total_tokens, "token"), cost_text(trace.cost)]
    if trace.guardrail:
        facts.append(f"guardrail {trace.guardrail}")
    if trace.tags:
        facts.append(f"tags {', '.join(cut(tag, 40) for tag in trace.tags[:5])}")
    return f"{trace.trace_id} {start} {trace.status} {cut(trace.name, 80)!r}: {', '.join(facts)}"


class TraceParameters(Parameters):
    trace_id: Text = Field(description="32 hexadecimal digits, dashes allowed.")
    show: Literal["all", "key", "errors"] = Field(
        "all", description="key: without HTTP and other plumbing; errors: only spans that failed."
    )
    limit: int = Field(100, ge=1, le=500, description="Spans in the answer.")
    offset: int = Field(0, ge=0, le=100_000, description="Spans to leave out at the begin, for the next part.")


class SpanItem(BaseModel):
    span_id: str
    parent_span_id: str = Field(description="Empty for the root.")
    depth: int = Field(description="0 for the root and for spans whose parent never arrived.")
    type: str
    name: str
    status: str = Field(description="Ok, Error, or Unset: nothing was said, which usually means well.")
    status_message: str
    start_offset_ms: float = Field(description="From the start of the trace.")
    duration_ms: float
    model: str
    total_tokens: int
    cost_usd: float | None = Field(description="null when the span has none or it is unknown.")
    tool: str
    agent: str
    guardrail: str = Field(description="Name, mode and outcome; empty when the span is no guardrail.")
    http_status: int = Field(description="0 when the span has none.")


class TraceDetail(BaseModel):
    trace: TraceItem
    spans: list[SpanItem] = Field(description="In the order of the tree: each span is followed by its children.")
    matching_spans: int = Field(description="How many spans `show` leaves of the trace.")
    unread_spans: int = Field(description="Spans of a very large trace that were not looked at: the latest ones.")
    next_offset: int | None = Field(description="Give it as `offset` for more; null when these were the last.")


def get_trace(project_id: UUID, wanted: TraceParameters) -> Answer:
    trace_id, scope = find_trace(project_id, wanted.trace_id)
    figures = detail.trace_figures(scope, trace_id)
    if figures is None:
        raise Fault("trace_id: The spans of this trace are gone: they were older than the project keeps them.")
    spans = detail.spans(scope, trace_id)
    nodes = [node for node in span_tree(spans) if _is_wanted(node, wanted.show)]
    shown = nodes[wanted.offset : wanted.offset + wanted.limit]
    following = wanted.offset + len(shown)
    result = TraceDetail(
        trace=TraceItem.of(project_id, figures),
        spans=[_span_item(node, figures.start_ns) for node in shown],
        matching_spans=len(nodes),
        unread_spans=max(figures.span_count - len(spans), 0),
        next_offset=following if shown and following < len(nodes) else None,
    )
    lines = [_line(figures), *map(_span_line, result.spans)]
    if result.next_offset is not None:
        lines.append(f"{len(nodes) - following} more: offset={result.next_offset}")
    if result.unread_spans:
        lines.append(f"The latest {counted(result.unread_spans, 'span')} of this trace were not looked at.")
    return Answer(result, "\n".join(lines))


def find_trace(project_id: UUID, text: str) -> tuple[str, Scope]:
    """The id as it is stored, and when the trace was. Raises Fault when the project has no such trace."""
    try:
        trace_id = stored_trace_id(text)
    except ValueError:
        raise Fault("trace_id: A trace id is 32 hexadecimal digits.") from None
    scope = detail.trace_scope(project_id, trace_id)
    if scope is None:
        raise Fault("trace_id: There is no such trace in this project.")
    return trace_id, scope


def _is_wanted(node: Node, show: str) -> bool:
    if show == "errors":
        return node.span.is_error
    return show == "all" or node.span.type not in PLUMBING or node.span.is_error or node.depth == 0


def _span_item(node: Node, start_ns: int) -> SpanItem:
    span = node.span
    guardrail = " ".join(filter(None, (span.guardrail_name, span.guardrail_mode, span.guardrail_outcome)))
    return SpanItem(
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        depth=node.depth,
        type=span.type,
        name=cut(span.name, MAX_NAME),
        status=span.status,
        status_message=span.status_message,
        start_offset_ms=rounded_ms(span.start_ns - start_ns),
        duration_ms=rounded_ms(span.duration_ns),
        model=cut(span.model, MAX_NAME),
        total_tokens=span.total_tokens,
        cost_usd=None if span.cost is None else float(span.cost),
        tool=cut(span.tool_name, MAX_NAME),
        agent=cut(span.agent_name, MAX_NAME),
        guardrail=cut(guardrail, MAX_NAME),
        http_status=span.http_status,
    )


def _span_line(span: SpanItem) -> str:
    facts = [f"+{span.start_offset_ms:g} ms", f"{span.duration_ms:g} ms"]
    facts += [text for text in (span.model, span.tool and f"tool {span.tool}", span.guardrail) if text]
    if span.total_tokens:
        facts.append(counted(span.total_tokens, "token"))
    if span.cost_usd is not None:
        facts.append(f"${span.cost_usd:g}")
    if span.status == "Error":
        facts.append(f"FAILED {cut(span.status_message, 120)}".rstrip())
    return f"{'  ' * min(span.depth, 12)}{span.span_id} {span.type} {cut(span.name, 80)!r}: {', '.join(facts)}"


SEARCH_TRACES = Tool(
    "search_traces",
    "Search traces",
    "Lists traces (requests or agent runs) of the project that overlap a time range, the newest first, with their "
    "status, duration, LLM calls, tokens and cost, and totals over all that fit. Use status=error to find failures, "
    "text to find a name, llm_only to leave out what called no model.",
    SearchParameters,
    FoundTraces,
    search_traces,
)
GET_TRACE = Tool(
    "get_trace",
    "Get a trace",
    "One trace with its figures and its spans as a tree: type, duration, model, tokens, cost, tool, guardrail, error. "
    "Prompts, answers and other attributes are not in it: get_span has them. show=errors leaves only failed spans.",
    TraceParameters,
    TraceDetail,
    get_trace,
)
