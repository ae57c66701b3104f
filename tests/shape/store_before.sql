-- What commit 6d7c8b2 made of an empty database: its own DDL, one statement between two lines of dashes.
----
CREATE TABLE IF NOT EXISTS otel_traces (
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
    received_at DateTime64(3) MATERIALIZED now64(3) CODEC(Delta(8), ZSTD(1)),project_id String MATERIALIZED multiIf(ResourceAttributes['agentops.project.id'] != '', ResourceAttributes['agentops.project.id'], ResourceAttributes['ProjectId'] != '', ResourceAttributes['ProjectId'], ResourceAttributes['project_id']),
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
    INDEX idx_received_at received_at TYPE minmax GRANULARITY 1) ENGINE = MergeTree() PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)
----
CREATE TABLE IF NOT EXISTS otlp (
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
    `scope_spans_spans.status` Array(Tuple(message String, code Int32))) ENGINE = Null
----
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_to_otel_traces TO otel_traces AS
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
FROM otlp
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
----
CREATE TABLE IF NOT EXISTS trace_summaries (project_id LowCardinality(String), day Int32, trace_hash UInt64, trace_id String, started SimpleAggregateFunction(min, DateTime64(9)), ended SimpleAggregateFunction(max, DateTime64(9)), root SimpleAggregateFunction(min, Tuple(is_child Bool, started DateTime64(9), shortness UInt64, span_id String, name String, service String, status String)), last_work SimpleAggregateFunction(max, Tuple(is_work Bool, ended DateTime64(9), span_id String, status String)), server_status SimpleAggregateFunction(max, UInt16), spans SimpleAggregateFunction(sum, UInt64), ok_spans SimpleAggregateFunction(sum, UInt64), failed_spans SimpleAggregateFunction(sum, UInt64), done_calls SimpleAggregateFunction(sum, UInt64), failed_calls SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)), priced_calls SimpleAggregateFunction(sum, UInt64), cached_calls SimpleAggregateFunction(sum, UInt64), input SimpleAggregateFunction(sum, UInt64), output SimpleAggregateFunction(sum, UInt64), cached_input SimpleAggregateFunction(sum, UInt64), reasoning SimpleAggregateFunction(sum, UInt64), tokens SimpleAggregateFunction(sum, UInt64), cost SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))), saved SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))), model_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)), agent_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)), span_names SimpleAggregateFunction(groupUniqArrayArray, Array(String)), session SimpleAggregateFunction(max, String), user SimpleAggregateFunction(max, String), tag_texts SimpleAggregateFunction(groupUniqArrayArray, Array(String)), runs SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(id UInt64, outcome String)))) ENGINE = AggregatingMergeTree() PARTITION BY intDiv(day, 30) ORDER BY (project_id, day, trace_hash, trace_id) SETTINGS index_granularity = 512
----
CREATE MATERIALIZED VIEW IF NOT EXISTS trace_summaries_mv TO trace_summaries AS SELECT project_id AS project_id, intDiv(toUnixTimestamp64Nano(Timestamp), 86400000000000) AS day, cityHash64(TraceId) AS trace_hash, TraceId AS trace_id, Timestamp AS started, end_timestamp AS ended, (ParentSpanId != '', Timestamp, bitNot(Duration), SpanId, SpanName, ServiceName, StatusCode) AS root, (span_type IN ('llm', 'embedding', 'agent', 'tool'), end_timestamp, SpanId, StatusCode) AS last_work, if(SpanKind = 'Server', http_status, 0) AS server_status, NOT is_pending AS spans, StatusCode = 'Ok' AS ok_spans, StatusCode = 'Error' AS failed_spans, is_llm_call AND StatusCode != 'Error' AS done_calls, if(is_llm_call AND StatusCode = 'Error', [cityHash64(ParentSpanId, Timestamp, model)], []) AS failed_calls, is_llm_call AND (cache_hit OR isNotNull(reported_cost)) AS priced_calls, cache_hit AS cached_calls, input_tokens AS input, output_tokens AS output, cached_input_tokens AS cached_input, reasoning_tokens AS reasoning, total_tokens AS tokens, if(cache_hit, 0, reported_cost) AS cost, if(cache_hit, reported_cost, NULL) AS saved, if(is_llm_call, [model], []) AS model_names, [agent_name] AS agent_names, [SpanName] AS span_names, session_id AS session, user_id AS user, [if(startsWith(mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))], '{'), extract(mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))], '[''"]tags[''"]: ?(\\[(?:''(?:[^''\\\\]|\\\\.)*''|"(?:[^"\\\\]|\\\\.)*"|[^\\]''"])*\\])'), mapValues(SpanAttributes)[greatest(indexOf(mapKeys(SpanAttributes), 'agentops.tags'), indexOf(mapKeys(SpanAttributes), 'tag.tags'), indexOf(mapKeys(SpanAttributes), 'langfuse.trace.tags'), indexOf(mapKeys(SpanAttributes), 'metadata.requester_metadata'))])] AS tag_texts, if(guardrail_outcome = '', [], [(cityHash64(guardrail_name, guardrail_mode, Timestamp, end_timestamp), guardrail_outcome)]) AS runs FROM otel_traces WHERE TraceId != ''
----
CREATE TABLE IF NOT EXISTS usage_quarters (project_id LowCardinality(String), quarter Int32, type LowCardinality(String), model LowCardinality(String), provider LowCardinality(String), service LowCardinality(String), agent LowCardinality(String), status LowCardinality(String), is_root Bool, is_priced Bool, spans SimpleAggregateFunction(sum, UInt64), cached_calls SimpleAggregateFunction(sum, UInt64), input SimpleAggregateFunction(sum, UInt64), output SimpleAggregateFunction(sum, UInt64), cached_input SimpleAggregateFunction(sum, UInt64), reasoning SimpleAggregateFunction(sum, UInt64), tokens SimpleAggregateFunction(sum, UInt64), cost SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))), saved SimpleAggregateFunction(sum, Nullable(Decimal(38, 12))), failed_calls SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)), durations AggregateFunction(quantilesTDigest(0.5), UInt64)) ENGINE = AggregatingMergeTree() PARTITION BY intDiv(quarter, 2880) ORDER BY (project_id, quarter, type, model, provider, service, agent, status, is_root, is_priced) SETTINGS index_granularity = 8192
----
CREATE MATERIALIZED VIEW IF NOT EXISTS usage_quarters_mv TO usage_quarters AS SELECT project_id AS project_id, intDiv(toUnixTimestamp64Nano(Timestamp), 900000000000) AS quarter, span_type AS type, model AS model, provider AS provider, ServiceName AS service, agent_name AS agent, StatusCode AS status, ParentSpanId = '' AS is_root, cache_hit OR isNotNull(reported_cost) AS is_priced, NOT is_pending AS spans, cache_hit AS cached_calls, input_tokens AS input, output_tokens AS output, cached_input_tokens AS cached_input, reasoning_tokens AS reasoning, total_tokens AS tokens, if(cache_hit, 0, reported_cost) AS cost, if(cache_hit, reported_cost, NULL) AS saved, if(is_llm_call AND StatusCode = 'Error', [cityHash64(TraceId, ParentSpanId, Timestamp, model)], []) AS failed_calls, initializeAggregation('quantilesTDigestState(0.5)', toUInt64(toUnixTimestamp64Nano(end_timestamp) - toUnixTimestamp64Nano(Timestamp))) AS durations FROM otel_traces WHERE NOT is_pending
----
CREATE TABLE IF NOT EXISTS guardrail_runs (project_id LowCardinality(String), started DateTime64(9), trace_id String, guardrail LowCardinality(String), mode LowCardinality(String), ended DateTime64(9), outcome LowCardinality(String), span_id String, service LowCardinality(String)) ENGINE = ReplacingMergeTree() PARTITION BY toYYYYMM(started) ORDER BY (project_id, started, trace_id, guardrail, mode, ended) SETTINGS index_granularity = 8192
----
CREATE MATERIALIZED VIEW IF NOT EXISTS guardrail_runs_mv TO guardrail_runs AS SELECT project_id AS project_id, Timestamp AS started, TraceId AS trace_id, guardrail_name AS guardrail, guardrail_mode AS mode, end_timestamp AS ended, guardrail_outcome AS outcome, SpanId AS span_id, ServiceName AS service FROM otel_traces WHERE guardrail_outcome != '' AND TraceId != ''
----
DROP VIEW IF EXISTS otel_traces_trace_id_ts_mv SYNC
----
DROP TABLE IF EXISTS otel_traces_trace_id_ts SYNC
----
CREATE VIEW IF NOT EXISTS otel_traces_trace_id_ts  AS SELECT project_id, trace_id AS TraceId, min(started) AS Start, max(ended) AS End FROM trace_summaries GROUP BY project_id, trace_id
----
CREATE TABLE IF NOT EXISTS otlp_inbox (segment String,
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4)) ENGINE = MergeTree() PARTITION BY segment ORDER BY tuple() SETTINGS max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1, old_parts_lifetime = 10
----
CREATE TABLE IF NOT EXISTS otlp_unreadable (
    received_at DateTime64(3) DEFAULT now64(3),
    project_id UUID,
    key_id UUID,
    digest FixedString(16),
    spans UInt32,
    body String CODEC(LZ4), reason String) ENGINE = MergeTree() PARTITION BY toYYYYMM(received_at) ORDER BY received_at TTL toDateTime(received_at) + toIntervalDay(30)
