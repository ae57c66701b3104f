"""What calls of a model cost, where ClickHouse can look it up for each span that it stores.

The price book stands in PostgreSQL (traces/store/prices/). What it says of each name of a model is written into RATES,
and from there into HELD, which every server keeps in memory and on disk: an insert looks a key up in it, and a mutation
too, which a dictionary could not be asked for without a password in its definition.

A key is `<project or nothing>|<provider or nothing>|<model>`. Its entries stand in the order in which they count; the
first that holds at the time and for the length of the context is paid by. The rates of an entry, in the order of KINDS,
are dollars for one; a part of the tokens without a rate of its own has that of the whole it belongs to, UNPRICED stands
for what has none.
"""

from collections.abc import Collection
from dataclasses import replace

from agentops_portal.clickhouse import ddl
from traces.store.dialects.base import BLANK
from traces.store.dialects.model_names import undated
from traces.store.dialects.operations import UNITS

from .objects import DATABASE, Column, Table

RATES = "model_rates"
HELD = "model_rates_held"
COMPUTED = "computed_cost"  # what it is called wherever spans are priced
BY_BOOK, PROMPT_BY_BOOK = "book_cost", "book_prompt_cost"
DISCOUNT = "book_discount"
UNPRICED = 1e30  # times nothing it is nothing; times anything it is no amount
# Tokens, each counted once: what is left of input and output, and their parts.
TOKENS = (
    *("input", "cached_input", "cache_write", "cache_write_1h", "input_audio", "input_image"),
    *("output", "reasoning", "output_audio", "output_image"),
)
_UNITS = tuple(dict.fromkeys(unit for unit, _ in UNITS.values()))
KINDS = (*TOKENS, "requests", *_UNITS)
PROMPT = TOKENS[: TOKENS.index("output")]
_TELLS_USE = "(input_tokens + output_tokens > 0 OR (units > 0 AND StatusCode != 'Error'))"
OPEN = f"is_llm_call AND isNull(reported_cost) AND NOT cache_hit AND {_TELLS_USE}"
_PRICEABLE = f"is_llm_call AND NOT cache_hit AND {_TELLS_USE}"
# From and until (nanoseconds since 1970), more tokens of input than this, rates.
_ENTRIES = "Array(Tuple(Int64, Int64, UInt64, Array(Float64)))"
_COLUMNS = {"name": Column("String"), "entries": Column(_ENTRIES)}
RATES_TABLE = Table(name=RATES, columns=_COLUMNS, order_by="name")
HELD_TABLE = Table(name=HELD, columns=_COLUMNS, engine="Join(ANY, LEFT, name)")
# The book that is to count next, for a look at what it would change.
DRAFT_TABLE = replace(HELD_TABLE, name="model_rates_draft")


def priced(select: str) -> str:
    """A SELECT from spans that may use COMPUTED and DISCOUNT."""
    discount = f"{_discount()} AS {DISCOUNT}, " if DISCOUNT in select else ""
    return f"WITH {discount}{computed_cost()} AS {COMPUTED} ".replace(DATABASE, ddl.database()) + select


def priced_in_parts(select: str) -> str:
    """A SELECT from spans that may use COMPUTED, DISCOUNT, BY_BOOK and PROMPT_BY_BOOK: what the book says of a call
    whatever was reported of it, and how much of that is for its input.
    """
    by_book = computed_cost(open_calls=_PRICEABLE).replace(DATABASE, ddl.database())
    prompt = computed_cost(kinds=PROMPT, open_calls=_PRICEABLE).replace(DATABASE, ddl.database())
    discount = _discount().replace(DATABASE, ddl.database())
    return (
        f"WITH {by_book} AS {BY_BOOK}, {prompt} AS {PROMPT_BY_BOOK}, {discount} AS {DISCOUNT}, "
        f"if(isNull(reported_cost), {BY_BOOK}, NULL) AS {COMPUTED} {select}"
    )


