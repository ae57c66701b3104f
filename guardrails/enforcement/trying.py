"""What a rule would have done: to a text, and to calls that are stored."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope
from traces.reading.messages import Message, conversation
from traces.store.queries.recent_calls import recent_calls
from traces.store.queries.span_detail import SpanDetail

from .content import Compiled, Findings, look_at
from .models import Action, Phase, Rule

LOOKED_BACK: Final = timedelta(days=7)
CALLS: Final = 200
SHOWN: Final = 20
AROUND: Final = 60  # characters before a mask
LONGEST_TEXT: Final = 100_000


@dataclass(frozen=True)
class Tried:
    """A text as the rule would let it pass, and what it found."""

    text: str
    entities: dict[str, int]
    took_ms: float


@dataclass(frozen=True)
class TriedCall:
    """A stored call in which the rule finds something; `excerpt` has masks for all that it finds."""

    span: SpanDetail
    phase: str
    entities: dict[str, int]
    excerpt: str


@dataclass
class TriedTraffic:
    calls: int = 0
    concerned: int = 0
    found: Counter[str] = field(default_factory=Counter)
    took_ms: float = 0.0  # of looking alone, all calls together
    shown: list[TriedCall] = field(default_factory=list)

    @property
    def entities(self) -> dict[str, int]:
        """Kind → count; of a Counter a template would get 0 for `items`."""
        return dict(sorted(self.found.items()))

    @property
    def took_each_ms(self) -> float:
        return self.took_ms / self.calls if self.calls else 0.0


def try_text(rule: Rule, text: str) -> Tried:
    """As if the rule masked, whatever it does: so people see what it finds."""
    began = time.perf_counter()
    findings = _look(rule, Phase.INPUT if rule.phase == Phase.BOTH else rule.phase, [text[:LONGEST_TEXT]])
    took = 1000 * (time.perf_counter() - began)
    return Tried(findings.look(text[:LONGEST_TEXT]), findings.entities(), took)


def try_traffic(rule: Rule, project_id: UUID) -> TriedTraffic:
    """On the newest calls of the last days. Raises ClickHouseError."""
    now = datetime.now(UTC)
    tried = TriedTraffic()
    for span in recent_calls(Scope(project_id, now - LOOKED_BACK, now + timedelta(minutes=1)), CALLS):
        tried.calls += 1
        spoken = conversation(span.attributes, span.events)
        is_concerned = False
        for phase, messages in ((Phase.INPUT, spoken.asked), (Phase.OUTPUT, spoken.answered)):
            texts = _texts(messages)
            began = time.perf_counter()
            findings = _look(rule, phase, texts)
            tried.took_ms += 1000 * (time.perf_counter() - began)
            if not (found := findings.entities()):
                continue
            is_concerned = True
            tried.found.update(found)
            if len(tried.shown) < SHOWN:
                tried.shown.append(TriedCall(span, phase, found, _excerpt(findings, texts)))
        tried.concerned += is_concerned
    return tried


def _look(rule: Rule, phase: str, texts: Sequence[str]) -> Findings:
    return look_at([Compiled.of(_masking(rule))], phase, texts)


def _masking(rule: Rule) -> Rule:
    names = ("way", "entities", "pattern", "mark", "country", "phase")
    return Rule(action=Action.MASK, **{name: getattr(rule, name) for name in names})


def _texts(messages: Sequence[Message]) -> list[str]:
    return [part.text for message in messages for part in message.parts if part.text]


def _excerpt(findings: Findings, texts: Sequence[str]) -> str:
    """Around the first mask."""
    changed = ((text, masked) for text in texts if (masked := findings.look(text)) != text)
    text, masked = next(changed, (texts[0], texts[0]))  # a mask may be what it masks
    same = next((at for at, (a, b) in enumerate(zip(text, masked, strict=False)) if a != b), 0)
    start = max(0, same - AROUND)
    return ("…" if start else "") + masked[start : same + 2 * AROUND] + ("…" if len(masked) > same + 2 * AROUND else "")
