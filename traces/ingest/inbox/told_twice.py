"""Calls that a client tells twice, as a log record and as a span of its trace: they count once.

Claude Code does when its logs and its traces are both on. A record's call waits for its trace for a moment
(`not_before` of an entry). When the trace tells the call by then, the record's span stays as what the log says of it,
cost included, and is no call: `portal.same_call_as` names the one that is. Otherwise it is the call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from clickhouse_connect.driver.exceptions import Error

from agentops_portal.clickhouse.client import get_client
from traces.ingest.otlp.messages import TraceRequest, item_lists
from traces.store.dialects.base import attribute
from traces.store.queries.span_children import LOG_EVENT
from traces.store.schema.tables import SPANS

from .table import Entry, unavailable

SAME_CALL = b"portal.same_call_as"
# Before the names of what would make the span a call.
_TOLD = b"portal.told."
_CONVENTION = b"gen_ai."
_RESPONSE, _INPUT, _OUTPUT = b"gen_ai.response.id", b"gen_ai.usage.input_tokens", b"gen_ai.usage.output_tokens"
_AROUND_NS = 600 * 10**9  # how far the starts of the two may lie apart
_MOST = 100_000  # calls of traces
_LAST_NS = 2**63 - 1


Place = tuple[str, str, int, int]


class Call(NamedTuple):
    """Of a trace; ids are hexadecimal."""

    trace_id: str
    span_id: str
    response_id: str
    place: Place  # trace, parent, tokens in and out


class Calls:
    """What traces tell. Each is found once."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_response: dict[tuple[str, str], Call] = {}
        self._by_place: dict[Place, list[Call]] = defaultdict(list)
        self._nameless: dict[Place, list[Call]] = defaultdict(list)
        self._taken: set[str] = set()
        for call in calls:
            if call.response_id:
                self._by_response[call.trace_id, call.response_id] = call
            else:
                self._nameless[call.place].append(call)
            self._by_place[call.place].append(call)

    def take(self, wanted: Call) -> Call | None:
        """The same call: of the same answer by its id or, where one has none, with the same parent and tokens."""
        found = self._by_response.pop((wanted.trace_id, wanted.response_id), None)
        if found is None:
            known = (self._nameless if wanted.response_id else self._by_place)[wanted.place]
            while known and found is None:
                call = known.pop()
                found = call if call.span_id not in self._taken else None
        if found is not None:
            self._taken.add(found.span_id)
        return found


def leave_calls_to_traces(entries: Iterable[Entry]) -> None:
    """Make those calls of entries that log records tell no calls which their trace tells. Raises Unavailable."""
    for entry in entries:
        message = TraceRequest.FromString(entry.body)
        spans = [span for spans in item_lists(message) for span in spans if _is_doubtful(span, entry)]
        if not spans:
            continue
        told = Calls(_calls_of_traces(entry, spans))
        twins = [(span, twin) for span in spans if (twin := told.take(_call(span)))]
        for span, twin in twins:
            _make_detail(span, twin)
        if twins:
            entry.body = message.SerializeToString()


def _is_doubtful(span: Any, entry: Entry) -> bool:
    # When storing is tried again, some are settled.
    is_settled = any(pair.key == SAME_CALL for pair in span.attributes)
    return span.trace_id + span.span_id in entry.doubtful and not is_settled


def _call(span: Any) -> Call:
    """What a log record tells."""
    values = {pair.key: pair.value for pair in span.attributes if pair.key in (_RESPONSE, _INPUT, _OUTPUT)}
    tokens = [values[name].int_value if name in values else 0 for name in (_INPUT, _OUTPUT)]
    response_id = values[_RESPONSE].string_value.decode("utf-8", "replace") if _RESPONSE in values else ""
    trace_id = span.trace_id.hex()
    return Call(trace_id, span.span_id.hex(), response_id, (trace_id, span.parent_span_id.hex(), tokens[0], tokens[1]))


def _make_detail(span: Any, twin: Call) -> None:
    for pair in span.attributes:
        if pair.key.startswith(_CONVENTION):
            pair.key = _TOLD + pair.key
    span.attributes.add(key=SAME_CALL).value.string_value = twin.span_id.encode()


def _calls_of_traces(entry: Entry, spans: list[Any]) -> Iterator[Call]:
    """The calls of the same traces that no log record told, the last first."""
    try:
        rows = (
            get_client()
            .query(
                f"""
            SELECT TraceId, SpanId, ParentSpanId, {attribute("gen_ai.response.id")}, input_tokens, output_tokens
            FROM {SPANS}
            WHERE project_id = {{project:String}} AND TraceId IN {{traces:Array(String)}} AND is_llm_call
                AND Timestamp >= fromUnixTimestamp64Nano({{first:Int64}})
                AND Timestamp <= fromUnixTimestamp64Nano({{last:Int64}})
                AND {attribute(LOG_EVENT)} = ''
            ORDER BY Timestamp DESC, SpanId
            LIMIT {{limit:UInt32}}
            SETTINGS log_comment = 'otlp.calls_of_traces'
            """,
                parameters={
                    "project": str(entry.project_id),
                    "traces": sorted({span.trace_id.hex() for span in spans}),
                    "first": max(min(span.start_time_unix_nano for span in spans) - _AROUND_NS, 0),
                    "last": min(max(span.start_time_unix_nano for span in spans) + _AROUND_NS, _LAST_NS),
                    "limit": _MOST,
                },
            )
            .result_rows
        )
    except Error as error:
        raise unavailable(error) from error
    for trace_id, span_id, parent_id, response_id, *tokens in rows:
        yield Call(trace_id, span_id, response_id, (trace_id, parent_id, *tokens))
