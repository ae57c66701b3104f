"""What a client sent with a span, as the readers of dialects take it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from traces.store.values.parse import decoded, nested

from .types import Message


class SpanEvent(Protocol):
    """Something that happened in a span; attribute values are text."""

    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Sent:
    """A span's attributes and events, as text."""

    attributes: Mapping[str, str]
    events: Sequence[SpanEvent] = ()
    # Several dialects ask for the same, and most for what is not there.
    _values: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(map(_folder, self.attributes))

    def value(self, *keys: str) -> Any:
        """What the first of these attributes that is not empty denotes; '' when all are."""
        text = self.text(*keys)
        if not text:
            return ""
        if text not in self._values:
            self._values[text] = decoded(text)
        return self._values[text]

    def numbered(self, prefix: str) -> Any:
        """What the attributes below a prefix of two dots or more say together (parse.nested); {} without any."""
        return nested(dict(self.attributes), prefix) if _folder(prefix) in self._folders else {}

    def text(self, *keys: str) -> str:
        for key in keys:
            if text := self.attributes.get(key):
                return text
        return ""


def _folder(key: str) -> str:
    """`gen_ai.prompt` of `gen_ai.prompt.0.role`."""
    first, _, rest = key.partition(".")
    return f"{first}.{rest.partition('.')[0]}"


Reader = Callable[[Sent], Iterable[Message]]


@dataclass(frozen=True)
class MessageDialect:
    """How one kind of client writes what was asked and what was answered."""

    name: str
    asked: Reader
    answered: Reader
