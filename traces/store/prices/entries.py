"""An entry of the price book, wherever it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The rates of a model (kinds.py), in US dollars.

    provider: "" is any; model: as spans name it, `*` stands for any text; context_over: for calls with more tokens of
    input than that; valid_from, valid_until: from then on, until before; both None: always. is_own: of the
    organization, not of the whole installation; is_manual: a person wrote it. discount: per cent that are taken off the
    rates; None: the book may have one for them. An entry without rates is such a discount, on the rates of others.
    """

    model: str
    rates: Mapping[str, Decimal]
    provider: str = ""
    context_over: int = 0
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    is_own: bool = False
    is_manual: bool = False
    discount: Decimal | None = None
    source: str = field(default="", compare=False)

    def until(self, end: datetime | None) -> "Entry":
        return replace(self, valid_until=end)

    def holds(self, moment: datetime) -> bool:
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )

    def names(self, model: str) -> bool:
        """Whether the model is one that this entry is about; both in small letters. Linear in their lengths."""
        first, *rest = self.model.split("*")
        if not rest:
            return first == model
        if not model.startswith(first):
            return False
        place = len(first)
        for text in rest[:-1]:
            found = model.find(text, place)
            if found < 0:
                return False
            place = found + len(text)
        return model.endswith(rest[-1]) and len(model) - len(rest[-1]) >= place