def computed_cost(table: str = HELD, kinds: Collection[str] = KINDS, open_calls: str = OPEN) -> str:
    """SQL over stored columns of spans, with DATABASE for where the rates are: dollars for a call that nobody told the
    cost of; NULL for one of unknown price, and for all other spans.

    kinds: those of KINDS that are paid for; open_calls: SQL, which spans are asked for.

    What failed before it had tokens is of unknown price, as is a call that tells neither tokens nor units. The price of
    a small insert grows with every function here: what can be decided when the rates are written is (prices/rates.py).
    """
    rates = f"arrayResize({_entry(table)}.4, {len(KINDS)}, {UNPRICED})"
    dollars = f"arrayMap(its -> arrayDotProduct([{_used(kinds)}], {rates}), {_calls(open_calls)})[1]"
    # Beyond what a Decimal(18, 12) holds lies every sum that has something unpriced in it.
    return f"if({open_calls}, toDecimal64OrNull(toString(round({dollars}, 12)), 12), NULL)"


def _discount() -> str:
    """SQL over stored columns of spans: the per cent that a computed cost is lower by. It stands behind the rates."""
    return f"if({OPEN}, arrayMap(its -> ({_entry(HELD)}.4)[{len(KINDS) + 1}], {_calls(OPEN)})[1], 0)"


def _calls(open_calls: str) -> str:
    """What is asked of the book, in a list that is empty for a span that is no such call.

    The lambda over it is worked out for such calls only: functions in an `if` may be worked out for every span.
    """
    return f"if({open_calls}, [([{_keys()}], {', '.join(_COUNTS)})], [])"


def _entry(table: str) -> str:
    """The entry that a call is paid by."""
    held = f"joinGet('{DATABASE}.{table}', 'entries', price_key)"
    entries = f"arrayFlatten(arrayMap(price_key -> {held}, its.1))"
    holds = "entry.1 <= its.2 AND its.2 < entry.2 AND (entry.3 = 0 OR its.3 > entry.3)"
    return f"arrayFirst(entry -> {holds}, {entries})"


_COUNTS = (
    *("toUnixTimestamp64Nano(Timestamp)", "input_tokens", "output_tokens", "cached_input_tokens"),
    *("cache_write_tokens", "reasoning_tokens", "token_details", "units", "operation"),
)
_INPUT, _OUTPUT, _CACHED, _WRITTEN, _REASONING, _DETAILS, _AMOUNT, _OPERATION = (
    f"its.{place}" for place in range(3, 11)
)


def _keys() -> str:
    """Best first: of the project, of the provider, of any; a dated name counts before the name without its date."""
    model, plain = "lower(toString(model))", undated("lower(toString(model))")
    keys = [("project_id", "provider", model), ("project_id", BLANK, model)]
    keys += [(BLANK, name, each) for each in (model, plain) for name in ("provider", BLANK)]
    return ", ".join(f"concat({owner}, '|', {name}, '|', {each})" for owner, name, each in keys)


def _used(kinds: Collection[str]) -> str:
    """How many of each of KINDS, 0 of those that are not asked for; parts that add up to more than their whole leave
    nothing of it.
    """
    hour, in_audio, in_image, out_audio, out_image = (
        f"{_DETAILS}['{name}']"
        for name in ("cache_write_1h", "input_audio", "input_image", "output_audio", "output_image")
    )
    parts = f"{_CACHED} + {_WRITTEN} + {in_audio} + {in_image}"
    tokens = [f"greatest({_INPUT}, {parts}) - ({parts})", _CACHED]
    tokens += [f"greatest({_WRITTEN}, {hour}) - {hour}", hour, in_audio, in_image]
    parts = f"{_REASONING} + {out_audio} + {out_image}"
    tokens += [f"greatest({_OUTPUT}, {parts}) - ({parts})", _REASONING, out_audio, out_image]
    units = [f"if({_OPERATION} IN ({_operations(unit)}), {_AMOUNT}, 0)" for unit in _UNITS]
    used = [*(f"toFloat64({each})" for each in tokens), "1.", *units]
    return ", ".join(each if kind in kinds else "0." for kind, each in zip(KINDS, used, strict=True))


def _operations(unit: str) -> str:
    return ", ".join(f"'{operation}'" for operation, (its, _) in UNITS.items() if its == unit)
