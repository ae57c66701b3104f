"""Which traces are judged: those of which something is new, and those that may tell the same calls as they do."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import structlog
from clickhouse_connect.driver.client import Client

from agentops_portal.batches import batches
from agentops_portal.units import NS_OF_DAY
from traces.store.dialects.base import attribute
from traces.store.dialects.model_names import undated
from traces.store.rollups.rollup import IN_A_TRACE, on_day, units_since_1970
from traces.store.rollups.trace_summaries import TRACE_SUMMARIES
from traces.store.schema.tables import SPANS
from traces.store.schema.verdicts import VERDICTS

from .twins import REACH_NS, Told, twins

log = structlog.get_logger(__name__)

# A trace of more spans is left as it was when it had fewer: it would be read anew with each that comes.
MOST_SPANS = 100_000
# Calls of one look, in projects with several instrumentations, that are compared with those around them.
MOST_CALLS = 5_000
MOST_AROUND = 20_000
# Traces that are judged together: a session of an agent, and the calls of it that were told apart.
MOST_TOGETHER = 1_000
# How far the spans of one trace may lie apart for what they say of each other to count.
AROUND_DAYS = 7
_ROUNDS = 4

RESPONSE_ID = "gen_ai.response.id"
DAY = units_since_1970("Timestamp", NS_OF_DAY)
OF_TRACES = """
    project_id IN {projects:Array(String)} AND TraceId IN {traces:Array(String)}
    AND Timestamp >= fromUnixTimestamp64Nano({first:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({last:Int64})
"""
_AROUND = "Timestamp >= fromUnixTimestamp64Nano({since:Int64}) AND Timestamp <= fromUnixTimestamp64Nano({until:Int64})"
# Calls of one trace that may be one, or one call and an agent that may have made it.
_WORTH_IT = """
    sum(verdicts) > 0 OR sum(done_calls) + sum(failed_calls) > 1
    OR (sum(done_calls) + sum(failed_calls) > 0 OR isNotNull(sum(cost)))
        AND groupUniqArrayArray(agent_names) NOT IN ([], [''])
"""
# What was received of a trace at once needs no look when nothing of it hangs on what came before or may come, nothing
# that came before hangs on it (Memory), no call has anything below it or an agent above it, and no two calls tell what
# the same one would. Most traces come in one piece and are like that: they cost this one question.
_WHOLE = "hasAll(arrayPushBack(ids, 0), parents)"
_PLAIN = f"""
    {_WHOLE} AND NOT hasAny(parents, calls)
    AND NOT (nameless AND has_agent)
    AND length(calls) = length(arrayDistinct(marks)) AND (length(calls) < 2 OR NOT has(tokens, 0))
"""
_PIECES = f"""
    SELECT project_id, cityHash64(TraceId) AS trace_hash, min(toInt32({DAY})) AS first_day,
        max(toInt32({DAY})) AS last_day,
        groupArray(cityHash64(SpanId)) AS ids,
        groupUniqArray(if(ParentSpanId = '', 0, cityHash64(ParentSpanId))) AS parents,
        groupUniqArrayIf(cityHash64(SpanId), is_llm_call) AS calls,
        groupArrayIf(
            if(StatusCode = 'Error', cityHash64(ParentSpanId, Timestamp, model), total_tokens), is_llm_call
        ) AS marks,
        groupArrayIf(total_tokens, is_llm_call AND StatusCode != 'Error') AS tokens,
        max(agent_name = '' AND (is_llm_call OR isNotNull(reported_cost))) AS nameless,
        max(span_type = 'agent') AS has_agent,
        groupUniqArrayIf(ScopeName, is_llm_call) AS scopes
    FROM {SPANS} WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}) AND {IN_A_TRACE} AND NOT is_pending
    GROUP BY project_id, TraceId
"""
_PIECE = "(trace_hash, first_day, last_day)"
_NEWS = f"""
    SELECT project_id, toUnixTimestamp64Milli(now64(3)), arrayDistinct(arrayFlatten(groupArray(scopes))),
        groupArrayIf({_PIECE}, NOT ({_PLAIN})), groupArrayIf({_PIECE}, {_PLAIN}),
        groupArrayIf(trace_hash, NOT {_WHOLE}),
        groupArrayIf({MOST_CALLS})({_PIECE}, notEmpty(calls))
    FROM ({_PIECES}) GROUP BY project_id
"""
_IN_DAY = on_day("{day:Int32}")
_SEVERAL = f"""
    SELECT project_id FROM {SPANS} WHERE {_IN_DAY} AND is_llm_call GROUP BY project_id HAVING uniq(ScopeName) > 1
"""
_OF_DAY = f"""
    SELECT project_id, groupArray((trace_hash, {{day:Int32}}, {{day:Int32}})) FROM (
        SELECT project_id, cityHash64(TraceId) AS trace_hash FROM {SPANS} WHERE {_IN_DAY} AND {IN_A_TRACE}
        GROUP BY project_id, TraceId
        HAVING countIf(is_llm_call) > 1 OR (
            countIf(is_llm_call) = 1 AND (countIf(span_type = 'agent') > 0 OR project_id IN {{several:Array(String)}})
        )
    ) WHERE empty({{only:Array(String)}}) OR project_id IN {{only:Array(String)}} GROUP BY project_id
