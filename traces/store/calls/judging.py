"""Writes down what traces make of their calls: the rules are in layers.py, what comes of them stands in `span_verdicts`
(traces/store/schema/verdicts.py).

Whoever stores spans has their traces judged. A trace is judged by all of its spans that are stored, and what it said
before is taken back, so it does not matter in which order they come or how often this is done; only two must not do it
at the same time. Most traces have one call and no agent, and are not read at all.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import structlog
from clickhouse_connect.driver.client import Client
from django.db import connection, transaction

from agentops_portal.units import NS_OF_DAY
from traces.store.dialects.base import attribute
from traces.store.rollups.rollup import midnight, units_since_1970
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import OF_CALLS, SPAN_COLUMNS, VERDICTS

from .layers import Seen, Verdict, verdicts

log = structlog.get_logger(__name__)
Say = Callable[[str], None]

LOCK = 0x0071_CA11  # of pg_advisory_xact_lock: whoever holds it judges
# A trace of more spans is left as it was when it had fewer: it would be read anew with each that comes.
MOST_SPANS = 100_000
# Spans that are held at once, but for a trace that has more.
SPANS_AT_ONCE = 50_000
# How long before they could be read spans may have been received.
OVERLAP_MS = 2_000
# What a receiver looks at when it starts: one that was killed may have stored spans and not judged their traces.
FIRST_LOOK_MS = 600_000
OTHERS_DAYS = 2  # as the repair at night, which has these judged

_TIMES = ("Timestamp", "end_timestamp")
_COLUMNS = ", ".join(f"toUnixTimestamp64Nano({name})" if name in _TIMES else name for name in SPAN_COLUMNS)
_SOME = """
    project_id IN {projects:Array(String)} AND TraceId IN {traces:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({first:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({last:Int64})
"""
_DAY = units_since_1970("Timestamp", NS_OF_DAY)
# Calls of one trace that may be one, or one call and an agent that may have made it.
_WORTH_IT = """
    sum(verdicts) > 0 OR sum(done_calls) + sum(failed_calls) > 1
    OR (sum(done_calls) + sum(failed_calls) = 1 AND groupUniqArrayArray(agent_names) NOT IN ([], ['']))
"""
_RECEIVED = f"""
    SELECT toString(project_id), trace_id, toUnixTimestamp64Nano(min(started)), toUnixTimestamp64Nano(max(ended)),
        sum(spans)
    FROM {TRACE_SUMMARIES.table}
    WHERE (project_id, day, trace_hash) GLOBAL IN (
        SELECT DISTINCT project_id, toInt32({_DAY} + arrayJoin([-1, 0, 1])), cityHash64(TraceId) FROM {SPANS}
        WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}) AND TraceId != ''
    )
    GROUP BY project_id, trace_id HAVING {_WORTH_IT}
"""
_OF_DAY = f"""
    SELECT project_id, TraceId, toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)), count()
    FROM {SPANS}
    WHERE Timestamp >= {midnight("{day:Int32}")} AND Timestamp < {midnight("{day:Int32} + 1")} AND TraceId != ''
    GROUP BY project_id, TraceId
    HAVING countIf(is_llm_call) > 1 OR (countIf(is_llm_call) = 1 AND countIf(span_type = 'agent') > 0)
"""


@dataclass(frozen=True)
class Trace:
    """Which spans to read; first_ns, last_ns: between which nanoseconds since 1970 they start."""

    project_id: str
    trace_id: str
    first_ns: int
    last_ns: int
    spans: int


@dataclass(frozen=True)
class Held:
    """What counts of a span: the columns of a span (SPAN_COLUMNS), and why."""

    columns: tuple[Any, ...]
    same_as: str = ""
    why: str = ""
    version: int = 0


def judge_received(client: Client, since_ms: int | None) -> int:
    """Judge the traces of which spans were received since that millisecond of ClickHouse's clock, or lately.

    Gives the millisecond from which the next look must go on. Raises clickhouse_connect's Error.
    """
    now = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0]
    since = now - FIRST_LOOK_MS if since_ms is None else since_ms
    judge(client, _traces(client, _RECEIVED, since=since))
    return int(now) - OVERLAP_MS


def judge_day(client: Client, day: int) -> int:
    """Judge all traces that have spans on a day since 1970, UTC; gives how many spans it says something new of."""
    found = _traces(client, _OF_DAY, day=day)
    # Some cross midnight.
    return judge(
        client, (replace(each, first_ns=each.first_ns - NS_OF_DAY, last_ns=each.last_ns + NS_OF_DAY) for each in found)
    )


def judge_stored(client: Client, say: Say) -> int:
    """Judge everything, the newest day first; gives how many spans it says something new of."""
    days = [
        day
        for (day,) in client.query(f"SELECT DISTINCT toInt32({_DAY}) AS day FROM {SPANS} ORDER BY day DESC").result_rows
    ]
    changed = 0
    for day in days:
        with alone():
            changed += judge_day(client, day)
    if changed:
        say(f"{VERDICTS}: {changed} spans of {len(days)} days tell calls that others tell, or have an agent above them")
    return changed


def judge_what_others_stored(client: Client) -> int:
    """Judge the days of which spans were written lately by others than receivers: a Collector, a copy of old rows."""
    found = client.query(
        f"SELECT DISTINCT toInt32({_DAY}) FROM {SPANS} "
        f"WHERE received_at > now64(3) - toIntervalDay({OTHERS_DAYS}) AND request_digest = toFixedString('', 16)"
    )
    changed = 0
    for (day,) in found.result_rows:
        with alone():
            changed += judge_day(client, day)
    return changed


@contextmanager
def alone() -> Iterator[None]:
    """While nobody else judges, in whatever process. Raises django.db.Error."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield


