"""Kinds of tokens and other units that have a rate, and what a call costs by such rates.

Rates are US dollars: of tokens for a million, of everything else for one. Input holds cached, written and non-textual
input, output holds reasoning and non-textual output (DESIGN, what the numbers mean): a part with a rate of its own is
taken out of the whole, one without costs what the whole does. https://github.com/pydantic/genai-prices
"""

from collections.abc import Mapping
from decimal import Decimal

# Part → the whole that holds it.
PART_OF = {
    "cached_input": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "input_audio": "input",
    "input_image": "input",
    "output_audio": "output",
    "output_image": "output",
    "reasoning": "output",
}
TOKENS = ("input", "output", *PART_OF)
UNITS = ("requests", "seconds", "characters", "pages", "searches", "images")
KINDS = (*TOKENS, *UNITS)
MILLION = Decimal(1_000_000)

Rates = Mapping[str, Decimal]


def cost(rates: Rates, used: Mapping[str, int]) -> Decimal | None:
    """Dollars for so many of each kind of KINDS, those that are missing being 0; None when something has no rate.

    A model with a rate of input alone answers with nothing that is paid for: embeddings, reranking. A rate of requests
    does not make one priced, for there are fees beside tokens. Parts that add up to more than their whole, as a client
    may say, cost what they are and leave nothing of the whole.
    """
    wholes = [kind for kind in (*TOKENS, *UNITS) if kind not in PART_OF and used.get(kind, 0) > 0]
    free = {"output"} if "input" in rates else set()
    if any(kind not in rates and kind not in free and kind != "requests" for kind in wholes):
        return None
    left = {kind: max(used.get(kind, 0), 0) for kind in KINDS if kind in rates}
    for part in PART_OF:
        if part in rates and (whole := _priced_whole(part, rates)):
            left[whole] -= max(used.get(part, 0), 0)
    return sum((rates[kind] * max(count, 0) / _sold_by(kind) for kind, count in left.items()), Decimal(0))


def _priced_whole(part: str, rates: Rates) -> str | None:
    """The nearest whole around a part that has a rate: that is where the part would be paid for twice."""
    whole = PART_OF.get(part)
    while whole is not None and whole not in rates:
        whole = PART_OF.get(whole)
    return whole


def _sold_by(kind: str) -> Decimal:
    return MILLION if kind in TOKENS else Decimal(1)
