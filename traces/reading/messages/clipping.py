"""As much of a conversation as a page has room for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .types import Conversation, Message, Part

MAX_PART = 20_000  # characters
MAX_CHARACTERS = 300_000
MAX_MESSAGES = 200
MAX_TOOLS = 100
MAX_NAME = 300


@dataclass(frozen=True)
class Clipped:
    """A conversation whose end is whole; how many messages before it, and tools, are left out."""

    conversation: Conversation
    hidden_messages: int
    hidden_tools: int


def clipped(talk: Conversation) -> Clipped:
    """The answer and what was said last, for that is what people look for; `Part.cut` says what a part lacks."""
    room = _Room()
    answered = room.last(talk.answered)
    asked = room.last(talk.asked)
    tools = tuple(name[:MAX_NAME] for name in talk.tools[:MAX_TOOLS])
    hidden = len(talk.asked) + len(talk.answered) - len(asked) - len(answered)
    return Clipped(Conversation(asked, answered, tools), hidden, len(talk.tools) - len(tools))


class _Room:
    def __init__(self) -> None:
        self._messages = MAX_MESSAGES
        self._characters = MAX_CHARACTERS

    def last(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        found: list[Message] = []
        for message in reversed(messages):
            if self._messages <= 0 or self._characters <= 0:
                break
            self._messages -= 1
            parts = tuple(self._parts(message.parts))
            found.append(
                Message(message.role[:MAX_NAME], parts, message.name[:MAX_NAME], message.finish_reason[:MAX_NAME])
            )
        return tuple(reversed(found))

    def _parts(self, parts: Iterable[Part]) -> Iterable[Part]:
        for part in parts:
            text = part.text[: max(min(MAX_PART, self._characters), 0)]
            self._characters -= len(text) + 100  # and what stands around it
            yield replace(
                part, text=text, cut=len(part.text) - len(text), name=part.name[:MAX_NAME], id=part.id[:MAX_NAME]
            )
