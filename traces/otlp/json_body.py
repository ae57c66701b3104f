"""OTLP/JSON, which is not quite protobuf's JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

Ids are hexadecimal, 64-bit integers are strings or numbers, enums are integers, unknown fields are ignored.
"""

import base64
import binascii
import math
from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor

from .errors import BadData
from .messages import TEXT_FIELDS, TraceRequest

ID_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
MAX_DEPTH = 100  # as in protobuf's own reader
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}


def read_json(body: bytes) -> Any:
    """A TraceRequest from its JSON text. Raises BadData that names the field at fault."""
    try:
        # Exporters cut text in the middle of a character; one broken name must not cost the whole request.
        data = orjson.loads(body.decode("utf-8", "replace"))
    except orjson.JSONDecodeError as error:
        raise BadData(f"The body is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise BadData("The body must be a JSON object with resourceSpans.")
    message = TraceRequest()
    _fill(message, data, "", 0)
    return message


def _fill(message: Any, data: dict[str, Any], path: str, depth: int) -> None:
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
            for index, item in enumerate(value):
                if not isinstance(item, dict):
                    raise BadData(f"{where}[{index}] must be an object.")
                _fill(target.add(), item, f"{where}[{index}]", depth + 1)
        elif field.message_type is not None:
            if not isinstance(value, dict):
                raise BadData(f"{where} must be an object.")
            target = getattr(message, field.name)
            target.SetInParent()
            _fill(target, value, where, depth + 1)
        else:
            setattr(message, field.name, _scalar(field, value, where))


def _scalar(field: FieldDescriptor, value: Any, where: str) -> Any:
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
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise BadData(f"{where} must be base64.") from None


def _integer(value: Any, where: str, lowest: int, highest: int) -> int:
    number: int | None = None
    if isinstance(value, str) and value.strip().lstrip("-").isascii() and value.strip().lstrip("-").isdigit():
        number = int(value) if len(value) <= 40 else highest + 1
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
    for field in descriptor.fields:
        if field.message_type is not None:
            _fields_by_name(field.message_type, known)


_FIELDS: dict[str, dict[str, FieldDescriptor]] = {}
_fields_by_name(TraceRequest.DESCRIPTOR, _FIELDS)
