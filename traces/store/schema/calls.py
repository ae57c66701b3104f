"""What one span says about a call of a model: the columns that are blank or 0 on every other span.

Tokens are told in many ways and kept in one: input holds what was read from a cache and written to one, output holds
reasoning; audio and images are parts of them. Dialects that tell parts beside the sums add them up. A number may be
text; one beyond LARGEST is cut, so that sums over any number of spans stay right.
"""

from collections.abc import Iterable

from traces.store.dialects import Dialect
from traces.store.dialects.base import BLANK, TOKEN_DETAILS, Source, attribute, first_of, has_any
from traces.store.dialects.model_names import model_of
from traces.store.dialects.operations import UNITS, operation_of
from traces.store.dialects.providers import provider_of
from traces.store.dialects.usage import count_of, counted

LARGEST = 10**12
_TEXT = "LowCardinality(String)"
_COUNT = "UInt64"
_TOTAL = '"total(?:_cost)?"'


def steps(dialects: tuple[Dialect, ...]) -> dict[str, str]:
    """Name → expression of what several columns need; typed_columns.py puts it into their expressions."""
    output_type = "SpanAttributes['gen_ai.output.type']"
    word = first_of(
        [
            *sources("call_type", dialects),
            # Of what several operations share, generate_content: what was asked for.
            f"(if({output_type} IN ('image', 'speech', 'video'), {output_type}, ''))",
            *sources("operation", dialects),
        ]
    )
    return {
        # Few words are many rows: each is looked at once.
        "the_operation": f"lower(toLowCardinality({word}))",
        # No client knows two: the greatest is the one that is not blank.
        "the_usage": f"greatest({', '.join(attribute(key) for key in sources('usage', dialects))})",
    }


def model_column(dialects: tuple[Dialect, ...]) -> tuple[str, str]:
    keys = dict.fromkeys(
        key for name in ("served_model", "model", "requested_model") for key in sources(name, dialects)
    )
    asked = f'extract({first_of(sources("parameters", dialects))}, \'"model(?:_name)?"\\\\s*:\\\\s*"([^"]+)"\')'
    return _TEXT, model_of(first_of([*keys, f"({asked})"]))


def call_columns(dialects: tuple[Dialect, ...]) -> dict[str, tuple[str, str]]:
    """Column → (type, expression). They use is_llm_call, span_type and the steps."""
    operation = f"if(span_type = 'embedding', 'embedding', {operation_of('the_operation')})"
    asked = [key for name in ("model_alias", "requested_model") for key in sources(name, dialects)]
    provider = provider_of(sources("provider", dialects), sources("served_model", dialects))
    total = _told("total_tokens", dialects)
    return {
        "operation": (_TEXT, _of_call(operation, BLANK)),
        "requested_model": (_TEXT, _of_call(first_of(asked), BLANK)),
        "provider": (_TEXT, _of_call(provider, BLANK)),
        "input_tokens": (_COUNT, _of_call(_told("input_tokens", dialects))),
        "output_tokens": (_COUNT, _of_call(_told("output_tokens", dialects))),
        "cached_input_tokens": (_COUNT, _of_call(_told("cache_read", dialects))),
        "cache_write_tokens": (_COUNT, _of_call(_told("cache_write", dialects))),
        "reasoning_tokens": (_COUNT, _of_call(_told("reasoning", dialects))),
        "token_details": ("Map(LowCardinality(String), UInt64)", _token_details(dialects)),
        "total_tokens": (_COUNT, _of_call(f"greatest({total}, input_tokens + output_tokens)")),
        "units": ("Float64", f"if(the_usage = '', 0, {_units()})"),
        "cache_hit": ("Bool", _of_call(f"{first_of(sources('cache_hit', dialects))} != ''", "false")),
    }


def sources(name: str, dialects: Iterable[Dialect]) -> list[Source]:
    return [source for dialect in dialects for source in dialect.values.get(name, ())]


def cost_told(dialects: tuple[Dialect, ...]) -> str:
    """SQL: the text of an amount; of an object of amounts its total or, when it has none, the sum of its parts."""
    details = first_of(sources("cost_details", dialects))
    parts = f"arraySum(part -> toFloat64OrZero(part), extractAll({details}, ':\\\\s*([0-9][0-9.eE+-]*)'))"
    total = f"extract({details}, '{_TOTAL}\\\\s*:\\\\s*([0-9][0-9.eE+-]*)')"
    in_details = f"multiIf({details} = '', '', match({details}, '{_TOTAL}'), {total}, toString({parts}))"
    return first_of([*sources("cost", dialects), f"({in_details})"])


def count(text: str) -> str:
    """SQL: a count that a client wrote, as a whole number or not, with blanks around it or not; 0 for what is none."""
    # NaN, what is negative and what no UInt64 holds are none.
    return f"least(accurateCastOrDefault(floor(toFloat64OrZero(trimBoth({text}))), 'UInt64'), {LARGEST})"


def _told(what: str, dialects: Iterable[Dialect]) -> str:
    in_usage = f"(if(the_usage = '', '', {count_of(what, 'the_usage')}))"
    return count(first_of([*sources(what, dialects), in_usage]))


def _token_details(dialects: tuple[Dialect, ...]) -> str:
    """A map of the parts that most calls do not have."""
    details = ", ".join(f"'{part}', {_told(part, dialects)}" for part in TOKEN_DETAILS)
    keys = [key for part in TOKEN_DETAILS for key in sources(part, dialects)]
    has_details = f"the_usage != '' OR {has_any(keys)}"
    return f"if(is_llm_call AND ({has_details}), mapFilter((part, tokens) -> tokens > 0, map({details})), map())"


def _of_call(expression: str, otherwise: str = "0") -> str:
    return f"if(is_llm_call, {expression}, {otherwise})"


def _units() -> str:
    """How many of what the operation is measured in; 0 for those that are measured in tokens."""
    by_names: dict[str, int] = {}
    place = {operation: by_names.setdefault(names, len(by_names) + 1) for operation, (_, names) in UNITS.items()}
    counts = ", ".join(counted("the_usage", names) for names in by_names)
    operations = ", ".join(f"'{operation}'" for operation in place)
    told = f"[{counts}][transform(operation, [{operations}], {list(place.values())}, 0)]"
    # As with a cost: through a text, in which a NaN is no number.
    return f"toFloat64(greatest(toDecimal64OrZero(toString(round(toFloat64OrZero({told}), 6)), 6), 0))"
