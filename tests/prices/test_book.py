from datetime import UTC, datetime
from decimal import Decimal

import pytest

from traces.store.prices.book import PriceBook
from traces.store.prices.entries import Entry
from traces.store.prices.kinds import cost

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)


def entry(model: str, rate: str, **more: object) -> Entry:
    return Entry(model=model, rates={"input": Decimal(rate), "output": Decimal(rate)}, **more)  # type: ignore[arg-type]


def paid(
    book: list[Entry], model: str, provider: str = "openai", at: datetime = JULY, tokens: int = 1000
) -> str | None:
    found = PriceBook(book).entry(provider, model, at, tokens)
    return str(found.rates["input"]) if found else None


@pytest.mark.parametrize(
    ("pattern", "model", "fits"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o*", "gpt-4o-mini", True),
        ("*-mini", "gpt-4o-mini", True),
        ("ab*ba", "aba", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*c*b", "a-b-c", False),
        ("*", "", True),
        ("*" * 50 + "x", "y" * 100_000, False),
    ],
)
def test_a_star_stands_for_any_text(pattern: str, model: str, fits: bool) -> None:
    assert entry(pattern, "1").names(model) is fits


def test_the_nearest_entry_is_paid_by() -> None:
    book = [
        entry("gpt-4o", "1"),
        entry("gpt-4o", "2", provider="openai"),
        entry("gpt-*", "3", is_manual=True),
        entry("gpt-4*", "4", is_manual=True),
        entry("gpt-4o-mini", "5", is_own=True, is_manual=True),
    ]

    assert paid(book[:1], "GPT-4o") == "1"
    assert paid(book[:2], "gpt-4o") == "2"
    assert paid(book[:2], "gpt-4o", provider="azure") == "1"
    assert paid(book[:3], "gpt-4o") == "3"
    assert paid(book, "gpt-4o") == "4"
    assert paid(book, "gpt-4o-mini") == "5"
    assert paid(book, "claude") is None


def test_an_entry_holds_for_its_time_and_its_context() -> None:
    book = [
        entry("m", "1", valid_until=JULY),
        entry("m", "2", valid_from=JULY),
        entry("m", "3", valid_from=JULY, context_over=1000),
    ]

    assert (paid(book, "m", at=JUNE), paid(book, "m", at=JULY)) == ("1", "2")
    assert (paid(book, "m", tokens=1000), paid(book, "m", tokens=1001)) == ("2", "3")
    assert paid(book[:1], "m") is None


RATES = {"input": Decimal(3), "cached_input": Decimal("0.3"), "cache_write": Decimal("3.75"), "output": Decimal(15)}


@pytest.mark.parametrize(
    ("rates", "used", "dollars"),
    [
        # 1,000 of input, of which 200 are cached and 100 written, and 50 of output with 10 of reasoning.
        (RATES, {"input": 1000, "cached_input": 200, "cache_write": 100, "output": 50, "reasoning": 10}, "0.003285"),
        # Written for an hour, without a rate of its own, it costs what writing does.
        (RATES, {"input": 1000, "cache_write": 100, "cache_write_1h": 100, "output": 0}, "0.003075"),
        (RATES | {"cache_write_1h": Decimal(6)}, {"input": 1000, "cache_write": 100, "cache_write_1h": 40}, "0.003165"),
        ({"input": Decimal(3), "cache_write_1h": Decimal(6)}, {"input": 100, "cache_write_1h": 40}, "0.00042"),
        # More cached than there was: nothing is left of the whole, and nothing is given back.
        (RATES, {"input": 100, "cached_input": 1000, "output": 0}, "0.0003"),
        ({"input": Decimal(0), "output": Decimal(0)}, {"input": 5, "output": 5}, "0"),
        ({"input": Decimal("0.02")}, {"input": 1000, "output": 3}, "0.00002"),
        ({"seconds": Decimal("0.0001")}, {"seconds": 60}, "0.0060"),
        (
            {"input": Decimal(1), "output": Decimal(1), "requests": Decimal("0.005")},
            {"input": 1000, "requests": 1},
            "0.006",
        ),
    ],
)
def test_a_call_costs(rates: dict[str, Decimal], used: dict[str, int], dollars: str) -> None:
    assert cost(rates, used) == Decimal(dollars)


def test_what_has_no_rate_has_no_cost() -> None:
    assert cost({"output": Decimal(1)}, {"input": 5, "output": 5}) is None
    assert cost({"seconds": Decimal(1)}, {"input": 5}) is None
    assert cost(RATES, {"images": 1}) is None