"""
_NEAR = f"""
    SELECT project_id, TraceId, SpanId, ServiceName, ScopeName, span_type, {undated("model")}, total_tokens,
        StatusCode = 'Error', toUnixTimestamp64Nano(Timestamp), toUnixTimestamp64Nano(end_timestamp),
        {attribute(RESPONSE_ID)}
    FROM {SPANS}
    WHERE project_id IN {{projects:Array(String)}} AND {_AROUND} AND is_llm_call AND NOT is_pending AND {IN_A_TRACE}
        AND (project_id, total_tokens) GLOBAL IN (
            SELECT project_id, total_tokens FROM {SPANS} WHERE {OF_TRACES} AND is_llm_call
        )
    ORDER BY Timestamp DESC LIMIT {{limit:UInt32}}
"""
_LINKED = f"""
    SELECT DISTINCT project_id, TraceId, same_trace FROM {VERDICTS}
    WHERE project_id IN {{projects:Array(String)}} AND {_AROUND} AND sign = 1 AND same_trace != ''
        AND (TraceId IN {{traces:Array(String)}} OR same_trace IN {{traces:Array(String)}})
"""
TRACES_AT_ONCE = 1_000  # the text of a question is limited

Id = tuple[str, str]  # of a trace: project, trace
Piece = tuple[int, int, int]  # of a trace: hash of its id, first and last day of the piece


@dataclass(frozen=True)
class Trace:
    """Which spans to read; first_ns, last_ns: between which nanoseconds since 1970 they start."""

    project_id: str
    trace_id: str
    first_ns: int
    last_ns: int
    spans: int

    @property
    def id(self) -> Id:
        return self.project_id, self.trace_id


class Memory:
    """What a receiver remembers from look to look.

    Of each project the scopes that told calls: where there is one, no two traces tell the same call. And the traces of
    which a parent was missing: what comes of them later may be it.
    """

    MOST_PROJECTS = 10_000
    MOST_TRACES = 200_000

    def __init__(self) -> None:
        self._scopes: dict[str, set[str]] = defaultdict(set)
        self._open: dict[tuple[str, int], None] = {}

    def has_several(self, project_id: str, scopes: Collection[str]) -> bool:
        """Whether calls of the project come from more than one scope, these among them."""
        if len(self._scopes) > self.MOST_PROJECTS:
            self._scopes.clear()
        self._scopes[project_id].update(scopes)
        return len(self._scopes[project_id]) > 1

    def is_open(self, project_id: str, trace_hash: int) -> bool:
        return (project_id, trace_hash) in self._open

    def keep_open(self, project_id: str, hashes: Iterable[int]) -> None:
        self._open |= dict.fromkeys((project_id, each) for each in hashes)
        while len(self._open) > self.MOST_TRACES:
            del self._open[next(iter(self._open))]  # the oldest


def received(
    client: Client, since_ms: int, memory: Memory, whole: Collection[str] = ()
) -> tuple[list[Trace], list[str], int]:
    """Traces of which spans were received since then that are worth a look; the projects whose calls may be told by two
    of them; and the millisecond from which the next look must go on. whole: projects of which every call is looked at.
    """
    rows = client.query(_NEWS, parameters={"since": since_ms}).result_rows
    found: list[Trace] = []
    several = []
    for project_id, _, scopes, news, plain, open_hashes, calls in rows:
        wanted = {*news, *(piece for piece in plain if memory.is_open(project_id, piece[0]))}
        memory.keep_open(project_id, open_hashes)
        condition = _WORTH_IT
        is_told_twice = memory.has_several(project_id, scopes)
        if is_told_twice:
            several.append(project_id)
        if is_told_twice or project_id in whole:
            wanted.update(calls)
            condition = "true"
        found += _summed(client, project_id, wanted, condition)
    return found, several, max((now for _, now, *_ in rows), default=since_ms)


def of_day(
    client: Client, day: int, whole: Collection[str] = (), only: Collection[str] = ()
) -> tuple[list[Trace], list[str]]:
    """The same of all traces that have spans on a day since 1970, UTC; only: of these projects."""
    several = [project_id for (project_id,) in client.query(_SEVERAL, parameters={"day": day}).result_rows]
    parameters = {"day": day, "several": [*several, *whole, *only], "only": list(only)}
    rows = client.query(_OF_DAY, parameters=parameters).result_rows
    return [trace for project_id, pieces in rows for trace in _summed(client, project_id, pieces, "true")], several


def _known_sql(hashes: str) -> str:
    """The traces of some projects and days with these hashes of their ids, which are SQL."""
    return f"""
        SELECT toString(project_id), trace_id, toUnixTimestamp64Nano(min(started)), toUnixTimestamp64Nano(max(ended)),
            sum(spans)
        FROM {TRACE_SUMMARIES.table}
        WHERE project_id IN {{projects:Array(String)}} AND day BETWEEN {{since:Int64}} AND {{until:Int64}}
            AND trace_hash IN {hashes}
        GROUP BY project_id, trace_id
    """


def _summed(client: Client, project_id: str, pieces: Collection[Piece], condition: str) -> Iterator[Trace]:
    """The traces that pieces are of, with all that lies within AROUND_DAYS of these, where they meet the condition."""
    for portion in batches(sorted(pieces), TRACES_AT_ONCE):
        yield from _traces(
            client,
            f"{_known_sql('{hashes:Array(UInt64)}')} HAVING {condition}",
            projects=[project_id],
            hashes=[trace_hash for trace_hash, _, _ in portion],
            since=min(day for _, day, _ in portion) - AROUND_DAYS,
            until=max(day for _, _, day in portion) + AROUND_DAYS,
        )


def together(client: Client, traces: Collection[Trace], several: Collection[str]) -> list[list[Trace]]:
    """The traces, each with those that tell calls of it or did."""
    known = {trace.id: trace for trace in traces}
    if not any(trace.project_id in several for trace in traces):
        return [[trace] for trace in traces]
    links = _twins_of(client, [trace for trace in traces if trace.project_id in several])
    asked: set[Id] = set()
    for _ in range(_ROUNDS):
        news = {each for link in links for each in link} | known.keys()
        if len(news) > MOST_TOGETHER + len(known) or not (news - asked):
            break
        links |= _linked(client, news - asked, list(known.values()))
        asked |= news
    others = {each for link in links for each in link} - known.keys()
    known |= {trace.id: trace for trace in _known(client, others, list(known.values()))}
    return _components(known, links)


def parameters_of(traces: Collection[Trace]) -> dict[str, object]:
    """Of OF_TRACES."""
    return {
        "projects": sorted({trace.project_id for trace in traces}),
        "traces": sorted({trace.trace_id for trace in traces}),
        "first": max(min(trace.first_ns for trace in traces), 0),
        "last": min(max(trace.last_ns for trace in traces), 2**63 - 1),
    }


def _traces(client: Client, sql: str, **parameters: object) -> list[Trace]:
    found = [Trace(*row) for row in client.query(sql, parameters=parameters).result_rows]
    for trace in found:
        if trace.spans > MOST_SPANS:
            log.warning("a trace has too many spans to be judged", trace_id=trace.trace_id, spans=trace.spans)
    return [trace for trace in found if trace.spans <= MOST_SPANS]


def _around(traces: Collection[Trace]) -> dict[str, int]:
    return {
        "since": max(min(trace.first_ns for trace in traces) - REACH_NS, 0),
        "until": min(max(trace.last_ns for trace in traces) + REACH_NS, 2**63 - 1),
    }


def _twins_of(client: Client, traces: Collection[Trace]) -> set[tuple[Id, Id]]:
    if not traces:
        return set()
    rows = client.query(_NEAR, parameters=parameters_of(traces) | _around(traces) | {"limit": MOST_AROUND}).result_rows
    calls: dict[str, list[Told]] = defaultdict(list)
    first: dict[tuple[str, str], Id] = {}  # project and id of an answer → the first trace that names it
    traces_of: dict[str, Id] = {}  # by the key of a call
    pairs: list[tuple[Id, Id]] = []
    for project_id, trace_id, span_id, *told, response_id in rows:
        key = f"{project_id}/{trace_id}/{span_id}"
        trace = traces_of[key] = (project_id, trace_id)
        calls[project_id].append(Told(key, *told))
        if response_id:
            pairs.append((first.setdefault((project_id, response_id), trace), trace))
    for some in calls.values():
        pairs += [(traces_of[one], traces_of[other]) for one, other, _ in twins(some)]
    mine = {trace.id for trace in traces}
    return {pair for pair in pairs if pair[0] != pair[1] and mine & set(pair)}


def _linked(client: Client, ids: Collection[Id], traces: Collection[Trace]) -> set[tuple[Id, Id]]:
    parameters = {"projects": sorted({each[0] for each in ids}), "traces": sorted({each[1] for each in ids})}
    rows = client.query(_LINKED, parameters=parameters | _around(traces)).result_rows
    return {((project_id, one), (project_id, other)) for project_id, one, other in rows}


def _known(client: Client, ids: Collection[Id], traces: Collection[Trace]) -> list[Trace]:
    if not ids:
        return []
    around = _around(traces)
    days = {"since": around["since"] // NS_OF_DAY - 1, "until": around["until"] // NS_OF_DAY + 1}
    projects, trace_ids = (sorted(set(some)) for some in zip(*ids, strict=True))
    sql = _known_sql("(SELECT cityHash64(arrayJoin({traces:Array(String)})))")
    return [trace for trace in _traces(client, sql, projects=projects, traces=trace_ids, **days) if trace.id in ids]


def _components(known: Mapping[Id, Trace], links: Iterable[tuple[Id, Id]]) -> list[list[Trace]]:
    of: dict[Id, list[Id]] = {each: [each] for each in known}
    for one, other in links:
        if one in of and other in of and of[one] is not of[other]:
            less, more = sorted((of[one], of[other]), key=len)
            more += less
            for each in less:
                of[each] = more
    return [[known[each] for each in some] for some in {id(some): some for some in of.values()}.values()]
