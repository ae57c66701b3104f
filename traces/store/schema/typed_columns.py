"""The `MATERIALIZED` columns of `otel_traces`: what the dialects say, in columns, so that no page parses a Map.

They are computed by ClickHouse for every span, whoever inserts it: the portal's receiver or an OpenTelemetry
Collector.
"""

from collections.abc import Iterable, Mapping

from traces.store.dialects import DIALECTS, Dialect
from traces.store.dialects.base import attribute, first_of
from traces.store.dialects.guards import FILTERS
from traces.store.dialects.pending import IS_PENDING

TOKEN_COLUMNS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
# Start and duration may be anything; their sum stops at the last time a DateTime64(9) can hold.
_END = (
    "fromUnixTimestamp64Nano(toInt64(least(toUInt64(greatest(toUnixTimestamp64Nano(Timestamp), 0)) "
    "+ least(Duration, 9223372036854775807), 9223372036854775807)))"
)
HTTP_ATTRIBUTES = ("http.route", "url.path", "http.request.method", "http.method")
LLM_TYPES = "('llm', 'embedding')"
TRIPWIRE = "Guardrail tripwire triggered"


def value_of(column: str, dialects: Iterable[Dialect]) -> str:
    """The first source that has a value, those of rare dialects last and in spans that speak one only."""
    rare = [source for each in dialects if each.marks for source in each.values.get(column, ())]
    common = [source for each in dialects if not each.marks for source in each.values.get(column, ())]
    return first_of([*common, f"({_where('has_marks', first_of(rare))})"] if rare else common)


def stated_kinds(dialects: Iterable[Dialect]) -> list[str]:
    """Expressions for the type that an attribute of the span states; NULL when it is absent or says nothing known."""
    dialects = tuple(dialects)
    return [*_transforms(each.kinds for each in dialects), *_transforms(each.weak_kinds for each in dialects)]


def _transforms(stated: Iterable[Mapping[str, Mapping[str, str]]]) -> list[str]:
    kinds: dict[str, dict[str, str]] = {}
    for of_dialect in stated:
        for key, words in of_dialect.items():
            merged = kinds.setdefault(key, {})
            for word, span_type in words.items():
                merged.setdefault(word, span_type)
    return [
        f"transform(lower({attribute(key)}), [{_quoted(words)}], [{_quoted(words.values())}], NULL)"
        for key, words in kinds.items()
    ]


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _where(condition: str, expression: str) -> str:
    """The SQL of a text that is worked out for the rows that meet the condition only; '' for all others.

    A look-up in a Map is never skipped by `if`, and most of them find nothing; a lambda over no element does nothing.
    """
    return f"arrayMap(one -> {expression}, if({condition}, [1], []))[1]"


def _tokens(column: str, dialects: Iterable[Dialect]) -> str:
    return f"if(is_llm_call, toUInt64OrZero({value_of(column, dialects)}), 0)"


