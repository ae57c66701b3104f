"""What rules find in texts, what follows of it, and the texts with masks."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from .finding.entities import Entity, finder_of
from .finding.hits import Finder, Hit, Plain
from .finding.patterns import keywords, regex
from .finding.personal import phones_bounded
from .json_texts import with_strings
from .models import Action, Phase, Rule, Way

STRICTNESS: Final = {action: place for place, action in enumerate(Action.values)}


@dataclass(frozen=True)
class Compiled:
    """A rule that is ready to look."""

    rule: Rule
    finders: tuple[Finder, ...]

    @classmethod
    def of(cls, rule: Rule) -> "Compiled":
        if rule.way == Way.ENTITIES:
            return cls(rule, tuple(finder_of(entity, rule.country) for entity in sorted(rule.entities, key=_order)))
        make = keywords if rule.way == Way.KEYWORDS else regex
        return cls(rule, (make(rule.pattern, rule.default_mark),))

    def looks_at(self, phase: str) -> bool:
        return self.rule.phase in (phase, Phase.BOTH)

    def find(self, text: str) -> Iterator[Hit]:
        return self.find_in(Plain.of(text))

    def find_in(self, seen: Plain) -> Iterator[Hit]:
        for finder in self.finders:
            for found in finder(seen.text):
                hit = seen.placed(found)
                yield hit._replace(kind=self.rule.mark) if self.rule.mark else hit


def _order(entity: str) -> int:
    return list(Entity.values).index(entity)


@dataclass
class Findings:
    """What rules found in all texts of one check, and the masked ones. Each text is looked at once."""

    rules: Sequence[Compiled]
    found: dict[int, Counter[str]] = field(default_factory=dict)  # index of the rule → kind → count
    masked: dict[str, str] = field(default_factory=dict)  # texts that were looked at → as they may pass

    def look(self, text: str) -> str:
        """The text as it may pass."""
        known = self.masked.get(text)
        if known is None:
            known = self.masked[text] = with_strings(text, self._look)
        return known

    def _look(self, text: str) -> str:
        allowed = Allowed()
        masks: list[Hit] = []
        seen = Plain.of(text)  # once for all rules
        for index, compiled in enumerate(self.rules):
            hits = [hit for hit in compiled.find_in(seen) if not allowed.hold(hit)]
            if not hits:
                continue
            self.found.setdefault(index, Counter()).update(hit.kind for hit in hits)
            rule = compiled.rule
            if rule.shadow:
                continue
            if rule.action == Action.ALLOW:
                allowed.add(hits)
            elif rule.action == Action.MASK:
                masks += hits
        return mask(text, masks) if masks else text

    def acting(self, *, shadow: bool = False) -> Iterator[tuple[Rule, Counter[str]]]:
        for index in sorted(self.found):
            rule = self.rules[index].rule
            if rule.shadow == shadow:
                yield rule, self.found[index]

    def action(self, *, shadow: bool = False) -> str:
        """The strictest of the rules that found something."""
        actions = (rule.action for rule, _ in self.acting(shadow=shadow))
        return max(actions, key=STRICTNESS.__getitem__, default=Action.ALLOW)

    def deciding(self) -> Rule | None:
        """The first rule with the action that counts."""
        action = self.action()
        return next((rule for rule, _ in self.acting() if rule.action == action), None)

    def told(self) -> list[dict[str, Any]]:
        """For the ledger and the caller: nothing of the text."""
        return [
            {
                "id": str(rule.pk),
                "name": rule.name,
                "action": rule.action,
                "shadow": rule.shadow,
                "found": dict(self.found[index]),
            }
            for index in sorted(self.found)
            for rule in [self.rules[index].rule]
        ]

    def entities(self) -> dict[str, int]:
        """Kind → count of all that was found, in shadow or not. Two rules that find the same count it once."""
        together: Counter[str] = Counter()
        for counts in self.found.values():
            together |= counts
        return dict(sorted(together.items()))


def look_at(rules: Sequence[Compiled], phase: str, texts: Iterable[str]) -> Findings:
    findings = Findings([each for each in rules if each.looks_at(phase)])
    with phones_bounded():
        for text in texts:
            findings.look(text)
    return findings


def mask(text: str, hits: Sequence[Hit]) -> str:
    """The text with `<KIND>` for what was found. Hits that overlap become one mask, named after the longest of them,
    the first rule's if several are: nothing that was found stays readable.
    """
    parts: list[str] = []
    done = 0
    for start, end, kind in _joined(hits):
        parts += (text[done:start], f"<{kind}>")
        done = end
    return "".join((*parts, text[done:]))


def _joined(hits: Sequence[Hit]) -> Iterator[Hit]:
    by_start = sorted(enumerate(hits), key=lambda each: (each[1].start, each[0]))
    together: list[tuple[int, Hit]] = []
    end = -1
    for place, hit in by_start:
        if together and hit.start >= end:
            yield _one(together, end)
            together, end = [], -1
        together.append((place, hit))
        end = max(end, hit.end)
    if together:
        yield _one(together, end)


def _one(together: list[tuple[int, Hit]], end: int) -> Hit:
    _, longest = min(together, key=lambda each: (each[1].start - each[1].end, each[0]))
    return Hit(together[0][1].start, end, longest.kind)


class Allowed:
    """Stretches of a text in which rules further down find nothing."""

    def __init__(self) -> None:
        self._hits: list[Hit] = []
        self._starts: list[int] = []
        self._ends: list[int] = []  # the furthest end of those that start there or before

    def add(self, hits: Iterable[Hit]) -> None:
        self._hits = sorted((*self._hits, *hits))
        self._starts = [hit.start for hit in self._hits]
        self._ends = list(accumulate((hit.end for hit in self._hits), max))

    def hold(self, hit: Hit) -> bool:
        """Whether one of them holds all of it."""
        before = bisect_right(self._starts, hit.start)
        return before > 0 and self._ends[before - 1] >= hit.end
