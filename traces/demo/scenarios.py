"""Reads the texts in `scenarios/*.toml`: who asks what in which application, and what models and tools answer.

A text may name a slot as `$slot`; one value is drawn for the whole conversation, so that its turns fit together.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from string import Template
from typing import Any

FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    parameters: str  # JSON schema
    failure: str  # what the tool says on a bad day


@dataclass(frozen=True)
class ToolUse:
    tool: Tool
    arguments: str  # JSON text
    result: str


@dataclass(frozen=True)
class Turn:
    question: str
    answer: str
    tool: ToolUse | None


@dataclass(frozen=True)
class Conversation:
    language: str  # "ko" or "en"
    system: str
    turns: Sequence[Turn]


class Topic:
    """One application: its users, models, tools and conversations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.application: str = document["application"]
        self.team: str = document["team"]
        self.users: list[str] = document["users"]
        self.models: dict[str, int] = document["models"]  # alias -> weight
        self.tools = {name: Tool(name, **fields) for name, fields in document.get("tools", {}).items()}

    def conversation(self, chance: Random) -> Conversation:
        """One conversation, drawn and filled in."""
        chosen = chance.choice(self._document["conversations"])
        language = chosen["language"]
        values = self._draw_slots(language, chance)
        turns = [self._turn(turn, values, chance) for turn in chosen["turns"]]
        return Conversation(language, self._document["system"][language].strip(), turns)

    def _draw_slots(self, language: str, chance: Random) -> dict[str, str]:
        slots = self._document["slots"]
        lists = {name: options for name, options in slots.items() if isinstance(options, list)} | slots[language]
        values = {name: chance.choice(options) for name, options in lists.items()}
        values |= {f"{name}_number": value.replace(",", "") for name, value in values.items()}
        document = self._document.get("documents", {}).get(language, "")
        return values | {"document": Template(document).substitute(values).strip()}

    def _turn(self, turn: Mapping[str, Any], values: Mapping[str, str], chance: Random) -> Turn:
        use = None
        if "tool" in turn:
            fields = {key: Template(text).substitute(values) for key, text in turn["tool"].items()}
            use = ToolUse(self.tools[fields["name"]], fields["arguments"], fields["result"])
        question = Template(chance.choice(turn["user"])).substitute(values)
        return Turn(question, Template(turn["answer"]).substitute(values), use)


@cache
def document(name: str) -> dict[str, Any]:
    """The content of `scenarios/<name>.toml`."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text())


@cache
def topic(name: str) -> Topic:
    return Topic(document(name))
