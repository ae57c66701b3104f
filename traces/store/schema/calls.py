"""What one span says about a call of a model: the columns that are blank or 0 on every other span.

Tokens are told in many ways and kept in one: input holds what was read from a cache and written to one, output holds
reasoning; audio and images are parts of them. Dialects that tell parts beside the sums add them up. A number may be
text; one beyond LARGEST is cut, so that sums over any number of spans stay right.
"""

from collections.abc import Iterable

from traces.store.dialects import Dialect
from traces.store.dialects.base import BLANK, TOKEN_DETAILS, first_of
from traces.store.dialects.model_names import model_of
from traces.store.dialects.operations import UNITS, operation_of
from traces.store.dialects.providers import provider_of
from traces.store.dialects.usage import count_of, counted

from .told import Told

LARGEST = 10**12
# Names whose texts are counts.
COUNTS = (
    "input_tokens",
    "input_alone",
    "output_tokens",
    "total_tokens",
    "cache_read",
    "cache_write",
    "reasoning",
    *TOKEN_DETAILS,
)
_TEXT = "LowCardinality(String)"
_COUNT = "UInt64"
_DETAILS = "Map(LowCardinality(String), UInt64)"
USAGE = ("usage", "usage_parts")
MODELS = ("model", "embedding_model", "requested_model")
_TOTAL = '"total(?:_cost)?"'


def model_column(told: Told) -> tuple[str, str]:
    return _TEXT, model_of(told.value("served_model", *MODELS, "in_parameters"))


def call_columns(dialects: Iterable[Dialect], told: Told) -> dict[str, tuple[str, str]]:
    """Column → (type, expression). They use is_llm_call, span_type and operation_told."""
    operation = f"if(span_type = 'embedding', 'embedding', {operation_of('operation_told')})"
    provider = provider_of(told.sources("provider"), told.sources("served_model"))
    return {
        "operation": (_TEXT, _of_call(operation, BLANK)),
        "requested_model": (_TEXT, _of_call(told.value("model_alias", "requested_model"), BLANK)),
        "provider": (_TEXT, _of_call(provider, BLANK)),
        "cached_input_tokens": (_COUNT, _of_call(_told("cache_read", told))),
        "cache_write_tokens": (_COUNT, _of_call(_told("cache_write", told))),
        "reasoning_tokens": (_COUNT, _of_call(_told("reasoning", told))),
        "token_details": (_DETAILS, _token_details(told)),
        "tokens_apart": ("UInt8", _apart(dialects)),
        "output_tokens": (_COUNT, _output(told)),
        "input_tokens": (_COUNT, _input(told)),
        "total_tokens": (_COUNT, _of_call(f"greatest({_told('total_tokens', told)}, input_tokens + output_tokens)")),
        "units": ("Float64", f"if({told.has_any(*USAGE)}, {_units(told)}, 0)"),
        "cache_hit": ("Bool", _of_call(f"{told.value('cache_hit')} != ''", "false")),
    }


def cost_told(told: Told) -> str:
    """SQL: the text of an amount; of an object of amounts its total or, when it has none, the sum of its parts."""
    details = told.value("cost_details")
    parts = f"arraySum(part -> toFloat64OrZero(part), extractAll({details}, ':\\\\s*([0-9][0-9.eE+-]*)'))"
    total = f"extract({details}, '{_TOTAL}\\\\s*:\\\\s*([0-9][0-9.eE+-]*)')"
    in_details = f"multiIf({details} = '', '', match({details}, '{_TOTAL}'), {total}, toString({parts}))"
    return first_of([*told.sources("cost"), f"({in_details})"])


def _told(what: str, told: Told, *also: str) -> str:
    return _count(_text_told(what, told, *also))


def _count(text: str) -> str:
    return f"least(toUInt64OrZero({text}), {LARGEST})"


def _text_told(what: str, told: Told, *also: str) -> str:
    """SQL: what a span tells under the name, or under another one that means the same, else in an object of counts."""
    return first_of([*told.sources(what, *also), f"({count_of(what, told.value(*USAGE))})"])


def _apart(dialects: Iterable[Dialect]) -> str:
    return _of_call(" + ".join(f"({each.tokens_apart})" for each in dialects if each.tokens_apart))


def _output(told: Told) -> str:
    parts = "reasoning_tokens + token_details['output_audio'] + token_details['output_image']"
    return _of_call(f"{_told('output_tokens', told)} + if(tokens_apart = 2, {parts}, 0)")


def _input(told: Told) -> str:
    # Where every part stands beside the others, the total is told, too.
    rest = f"greatest({_told('total_tokens', told)}, output_tokens) - output_tokens"
    sent = _told("input_tokens", told, "input_alone")
    beside = f"{sent} + if(tokens_apart = 1, cached_input_tokens + cache_write_tokens, 0)"
    return _of_call(f"if(tokens_apart = 2, {rest}, {beside})")


def _token_details(told: Told) -> str:
    """A map of the parts that most calls do not have."""
    names = ", ".join(f"'{part}'" for part in TOKEN_DETAILS)
    texts = ", ".join(_text_told(part, told) for part in TOKEN_DETAILS)
    counts = f"arrayMap((part, text) -> (part, {_count('text')}), [{names}], [{texts}])"
    has_details = told.has_any(*USAGE, *TOKEN_DETAILS)
    return f"if(is_llm_call AND {has_details}, CAST(arrayFilter(part -> part.2 > 0, {counts}), '{_DETAILS}'), map())"


def _of_call(expression: str, otherwise: str = "0") -> str:
    return f"if(is_llm_call, {expression}, {otherwise})"


def _units(told: Told) -> str:
    """How many of what the operation is measured in; 0 for those that are measured in tokens."""
    usage = told.value(*USAGE)
    by_names: dict[str, int] = {}
    place = {operation: by_names.setdefault(names, len(by_names) + 1) for operation, (_, names) in UNITS.items()}
    counts = ", ".join(counted(usage, names) for names in by_names)
    operations = ", ".join(f"'{operation}'" for operation in place)
    units = f"[{counts}][transform(operation, [{operations}], {list(place.values())}, 0)]"
    # As with a cost: through a text, in which a NaN is no number.
    return f"toFloat64(greatest(toDecimal64OrZero(toString(round(toFloat64OrZero({units}), 6)), 6), 0))"
