"""The OTLP message classes as this receiver reads them.

They are the official definitions with one change: text fields are `bytes`. Both are the same on the wire, but a
message class with `string` fields refuses a whole request for one name that is not valid UTF-8, and real clients
cut text in the middle of a character.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto


def _with_bytes_for_text(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type == _FIELD.TYPE_STRING:
            field.type = _FIELD.TYPE_BYTES
    for nested in message.nested_type:
        _with_bytes_for_text(nested)


def _load() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2, trace_service_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _with_bytes_for_text(message)
        pool.Add(file)
    return pool


_POOL = _load()

# `Any`: the classes exist only at run time.
TraceRequest: Any = message_factory.GetMessageClass(
    _POOL.FindMessageTypeByName("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest")
)

SPANS_FIELD = "opentelemetry.proto.trace.v1.ScopeSpans.spans"


def _text_fields(descriptors: Iterable[Any]) -> Iterator[str]:
    for descriptor in descriptors:
        yield from (field.full_name for field in descriptor.fields if field.type == field.TYPE_STRING)
        yield from _text_fields(descriptor.nested_types)


TEXT_FIELDS = frozenset(
    name
    for file in (common_pb2, resource_pb2, trace_pb2)
    for name in _text_fields(file.DESCRIPTOR.message_types_by_name.values())
)