def typed_columns(dialects: Iterable[Dialect] = DIALECTS) -> dict[str, tuple[str, str]]:
    """Column name → (type, expression), in an order in which each expression uses earlier columns only."""
    dialects = tuple(dialects)
    text = "LowCardinality(String)"
    marks = dict.fromkeys(mark for dialect in dialects for mark in dialect.marks)
    columns = {
        "project_id": (
            "String",
            "multiIf("
            "ResourceAttributes['agentops.project.id'] != '', ResourceAttributes['agentops.project.id'], "
            "ResourceAttributes['ProjectId'] != '', ResourceAttributes['ProjectId'], "
            "ResourceAttributes['project_id'])",
        ),
        # By it a span that is sent again is found (traces/ingest/inbox/spans.py): faster than by the two ids.
        "span_hash": ("UInt64", "cityHash64(TraceId, SpanId)"),
        "is_pending": ("Bool", IS_PENDING),
        "end_timestamp": ("DateTime64(9)", _END),
        "has_marks": ("Bool", f"arrayExists(key -> key IN ({_quoted(marks)}), mapKeys(SpanAttributes))"),
        "guardrail_name": (text, value_of("guardrail_name", dialects)),
        "guardrail_mode": (text, _guardrail_mode(dialects)),
        "guardrail_outcome": (text, _guardrail_outcome(dialects)),
        "model": (text, value_of("model", dialects)),
        "http_status": (
            "UInt16",
            f"toUInt16OrZero({first_of(('http.response.status_code', 'http.status_code'))})",
        ),
        "tool_name": (text, value_of("tool_name", dialects)),
        "span_type": (text, _span_type(dialects)),
        "is_llm_call": ("Bool", f"span_type IN {LLM_TYPES} AND NOT is_pending"),
        "requested_model": (text, f"if(is_llm_call, {value_of('requested_model', dialects)}, '')"),
        "provider": (text, f"if(is_llm_call, lower({value_of('provider', dialects)}), '')"),
    }
    for column in TOKEN_COLUMNS:
        columns[column] = ("UInt64", _tokens(column, dialects))
    columns |= {
        "total_tokens": (
            "UInt64",
            f"if(is_llm_call, coalesce(nullIf(toUInt64OrZero({value_of('total_tokens', dialects)}), 0), "
            "input_tokens + output_tokens), 0)",
        ),
        # 0 means "the client has no price", not "free".
        "reported_cost": ("Nullable(Decimal(18, 12))", _reported_cost(dialects)),
        "cache_hit": ("Bool", f"if(is_llm_call, {value_of('cache_hit', dialects)} != '', false)"),
        "session_id": ("String", value_of("session_id", dialects)),
        "user_id": ("String", value_of("user_id", dialects)),
        # Creating an agent is no run of it, and what carries its name beside another kind is no agent.
        "agent_name": (text, f"if(span_type IN ('workflow', 'task', 'chain'), '', {value_of('agent_name', dialects)})"),
        # What openai-agents says of a guardrail that stopped a run, on the span that started the guardrail.
        "tripped_guardrail": (
            text,
            f"if(startsWith(StatusMessage, '{TRIPWIRE}'), "
            """extract(StatusMessage, '["'']guardrail["'']: *["'']([^"'']+)'), '')""",
        ),
    }
    return columns


def _guardrail_mode(dialects: tuple[Dialect, ...]) -> str:
    # A list of modes comes as Python's text of one: "['pre_call', 'post_call']" is pre_call,post_call.
    mode = f"replaceRegexpAll({value_of('guardrail_mode', dialects)}, '[^a-zA-Z0-9_.,:-]', '')"
    return f"if(guardrail_name = '', '', {mode})"


def _guardrail_outcome(dialects: tuple[Dialect, ...]) -> str:
    """What a dialect says, else what the span's status says; '' for one that did not run or has not ended."""
    outcomes = [f"({dialect.guardrail_outcome})" for dialect in dialects if dialect.guardrail_outcome]
    outcome = first_of([*outcomes, "(if(StatusCode = 'Error', 'failed', 'unknown'))"])
    return f"if(guardrail_name = '' OR is_pending, '', replaceOne({outcome}, 'not_run', ''))"


def _span_type(dialects: tuple[Dialect, ...]) -> str:
    """Which of SPAN_TYPES a span is: what it states, else what its attributes show.

    An LLM call is recognised by its attributes, never by its name: names can be set by the caller. The cost of an
    insert grows with the size of this expression, so nothing stands in it twice.
    """
    rules = [
        _when(f"guardrail_name NOT IN ('', {_quoted(FILTERS)})", "guardrail"),
        *(rule for dialect in dialects for rule in dialect.rules),
        *(_when(dialect.http_span, "http") for dialect in dialects if dialect.http_span),
        *stated_kinds(dialects),
        *(_when(dialect.llm_call, "llm") for dialect in dialects if dialect.llm_call),
        _when("tool_name != ''", "tool"),
        _when(f"{first_of(HTTP_ATTRIBUTES)} != ''", "http"),
    ]
    return f"coalesce({', '.join(rules)}, 'other')"


def _when(condition: str, span_type: str) -> str:
    return f"if({condition}, '{span_type}', NULL)"


def _reported_cost(dialects: tuple[Dialect, ...]) -> str:
    # Rounded as a double and read as text: a client may write 6.449999999999999e-06 and mean 0.00000645.
    # An amount that the type cannot hold is no cost.
    cost = f"toDecimal64OrZero(toString(round(toFloat64OrZero({value_of('reported_cost', dialects)}), 12)), 12)"
    return f"if(span_type IN ('llm', 'embedding', 'tool') AND NOT is_pending, nullIf(greatest({cost}, 0), 0), NULL)"
