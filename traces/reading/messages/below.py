"""What a call's own span leaves out and spans below it tell: LiteLLM what a text completion said, in the request below;
instrumentations that write messages as log records all of them (traces/ingest/otlp/events).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from traces.store.queries.span_children import LOG_EVENT

from . import conversation
from .sent import SpanEvent
from .types import Conversation


class Below(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...
    @property
    def events(self) -> Sequence[SpanEvent]: ...


def completed(talk: Conversation, below: Callable[[], Iterable[Below]]) -> tuple[Conversation, str]:
    """The conversation with the first answer of the spans below, and the name of the span that tells it; '' where the
    call tells its own, or tells of no answer at all: then nobody is asked.
    """
    if not talk.answered or any(message.parts for message in talk.answered):
        return talk, ""
    for span in below():
        answered = conversation(span.attributes, span.events).answered
        if any(message.parts for message in answered):
            return replace(talk, answered=answered), span.name
    return talk, ""


def told_in_logs(talk: Conversation, below: Callable[[], Iterable[Below]]) -> tuple[Conversation, str]:
    """The conversation that log records below a call tell, and the name of the last; '' where the call tells one, or
    they do not: a call that tells its own does not ask.
    """
    if talk.asked or talk.answered:
        return talk, ""
    told = [span for span in below() if LOG_EVENT in span.attributes]
    found = conversation({}, [event for span in told for event in span.events])
    return (found, told[-1].name) if found.asked or found.answered else (talk, "")
