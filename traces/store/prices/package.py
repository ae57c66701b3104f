"""The entries that genai-prices has for a model: data of the installed version, no request to anybody.

https://github.com/pydantic/genai-prices
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseEquals,
    ClauseOr,
    ConditionalPrice,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from .entries import Entry

# Our kind → the package's price, and by how many of ours it is sold there.
_TOKENS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok",
    "input_image": "input_image_mtok",
    "output_audio": "output_audio_mtok",
    "output_image": "output_image_mtok",
    "reasoning": "output_reasoning_mtok",
}
_UNITS = {
    "requests": ("requests_kcount", 1_000),
    "seconds": ("audio_hours", 3_600),
    "characters": ("input_mchars", 1_000_000),
    "pages": ("input_document_kpages", 1_000),
    "searches": ("rerank_searches_kcount", 1_000),
}


def source() -> str:
    """As entries name it."""
    return f"genai-prices {version('genai-prices')}"


# Our names of providers (traces/store/dialects/providers.py) → the package's, where they differ.
_PROVIDERS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "x_ai": "x-ai",
}


@cache
def all_entries() -> tuple[Entry, ...]:
    """Those of all names that the package has in full, by the provider and for any: a model is priced when it is seen
    for the first time.
    """
    ours: dict[str, list[str]] = {}
    for name, its in _PROVIDERS.items():
        ours.setdefault(its, []).append(name)
    names = {
        (name, model.lower())
        for provider in get_snapshot().providers
        for each in provider.models
        for model in (each.id, *_named(each.match))
        for name in ("", *ours.get(provider.id, [provider.id]))
    }
    return tuple(entry for name in sorted(names) for entry in entries_for(*name))


def _named(match: Any) -> Iterator[str]:
    """The names that a rule of the package writes out."""
    if isinstance(match, ClauseEquals):
        yield match.equals
    elif isinstance(match, ClauseOr):
        for each in match.or_:
            yield from _named(each)


def entries_for(provider: str, model: str) -> list[Entry]:
    """What the package knows of a model as spans name it, by provider or, where that is "" or unknown, by the model.

    [] when it knows nothing, or has prices in units only that no span tells.
    """
    model = model.lower()
    found = _find(_PROVIDERS.get(provider, provider), model) or _find("", model)
    if found is None:
        return []
    prices = found if isinstance(found, list) else [ConditionalPrice(prices=found)]
    made = [entry for number, price in enumerate(prices) for entry in _entries(provider, model, price, number == 0)]
    starts = sorted({entry.valid_from for entry in made if entry.valid_from})
    return [entry.until(next((start for start in starts if _after(start, entry)), None)) for entry in made]


@cache
def _find(provider: str, model: str) -> "ModelPrice | list[ConditionalPrice] | None":
    try:
        return get_snapshot().find_provider_model(model, None, provider or None, None)[1].prices
    except LookupError:
        return None


def _after(start: datetime, entry: Entry) -> bool:
    return entry.valid_from is None or start > entry.valid_from


def _entries(provider: str, model: str, price: ConditionalPrice, is_first: bool) -> Iterator[Entry]:
    """One for each length of context from which other rates hold. Prices of some hours of the day are left out; the
    first price holds before its day, too, as the package has it.
    """
    if isinstance(price.constraint, TimeOfDateConstraint):
        return
    begins = None
    if isinstance(price.constraint, StartDateConstraint) and not is_first:
        begins = datetime.combine(price.constraint.start_date, time(), UTC)
    told = vars(price.prices)
    tiers = {tier.start for each in told.values() if isinstance(each, TieredPrices) for tier in each.tiers}
    for context in (0, *sorted(tiers)):
        rates = {kind: rate for kind, name in _TOKENS.items() if (rate := _at(told.get(name), context)) is not None}
        for kind, (name, sold_by) in _UNITS.items():
            if (rate := _at(told.get(name), context)) is not None:
                rates[kind] = rate / sold_by
        if rates:
            yield Entry(provider=provider, model=model, context_over=context, valid_from=begins, rates=rates)


def _at(price: Any, context: int) -> Decimal | None:
    """The rate that holds for more than so many tokens of input."""
    if isinstance(price, TieredPrices):
        return next((tier.price for tier in reversed(price.tiers) if tier.start <= context), price.base)
    return None if price is None else Decimal(price)
