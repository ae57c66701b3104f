"""What an LLM was told and what it said, out of a span's attributes.

`conversation(attributes)` asks each dialect in turn (DIALECTS) and takes its input and its output from the first that
has them. A dialect finds the messages in the attributes; `normal.py` reads the shapes in which providers write one
message. To add a dialect: one function in dialects.py, one line in DIALECTS, one fixture in tests/pages.

All of it is text that an LLM or its caller wrote: it is shown escaped and never as markup.
"""

from collections.abc import Mapping

from .dialects import DIALECTS, instructions, offered_tools
from .payloads import Payload, payload
from .types import Conversation, Message, Part, PartKind

__all__ = ["Conversation", "Message", "Part", "PartKind", "Payload", "conversation", "payload"]


def conversation(attributes: Mapping[str, str]) -> Conversation:
    """The messages of an LLM span; an empty conversation when its attributes hold none."""
    asked: tuple[Message, ...] = ()
    answered: tuple[Message, ...] = ()
    for dialect in DIALECTS:
        asked = asked or tuple(dialect.asked(attributes))
        answered = answered or tuple(dialect.answered(attributes))
    system = instructions(attributes)
    if asked and system and not any(message.role == "system" for message in asked):
        asked = (Message("system", (Part(PartKind.TEXT, text=system),)), *asked)
    return Conversation(asked, answered, tuple(offered_tools(attributes)) if asked or answered else ())
