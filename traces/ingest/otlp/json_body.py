"""OTLP/JSON, which is not quite protobuf's JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

Ids are hexadecimal, 64-bit integers are strings or numbers, enums are integers (a Collector takes their names, too),
unknown fields are ignored.
"""

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import EnumValueDescriptor, FieldDescriptor

from .errors import BadData
from .json_text import parse
from .messages import ITEM_FIELDS, TEXT_FIELDS, LogsRequest, MetricsRequest, TraceRequest

ID_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
MAX_DEPTH = 100  # as in protobuf's own reader
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


# Names that OpenTelemetry gave up in 2022; the fields are the same.
_OLD_NAMES = {
    "instrumentationLibrarySpans": "scope_spans",
    "instrumentation_library_spans": "scope_spans",
    "instrumentationLibrary": "scope",
    "instrumentation_library": "scope",
}
# Field of a request → what it holds.
_SIGNALS = {
    "resourceSpans": "traces",
    "resource_spans": "traces",
    "resourceLogs": "logs",
    "resource_logs": "logs",
    "resourceMetrics": "metrics",
    "resource_metrics": "metrics",
    "resourceProfiles": "profiles",
    "resource_profiles": "profiles",
}
_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_INTEGER = re.compile(r"-?[0-9]{1,40}")


def read_json(body: bytes, kind: Any = TraceRequest) -> tuple[Any, list[str]]:
    """A request of that class from its JSON text, and for each item (span, log record, metric) that is not in it the
    field that was unreadable.

    Raises BadData that names the field at fault when that lies outside the items.
    """
    data = parse(body)
    wanted = kind.DESCRIPTOR.fields[0]
    if not isinstance(data, dict):
        raise BadData(f"The body must be a JSON object with {wanted.camelcase_name}.")
    if data and not {wanted.camelcase_name, wanted.name} & data.keys():
        raise BadData(_other_content(data, wanted))
    message = kind()
    faults: list[str] = []
    _fill(message, data, "", 0, faults)
    return message, faults


def _other_content(data: dict[str, Any], wanted: FieldDescriptor) -> str:
    for name in data:
        if name in _SIGNALS:
            received = f"{_SIGNALS[wanted.name]} ({wanted.camelcase_name})"
            return f"The body holds {_SIGNALS[name]} ({name}); this address receives {received}."
    names = ", ".join(repr(name[:40]) for name in list(data)[:3])
    return f"The body has no {wanted.camelcase_name}: it holds {names}."


def _fill(message: Any, data: dict[str, Any], path: str, depth: int, faults: list[str]) -> None:
    if depth > MAX_DEPTH:
        raise BadData(f"{path[:80]}… is nested more than {MAX_DEPTH} levels deep.")
    for name, value in data.items():
        field = _FIELDS[message.DESCRIPTOR.full_name].get(name)
        if field is None or value is None:
            continue
        where = f"{path}.{name}" if path else name
        if field.is_repeated:
            if not isinstance(value, list):
                raise BadData(f"{where} must be a list.")
            target = getattr(message, field.name)
            if field.message_type is None:
                target.extend(_scalar(field, item, f"{where}[{index}]") for index, item in enumerate(value))
                continue
            for index, item in enumerate(value):
                known = len(target)
                try:
                    _fill(target.add(), _object(item, f"{where}[{index}]"), f"{where}[{index}]", depth + 1, faults)
                except BadData as fault:
                    if field.full_name not in ITEM_FIELDS:
                        raise
                    faults.append(str(fault))
                    del target[known:]
        elif field.message_type is not None:
            target = getattr(message, field.name)
            target.SetInParent()
            _fill(target, _object(value, where), where, depth + 1, faults)
        else:
            setattr(message, field.name, _scalar(field, value, where))


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadData(f"{where} must be an object.")
    return value


def _scalar(field: FieldDescriptor, value: Any, where: str) -> Any:
    if field.enum_type is not None:
        return _enum(field.enum_type.values_by_name, value, where)
    if field.type in _INTEGERS:
        return _integer(value, where, *_INTEGERS[field.type])
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _double(value, where)
    if field.type == FieldDescriptor.TYPE_BOOL:
        if isinstance(value, bool):
            return value
        raise BadData(f"{where} must be true or false.")
    if not isinstance(value, str):
        raise BadData(f"{where} must be a string.")
    if field.name in ID_FIELDS:
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise BadData(f"{where} must be hexadecimal.") from None
    if field.full_name in TEXT_FIELDS:
        return value.encode()
    try:
        # Padded or not, and in the alphabet for URLs too, as protobuf's own JSON readers take it.
        return base64.b64decode(value.translate(_STANDARD_ALPHABET) + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        raise BadData(f"{where} must be base64.") from None


def _enum(names: Mapping[str, EnumValueDescriptor], value: Any, where: str) -> int:
    if isinstance(value, str) and value in names:
        return int(names[value].number)
    try:
        return _integer(value, where, *_INTEGERS[FieldDescriptor.TYPE_ENUM])
    except BadData:
        raise BadData(f"{where} must be an integer or one of {', '.join(names)}.") from None


def _integer(value: Any, where: str, lowest: int, highest: int) -> int:
    number: int | None = None
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    if number is None:
        raise BadData(f"{where} must be an integer.")
    if not lowest <= number <= highest:
        raise BadData(f"{where} must be between {lowest} and {highest}.")
    return number


def _double(value: Any, where: str) -> float:
    named = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    if isinstance(value, str) and value in named:
        return named[value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadData(f"{where} must be a number.")
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise BadData(f"{where} must be a number.") from None


def _fields_by_name(descriptor: Any, known: dict[str, dict[str, FieldDescriptor]]) -> None:
    if descriptor.full_name in known:
        return
    known[descriptor.full_name] = {
        name: field for field in descriptor.fields for name in (field.json_name, field.camelcase_name, field.name)
    }
    by_name = {field.name: field for field in descriptor.fields}
    known[descriptor.full_name] |= {old: by_name[name] for old, name in _OLD_NAMES.items() if name in by_name}
    for field in descriptor.fields:
        if field.message_type is not None:
            _fields_by_name(field.message_type, known)


_FIELDS: dict[str, dict[str, FieldDescriptor]] = {}
for _kind in (TraceRequest, LogsRequest, MetricsRequest):
    _fields_by_name(_kind.DESCRIPTOR, _FIELDS)
