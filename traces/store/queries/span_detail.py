"""One span with everything that was sent of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.figures import Cost
from traces.store.schema.rates import priced_in_parts
from traces.store.values.readable import readable_values

from .settled import settled, verdicts_of
from .shown import FINAL_FIRST, OUTCOME, OUTCOME_OF_MANY

DIFFERS = Decimal("0.05")


def percent(said: float) -> Decimal:
    """As it was written into the book."""
    return Decimal(str(said)).normalize()


@dataclass(frozen=True)
class Event:
    """Something that happened in a span; an exception is one, with exception.* attributes."""

    time_ns: int
    name: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Link:
    """Another span, maybe of another trace, that this one has to do with."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class SpanDetail:
    """All columns of a span. Times are nanoseconds since 1970, UTC; attribute values are text."""

    trace_id: str
    span_id: str
    parent_span_id: str
    trace_state: str
    name: str
    kind: str
    service: str
    scope_name: str
    scope_version: str
    start_ns: int
    end_ns: int
    duration_ns: int
    status: str
    status_message: str
    attributes: dict[str, str]
    resource: dict[str, str]
    events: list[Event]
    links: list[Link]
    type: str
    is_llm_call: bool
    model: str
    requested_model: str
    provider: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    reported_cost: Decimal | None
    computed_cost: Decimal | None
    book_cost: Decimal | None  # what the price book says of a call, whatever was reported of it
    book_prompt_cost: Decimal | None  # how much of that is for its input
    book_discount: float  # per cent that the computed cost is lower by
    session_id: str
    user_id: str
    agent_name: str
    tool_name: str
    guardrail_name: str
    guardrail_mode: str
    guardrail_outcome: str
    http_status: int
    cache_hit: bool
    # A layer of another span's call, and by which rule (traces/store/calls/layers.py): it counts for nothing.
    same_call_as: str = ""
    same_call_trace: str = ""  # where that is another one
    same_call_why: str = ""
    same_call_service: str = ""  # that tells the same calls, where this span's service is left out

    @property
    def is_error(self) -> bool:
        return self.status == "Error"

    @property
    def cost(self) -> Cost:
        """What this span adds to the cost of its trace."""
        unknown = self.is_llm_call and self.reported_cost is None and self.computed_cost is None
        if self.cache_hit:
            return Cost(Decimal(0), 0, self.reported_cost)
        is_lower = self.computed_cost is not None and self.book_discount > 0
        discounts = (percent(self.book_discount),) if is_lower else ()
        return Cost(self.reported_cost, int(unknown), computed=self.computed_cost, discounts=discounts)

    @property
    def book_differs(self) -> bool:
        """The price book says a cost that is far from the reported one: another model answered than the price was for,
        or one of the two prices is wrong."""
        if self.reported_cost is None or self.book_cost is None:
            return False
        return abs(self.reported_cost - self.book_cost) > DIFFERS * max(self.reported_cost, self.book_cost)


_TYPED = """
    is_llm_call, model, requested_model, provider, input_tokens, output_tokens, cached_input_tokens, cache_write_tokens,
    reasoning_tokens, total_tokens, reported_cost, computed_cost, book_cost, book_prompt_cost, book_discount,
    session_id, user_id, agent_name, tool_name, guardrail_name, guardrail_mode, http_status, cache_hit
"""
_TOLD = f"{OUTCOME} AS guardrail_outcome"
_HEAD = """
    TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id, TraceState AS trace_state,
    SpanName AS name, SpanKind AS kind, ServiceName AS service, ScopeName AS scope_name,
    ScopeVersion AS scope_version, toUnixTimestamp64Nano(Timestamp) AS start_ns,
    toUnixTimestamp64Nano(end_timestamp) AS end_ns, Duration AS duration_ns, StatusCode AS status,
    if(StatusMessage = '', SpanAttributes['agentops.legacy.end_state_reason'], StatusMessage) AS status_message,
    span_type AS type
"""
_CONTENT = {
    "attributes": "SpanAttributes",
    "resource": "ResourceAttributes",
    "event_times": "arrayMap(time -> toUnixTimestamp64Nano(time), `Events.Timestamp`)",
    "event_names": "`Events.Name`",
    "event_attributes": "`Events.Attributes`",
    "link_traces": "`Links.TraceId`",
    "link_spans": "`Links.SpanId`",
    "link_states": "`Links.TraceState`",
    "link_attributes": "`Links.Attributes`",
}
# What `detail_of` makes a SpanDetail of; and the same with nothing of what was said, which is most of a span.
# Both need the parameter {trace_id}, COLUMNS_OF_ONE does not: of what other spans say it tells nothing.
_ALL = [_HEAD, _TYPED, *(f"{column} AS {name}" for name, column in _CONTENT.items())]
COLUMNS = ", ".join([*_ALL, _TOLD])
COLUMNS_OF_ONE = ", ".join([*_ALL, "guardrail_outcome"])
# Of spans of several traces ({trace_ids}), what was said in them: attributes that are longer together than {most_bytes}
# are left out, and so are events.
_FITTING = {
    name: f"if(byteSize({column}) > {{most_bytes:UInt64}}, {none}, {_CONTENT[name]})"
    for name, column, none in (
        ("attributes", "SpanAttributes", "map()"),
        *((name, "`Events.Attributes`", "[]") for name in ("event_times", "event_names", "event_attributes")),
    )
}
_NOT_SAID = {
    "resource": "map()",
    **dict.fromkeys(("link_traces", "link_spans", "link_states", "link_attributes"), "[]"),
}
COLUMNS_OF_MANY = ", ".join(
    [
        _HEAD,
        _TYPED,
        f"{OUTCOME_OF_MANY} AS guardrail_outcome",
        *(f"{sql} AS {name}" for name, sql in {**_FITTING, **_NOT_SAID}.items()),
    ]
)
COLUMNS_WITHOUT_CONTENT = ", ".join(
    [
        _HEAD,
        _TYPED,
        _TOLD,
        *(f"{'map()' if name in ('attributes', 'resource') else '[]'} AS {name}" for name in _CONTENT),
    ]
)


def span_detail(scope: Scope, trace_id: str, span_id: str) -> SpanDetail | None:
    """One span of a trace; the earliest when an exporter used an id twice; None when there is none."""
    rows = select(
        priced_in_parts(f"""
        SELECT {COLUMNS}
        FROM otel_traces
        WHERE project_id = {{project_id:String}}
            AND Timestamp >= {{start:DateTime64(9)}} AND Timestamp < {{end:DateTime64(9)}}
            AND TraceId = {{trace_id:String}} AND SpanId = {{span_id:String}}
        {FINAL_FIRST}
        LIMIT 1
        """),
        name="span_detail.span",
        scope=scope,
        parameters={"trace_id": trace_id, "span_id": span_id},
    )
    found = settled(map(detail_of, rows), verdicts_of(scope, [trace_id]) if rows else {})
    return found[0] if found else None


def detail_of(row: dict[str, Any]) -> SpanDetail:
    """From a row of COLUMNS. Values that are JSON come with letters for escapes: people read them at every door."""
    events = zip(row.pop("event_times"), row.pop("event_names"), row.pop("event_attributes"), strict=True)
    links = zip(
        row.pop("link_traces"),
        row.pop("link_spans"),
        row.pop("link_states"),
        row.pop("link_attributes"),
        strict=True,
    )
    for name in ("attributes", "resource"):
        row[name] = readable_values(row[name])
    return SpanDetail(
        **row,
        events=[Event(time, name, readable_values(of)) for time, name, of in events],
        links=[Link(trace, span, state, readable_values(of)) for trace, span, state, of in links],
    )
