"""One message format for all dialects."""

from dataclasses import dataclass, field
from enum import StrEnum


class PartKind(StrEnum):
    TEXT = "text"
    REASONING = "reasoning"  # what a model thought before it answered
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    MEDIA = "media"  # an image, sound or file: named, never loaded
    OTHER = "other"  # shown as JSON


@dataclass(frozen=True)
class Part:
    """A piece of a message. `name` is a tool's name or a medium's type, `id` joins a tool's call and its result."""

    kind: PartKind
    text: str = ""
    name: str = ""
    id: str = ""
    cut: int = 0  # characters that a page has no room for


@dataclass(frozen=True)
class Message:
    """`role` is system, user, assistant, tool, developer … as the client wrote it, in lower case."""

    role: str
    parts: tuple[Part, ...] = ()
    name: str = ""
    finish_reason: str = ""


@dataclass(frozen=True)
class Conversation:
    """What went into an LLM call, what came out, and the names of the tools it was offered."""

    asked: tuple[Message, ...] = ()
    answered: tuple[Message, ...] = ()
    tools: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.asked or self.answered)
