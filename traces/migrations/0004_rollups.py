from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL

TRACE_SUMMARIES_COLUMNS = """
    project_id LowCardinality(String),
    day Int32,
    trace_hash UInt64,
    trace_id String,
    started SimpleAggregateFunction(min, DateTime64(9)),
    ended SimpleAggregateFunction(max, DateTime64(9)),
    root SimpleAggregateFunction(min, Tuple(is_child Bool, started DateTime64(9), shortness UInt64, span_id String, name String, service String, status String)),
    last_work SimpleAggregateFunction(max, Tuple(is_work Bool, ended DateTime64(9), span_id String, status String)),
    server_status SimpleAggregateFunction(max, UInt16),
    spans SimpleAggregateFunction(sum, UInt64),
    ok_spans SimpleAggregateFunction(sum, UInt64),
    failed_spans SimpleAggregateFunction(sum, UInt64),
    done_calls SimpleAggregateFunction(sum, UInt64),
    failed_calls SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)),
    priced_calls SimpleAggregateFunction(sum, UInt64),
    cached_calls SimpleAggregateFunction(sum, UInt64),
    input SimpleAggregateFunction(sum, UInt64),
    output SimpleAggregateFunction(sum, UInt64),
    cached_input SimpleAggregateFunction(sum, UInt64),
    reasoning SimpleAggregateFunction(sum, UInt64),
    tokens SimpleAggregateFunction(sum, UInt64),
    cost SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))),
    saved SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))),
    model_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    agent_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    span_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    session SimpleAggregateFunction(max, String),
    user SimpleAggregateFunction(max, String),
    tag_texts SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    runs SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(id UInt64, outcome String)))
"""
TRACE_SUMMARIES_SELECT = r"""
    SELECT
        project_id AS project_id, intDiv(toUnixTimestamp64Nano(Timestamp), 86400000000000) AS day, cityHash64(TraceId) AS trace_hash, TraceId AS trace_id, Timestamp AS started, end_timestamp AS ended, (ParentSpanId != '', Timestamp, bitNot(Duration), SpanId, SpanName, ServiceName, StatusCode) AS root, (span_type IN ('llm', 'embedding', 'agent', 'tool'), end_timestamp, SpanId, StatusCode) AS last_work, if(SpanKind = 'Server', http_status, 0) AS server_status, NOT is_pending AS spans, StatusCode = 'Ok' AS ok_spans, StatusCode = 'Error' AS failed_spans, is_llm_call AND StatusCode != 'Error' AS done_calls, if(is_llm_call AND StatusCode = 'Error', [cityHash64(ParentSpanId, Timestamp, model)], []) AS failed_calls, is_llm_call AND (cache_hit OR isNotNull(reported_cost)) AS priced_calls, cache_hit AS cached_calls, input_tokens AS input, output_tokens AS output, cached_input_tokens AS cached_input, reasoning_tokens AS reasoning, total_tokens AS tokens, if(cache_hit, 0, reported_cost) AS cost, if(cache_hit, reported_cost, NULL) AS saved, if(is_llm_call, [model], []) AS model_names, [agent_name] AS agent_names, [SpanName] AS span_names, session_id AS session, user_id AS user, [if(startsWith(mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))], '{'), extract(mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))], '[''"]tags[''"]: ?(\\[(?:''(?:[^''\\\\]|\\\\.)*''|"(?:[^"\\\\]|\\\\.)*"|[^\\]''"])*\\])'), mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))])] AS tag_texts, if(guardrail_outcome = '', [], [(cityHash64(guardrail_name, guardrail_mode, Timestamp, end_timestamp), guardrail_outcome)]) AS runs
    FROM {source} WHERE TraceId != ''
"""
USAGE_QUARTERS_COLUMNS = """
    project_id LowCardinality(String),
    quarter Int32,
    type LowCardinality(String),
    model LowCardinality(String),
    provider LowCardinality(String),
    service LowCardinality(String),
    agent LowCardinality(String),
    status LowCardinality(String),
    is_root Bool,
    is_priced Bool,
    spans SimpleAggregateFunction(sum, UInt64),
    cached_calls SimpleAggregateFunction(sum, UInt64),
    input SimpleAggregateFunction(sum, UInt64),
    output SimpleAggregateFunction(sum, UInt64),
    cached_input SimpleAggregateFunction(sum, UInt64),
    reasoning SimpleAggregateFunction(sum, UInt64),
    tokens SimpleAggregateFunction(sum, UInt64),
    cost SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))),
    saved SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))),
    failed_calls SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)),
    durations AggregateFunction(quantilesTDigest(0.5), UInt64)
"""
USAGE_QUARTERS_SELECT = """
    SELECT
        project_id AS project_id, intDiv(toUnixTimestamp64Nano(Timestamp), 900000000000) AS quarter, span_type AS type, model AS model, provider AS provider, ServiceName AS service, agent_name AS agent, StatusCode AS status, ParentSpanId = '' AS is_root, cache_hit OR isNotNull(reported_cost) AS is_priced, NOT is_pending AS spans, cache_hit AS cached_calls, input_tokens AS input, output_tokens AS output, cached_input_tokens AS cached_input, reasoning_tokens AS reasoning, total_tokens AS tokens, if(cache_hit, 0, reported_cost) AS cost, if(cache_hit, reported_cost, NULL) AS saved, if(is_llm_call AND StatusCode = 'Error', [cityHash64(TraceId, ParentSpanId, Timestamp, model)], []) AS failed_calls, initializeAggregation('quantilesTDigestState(0.5)', toUInt64(toUnixTimestamp64Nano(end_timestamp) - toUnixTimestamp64Nano(Timestamp))) AS durations
    FROM {source} WHERE NOT is_pending
"""
GUARDRAIL_RUNS_COLUMNS = """
    project_id LowCardinality(String),
    started DateTime64(9),
    trace_id String,
    guardrail LowCardinality(String),
    mode LowCardinality(String),
    ended DateTime64(9),
    outcome LowCardinality(String),
    span_id String,
    service LowCardinality(String)
"""
GUARDRAIL_RUNS_SELECT = """
    SELECT
        project_id AS project_id, Timestamp AS started, TraceId AS trace_id, guardrail_name AS guardrail, guardrail_mode AS mode, end_timestamp AS ended, guardrail_outcome AS outcome, SpanId AS span_id, ServiceName AS service
    FROM {source} WHERE guardrail_outcome != '' AND TraceId != ''
"""

