"""The OTLP message classes as this receiver reads them.

They are the official definitions with one change: text fields are `bytes`. Both are the same on the wire, but a
message class with `string` fields refuses a whole request for one name that is not valid UTF-8, and real clients
cut text in the middle of a character.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
_SIGNALS = (trace_pb2, logs_pb2, metrics_pb2)
_SERVICES = (trace_service_pb2, logs_service_pb2, metrics_service_pb2)


def _with_bytes_for_text(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type == _FIELD.TYPE_STRING:
            field.type = _FIELD.TYPE_BYTES
    for nested in message.nested_type:
        _with_bytes_for_text(nested)


def _load() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, *_SIGNALS, *_SERVICES):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _with_bytes_for_text(message)
        pool.Add(file)
    return pool


_POOL = _load()


def _request(signal: str, name: str) -> Any:
    full_name = f"opentelemetry.proto.collector.{signal}.v1.Export{name}ServiceRequest"
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


# `Any`: the classes exist only at run time.
TraceRequest: Any = _request("trace", "Trace")
LogsRequest: Any = _request("logs", "Logs")
MetricsRequest: Any = _request("metrics", "Metrics")
SpanMessage: Any = message_factory.GetMessageClass(_POOL.FindMessageTypeByName("opentelemetry.proto.trace.v1.Span"))

# Lists of which one that is odd must not cost the others.
ITEM_FIELDS = frozenset(
    {
        "opentelemetry.proto.trace.v1.ScopeSpans.spans",
        "opentelemetry.proto.logs.v1.ScopeLogs.log_records",
        "opentelemetry.proto.metrics.v1.ScopeMetrics.metrics",
    }
)


def _text_fields(descriptors: Iterable[Any]) -> Iterator[str]:
    for descriptor in descriptors:
        yield from (field.full_name for field in descriptor.fields if field.type == field.TYPE_STRING)
        yield from _text_fields(descriptor.nested_types)


TEXT_FIELDS = frozenset(
    name
    for file in (common_pb2, resource_pb2, *_SIGNALS)
    for name in _text_fields(file.DESCRIPTOR.message_types_by_name.values())
)


def _list(message: Any, number: int) -> Any:
    return getattr(message, message.DESCRIPTOR.fields_by_number[number].name)


def scopes(message: Any) -> Iterator[tuple[Any, Any]]:
    """Of a request of any signal (holder of the resource, holder of the scope and its items)."""
    for holder in _list(message, 1):
        for scope_holder in _list(holder, 2):
            yield holder, scope_holder


def item_lists(message: Any) -> Iterator[Any]:
    """The lists of spans, log records or metrics of a request."""
    for _, scope_holder in scopes(message):
        yield _list(scope_holder, 2)
