from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from agentops_portal.clickhouse import ddl
from agentops_portal.clickhouse.operations import ClickHouseSQL
from traces.store.schema import adoption

SPANS_COLUMNS = """
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    TraceState String CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeName String CODEC(ZSTD(1)),
    ScopeVersion String CODEC(ZSTD(1)),
    SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    StatusMessage String CODEC(ZSTD(1)),
    `Events.Timestamp` Array(DateTime64(9)) CODEC(ZSTD(1)),
    `Events.Name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `Events.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `Links.TraceId` Array(String) CODEC(ZSTD(1)),
    `Links.SpanId` Array(String) CODEC(ZSTD(1)),
    `Links.TraceState` Array(String) CODEC(ZSTD(1)),
    `Links.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    request_digest FixedString(16) CODEC(ZSTD(1)),
    received_at DateTime64(3) MATERIALIZED now64(3) CODEC(Delta(8), ZSTD(1)),
    project_id String MATERIALIZED multiIf(ResourceAttributes['agentops.project.id'] != '', ResourceAttributes['agentops.project.id'], ResourceAttributes['ProjectId'] != '', ResourceAttributes['ProjectId'], ResourceAttributes['project_id']),
    span_hash UInt64 MATERIALIZED cityHash64(TraceId, SpanId),
    is_pending Bool MATERIALIZED SpanAttributes['logfire.span_type'] = 'pending_span' OR SpanAttributes['glassflow.span.pending'] = 'true',
    end_timestamp DateTime64(9) MATERIALIZED fromUnixTimestamp64Nano(toInt64(least(toUInt64(greatest(toUnixTimestamp64Nano(Timestamp), 0)) + least(Duration, 9223372036854775807), 9223372036854775807))),
    guardrail_name LowCardinality(String) MATERIALIZED coalesce(nullIf(SpanAttributes['guardrail_name'], ''), nullIf(SpanAttributes['litellm.guardrail.name'], ''), nullIf(SpanAttributes['gen_ai.guardrail.name'], ''), nullIf(SpanAttributes['gen_ai.security.guardrail.name'], ''), nullIf(SpanAttributes['gen_ai.guardian.name'], ''), nullIf((if(SpanAttributes['agentops.span.kind'] = 'guardrail', SpanAttributes['operation.name'], '')), ''), nullIf((if(SpanAttributes['openinference.span.kind'] = 'GUARDRAIL', SpanName, '')), ''), nullIf((if(SpanAttributes['langfuse.observation.type'] = 'guardrail', SpanName, '')), ''), nullIf(SpanAttributes['guard.name'], ''), SpanAttributes['validator.name']),
    guardrail_mode LowCardinality(String) MATERIALIZED if(guardrail_name = '', '', replaceRegexpAll(coalesce(nullIf(SpanAttributes['guardrail_mode'], ''), nullIf(SpanAttributes['litellm.guardrail.mode'], ''), nullIf(SpanAttributes['gen_ai.guardrail.target'], ''), nullIf(SpanAttributes['gen_ai.security.target.type'], ''), nullIf((if(SpanAttributes['agentops.span.kind'] = 'guardrail', SpanAttributes['agentops.guardrail.spec'], '')), ''), nullIf(SpanAttributes['guard.phase'], ''), SpanAttributes['validator.on_fail']), '[^a-zA-Z0-9_.,:-]', '')),
    guardrail_outcome LowCardinality(String) MATERIALIZED if(guardrail_name = '' OR is_pending, '', replaceOne(coalesce(nullIf((if(
        SpanAttributes['guardrail_name'] = '' AND SpanAttributes['litellm.guardrail.name'] = '', '',
        coalesce(
            transform(
                concat(SpanAttributes['guardrail_status'], SpanAttributes['litellm.guardrail.status']), ['guardrail_intervened', 'guardrail_failed_to_respond', 'guardrail_flagged'],
                ['blocked', 'failed', 'flagged'], NULL),
            multiIf(
                concat(SpanAttributes['guardrail_status'], SpanAttributes['litellm.guardrail.status']) = 'not_run', 'not_run',
                match(concat(SpanAttributes['guardrail_response'], SpanAttributes['litellm.guardrail.response']), '"action": *"MASK"') OR match(concat(SpanAttributes['masked_entity_count'], SpanAttributes['litellm.guardrail.masked_entity_count']), '(^|: *)[1-9]'), 'masked',
                concat(SpanAttributes['guardrail_status'], SpanAttributes['litellm.guardrail.status']) = '' AND match(concat(SpanAttributes['guardrail_response'], SpanAttributes['litellm.guardrail.response']), '^"?4[0-9][0-9]: '), 'blocked',
                'allowed')))), ''), nullIf((multiIf(
        lower(coalesce(nullIf(SpanAttributes['gen_ai.security.action.type'], ''), nullIf(SpanAttributes['gen_ai.security.action'], ''), SpanAttributes['gen_ai.security.decision.type'])) IN ('block', 'blocked', 'deny', 'denied'), 'blocked',
        lower(coalesce(nullIf(SpanAttributes['gen_ai.security.action.type'], ''), nullIf(SpanAttributes['gen_ai.security.action'], ''), SpanAttributes['gen_ai.security.decision.type'])) IN ('mask', 'masked', 'redact', 'modify'), 'masked',
        lower(coalesce(nullIf(SpanAttributes['gen_ai.security.verdict.type'], ''), SpanAttributes['gen_ai.security.verdict'])) IN ('flag', 'flagged', 'warn', 'unsafe'), 'flagged',
        '')), ''), nullIf((if(
        match(SpanAttributes['agentops.guardrail.output'], '"tripwire_triggered": *true'), 'blocked', '')), ''), nullIf((if(
        SpanAttributes['guard.denied'] = 'true', 'blocked',
        transform(
            lower(SpanAttributes['guard.action']),
            ['deny', 'block', 'redact', 'mask', 'sanitize', 'warn', 'flag'],
            ['blocked', 'blocked', 'masked', 'masked', 'masked', 'flagged', 'flagged'],
            ''))), ''), (if(StatusCode = 'Error', 'failed', 'allowed'))), 'not_run', '')),
    model LowCardinality(String) MATERIALIZED coalesce(nullIf(SpanAttributes['gen_ai.response.model'], ''), nullIf(SpanAttributes['gen_ai.request.model'], ''), nullIf(SpanAttributes['llm.model_name'], ''), nullIf(SpanAttributes['embedding.model_name'], ''), SpanAttributes['langfuse.observation.model.name']),
    http_status UInt16 MATERIALIZED toUInt16OrZero(coalesce(nullIf(SpanAttributes['http.response.status_code'], ''), SpanAttributes['http.status_code'])),
    tool_name LowCardinality(String) MATERIALIZED coalesce(nullIf(SpanAttributes['gen_ai.tool.name'], ''), nullIf(SpanAttributes['tool.name'], ''), nullIf((if(SpanAttributes['agentops.span.kind'] = 'tool', SpanAttributes['operation.name'], '')), ''), nullIf((if(SpanAttributes['traceloop.span.kind'] = 'tool', SpanAttributes['traceloop.entity.name'], '')), ''), (if(SpanAttributes['langfuse.observation.type'] = 'tool', SpanName, ''))),
    span_type LowCardinality(String) MATERIALIZED coalesce(if(guardrail_name != '', 'guardrail', NULL), if(ScopeName = 'fastapi' AND SpanAttributes['gen_ai.usage.total_tokens'] = '', 'http', NULL), transform(lower(SpanAttributes['gen_ai.operation.name']), ['acompletion', 'completion', 'atext_completion', 'text_completion', 'aresponses', 'responses', 'anthropic_messages', 'agenerate_content', 'generate_content', 'aembedding', 'embedding', 'chat', 'embeddings', 'execute_tool', 'invoke_agent', 'create_agent', 'invoke_workflow', 'retrieval'], ['llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'embedding', 'embedding', 'llm', 'embedding', 'tool', 'agent', 'agent', 'workflow', 'retriever'], NULL), transform(lower(SpanAttributes['llm.request.type']), ['acompletion', 'completion', 'atext_completion', 'text_completion', 'aresponses', 'responses', 'anthropic_messages', 'agenerate_content', 'generate_content', 'aembedding', 'embedding', 'chat', 'rerank'], ['llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'llm', 'embedding', 'embedding', 'llm', 'retriever'], NULL), transform(lower(SpanAttributes['agentops.span.kind']), ['session', 'workflow', 'workflow.step', 'agent', 'agent.action', 'agent.thinking', 'agent.decision', 'task', 'operation', 'llm', 'llm.call', 'tool', 'guardrail', 'chain', 'http'], ['session', 'workflow', 'task', 'agent', 'agent', 'agent', 'agent', 'task', 'task', 'llm', 'llm', 'tool', 'guardrail', 'chain', 'http'], NULL), transform(lower(SpanAttributes['gen_ai.request.type']), ['chat', 'completion', 'embedding', 'embeddings'], ['llm', 'llm', 'embedding', 'embedding'], NULL), transform(lower(SpanAttributes['openinference.span.kind']), ['llm', 'embedding', 'chain', 'tool', 'agent', 'retriever', 'reranker', 'guardrail', 'evaluator'], ['llm', 'embedding', 'chain', 'tool', 'agent', 'retriever', 'retriever', 'guardrail', 'task'], NULL), transform(lower(SpanAttributes['traceloop.span.kind']), ['workflow', 'task', 'agent', 'tool'], ['workflow', 'task', 'agent', 'tool'], NULL), transform(lower(SpanAttributes['langfuse.observation.type']), ['generation', 'embedding', 'agent', 'tool', 'chain', 'retriever', 'evaluator', 'guardrail', 'span'], ['llm', 'embedding', 'agent', 'tool', 'chain', 'retriever', 'task', 'guardrail', 'other'], NULL), if(tool_name != '', 'tool', NULL), if(coalesce(nullIf(SpanAttributes['http.route'], ''), nullIf(SpanAttributes['url.path'], ''), nullIf(SpanAttributes['http.request.method'], ''), SpanAttributes['http.method']) != '', 'http', NULL), 'other'),
    is_llm_call Bool MATERIALIZED span_type IN ('llm', 'embedding') AND NOT is_pending,
    requested_model LowCardinality(String) MATERIALIZED if(is_llm_call, coalesce(nullIf(SpanAttributes['litellm.model_group'], ''), SpanAttributes['gen_ai.request.model']), ''),
    provider LowCardinality(String) MATERIALIZED if(is_llm_call, lower(coalesce(nullIf(SpanAttributes['gen_ai.provider.name'], ''), nullIf(SpanAttributes['gen_ai.system'], ''), nullIf(SpanAttributes['llm.provider'], ''), SpanAttributes['llm.system'])), ''),
    input_tokens UInt64 MATERIALIZED if(is_llm_call, toUInt64OrZero(coalesce(nullIf(SpanAttributes['gen_ai.usage.input_tokens'], ''), nullIf(SpanAttributes['gen_ai.usage.prompt_tokens'], ''), nullIf(SpanAttributes['llm.token_count.prompt'], ''), nullIf(SpanAttributes['llm.usage.prompt_tokens'], ''), nullIf((JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'input')), ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'prompt_tokens')))), 0),
    output_tokens UInt64 MATERIALIZED if(is_llm_call, toUInt64OrZero(coalesce(nullIf(SpanAttributes['gen_ai.usage.output_tokens'], ''), nullIf(SpanAttributes['gen_ai.usage.completion_tokens'], ''), nullIf(SpanAttributes['llm.token_count.completion'], ''), nullIf(SpanAttributes['llm.usage.completion_tokens'], ''), nullIf((JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'output')), ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'completion_tokens')))), 0),
    cached_input_tokens UInt64 MATERIALIZED if(is_llm_call, toUInt64OrZero(coalesce(nullIf((extract(SpanAttributes['metadata.usage_object'], '''cached_tokens'': ([0-9]+)')), ''), nullIf(SpanAttributes['gen_ai.usage.cache_read.input_tokens'], ''), nullIf(SpanAttributes['gen_ai.usage.cache_read_input_tokens'], ''), nullIf(SpanAttributes['llm.token_count.prompt_details.cache_read'], ''), nullIf((JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'input_cached_tokens')), ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'cache_read_input_tokens')))), 0),
    reasoning_tokens UInt64 MATERIALIZED if(is_llm_call, toUInt64OrZero(coalesce(nullIf((extract(SpanAttributes['metadata.usage_object'], '''reasoning_tokens'': ([0-9]+)')), ''), nullIf(SpanAttributes['gen_ai.usage.reasoning.output_tokens'], ''), nullIf(SpanAttributes['gen_ai.usage.reasoning_tokens'], ''), nullIf(SpanAttributes['llm.token_count.completion_details.reasoning'], ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'output_reasoning_tokens')))), 0),
    total_tokens UInt64 MATERIALIZED if(is_llm_call, coalesce(nullIf(toUInt64OrZero(coalesce(nullIf(SpanAttributes['llm.usage.total_tokens'], ''), nullIf(SpanAttributes['gen_ai.usage.total_tokens'], ''), nullIf(SpanAttributes['llm.token_count.total'], ''), nullIf((JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'total')), ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.usage_details'], 'total_tokens')))), 0), input_tokens + output_tokens), 0),
    reported_cost Nullable(Decimal(18, 12)) MATERIALIZED if(span_type IN ('llm', 'embedding', 'tool') AND NOT is_pending, nullIf(greatest(toDecimal64OrZero(toString(round(toFloat64OrZero(coalesce(nullIf(SpanAttributes['gen_ai.cost.total_cost'], ''), nullIf(SpanAttributes['litellm.cost.total'], ''), nullIf(SpanAttributes['gen_ai.usage.total_cost'], ''), nullIf(SpanAttributes['gen_ai.usage.cost'], ''), nullIf(SpanAttributes['llm.cost.total'], ''), (JSONExtractRaw(SpanAttributes['langfuse.observation.cost_details'], 'total')))), 12)), 12), 0), 0), NULL),
    cache_hit Bool MATERIALIZED if(is_llm_call, (if(match(SpanAttributes['hidden_params'], '"cache_key": *"[^"]'), '1', '')) != '', false),
    session_id String MATERIALIZED coalesce(nullIf((extract(SpanAttributes['metadata.requester_metadata'], '''session_id'': ''([^'']+)''')), ''), nullIf(SpanAttributes['gen_ai.conversation.id'], ''), nullIf(SpanAttributes['session.id'], ''), nullIf(SpanAttributes['traceloop.association.properties.session_id'], ''), SpanAttributes['langfuse.session.id']),
    user_id String MATERIALIZED coalesce(nullIf(SpanAttributes['metadata.user_api_key_end_user_id'], ''), nullIf(SpanAttributes['llm.user'], ''), nullIf(SpanAttributes['litellm.metadata.user_api_key_end_user_id'], ''), nullIf(SpanAttributes['user.id'], ''), nullIf(SpanAttributes['enduser.id'], ''), nullIf(SpanAttributes['traceloop.association.properties.user_id'], ''), SpanAttributes['langfuse.user.id']),
    agent_name LowCardinality(String) MATERIALIZED coalesce(nullIf(SpanAttributes['metadata.agent_name'], ''), nullIf(SpanAttributes['gen_ai.agent.name'], ''), nullIf(SpanAttributes['agent.name'], ''), nullIf((if(SpanAttributes['agentops.span.kind'] = 'agent', SpanAttributes['operation.name'], '')), ''), nullIf((if(SpanAttributes['traceloop.span.kind'] = 'agent', SpanAttributes['traceloop.entity.name'], '')), ''), (if(SpanAttributes['langfuse.observation.type'] = 'agent', SpanName, ''))),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 16,
    INDEX idx_span_id SpanId TYPE bloom_filter(0.01) GRANULARITY 32,
    INDEX idx_received_at received_at TYPE minmax GRANULARITY 1
"""
MESSAGES_COLUMNS = """
    project_id String,
    request_digest String,
    resource_attributes Array(Tuple(key String, value Tuple(string_value String))),
    scope_spans_scope_name String,
    scope_spans_scope_version String,
    scope_spans_scope_attributes Array(Tuple(key String, value Tuple(string_value String))),
    `scope_spans_spans.trace_id` Array(String),
    `scope_spans_spans.span_id` Array(String),
    `scope_spans_spans.trace_state` Array(String),
    `scope_spans_spans.parent_span_id` Array(String),
    `scope_spans_spans.name` Array(String),
    `scope_spans_spans.kind` Array(Int32),
    `scope_spans_spans.start_time_unix_nano` Array(UInt64),
    `scope_spans_spans.end_time_unix_nano` Array(UInt64),
    `scope_spans_spans.attributes` Array(Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), kvlist_value Nullable(String), bytes_value Nullable(String), array_value Tuple(values Array(Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), double_value Nullable(Float64), kvlist_value Nullable(String), bytes_value Nullable(String), array_value Nullable(String)))))))),
    `scope_spans_spans.events` Array(Array(Tuple(time_unix_nano UInt64, name String, attributes Array(Tuple(key String, value Tuple(string_value String)))))),
    `scope_spans_spans.links` Array(Array(Tuple(trace_id String, span_id String, trace_state String, attributes Array(Tuple(key String, value Tuple(string_value String)))))),
    `scope_spans_spans.status` Array(Tuple(message String, code Int32))
"""
DECODE = """
SELECT
    toFixedString(request_digest, 16) AS request_digest,
    fromUnixTimestamp64Nano(toInt64(least(start_time, 9223372036854775807)), 'UTC') AS Timestamp,
    lower(hex(trace_id)) AS TraceId,
    lower(hex(span_id)) AS SpanId,
    lower(hex(parent_span_id)) AS ParentSpanId,
    trace_state AS TraceState,
    name AS SpanName,
    transform(kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')
        AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    mapConcat(
        map('agentops.project.id', project_id),
        mapFilter((key, value) -> key != 'agentops.project.id', CAST(arrayMap(a -> (a.key, a.value.string_value), resource_attributes), 'Map(LowCardinality(String), String)'))
    ) AS ResourceAttributes,
    scope_spans_scope_name AS ScopeName,
    scope_spans_scope_version AS ScopeVersion,
    CAST(arrayMap(a -> (a.key, a.value.string_value), scope_spans_scope_attributes), 'Map(LowCardinality(String), String)') AS ScopeAttributes,
    CAST(arrayMap(a -> (a.key, if(empty(a.value.array_value.values), coalesce(a.value.string_value, toString(a.value.int_value), toString(a.value.double_value), toString(a.value.bool_value), base64Encode(a.value.bytes_value), substring(toString(throwIf(isNotNull(a.value.kvlist_value), 'NESTED_ATTRIBUTE')), 2)), concat('[', arrayStringConcat(arrayMap(leaf -> coalesce(toJSONString(leaf.string_value), toString(leaf.int_value), if(isFinite(leaf.double_value), toString(leaf.double_value), toJSONString(toString(leaf.double_value))), toString(leaf.bool_value), toJSONString(base64Encode(leaf.bytes_value)), concat('null', substring(toString(throwIf(isNotNull(leaf.kvlist_value) OR isNotNull(leaf.array_value), 'NESTED_ATTRIBUTE')), 2))), a.value.array_value.values), ','), ']'))), attributes), 'Map(LowCardinality(String), String)') AS SpanAttributes,
    if(end_time > start_time, end_time - start_time, 0) AS Duration,
    transform(status.code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
    status.message AS StatusMessage,
    arrayMap(event -> fromUnixTimestamp64Nano(toInt64(least(event.time_unix_nano, 9223372036854775807)), 'UTC'), events) AS `Events.Timestamp`,
    arrayMap(event -> event.name, events) AS `Events.Name`,
    arrayMap(event -> CAST(arrayMap(a -> (a.key, a.value.string_value), event.attributes), 'Map(LowCardinality(String), String)'), events) AS `Events.Attributes`,
    arrayMap(link -> lower(hex(link.trace_id)), links) AS `Links.TraceId`,
    arrayMap(link -> lower(hex(link.span_id)), links) AS `Links.SpanId`,
    arrayMap(link -> link.trace_state, links) AS `Links.TraceState`,
    arrayMap(link -> CAST(arrayMap(a -> (a.key, a.value.string_value), link.attributes), 'Map(LowCardinality(String), String)'), links) AS `Links.Attributes`
FROM {source}
ARRAY JOIN
    `scope_spans_spans.trace_id` AS trace_id,
    `scope_spans_spans.span_id` AS span_id,
    `scope_spans_spans.trace_state` AS trace_state,
    `scope_spans_spans.parent_span_id` AS parent_span_id,
    `scope_spans_spans.name` AS name,
    `scope_spans_spans.kind` AS kind,
    `scope_spans_spans.start_time_unix_nano` AS start_time,
    `scope_spans_spans.end_time_unix_nano` AS end_time,
    `scope_spans_spans.attributes` AS attributes,
    `scope_spans_spans.events` AS events,
    `scope_spans_spans.links` AS links,
    `scope_spans_spans.status` AS status
"""