# Under this name the exporter keeps a trace's time range, in a table that it fills with every insert.
TIMES_SELECT = "SELECT project_id, trace_id AS TraceId, min(started) AS Start, max(ended) AS End FROM trace_summaries GROUP BY project_id, trace_id"


def _view(table: str, select: str) -> str:
    select = select.replace("{source}", ddl.local("otel_traces"))
    return ddl.create_materialized_view(f"{table}_mv", to=ddl.local(table), select=select)


def create_rollups(editor: BaseDatabaseSchemaEditor) -> list[str]:
    return [
        *ddl.create_table(
            "trace_summaries",
            TRACE_SUMMARIES_COLUMNS,
            ddl.merge_tree("AggregatingMergeTree"),
            "PARTITION BY intDiv(day, 30) ORDER BY (project_id, day, trace_hash, trace_id) SETTINGS index_granularity = 512",
            shard_by="trace_hash",
        ),
        _view("trace_summaries", TRACE_SUMMARIES_SELECT),
        *ddl.create_table(
            "usage_quarters",
            USAGE_QUARTERS_COLUMNS,
            ddl.merge_tree("AggregatingMergeTree"),
            "PARTITION BY intDiv(quarter, 2880) ORDER BY (project_id, quarter, type, model, provider, service, agent, status, is_root, is_priced) SETTINGS index_granularity = 8192",
            shard_by="rand()",
        ),
        _view("usage_quarters", USAGE_QUARTERS_SELECT),
        *ddl.create_table(
            "guardrail_runs",
            GUARDRAIL_RUNS_COLUMNS,
            ddl.merge_tree("ReplacingMergeTree"),
            "PARTITION BY toYYYYMM(started) ORDER BY (project_id, started, trace_id, guardrail, mode, ended) SETTINGS index_granularity = 8192",
            shard_by="cityHash64(trace_id)",
        ),
        _view("guardrail_runs", GUARDRAIL_RUNS_SELECT),
        ddl.drop_view("otel_traces_trace_id_ts_mv"),
        *ddl.drop_table("otel_traces_trace_id_ts"),
        f"CREATE VIEW IF NOT EXISTS otel_traces_trace_id_ts {ddl.on_cluster()} AS {TIMES_SELECT}",
    ]


def drop_rollups(editor: BaseDatabaseSchemaEditor) -> list[str]:
    statements = [ddl.drop_view("otel_traces_trace_id_ts")]
    for table in ("trace_summaries", "usage_quarters", "guardrail_runs"):
        statements += [ddl.drop_view(f"{table}_mv"), *ddl.drop_table(table), *ddl.drop_table(f"{table}_next")]
    return statements


class Migration(migrations.Migration):
    """What pages read instead of spans: trace summaries, usage, guardrail runs, by the text of version 0.1.

    Spans that are there already are counted at the end of `manage.py migrate` (traces/store/shape/README.md).
    """

    dependencies = [("traces", "0003_ingest_receipts")]
    operations = [ClickHouseSQL(create_rollups, drop_rollups)]
