"""Django's `%s` parameters for ClickHouse: the server binds text, only values that cannot hold SQL are written out.

A string, wherever it stands (in a list, a map, a tuple), becomes `{p0:String}` and travels beside the query. What
remains is numbers, dates, UUIDs, whose literals are written here.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from clickhouse_backend.driver.escape import escape_param
from clickhouse_connect.driver.exceptions import DataError

# A form field holds 128 KiB (http_max_field_value_size); an escaped character takes at most 2 bytes more.
MAX_BOUND_LENGTH = 32 * 1024
MAX_BOUND_COUNT = 1000


class _Binder:
    def __init__(self, by_server: bool) -> None:
        self.by_server = by_server
        self.parameters: dict[str, str] = {}

    def render(self, value: Any) -> str:
        """SQL for one value, with placeholders for the text in it."""
        if isinstance(value, Enum):
            return self.render(value.value)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return f"unhex('{bytes(value).hex()}')"
        if isinstance(value, Decimal):
            return _decimal(value)
        if isinstance(value, list | set | frozenset):
            return f"[{', '.join(map(self.render, value))}]"
        if isinstance(value, tuple):
            return f"tuple({', '.join(map(self.render, value))})"
        if isinstance(value, Mapping):
            return f"map({', '.join(self.render(part) for item in value.items() for part in item)})"
        return str(escape_param(value, {}))

    def _text(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"A text cannot be stored: {error.reason} at position {error.start}.") from error
        if not self.by_server or len(value) > MAX_BOUND_LENGTH or len(self.parameters) >= MAX_BOUND_COUNT:
            return literal(value)
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:String}}"


def bind(
    sql: str, parameters: Sequence[Any] | Mapping[str, Any], *, by_server: bool = True
) -> tuple[str, dict[str, str]]:
    """`sql` with its `%s` (or `%(name)s`) replaced, and the values of the server's placeholders.

    `by_server=False` writes text out as literals, for the data of INSERT … VALUES, which knows no placeholders.
    Raises DataError for text that UTF-8 cannot hold.
    """
    binder = _Binder(by_server)
    if isinstance(parameters, Mapping):
        return sql % {name: binder.render(value) for name, value in parameters.items()}, binder.parameters
    return sql % tuple(binder.render(value) for value in parameters), binder.parameters


def literal(value: str) -> str:
    """A ClickHouse string literal: backslash and quote are all that can end one early."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _decimal(value: Decimal) -> str:
    """Exact, while a bare 0.1 would be read as a Float64."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise DataError(f"{value} is not a number that a Decimal column can hold.")
    return f"toDecimal256('{value:f}', {max(0, -exponent)})"
