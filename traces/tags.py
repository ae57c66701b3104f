"""The tags of a trace, out of the texts in which clients send them."""

from collections.abc import Iterable, Mapping
from typing import Any

from .messages.decode import as_list, decoded

MAX_TAGS = 50


def tags_of(texts: Mapping[str, Iterable[str]]) -> list[str]:
    """All tags, each once, in alphabetical order. `texts`: attribute → what spans say in it (TAG_ATTRIBUTES)."""
    found = {tag for key, values in texts.items() for text in values for tag in _tags(key, text)}
    return sorted(found)[:MAX_TAGS]


def _tags(key: str, text: str) -> list[str]:
    value: Any = decoded(text)
    if key == "metadata.requester_metadata":  # LiteLLM: a dict with whatever the caller sent
        value = value.get("tags") if isinstance(value, Mapping) else None
    return [tag for tag in as_list(value) if isinstance(tag, str) and tag]