def judge(client: Client, traces: Iterable[Trace]) -> int:
    """Judge these traces; gives how many spans it says something new of."""
    changed = 0
    for some in _portions(traces):
        rows = [row for spans, held in _read(client, some) for row in _changes(spans, held)]
        if rows:
            client.insert(VERDICTS, rows, column_names=[*SPAN_COLUMNS, "sign", "version", "same_as", "why"])
        changed += len(rows) // 2
    return changed


def _traces(client: Client, sql: str, **parameters: int) -> list[Trace]:
    found = [Trace(*row) for row in client.query(sql, parameters=parameters).result_rows]
    for trace in found:
        if trace.spans > MOST_SPANS:
            log.warning("a trace has too many spans to be judged", trace_id=trace.trace_id, spans=trace.spans)
    return sorted(
        (trace for trace in found if trace.spans <= MOST_SPANS), key=lambda each: (each.project_id, each.first_ns)
    )


def _portions(traces: Iterable[Trace]) -> Iterator[list[Trace]]:
    some: list[Trace] = []
    spans = 0
    for trace in traces:
        if some and spans + trace.spans > SPANS_AT_ONCE:
            yield some
            some, spans = [], 0
        some.append(trace)
        spans += trace.spans
    if some:
        yield some


def _read(client: Client, traces: Collection[Trace]) -> Iterator[tuple[list[tuple[Any, ...]], Mapping[str, Held]]]:
    """Of each trace its spans and, by their ids, what it says of them already."""
    parameters = {
        "projects": sorted({trace.project_id for trace in traces}),
        "traces": sorted({trace.trace_id for trace in traces}),
        "first": max(min(trace.first_ns for trace in traces), 0),
        "last": min(max(trace.last_ns for trace in traces), 2**63 - 1),
    }
    wanted = {(trace.project_id, trace.trace_id) for trace in traces}
    held: dict[tuple[str, str], dict[str, Held]] = defaultdict(dict)
    told = client.query(
        f"SELECT {_COLUMNS}, same_as, why, version FROM {VERDICTS} WHERE {_SOME} AND sign = 1 ORDER BY version",
        parameters=parameters,
    )
    for *columns, same_as, why, version in told.result_rows:
        held[columns[_PROJECT], columns[_TRACE]][columns[_SPAN]] = Held(tuple(columns), same_as, why, version)
    spans = client.query(
        f"SELECT {_COLUMNS}, {attribute('gen_ai.response.id')} FROM {SPANS} WHERE {_SOME} AND NOT is_pending "
        "ORDER BY project_id, TraceId",
        parameters=parameters,
    )
    for key, rows in groupby(spans.result_rows, key=itemgetter(_PROJECT, _TRACE)):
        if key in wanted:
            yield [tuple(row) for row in rows], held[key]


_PROJECT, _TRACE, _SPAN = (SPAN_COLUMNS.index(name) for name in ("project_id", "TraceId", "SpanId"))


def _changes(spans: Iterable[tuple[Any, ...]], held: Mapping[str, Held]) -> Iterator[tuple[Any, ...]]:
    """Rows that take back what counts and say what is to count, for spans where the two differ."""
    by_id = {span[_SPAN]: span for span in spans}
    said = verdicts(map(_seen, by_id.values()))
    for span_id in said.keys() | held.keys():
        span = by_id.get(span_id)
        if span is None:
            continue
        before = held.get(span_id, Held(span[:-1]))
        columns, same_as, why = _counting(span[:-1], said.get(span_id, Verdict()))
        if (columns, same_as, why) != (before.columns, before.same_as, before.why):
            yield (*before.columns, -1, before.version, before.same_as, before.why)
            yield (*columns, 1, before.version + 1, same_as, why)


def _counting(columns: tuple[Any, ...], verdict: Verdict) -> tuple[tuple[Any, ...], str, str]:
    counting = dict(zip(SPAN_COLUMNS, columns, strict=True))
    if verdict.agent:
        counting["agent_name"] = verdict.agent
    if verdict.same_as:
        counting |= OF_CALLS
    return tuple(counting.values()), verdict.same_as, verdict.why


def _seen(span: tuple[Any, ...]) -> Seen:
    *columns, response_id = span
    told = dict(zip(SPAN_COLUMNS, columns, strict=True))
    return Seen(
        span_id=told["SpanId"],
        parent_id=told["ParentSpanId"],
        start_ns=told["Timestamp"],
        end_ns=told["end_timestamp"],
        type=told["span_type"],
        is_call=told["is_llm_call"],
        model=told["model"],
        response_id=response_id,
        tokens=told["total_tokens"],
        priced=told["reported_cost"] is not None,
        failed=told["StatusCode"] == "Error",
        cached=told["cache_hit"],
        agent=told["agent_name"],
    )
