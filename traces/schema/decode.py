"""The view that turns OTLP messages into rows of `otel_traces`, inside ClickHouse.

Values become text as the OpenTelemetry Collector's ClickHouse exporter writes them: numbers and booleans in plain
form, bytes as base64, arrays as JSON.
"""

NESTED_MARK = "NESTED_ATTRIBUTE"
MAX_NANOSECONDS = 2**63 - 1  # 2262-04-11, the last time a DateTime64(9) can hold


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


def _json(value: str) -> str:
    """SQL: the JSON text of one array element. JSON knows no NaN and no infinity: they become strings."""
    return (
        f"coalesce(toJSONString({value}.string_value), toString({value}.int_value), "
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


def _time(nanoseconds: str) -> str:
    return f"fromUnixTimestamp64Nano(toInt64(least({nanoseconds}, {MAX_NANOSECONDS})), 'UTC')"


def _hex(identifier: str) -> str:
    return f"lower(hex({identifier}))"


DECODE_SELECT = f"""
SELECT
    {_time("span.start_time_unix_nano")} AS Timestamp,
    {_hex("span.trace_id")} AS TraceId,
    {_hex("span.span_id")} AS SpanId,
    {_hex("span.parent_span_id")} AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    transform(span.kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified')
        AS SpanKind,
    resource['service.name'] AS ServiceName,
    resource AS ResourceAttributes,
    scope_spans.scope.name AS ScopeName,
    scope_spans.scope.version AS ScopeVersion,
    {_map("scope_spans.scope.attributes")} AS ScopeAttributes,
    {_map("span.attributes")} AS SpanAttributes,
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0)
        AS Duration,
    transform(span.status.code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(event -> {_time("event.time_unix_nano")}, span.events) AS `Events.Timestamp`,
    arrayMap(event -> event.name, span.events) AS `Events.Name`,
    arrayMap(event -> {_map("event.attributes")}, span.events) AS `Events.Attributes`,
    arrayMap(link -> {_hex("link.trace_id")}, span.links) AS `Links.TraceId`,
    arrayMap(link -> {_hex("link.span_id")}, span.links) AS `Links.SpanId`,
    arrayMap(link -> link.trace_state, span.links) AS `Links.TraceState`,
    arrayMap(link -> {_map("link.attributes")}, span.links) AS `Links.Attributes`
FROM
(
    SELECT
        arrayJoin(resource_span.scope_spans) AS scope_spans,
        mapConcat(
            map('agentops.project.id', project_id),
            mapFilter((key, value) -> key != 'agentops.project.id', {_map("resource_span.resource.attributes")})
        ) AS resource
    FROM (SELECT project_id, arrayJoin(request.resource_spans) AS resource_span FROM {{source}})
)
ARRAY JOIN scope_spans.spans AS span
"""
