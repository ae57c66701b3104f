"""The tags of a trace, out of the texts in which clients send them."""

from collections.abc import Iterable
from typing import Any

from agentops_portal.formats import cut
from traces.store.values.parse import as_list, decoded

from .guard import shown_or

MAX_TAGS = 50
MAX_TAG_CHARACTERS = 200  # a tag is a word; a text of a megabyte in its place must not fill every list

# The values are JSON arrays or Python lists as text; LiteLLM's is a dict with whatever the caller sent.
TAG_ATTRIBUTES = (
    "agentops.tags",
    "tag.tags",
    "langfuse.trace.tags",
    "metadata.requester_metadata",
    "ai.telemetry.metadata.tags",
)
# Stands before a text that ClickHouse could not read as a list of tags; it is read when it is shown.
UNREAD = "\x01"
# The list under "tags" in a dict, which may hold brackets in its quoted texts.
_LIST_IN_DICT = r"""[''"]tags[''"]: ?(\\[(?:''(?:[^''\\\\]|\\\\.)*''|"(?:[^"\\\\]|\\\\.)*"|[^\\]''"])*\\])"""


def tags_sql() -> str:
    """SQL: the tags of a span as a list of texts, empty for most spans. Every insert pays for it.

    A look-up in a Map reads all its keys as texts; `indexOf` compares numbers, for the keys are LowCardinality. One
    text is taken: no client knows two dialects of tags. A list is read here, so that a tag is the same text however it
    was written; what is no JSON, and cannot be made JSON by its quotes alone, stays as it came behind UNREAD.
    """
    positions = ", ".join(f"indexOf(mapKeys(SpanAttributes), '{key}')" for key in TAG_ATTRIBUTES)
    text = f"(mapValues(SpanAttributes)[greatest({positions})] AS tag_attribute)"
    listed = f"(if(startsWith({text}, '{{'), extract(tag_attribute, '{_LIST_IN_DICT}'), tag_attribute) AS tag_list)"
    json = r"""if(match(tag_list, '["\\\\]'), tag_list, replaceAll(tag_list, '''', '"'))"""
    return (
        f"multiIf({listed} IN ('', '[]'), [], NOT match(tag_list, '^[\"''[]'), [tag_list], "
        rf"notEmpty(JSONExtract({json}, 'Array(String)') AS tags_read), tags_read, [concat('\x01', tag_list)])"
    )


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """All tags, each once, in alphabetical order. `texts`: what `tags_sql` makes of spans."""
    return shown_or(lambda reason: (), lambda: _sorted_tags(texts), where="tags")


def _sorted_tags(texts: Iterable[str]) -> tuple[str, ...]:
    found = {cut(tag, MAX_TAG_CHARACTERS) for text in texts for tag in _tags(text) if tag}
    return tuple(sorted(found)[:MAX_TAGS])


def _tags(text: str) -> list[str]:
    if not text.startswith(UNREAD):
        return [text]
    value: Any = decoded(text.removeprefix(UNREAD))
    return [tag for tag in as_list(value) if isinstance(tag, str)]
