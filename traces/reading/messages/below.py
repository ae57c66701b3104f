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


def told_in_logs(talk: Conversation, told: Callable[[], Iterable[Below]]) -> tuple[Conversation, str]:
    """The conversation that log records of a call tell, and the name of the last of them that does; '' where the call
    tells one itself, for then nobody is asked, or none does.
    """
    if talk.asked or talk.answered:
        return talk, ""
    speaking = [span for span in told() if LOG_EVENT in span.attributes and span.events]
    found = conversation({}, [event for span in speaking for event in span.events])
    return (found, speaking[-1].name) if found.asked or found.answered else (talk, "")
