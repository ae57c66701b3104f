"""The view that turns OTLP messages into rows of `otel_traces`, inside ClickHouse.

Values become text as the OpenTelemetry Collector's ClickHouse exporter writes them: numbers and booleans in plain
form, bytes as base64, arrays as JSON.
"""

from collections.abc import Mapping

from agentops_portal.units import LAST_NS

NESTED_MARK = "NESTED_ATTRIBUTE"


def _refuse(nested: str) -> str:
    """SQL: '', or an exception when `nested` holds; a row never reaches the table without all of its values."""
    return f"substring(toString(throwIf({nested}, '{NESTED_MARK}')), 2)"


def _text(value: str) -> str:
    """SQL: the text of a scalar AnyValue; '' for one that holds nothing."""
    return (
        f"coalesce({value}.string_value, toString({value}.int_value), toString({value}.double_value), "
        f"toString({value}.bool_value), base64Encode({value}.bytes_value), "
        f"{_refuse(f'isNotNull({value}.kvlist_value)')})"
    )


def _quoted(text: str) -> str:
    """SQL: a text as JSON. ClickHouse escapes slashes, which nobody else does."""
    return f"replaceAll(toJSONString({text}), '\\\\/', '/')"


def _json(value: str) -> str:
    """SQL: the JSON text of one array element. JSON knows no NaN and no infinity: they become strings."""
    return (
        f"coalesce({_quoted(f'{value}.string_value')}, toString({value}.int_value), "
        f"if(isFinite({value}.double_value), toString({value}.double_value), "
        f"toJSONString(toString({value}.double_value))), toString({value}.bool_value), "
        f"toJSONString(base64Encode({value}.bytes_value)), concat('null', "
        f"{_refuse(f'isNotNull({value}.kvlist_value) OR isNotNull({value}.array_value)')}))"
    )


def _map(attributes: str) -> str:
    """SQL: attributes as a Map. A key that stands there twice is kept twice; look-ups find the first."""
    array = f"concat('[', arrayStringConcat(arrayMap(leaf -> {_json('leaf')}, a.value.array_value.values), ','), ']')"
    value = f"if(empty(a.value.array_value.values), {_text('a.value')}, {array})"
    return f"CAST(arrayMap(a -> (a.key, {value}), {attributes}), 'Map(LowCardinality(String), String)')"


def _text_map(attributes: str) -> str:
    """SQL: attributes that are text already as a Map."""
    return f"CAST(arrayMap(a -> (a.key, a.value.string_value), {attributes}), 'Map(LowCardinality(String), String)')"


def _time(nanoseconds: str) -> str:
    return f"fromUnixTimestamp64Nano(toInt64(least({nanoseconds}, {LAST_NS})), 'UTC')"


def _hex(identifier: str) -> str:
    return f"lower(hex({identifier}))"


def decode_select(columns: Mapping[str, str]) -> str:
    """SELECT of rows of `otel_traces` from messages. columns: what it fills beside the exporter's columns, as
    expressions over those.
    """
    also = "".join(f",\n    {value} AS {name}" for name, value in columns.items())
    return f"""
SELECT
    toFixedString(request_digest, 16) AS request_digest,
    {_time("start_time")} AS Timestamp,
    {_hex("trace_id")} AS TraceId,
    {_hex("span_id")} AS SpanId,
    {_hex("parent_span_id")} AS ParentSpanId,
    trace_state AS TraceState,
    name AS SpanName,
    transform(kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')
        AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    mapConcat(
        map('agentops.project.id', project_id),
        mapFilter((key, value) -> key != 'agentops.project.id', {_text_map("resource_attributes")})
    ) AS ResourceAttributes,
    scope_spans_scope_name AS ScopeName,
    scope_spans_scope_version AS ScopeVersion,
    {_text_map("scope_spans_scope_attributes")} AS ScopeAttributes,
    {_map("attributes")} AS SpanAttributes,
    if(end_time > start_time, end_time - start_time, 0) AS Duration,
    transform(status.code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
    status.message AS StatusMessage,
    arrayMap(event -> {_time("event.time_unix_nano")}, events) AS `Events.Timestamp`,
    arrayMap(event -> event.name, events) AS `Events.Name`,
    arrayMap(event -> {_text_map("event.attributes")}, events) AS `Events.Attributes`,
    arrayMap(link -> {_hex("link.trace_id")}, links) AS `Links.TraceId`,
    arrayMap(link -> {_hex("link.span_id")}, links) AS `Links.SpanId`,
    arrayMap(link -> link.trace_state, links) AS `Links.TraceState`,
    arrayMap(link -> {_text_map("link.attributes")}, links) AS `Links.Attributes`{also}
FROM {{source}}
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
