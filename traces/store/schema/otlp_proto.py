"""The OTLP trace messages as ClickHouse is to decode them.

Field numbers are those of opentelemetry-proto 1.x (trace/v1/trace.proto, common/v1/common.proto). Three things differ
on purpose, none of which changes the wire format:

* text is declared as it is on the wire; ClickHouse stores the bytes, valid UTF-8 or not;
* a value nested deeper than one array is declared as `bytes`, because a recursive type has no columns; the view
  refuses such a batch and the receiver rewrites the few requests that hold one (traces/ingest/otlp/plain_text.py);
* attributes of resources, scopes, events and links are declared as text alone: the price of an insert grows with the
  number of columns, and nearly all of them are text. The receiver turns the others into text first;
* `Envelope` is what the receiver makes of a request: one for each ScopeSpans, which lies in it as it came, beside its
  resource and the project. It is a message of its own in there, so no field that a client invents can be taken for
  one of the receiver's.
"""

SCOPE_SPANS_FIELD = 1
RESOURCE_FIELD = 2
PROJECT_FIELD = 3
DIGEST_FIELD = 4

OTLP_PROTO = f"""syntax = "proto3";
message Leaf {{ oneof value {{
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; }} }}
message Leaves {{ repeated Leaf values = 1; }}
message AnyValue {{ oneof value {{
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  Leaves array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; }} }}
message KeyValue {{ string key = 1; AnyValue value = 2; }}
message Text {{ string string_value = 1; }}
message TextPair {{ string key = 1; Text value = 2; }}
message Resource {{ repeated TextPair attributes = 1; }}
message Scope {{ string name = 1; string version = 2; repeated TextPair attributes = 3; }}
message Event {{ fixed64 time_unix_nano = 1; string name = 2; repeated TextPair attributes = 3; }}
message Link {{ bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated TextPair attributes = 4; }}
message Status {{ string message = 2; int32 code = 3; }}
message Span {{
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15; }}
message ScopeSpans {{ Scope scope = 1; repeated Span spans = 2; }}
message Envelope {{
  ScopeSpans scope_spans = {SCOPE_SPANS_FIELD}; Resource resource = {RESOURCE_FIELD};
  string project_id = {PROJECT_FIELD}; bytes request_digest = {DIGEST_FIELD}; }}
"""

_SCALARS = (
    "string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), "
    "double_value Nullable(Float64), kvlist_value Nullable(String), bytes_value Nullable(String)"
)
_LEAVES = f"Tuple(values Array(Tuple({_SCALARS}, array_value Nullable(String))))"
_ATTRIBUTES = f"Array(Tuple(key String, value Tuple({_SCALARS}, array_value {_LEAVES})))"
_TEXTS = "Array(Tuple(key String, value Tuple(string_value String)))"
_EVENTS = f"Array(Tuple(time_unix_nano UInt64, name String, attributes {_TEXTS}))"
_LINKS = f"Array(Tuple(trace_id String, span_id String, trace_state String, attributes {_TEXTS}))"

# Columns of the Null table that receives the messages, one name for each field on the path to its value.
#
# Spans are columns of their own instead of one array of tuples: the price of an insert grows with the size of the
# types that its view handles. ClickHouse's Protobuf format takes `_` for a dot, and a dot in a name means "arrays of
# the same length", which holds for the fields of spans only.
ENVELOPE_COLUMNS = f"""
    project_id String,
    request_digest String,
    resource_attributes {_TEXTS},
    scope_spans_scope_name String,
    scope_spans_scope_version String,
    scope_spans_scope_attributes {_TEXTS},
    `scope_spans_spans.trace_id` Array(String),
    `scope_spans_spans.span_id` Array(String),
    `scope_spans_spans.trace_state` Array(String),
    `scope_spans_spans.parent_span_id` Array(String),
    `scope_spans_spans.name` Array(String),
    `scope_spans_spans.kind` Array(Int32),
    `scope_spans_spans.start_time_unix_nano` Array(UInt64),
    `scope_spans_spans.end_time_unix_nano` Array(UInt64),
    `scope_spans_spans.attributes` Array({_ATTRIBUTES}),
    `scope_spans_spans.events` Array({_EVENTS}),
    `scope_spans_spans.links` Array({_LINKS}),
    `scope_spans_spans.status` Array(Tuple(message String, code Int32))"""
