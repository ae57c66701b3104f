"""The OTLP trace messages as ClickHouse is to decode them.

Field numbers are those of opentelemetry-proto 1.x (trace/v1/trace.proto, common/v1/common.proto). Three things differ
on purpose, none of which changes the wire format:

* text is declared as it is on the wire; ClickHouse stores the bytes, valid UTF-8 or not;
* a value nested deeper than one array is declared as `bytes`, because a recursive type has no columns; the view
  refuses such a batch and the receiver rewrites the few requests that hold one (traces/otlp/nested.py);
* `Envelope` carries the request as it came beside what the receiver knows of it. The request is a message of its
  own in there, so no field that a client invents can be taken for one of the receiver's.
"""

REQUEST_FIELD = 1
PROJECT_FIELD = 2

OTLP_PROTO = f"""syntax = "proto3";
message Leaf {{ oneof value {{
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; }} }}
message Leaves {{ repeated Leaf values = 1; }}
message AnyValue {{ oneof value {{
  string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
  Leaves array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7; }} }}
message KeyValue {{ string key = 1; AnyValue value = 2; }}
message Resource {{ repeated KeyValue attributes = 1; }}
message Scope {{ string name = 1; string version = 2; repeated KeyValue attributes = 3; }}
message Event {{ fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }}
message Link {{ bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }}
message Status {{ string message = 2; int32 code = 3; }}
message Span {{
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15; }}
message ScopeSpans {{ Scope scope = 1; repeated Span spans = 2; }}
message ResourceSpans {{ Resource resource = 1; repeated ScopeSpans scope_spans = 2; }}
message TraceRequest {{ repeated ResourceSpans resource_spans = 1; }}
message Envelope {{ TraceRequest request = {REQUEST_FIELD}; string project_id = {PROJECT_FIELD}; }}
"""

_SCALARS = (
    "string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), "
    "double_value Nullable(Float64), kvlist_value Nullable(String), bytes_value Nullable(String)"
)
_LEAVES = f"Tuple(values Array(Tuple({_SCALARS}, array_value Nullable(String))))"
_ATTRIBUTES = f"Array(Tuple(key String, value Tuple({_SCALARS}, array_value {_LEAVES})))"
_EVENTS = f"Array(Tuple(time_unix_nano UInt64, name String, attributes {_ATTRIBUTES}))"
_LINKS = f"Array(Tuple(trace_id String, span_id String, trace_state String, attributes {_ATTRIBUTES}))"
_SPANS = (
    "Array(Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, name String, "
    f"kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {_ATTRIBUTES}, "
    f"events {_EVENTS}, links {_LINKS}, status Tuple(message String, code Int32)))"
)
_SCOPE = f"Tuple(name String, version String, attributes {_ATTRIBUTES})"

# Columns of the Null table that receives the messages.
ENVELOPE_COLUMNS = (
    f"project_id String, request Tuple(resource_spans Array(Tuple(resource Tuple(attributes {_ATTRIBUTES}), "
    f"scope_spans Array(Tuple(scope {_SCOPE}, spans {_SPANS})))))"
)
