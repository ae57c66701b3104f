"""How an address names a row of ClickHouse: by the columns that tell it from others, the first of which is its time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope
from agentops_portal.units import EPOCH, NS_OF_QUARTER, NS_OF_SECOND

_ONE = timedelta(microseconds=1)  # a datetime holds no more of a time's nanoseconds
_MILLISECOND = timedelta(milliseconds=1)  # the least that a scope's end must lie behind any kind of time


def keys_of(model: type[Any], row: Mapping[str, Any]) -> dict[str, str]:
    """The row's keys as texts of an address."""
    return {name: _text(row[name]) for name in model.row_keys}


def conditions_of(model: type[Any], project_id: UUID, keys: Mapping[str, str]) -> tuple[Scope, dict[str, Any]]:
    """Scope and conditions that find the row again. Raises KeyError or ValueError for keys that `keys_of` never gives.

    Several rows that ClickHouse has not merged yet may have the same keys: any of them is meant.
    """
    time, *others = model.row_keys
    value = _value(model, time, keys[time])
    moment = time_of(time, value)
    conditions = {name: _value(model, name, keys[name]) for name in others}
    if getattr(model._meta.get_field(time), "precision", 0) > 6:
        conditions |= {f"{time}__gte": value, f"{time}__lt": value + _ONE}
    else:
        conditions[time] = value
    return Scope(project_id, moment, moment + _MILLISECOND), conditions


def time_of(name: str, value: Any) -> datetime:
    """The moment that a row's time means: a datetime itself, or the start of a quarter of an hour since 1970."""
    if isinstance(value, datetime):
        return value
    try:
        return EPOCH + timedelta(seconds=int(value) * NS_OF_QUARTER // NS_OF_SECOND)
    except OverflowError as error:
        raise ValueError(f"{name} {value} is beyond the calendar") from error


def plain(value: Any) -> Any:
    """A value as JSON knows it: times and amounts as texts."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, Decimal | UUID) else value


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(int(value)) if isinstance(value, bool) else str(value)


def _value(model: type[Any], name: str, text: str) -> Any:
    kind = model._meta.get_field(name).get_internal_type()
    if kind.startswith("DateTime64"):
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is None:
            raise ValueError(f"{name} has no offset")
        return moment
    if kind == "FixedStringField":
        return bytes.fromhex(text).hex()
    if kind == "BoolField":
        return text == "1"
    return int(text) if "Int" in kind else text
