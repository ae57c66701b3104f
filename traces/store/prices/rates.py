"""The price book as ClickHouse looks prices up: rows of `model_rates` (traces/store/schema/rates.py)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from uuid import UUID

from traces.store.schema.rates import KINDS, TOKENS, UNPRICED

from .book import PriceBook
from .entries import Entry
from .kinds import MILLION, PART_OF

Named = tuple[str, str]  # provider and model, in small letters; provider "": any
Rates = tuple[int, int, int, list[float]]
Row = tuple[str, list[Rates]]

_ALWAYS = (-(2**63), 2**63 - 1)


def rows(book: PriceBook, names: Iterable[Named], project_id: UUID | None = None) -> Iterator[Row]:
    """Of names of which the book has a price; for one project, or for all."""
    scope = "" if project_id is None else str(project_id)
    for provider, model in sorted(set(names)):
        if entries := book.candidates(provider, model):
            yield f"{scope}|{provider}|{model}", [_rates(entry) for entry in entries]


def _rates(entry: Entry) -> Rates:
    return (
        _nanoseconds(entry.valid_from.timestamp()) if entry.valid_from else _ALWAYS[0],
        _nanoseconds(entry.valid_until.timestamp()) if entry.valid_until else _ALWAYS[1],
        entry.context_over,
        # After the rates, which the discount is taken off already, stands its per cent, for whoever asks why.
        [*(_rate(entry, kind) for kind in KINDS), float(entry.discount or 0)],
    )


def _rate(entry: Entry, kind: str) -> float:
    """Dollars for one. Where nothing is paid for an answer (embeddings, reranking) it is free, as are tokens of what is
    sold by units, units of what is sold by tokens, and requests for which no fee is told.
    """
    whole: str | None = kind
    while whole is not None and whole not in entry.rates:
        whole = PART_OF.get(whole)
    if whole is not None:
        paid = 1 - (entry.discount or Decimal(0)) / 100
        return float(entry.rates[whole] * paid / (MILLION if kind in TOKENS else 1))
    if kind == "requests":
        return 0.0
    is_sold = {name in TOKENS for name in entry.rates if name != "requests"}  # by tokens, by units
    if kind in TOKENS:
        is_answer = kind == "output" or PART_OF.get(kind) == "output"
        return 0.0 if (False in is_sold and True not in is_sold) or (is_answer and "input" in entry.rates) else UNPRICED
    return 0.0 if True in is_sold else UNPRICED


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1_000
