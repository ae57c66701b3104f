"""Columns of kinds that an ORM does not have."""

from collections.abc import Callable
from functools import partial
from typing import Any

from clickhouse_backend import models as clickhouse

from traces.store.rollups import durations


class _ListField(clickhouse.ArrayField):
    """A list of what `element` makes; migrations do not name it again."""

    element: Callable[[], Any]

    def __init__(self, **options: Any) -> None:
        super().__init__(type(self).element(), **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("base_field", None)
        return name, path, args, options


class DurationsField(clickhouse.Float64Field):
    """The histogram of durations, read as its median in nanoseconds."""

    def db_type(self, connection: Any) -> str:
        return durations.KIND

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return durations.median(sql), params


class HexField(clickhouse.FixedStringField):
    """Bytes as the hexadecimal digits of them, in rows and in conditions."""

    def get_prep_value(self, value: Any) -> Any:
        return bytes.fromhex(value) if isinstance(value, str) else value

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"lower(hex({sql}))", params


class SpanIdsField(_ListField):
    """Trace id and span id of each span in one, as hexadecimal digits."""

    element = partial(clickhouse.FixedStringField, max_bytes=24)

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"arrayMap(each -> lower(hex(each)), {sql})", params


class BytesField(clickhouse.StringField):
    """Bytes of any kind, read as base64."""

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        return f"base64Encode({sql})", params
