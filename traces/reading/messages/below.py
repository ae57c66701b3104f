"""An answer that a call's own span leaves out: LiteLLM tells what a text completion said in the request below it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

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
