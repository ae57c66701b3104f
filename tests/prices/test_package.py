"""For every model that genai-prices knows, calls cost what the package itself says."""

from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, TimeOfDateConstraint

from traces.store.prices.book import PriceBook
from traces.store.prices.kinds import cost
from traces.store.prices.package import entries_for

DAYS = [datetime(2025, 1, 1, 12, tzinfo=UTC), datetime(2026, 11, 27, 3, tzinfo=UTC)]
SIZES = [1_000, 150_000, 300_000]


def models() -> list[tuple[str, str]]:
    """Provider and name of each model that is found by its own name and has prices at all hours."""
    found = []
    for provider in get_snapshot().providers:
        for model in provider.models:
            prices = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
            if not any(isinstance(price.constraint, TimeOfDateConstraint) for price in prices):
                found.append((provider.id, model.id))
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("day", DAYS, ids=lambda day: str(day.year))
def test_a_call_costs_what_the_package_says(day: datetime, size: int) -> None:
    chance, compared, snapshot = Random(size), 0, get_snapshot()
    for provider, name in models():
        cached, written = chance.randrange(size // 2), chance.randrange(size // 4)
        used = {
            "input": size,
            "output": 700,
            "cached_input": cached,
            "cache_write": written,
            "reasoning": 20,
            "requests": 1,
        }
        usage = Usage(
            input_tokens=size,
            output_tokens=700,
            cache_read_tokens=cached,
            cache_write_tokens=written,
            output_reasoning_tokens=20,
        )
        entry = PriceBook(entries_for(provider, name)).entry(provider, name, day, size)
        try:
            expected = snapshot.calc(usage, name, provider, None, day).total_price
        except (LookupError, ValueError):
            continue
        found = cost(entry.rates, used) if entry else None
        if found is None:
            assert expected == 0 or entry is None or "input" not in entry.rates or "output" not in entry.rates, name
            continue
        assert found == pytest.approx(expected, rel=Decimal("1e-9")), (provider, name)
        compared += 1

    assert compared > 2_000
