"""The price book as one organization sees it: which entry holds for a call."""

from collections.abc import Iterable
from datetime import datetime

from .entries import Entry


class PriceBook:
    """Of the entries that fit a call, that of the organization goes before that of the installation, one that a person
    wrote before the package's, one for the provider before one for any, an exact name before one with `*`, and a longer
    one before a shorter; then that for the longest context and the newest.
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
        """All entries about the model, whatever the time and the length of the context, the one that counts first."""
        name = model.lower()
        about = [*self._exact.get(name, ()), *(entry for entry in self._patterns if entry.names(name))]
        return sorted((entry for entry in about if entry.provider in ("", provider)), key=_rank, reverse=True)

    def entry(self, provider: str, model: str, moment: datetime, input_tokens: int = 0) -> Entry | None:
        """What a call that began at that moment is paid by; None when nothing is known."""
        fitting = (
            entry
            for entry in self.candidates(provider, model)
            if entry.holds(moment) and (not entry.context_over or input_tokens > entry.context_over)
        )
        return next(fitting, None)


def _rank(entry: Entry) -> tuple[bool, bool, bool, bool, int, int, float]:
    since = entry.valid_from.timestamp() if entry.valid_from else float("-inf")
    exact = "*" not in entry.model
    return entry.is_own, entry.is_manual, entry.provider != "", exact, len(entry.model), entry.context_over, since
