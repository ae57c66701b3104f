"""What an LLM was told and what it said, out of a span's attributes and events.

`conversation` asks each dialect in turn (DIALECTS) and takes its input and its output from the first that says
something. A dialect finds the messages; `normal.py` reads the shapes in which providers write one message, `parts.py`
those of its parts, `media.py` names images. `payload` is what went into any other span and came out. To add a dialect:
one function in frameworks.py, one line in DIALECTS, one recorded body in tests/payloads.

All of it is text that an LLM or its caller wrote: it is shown escaped and never as markup.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from traces.store.values.readable import readable

from .dialects import DIALECTS, instructions
from .media import named_text
from .payloads import Payload, payload_of
from .sent import Sent, SpanEvent
from .tools import offered_tools
from .types import Conversation, Message, Part, PartKind

__all__ = ["Conversation", "Message", "Part", "PartKind", "Payload", "conversation", "payload"]

# Why a model stopped that wants a tool called, in the words of providers.
_CALLS = {"tool_calls", "tool_call", "tool-calls", "tool_use", "function_call"}


def conversation(attributes: Mapping[str, str], events: Sequence[SpanEvent] = ()) -> Conversation:
    """The messages of an LLM span; an empty conversation when it holds none."""
    sent = Sent(attributes, events)
    asked = _first(dialect.asked(sent) for dialect in DIALECTS)
    answered = _answered(sent)
    system = instructions(sent)
    if asked and system and not any(message.role == "system" for message in asked):
        asked = (Message("system", (Part(PartKind.TEXT, text=system),)), *asked)
    tools = tuple(offered_tools(sent)) if asked or answered else ()
    return Conversation(_shown(asked), _shown(answered), tools)


def payload(attributes: Mapping[str, str], events: Sequence[SpanEvent] = ()) -> Payload:
    """What went into a span and what came out, from the first dialect that says so."""
    return payload_of(Sent(attributes, events))


def _first(readings: Iterable[Iterable[Message]]) -> tuple[Message, ...]:
    """The first reading that says something; without one, the first that says at least how a model stopped."""
    silent: tuple[Message, ...] = ()
    for reading in readings:
        found = tuple(reading)
        if any(message.parts for message in found):
            return _stopped(found, silent)
        silent = silent or found
    return silent


def _answered(sent: Sent) -> tuple[Message, ...]:
    found = _first(dialect.answered(sent) for dialect in DIALECTS)
    if not any(message.parts for message in found):
        # LiteLLM gives answers without a word the role of who asked.
        return tuple(replace(message, role="assistant") for message in found)
    if not any(message.finish_reason in _CALLS for message in found) or _calls(found):
        return found
    # Some tell the words of an answer in one dialect and its calls in another.
    calls = next((calls for dialect in DIALECTS if (calls := _calls(dialect.answered(sent)))), ())
    return (*found[:-1], replace(found[-1], parts=(*found[-1].parts, *calls)))


def _calls(messages: Iterable[Message]) -> tuple[Part, ...]:
    return tuple(part for message in messages for part in message.parts if part.kind is PartKind.TOOL_CALL)


def _stopped(found: tuple[Message, ...], silent: tuple[Message, ...]) -> tuple[Message, ...]:
    reason = next((message.finish_reason for message in silent if message.finish_reason), "")
    if not reason or any(message.finish_reason for message in found):
        return found
    return (*found[:-1], replace(found[-1], finish_reason=reason))


def _shown(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """For people: letters for escapes, a name for an image that stands in a text."""
    return tuple(replace(message, parts=tuple(map(_plain, message.parts))) for message in messages)


def _plain(part: Part) -> Part:
    text = named_text(readable(part.text))
    return part if text is part.text else replace(part, text=text)
