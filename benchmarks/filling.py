"""Fills the span store with believable traces, made inside ClickHouse: millions of spans in a minute or two."""

from dataclasses import dataclass

from .portal import Portal

SPANS_PER_TRACE = 10
DAYS = 30
CHUNK = 500_000  # spans in an insert
LONG_TRACE = "f" * 32  # the id of one trace with many spans
LONG_TRACE_SPANS = 1_000
OTHER_PROJECTS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))

_SETTINGS = {"max_insert_threads": 2, "max_execution_time": 600, "throw_on_max_partitions_per_insert_block": 0}

# Trace `t` holds the spans 10 t … 10 t + 9: an HTTP request, an agent, five LLM calls, two tools and a guardrail.
# Traces start in the order of their numbers, as they do in life, `{step}` nanoseconds apart.
_SPANS = """
INSERT INTO otel_traces (
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, ScopeName,
    SpanAttributes, Duration, StatusCode
)
WITH
    number AS n,
    intDiv(n, 10) AS t,
    n % 10 AS place,
    cityHash64(n) AS dice,
    ['POST /v1/chat', 'review_contract', 'chat completion', 'chat completion', 'search_documents', 'chat completion',
     'read_file', 'chat completion', 'pii_guard', 'chat completion'][place + 1] AS name,
    ['gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash', 'mistral-large-latest'][1 + t % 4] AS model,
    lower(hex(sipHash128({seed:UInt64}, t))) AS trace_id,
    ['support', 'contracts', 'research'][1 + t % 3] AS service
SELECT
    fromUnixTimestamp64Nano(toInt64({start_ns:Int64} + toInt64(t) * {step:Int64} + place * 180000000)) AS Timestamp,
    trace_id,
    lower(hex(cityHash64({seed:UInt64}, n))),
    if(place = 0, '', lower(hex(cityHash64({seed:UInt64}, n - place)))),
    name,
    multiIf(place = 0, 'Server', name = 'chat completion', 'Client', 'Internal'),
    service,
    map('service.name', service, 'agentops.project.id',
        if(t % 2 = 0, {project:String}, {others:Array(String)}[1 + intDiv(t, 2) % 4])),
    'bench',
    multiIf(
        place = 0, map('http.request.method', 'POST', 'http.route', '/v1/chat',
            'http.response.status_code', if(t % 40 = 0, '500', '200')),
        name = 'chat completion', map('gen_ai.operation.name', 'chat', 'gen_ai.system', 'openai',
            'gen_ai.request.model', model, 'gen_ai.response.model', model,
            'gen_ai.usage.input_tokens', toString(100 + dice % 3000), 'gen_ai.usage.output_tokens',
            toString(10 + dice % 400), 'session.id', concat('session-', toString(intDiv(t, 20))),
            'gen_ai.prompt.0.content', concat('Summarise contract ', toString(n), ' and name its risks.')),
        place = 1, map('agentops.span.kind', 'agent', 'gen_ai.agent.name', 'contract-reviewer'),
        place = 8, map('openinference.span.kind', 'GUARDRAIL'),
        map('gen_ai.operation.name', 'execute_tool', 'gen_ai.tool.name', name)
    ),
    if(place = 0, 2000000000, 50000000 + dice % 900000000),
    multiIf(place = 0 AND t % 40 = 0, 'Error', dice % 50 = 0, 'Error', 'Ok')
FROM numbers({first:UInt64}, {count:UInt64})
"""

_LONG_TRACE = """
INSERT INTO otel_traces (
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ResourceAttributes, SpanAttributes, Duration
)
SELECT
    now64(9) - INTERVAL 2 HOUR + toIntervalMillisecond(number * 20), {trace:String}, lower(hex(number + 1)),
    if(number = 0, '', lower(hex(intDiv(number - 1, 5) + 1))), concat('step ', toString(number)), 'contracts',
    map('service.name', 'contracts', 'agentops.project.id', {project:String}),
    map('gen_ai.operation.name', 'chat', 'gen_ai.request.model', 'gpt-4o-mini',
        'gen_ai.usage.input_tokens', toString(100 + number)), 15000000 + number
FROM numbers({count:UInt64})
"""


@dataclass(frozen=True)
class Filling:
    """`spans` more, of traces that start evenly over the last 30 days; every second one belongs to `project`."""

    project: str
    seed: int
    spans: int


def fill(own: Portal, filling: Filling) -> None:
    """Store the spans of a filling; the other half of them belongs to four other projects."""
    step = DAYS * 86_400 * 10**9 // max(filling.spans // SPANS_PER_TRACE, 1)
    [row] = own.sql(f"SELECT toUnixTimestamp64Nano(now64(9) - INTERVAL {DAYS} DAY) AS start")
    others = "[" + ",".join(f"'{project}'" for project in OTHER_PROJECTS) + "]"
    for first in range(0, filling.spans, CHUNK):
        own.sql(
            _SPANS,
            settings=_SETTINGS,
            project=filling.project,
            others=others,
            seed=filling.seed,
            start_ns=row["start"],
            step=step,
            first=first,
            count=min(CHUNK, filling.spans - first),
        )


def add_long_trace(own: Portal, project: str) -> None:
    own.sql(_LONG_TRACE, trace=LONG_TRACE, project=project, count=LONG_TRACE_SPANS)


def some_traces(own: Portal, project: str, count: int) -> list[str]:
    """Trace ids from all over the 30 days."""
    rows = own.sql(
        "SELECT TraceId AS id FROM otel_traces_trace_id_ts "
        "WHERE project_id = {project:String} AND TraceId != {long:String} GROUP BY TraceId "
        "ORDER BY cityHash64(TraceId) LIMIT {count:UInt32}",
        project=project,
        long=LONG_TRACE,
        count=count,
    )
    return [row["id"] for row in rows]
