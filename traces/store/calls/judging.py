"""Writes down what traces make of their calls: the rules are in layers.py, what comes of them stands in `span_verdicts`
(traces/store/schema/verdicts.py).

Whoever stores spans has their traces judged. A trace is judged by all of its spans that are stored, and what it said
before is taken back, so it does not matter in which order they come or how often this is done; only two must not do it
at the same time. Most traces have one call and no agent, and are not read at all.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client
from django.db import connection, transaction

from traces.store.dialects.base import attribute
from traces.store.dialects.model_names import undated
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import LEFT_OUT, OF_CALLS, SPAN_COLUMNS, VERDICTS

from .finding import (
    DAY,
    OF_TRACES,
    RESPONSE_ID,
    TRACES_AT_ONCE,
    Memory,
    Trace,
    of_day,
    parameters_of,
    received,
    together,
)
from .layers import Seen, Verdict, verdicts
from .records import left_out

Say = Callable[[str], None]
Unheard = Mapping[str, Mapping[str, str]]  # see records.left_out

LOCK = 0x0071_CA11  # of pg_advisory_xact_lock: whoever holds it judges
# What is asked for and held at once, but for traces that have more spans and must be judged together.
SPANS_AT_ONCE = 50_000
# What a receiver looks at when it starts: one that was killed may have stored spans and not judged their traces.
FIRST_LOOK_MS = 600_000
OTHERS_DAYS = 2  # as the repair at night, which has these judged

_TIMES = ("Timestamp", "end_timestamp")
_COLUMNS = ", ".join(f"toUnixTimestamp64Nano({name})" if name in _TIMES else name for name in SPAN_COLUMNS)
_BESIDE = f"{attribute(RESPONSE_ID)}, ScopeName, {undated('model')}"
_REASONS = ("same_as", "same_trace", "why")


@dataclass(frozen=True)
class Held:
    """What counts of a span: the columns of a span (SPAN_COLUMNS); reason: by _REASONS."""

    columns: tuple[Any, ...]
    reason: tuple[str, ...] = ("", "", "")
    version: int = 0


def judge_received(client: Client, since_ms: int | None, memory: Memory) -> int:
    """Judge the traces of which spans were received since that millisecond of ClickHouse's clock, or lately.

    Gives the millisecond from which the next look must go on: what was stored before it had ended when this one began.
    Raises clickhouse_connect's Error.
    """
    if since_ms is None:
        since_ms = int(client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0]) - FIRST_LOOK_MS
    unheard = left_out()
    traces, several, now_ms = received(client, since_ms, memory, unheard)
    judge(client, traces, several, unheard)
    return now_ms


def judge_stored(client: Client, say: Say) -> int:
    """Judge everything, the newest day first; gives how many spans it says something new of."""
    days = client.query(f"SELECT DISTINCT toInt32({DAY}) AS day FROM {SPANS} ORDER BY day DESC").result_rows
    changed = _judge_days(client, [day for (day,) in days])
    if changed:
        say(f"{VERDICTS}: {changed} spans of {len(days)} days tell calls that others tell, or have an agent above them")
    return changed


def judge_what_others_stored(client: Client) -> int:
    """Judge the days of which spans were written lately by others than receivers: a Collector, a copy of old rows."""
    found = client.query(
        f"SELECT DISTINCT toInt32({DAY}) FROM {SPANS} "
        f"WHERE received_at > now64(3) - toIntervalDay({OTHERS_DAYS}) AND request_digest = toFixedString('', 16)"
    )
    return _judge_days(client, [day for (day,) in found.result_rows])


def judge_project(client: Client, project_id: str, days: Iterable[int]) -> int:
    """Judge all calls of a project anew that have spans on these days."""
    return _judge_days(client, days, only=[project_id])


def _judge_days(client: Client, days: Iterable[int], only: Collection[str] = ()) -> int:
    changed = 0
    for day in days:
        with alone(patient=True):
            unheard = left_out()  # what somebody decides meanwhile counts from the next day on
            changed += judge(client, *of_day(client, day, unheard, only), unheard)
    return changed


@contextmanager
def alone(*, patient: bool = False) -> Iterator[bool]:
    """Whether nobody else judges meanwhile, in whatever process; who is patient waits until it is so.

    Raises django.db.Error.
    """
    take = "pg_advisory_xact_lock" if patient else "pg_try_advisory_xact_lock"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {take}(%s)", [LOCK])
        yield patient or cursor.fetchone() == (True,)


def judge(client: Client, traces: Iterable[Trace], several: Collection[str], unheard: Unheard) -> int:
    """Judge these traces; gives how many spans it says something new of. several: see finding.received; unheard: see
    records.left_out.
    """
    changed = 0
    for some in _portions(sorted(traces, key=lambda each: (each.project_id, each.first_ns))):
        components = together(client, some, several)
        spans, held = _read(client, [trace for component in components for trace in component])
        rows = [row for component in components for row in _changes(component, spans, held, unheard)]
        if rows:
            client.insert(VERDICTS, rows, column_names=[*SPAN_COLUMNS, "sign", "version", *_REASONS])
        changed += len(rows) // 2
    return changed


def _portions(traces: Iterable[Trace]) -> Iterator[list[Trace]]:
    some: list[Trace] = []
    spans = 0
    for trace in traces:
        if some and (spans + trace.spans > SPANS_AT_ONCE or len(some) == TRACES_AT_ONCE):
            yield some
            some, spans = [], 0
        some.append(trace)
        spans += trace.spans
    if some:
        yield some


Spans = Mapping[tuple[str, str], dict[str, tuple[Any, ...]]]  # (project, trace) → span id → row


def _read(client: Client, traces: Collection[Trace]) -> tuple[Spans, Mapping[str, Held]]:
    """The spans of the traces, and by key what is said of them already."""
    parameters = parameters_of(traces)
    told = client.query(
        f"SELECT {_COLUMNS}, {', '.join(_REASONS)}, version FROM {VERDICTS} WHERE {OF_TRACES} AND sign = 1 "
        "ORDER BY version",
        parameters=parameters,
    )
    held = {_key(row): Held(tuple(row[:_WIDTH]), tuple(row[_WIDTH:-1]), row[-1]) for row in told.result_rows}
    rows = client.query(
        f"SELECT {_COLUMNS}, {_BESIDE} FROM {SPANS} WHERE {OF_TRACES} AND NOT is_pending", parameters=parameters
    ).result_rows
    spans: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for row in rows:
        spans[row[_PROJECT], row[_TRACE]][row[_SPAN]] = tuple(row)
    return spans, held


_WIDTH = len(SPAN_COLUMNS)
_PROJECT, _TRACE, _SPAN, _SERVICE, _IS_CALL = (
    SPAN_COLUMNS.index(name) for name in ("project_id", "TraceId", "SpanId", "ServiceName", "is_llm_call")
)


def _key(row: Any) -> str:
    return f"{row[_PROJECT]}/{row[_TRACE]}/{row[_SPAN]}"


def _changes(
    component: Iterable[Trace], spans: Spans, held: Mapping[str, Held], unheard: Unheard
) -> Iterator[tuple[Any, ...]]:
    """Rows that take back what counts and say what is to count, for spans where the two differ."""
    by_key = {_key(row): row for trace in component for row in spans.get(trace.id, {}).values()}
    silent = {key: why for key, row in by_key.items() if (why := _why_silent(row, unheard))}
    seen = (_seen(row)._replace(is_call=False) if key in silent else _seen(row) for key, row in by_key.items())
    said = verdicts(seen) | {key: Verdict(why=why) for key, why in silent.items()}
    for key, row in by_key.items():
        if key not in said and key not in held:
            continue
        before = held.get(key, Held(row[:_WIDTH]))
        verdict = said.get(key, Verdict())
        columns, reason = _counting(row[:_WIDTH], verdict, by_key.get(verdict.same_as))
        if (columns, reason) != (before.columns, before.reason):
            yield (*before.columns, -1, before.version, *before.reason)
            yield (*columns, 1, before.version + 1, *reason)


def _why_silent(row: tuple[Any, ...], unheard: Unheard) -> str:
    """Why a call counts nowhere, "" of other spans: its service is left out."""
    kept = unheard.get(row[_PROJECT], {}).get(row[_SERVICE], "")
    return f"{LEFT_OUT}{kept}" if kept and row[_IS_CALL] else ""


def _counting(
    columns: tuple[Any, ...], verdict: Verdict, same: tuple[Any, ...] | None
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Columns and reason of what counts. same: the span that tells the same call, where that one counts."""
    counting = dict(zip(SPAN_COLUMNS, columns, strict=True))
    if verdict.agent:
        counting["agent_name"] = verdict.agent
    if verdict.why.startswith(LEFT_OUT):
        return tuple((counting | OF_CALLS).values()), ("", "", verdict.why)
    if same is None:
        return tuple(counting.values()), ("", "", "")
    same_trace = "" if same[_TRACE] == counting["TraceId"] else same[_TRACE]
    return tuple((counting | OF_CALLS).values()), (same[_SPAN], same_trace, verdict.why)


def _seen(row: tuple[Any, ...]) -> Seen:
    *columns, response_id, scope, plain_model = row
    told = dict(zip(SPAN_COLUMNS, columns, strict=True))
    trace = f"{told['project_id']}/{told['TraceId']}"
    return Seen(
        span_id=f"{trace}/{told['SpanId']}",
        parent_id=f"{trace}/{told['ParentSpanId']}" if told["ParentSpanId"] else "",
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
        trace_id=trace,
        service=told["ServiceName"],
        scope=scope,
        plain_model=plain_model,
    )
