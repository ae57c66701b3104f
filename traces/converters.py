"""Ids in addresses, as people and clients write them; pages and queries get them as they are stored."""

import re


def stored_trace_id(text: str) -> str:
    """32 lower-case hex digits out of an id in any case, with or without a UUID's dashes. Raises ValueError."""
    digits = text.strip().replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{32}", digits):
        raise ValueError(f"{text!r} is no trace id: that is 32 hexadecimal digits.")
    return digits


class TraceIdConverter:
    regex = "[0-9A-Fa-f-]{32,36}"

    def to_python(self, value: str) -> str:
        return stored_trace_id(value)

    def to_url(self, value: str) -> str:
        return value


class SpanIdConverter:
    regex = "[0-9A-Fa-f]{16}"

    def to_python(self, value: str) -> str:
        return value.lower()

    def to_url(self, value: str) -> str:
        return value


class PersonKeyConverter:
    """Of a session or user: traces/store/queries/person_keys.py."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
