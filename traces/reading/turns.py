"""A trace as one turn of a conversation: what was asked first and what was answered last."""

from dataclasses import dataclass

from agentops_portal.formats import cut
from traces.store.guard import shown_or
from traces.store.queries.span_detail import SpanDetail
from traces.store.queries.turns import Speakers

from .messages import Conversation, Message, conversation, payload
from .replay import text_of

MOST_CHARACTERS = 2_000  # of a question or an answer; the trace has all of it


@dataclass(frozen=True)
class Turn:
    """ "" where nobody recorded it, or where it is too long to be looked into."""

    question: str = ""
    answer: str = ""


def turn(speakers: Speakers | None) -> Turn:
    """The last message of the user in the first LLM call and the answer of the last one; where calls do not say it,
    what went into the root and came out.
    """
    if speakers is None or not (teller := speakers.first or speakers.root):
        return Turn()
    return shown_or(
        lambda reason: Turn(),
        lambda: _turn(speakers),
        where="turn",
        trace_id=teller.trace_id,
        span_id=teller.span_id,
    )


def _turn(speakers: Speakers) -> Turn:
    question = next((text for each in reversed(_talk(speakers.first).asked) if (text := _asked(each))), "")
    answer = next((text for each in _talk(speakers.last).answered if (text := text_of(each))), "")
    if speakers.root and not (question and answer):
        around = payload(speakers.root.attributes, speakers.root.events)
        question, answer = question or around.input, answer or around.output
    return Turn(cut(question.strip(), MOST_CHARACTERS), cut(answer.strip(), MOST_CHARACTERS))


def _talk(span: SpanDetail | None) -> Conversation:
    return conversation(span.attributes, span.events) if span else Conversation()


def _asked(message: Message) -> str:
    return text_of(message) if message.role == "user" else ""
