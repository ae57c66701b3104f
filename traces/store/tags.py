"""The tags of a trace, out of the texts in which clients send them."""

from collections.abc import Iterable
from typing import Any

from agentops_portal.formats import cut
from traces.store.values.parse import as_list, decoded

from .guard import shown_or

MAX_TAGS = 50
MAX_TAG_CHARACTERS = 200  # a tag is a word; a text of a megabyte in its place must not fill every list

# The values are JSON arrays or Python lists as text; LiteLLM's is a dict with whatever the caller sent.
TAG_ATTRIBUTES = ("agentops.tags", "tag.tags", "langfuse.trace.tags", "metadata.requester_metadata")
# The list under "tags" in a dict, which may hold brackets in its quoted texts.
_LIST_IN_DICT = r"""[''"]tags[''"]: ?(\\[(?:''(?:[^''\\\\]|\\\\.)*''|"(?:[^"\\\\]|\\\\.)*"|[^\\]''"])*\\])"""


def tag_text_sql() -> str:
    """SQL: the text in which a span says its tags, '' for most spans. Every insert pays for it.

    A look-up in a Map reads all its keys as texts; `indexOf` compares numbers, for the keys are LowCardinality. One
    text is taken: no client knows two dialects of tags.
    """
    positions = ", ".join(f"indexOf(mapKeys(SpanAttributes), '{key}')" for key in TAG_ATTRIBUTES)
    text = f"mapValues(SpanAttributes)[greatest({positions})]"
    return f"if(startsWith({text}, '{{'), extract({text}, '{_LIST_IN_DICT}'), {text})"


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """All tags, each once, in alphabetical order. `texts`: what spans say in TAG_ATTRIBUTES."""
    return shown_or(lambda reason: (), lambda: _sorted_tags(texts), where="tags")


def _sorted_tags(texts: Iterable[str]) -> tuple[str, ...]:
    found = {tag for text in texts for tag in _tags(text)}
    return tuple(sorted(found)[:MAX_TAGS])


def _tags(text: str) -> list[str]:
    value: Any = decoded(text)
    return [cut(tag, MAX_TAG_CHARACTERS) for tag in as_list(value) if isinstance(tag, str) and tag]