def set_aside(editor: BaseDatabaseSchemaEditor) -> None:
    """The table of AgentOps or of a Collector; 0011 copies its rows."""
    adoption.set_aside(editor.connection)


def create_span_store(editor: BaseDatabaseSchemaEditor) -> list[str]:
    parts = "PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)"
    decode = DECODE.replace("{source}", ddl.local("otlp"))
    return [
        *ddl.create_table("otel_traces", SPANS_COLUMNS, ddl.merge_tree(), parts, shard_by="cityHash64(TraceId)"),
        *ddl.create_table("otlp", MESSAGES_COLUMNS, "Null"),
        ddl.create_materialized_view("otlp_to_otel_traces", to=ddl.local("otel_traces"), select=decode),
    ]


def drop_span_store(editor: BaseDatabaseSchemaEditor) -> list[str]:
    """With the tables that later views look prices up in: they go when nothing can ask them any more."""
    prices = [
        f"DROP TABLE IF EXISTS {name} {ddl.on_cluster()} SYNC" for name in ("model_rates_held", "model_rates_draft")
    ]
    spans = [ddl.drop_view("otlp_to_otel_traces"), *ddl.drop_table("otlp"), *ddl.drop_table("otel_traces")]
    return [*spans, *prices, *ddl.drop_table("model_rates")]


class Migration(migrations.Migration):
    """Spans as the OpenTelemetry Collector's exporter stores them, and what decodes OTLP messages.

    The text is that of version 0.1 and stays: what later code means otherwise, `manage.py migrate` alters at its end
    (traces/store/shape/README.md).
    """

    initial = True
    dependencies = []
    operations = [
        ClickHouseSQL(set_aside, ()),
        ClickHouseSQL(create_span_store, drop_span_store),
    ]
