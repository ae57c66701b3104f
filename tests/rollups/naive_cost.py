"""What calls cost by the price book, once more: from their counts and the entries as Python has them, in Decimal, and
nothing of the rates that are written into ClickHouse. docs/prices.md has the rules.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from traces.store.prices.entries import Entry
from traces.store.prices.kinds import cost

Row = dict[str, Any]
COLUMNS = ("cache_write_tokens", "token_details", "units", "operation")  # that a cost hangs on beside those of naive.py
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNIT_OF = {
    **dict.fromkeys(("transcription", "translation", "realtime", "video"), "seconds"),
    **dict.fromkeys(("rerank", "search"), "searches"),
    "speech": "characters",
    "ocr": "pages",
    "image": "images",
}


class Book:
    """Entries of exact names, for all organizations, without discounts."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_name: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            self._by_name.setdefault((entry.provider, entry.model), []).append(entry)

    def rates(self, call: Row) -> Mapping[str, Decimal] | None:
        """What the call is paid by: a dated name before the plain one, the provider's before anybody's; of these the
        one for the longest context that it exceeds, and of equals the newest.
        """
        moment = EPOCH + timedelta(microseconds=call["start"] // 1000)
        for model in (call["model"].lower(), call["counted_model"].lower()):
            for provider in (call["provider"], ""):
                fitting = [
                    entry
                    for entry in self._by_name.get((provider, model), ())
                    if (entry.valid_from is None or entry.valid_from <= moment)
                    and (entry.valid_until is None or entry.valid_until > moment)
                    and (entry.context_over == 0 or call["input_tokens"] > entry.context_over)
                ]
                if fitting:
                    return max(fitting, key=lambda entry: (entry.context_over, entry.valid_from or EPOCH)).rates
        return None

    def cost(self, call: Row) -> Decimal | None:
        """Dollars; None for what is no call, was paid already, or has no price."""
        if not call["is_llm_call"] or call["cache_hit"] or call["reported_cost"] is not None:
            return None
        is_measured = call["units"] > 0 and call["StatusCode"] != "Error"
        rates = self.rates(call) if call["input_tokens"] + call["output_tokens"] or is_measured else None
        return None if rates is None else cost(rates, used_by(call))


def used_by(call: Row) -> dict[str, Any]:
    unit = UNIT_OF.get(call["operation"])
    return {
        "requests": 1,
        "input": call["input_tokens"],
        "output": call["output_tokens"],
        "cached_input": call["cached_input_tokens"],
        "cache_write": call["cache_write_tokens"],
        "reasoning": call["reasoning_tokens"],
        **call["token_details"],
        **({unit: Decimal(str(call["units"]))} if unit else {}),
    }
