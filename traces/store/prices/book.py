"""The price book as one organization sees it: which entry holds for a call."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from .entries import Entry

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class PriceBook:
    """Of the entries that fit a call, that of the organization goes before that of the installation, one that a person
    wrote before the package's, one for the provider before one for any, an exact name before one with `*`, and a longer
    one before a shorter; then that for the longest context and the newest.

    Discounts, which are entries without rates, are found by the same order; one counts, they do not add up. An entry
    with a discount of its own, be it 0, has no other, and the rates of an organization none of the installation.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._exact: dict[str, list[Entry]] = {}
        self._patterns: list[Entry] = []
        for entry in entries:
            if "*" in entry.model:
                self._patterns.append(entry)
            else:
                self._exact.setdefault(entry.model, []).append(entry)

    def candidates(self, provider: str, model: str) -> list[Entry]:
        """All rates of the model, whatever the time and the length of the context, the one that counts first; each with
        its discount, None where there is none.
        """
        name = model.lower()
        about = [*self._exact.get(name, ()), *(entry for entry in self._patterns if entry.names(name))]
        ranked = sorted((entry for entry in about if entry.provider in ("", provider)), key=_rank, reverse=True)
        discounts = [entry for entry in ranked if not entry.rates]
        return [part for entry in ranked if entry.rates for part in _discounted(entry, discounts)]

    def entry(self, provider: str, model: str, moment: datetime, input_tokens: int = 0) -> Entry | None:
        """What a call that began at that moment is paid by; None when nothing is known."""
        fitting = (
            entry
            for entry in self.candidates(provider, model)
            if entry.holds(moment) and (not entry.context_over or input_tokens > entry.context_over)
        )
        return next(fitting, None)


def _discounted(entry: Entry, discounts: Sequence[Entry]) -> Iterator[Entry]:
    """The entry in parts, one after the other, where a discount begins or ends."""
    its = [each for each in discounts if each.is_own or not entry.is_own]
    if entry.discount is not None or not its:
        yield entry
        return
    ends = {moment for each in its for moment in (each.valid_from, each.valid_until) if moment is not None}
    inside = sorted(end for end in ends if entry.holds(end) and end != entry.valid_from)
    for start, end in zip([entry.valid_from, *inside], [*inside, entry.valid_until], strict=True):
        discount = _at(start or _BEFORE_ALL, its)
        yield replace(entry, valid_from=start, valid_until=end, discount=discount)


def _at(moment: datetime, discounts: Sequence[Entry]) -> Decimal | None:
    return next((each.discount for each in discounts if each.holds(moment)), None)


def _rank(entry: Entry) -> tuple[bool, bool, bool, bool, int, int, float]:
    since = entry.valid_from.timestamp() if entry.valid_from else float("-inf")
    exact = "*" not in entry.model
    return entry.is_own, entry.is_manual, entry.provider != "", exact, len(entry.model), entry.context_over, since
