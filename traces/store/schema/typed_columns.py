"""The `MATERIALIZED` columns of `otel_traces`: what the dialects say, in columns, so that no page parses a Map.

They are computed by ClickHouse for every span, whoever inserts it: the portal's receiver or an OpenTelemetry
Collector.
"""

import re
from collections.abc import Iterable
from functools import partial

from traces.store.dialects import DIALECTS, Dialect
from traces.store.dialects.base import attribute, first_of, has_any
from traces.store.dialects.operations import EMBEDS, TWIN
from traces.store.dialects.pending import IS_PENDING

from .calls import call_columns, cost_told, model_column, sources, steps

# Start and duration may be anything; their sum stops at the last time a DateTime64(9) can hold.
_END = (
    "fromUnixTimestamp64Nano(toInt64(least(toUInt64(greatest(toUnixTimestamp64Nano(Timestamp), 0)) "
    "+ least(Duration, 9223372036854775807), 9223372036854775807)))"
)
HTTP_ATTRIBUTES = ("http.route", "url.path", "http.request.method", "http.method")
CALLS = ("llm", "embedding")  # types of span
_EVIDENCE = ("usage", "input_tokens", "output_tokens", "total_tokens", "cost", "cost_details")
# What was asked, and what was answered.
_DIALOGUES = (
    ("gen_ai.prompt", "gen_ai.completion"),
    ("gen_ai.prompt.0.content", "gen_ai.completion.0.content"),
)


def value_of(column: str, dialects: Iterable[Dialect]) -> str:
    return first_of(sources(column, dialects))


def stated_kind(dialects: tuple[Dialect, ...], otherwise: str) -> str:
    """The type that a span states: by an attribute for that or, weaker, by what it names an operation."""
    strong: dict[str, str] = {}
    weak: dict[str, str] = {}
    for dialect in dialects:
        for words in dialect.kinds.values():
            strong |= {word: kind for word, kind in words.items() if word not in strong and kind not in CALLS}
        for words in dialect.weak_kinds.values():
            weak |= {word: kind for word, kind in words.items() if word not in weak and kind not in CALLS}
    weakly = f"transform(the_operation, [{_quoted(weak)}], [{_quoted(weak.values())}], {otherwise})"
    return f"transform(the_kind, [{_quoted(strong)}], [{_quoted(strong.values())}], {weakly})"


def asks_a_model(dialects: tuple[Dialect, ...]) -> dict[str, str]:
    """The steps behind `is_llm_call`, on which all that is told of a call depends: the time to analyse an
    insert grows with the length of these texts, times the number of columns that use them.
    """
    strong = [(word, kind) for dialect in dialects for words in dialect.kinds.values() for word, kind in words.items()]
    weak = [
        (word, kind) for dialect in dialects for words in dialect.weak_kinds.values() for word, kind in words.items()
    ]
    rules = [
        f"match(the_kind, '{_one_of(word for word, kind in strong if kind in CALLS)}'), true",
        f"match(the_kind, '{_one_of(word for word, kind in strong if kind not in CALLS)}'), false",
        f"match(the_operation, '{_one_of((word for word, kind in weak if kind in CALLS), TWIN)}'), true",
        f"match(the_operation, '{_one_of(word for word, kind in weak if kind not in CALLS)}'), false",
    ]
    # No client knows two: the greatest is the one that is not blank.
    kind = ", ".join(attribute(key) for dialect in dialects for key in dialect.kinds)
    return {
        "the_kind": f"lower(toLowCardinality(greatest({kind})))",
        "asks_model": f"multiIf({', '.join(rules)}, {_shows_a_call(dialects)})",
    }


def _one_of(words: Iterable[str], before: str = "") -> str:
    return f"^{before}({'|'.join(dict.fromkeys(word.replace('.', '[.]') for word in words))})$"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def typed_columns(dialects: Iterable[Dialect] = DIALECTS) -> dict[str, tuple[str, str]]:
    """Column name → (type, expression), in an order in which each expression uses earlier columns only."""
    dialects = tuple(dialects)
    text = "LowCardinality(String)"
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
        "guardrail_name": (text, value_of("guardrail_name", dialects)),
        "guardrail_mode": (text, _guardrail_mode(dialects)),
        "guardrail_outcome": (text, _guardrail_outcome(dialects)),
        "model": model_column(dialects),
        "http_status": (
            "UInt16",
            f"toUInt16OrZero({first_of(('http.response.status_code', 'http.status_code'))})",
        ),
        "tool_name": (text, value_of("tool_name", dialects)),
        "span_type": (text, _span_type(dialects)),
        "is_llm_call": ("Bool", _is_call(dialects)),
    }
    columns |= call_columns(dialects)
    columns |= {
        # 0 means "the client has no price", not "free".
        "reported_cost": ("Nullable(Decimal(18, 12))", _reported_cost(dialects)),
        "session_id": ("String", value_of("session_id", dialects)),
        "user_id": ("String", value_of("user_id", dialects)),
        "agent_name": (text, value_of("agent_name", dialects)),
    }
    return _without_steps(columns, {**steps(dialects), **asks_a_model(dialects)})


def _without_steps(columns: dict[str, tuple[str, str]], named: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Columns whose expressions have in them what the steps stand for. (As ALIAS columns each of them would be analysed
    for every query of the table and for every view that an insert fills.)
    """
    for name, expression in reversed(list(named.items())):
        put = partial(re.compile(rf"\b{name}\b").sub, expression.replace("\\", r"\\"))
        named = {each: put(text) for each, text in named.items()}
        columns = {each: (kind, put(text)) for each, (kind, text) in columns.items()}
    return columns


def _guardrail_mode(dialects: tuple[Dialect, ...]) -> str:
    # A list of modes comes as Python's text of one: "['pre_call', 'post_call']" is pre_call,post_call.
    mode = f"replaceRegexpAll({value_of('guardrail_mode', dialects)}, '[^a-zA-Z0-9_.,:-]', '')"
    return f"if(guardrail_name = '', '', {mode})"


def _guardrail_outcome(dialects: tuple[Dialect, ...]) -> str:
    """What a dialect says, else what the span's status says; '' for one that did not run or has not ended."""
    outcomes = [f"({dialect.guardrail_outcome})" for dialect in dialects if dialect.guardrail_outcome]
    outcome = first_of([*outcomes, "(if(StatusCode = 'Error', 'failed', 'allowed'))"])
    return f"if(guardrail_name = '' OR is_pending, '', replaceOne({outcome}, 'not_run', ''))"


def _span_type(dialects: tuple[Dialect, ...]) -> str:
    """Which of SPAN_TYPES a span is: what it states, else what its attributes show.

    An LLM call is recognised by its attributes, never by its name: names can be set by the caller. The cost of an
    insert grows with the size of this expression, so nothing stands in it twice.
    """
    shown = f"multiIf(tool_name != '', 'tool', {first_of(HTTP_ATTRIBUTES)} != '', 'http', 'other')"
    rules = [
        "guardrail_name != '', 'guardrail'",
        *(f"{each.http_span}, 'http'" for each in dialects if each.http_span),
        f"asks_model, if({_embeds()}, 'embedding', 'llm')",
    ]
    return f"multiIf({', '.join(rules)}, {stated_kind(dialects, shown)})"


def _shows_a_call(dialects: tuple[Dialect, ...]) -> str:
    """A span that states no kind: it names a model and has something that only a call leaves, or has asked and was
    answered. What failed has nothing but the model.
    """
    names_model = has_any(key for name in ("model", "requested_model") for key in sources(name, dialects))
    # A proxy names the model of a request on spans of all that it does for it.
    failed = "StatusCode = 'Error' AND SpanKind != 'Server' AND NOT startsWith(ScopeName, 'litellm')"
    evidence = [key for dialect in dialects for key in dialect.evidence]
    left = has_any([*evidence, *(key for name in _EVIDENCE for key in sources(name, dialects))])
    answered = " OR ".join(f"{attribute(asked)} != '' AND {attribute(answer)} != ''" for asked, answer in _DIALOGUES)
    return f"if({names_model}, {failed} OR {left}, {answered})"


def _embeds() -> str:
    return (
        f"position(the_kind, '{EMBEDS}') > 0 OR position(the_operation, '{EMBEDS}') > 0 "
        f"OR {attribute('embedding.model_name')} != ''"
    )


def _is_call(dialects: tuple[Dialect, ...]) -> str:
    not_called = "".join(f" AND NOT ({each.not_called})" for each in dialects if each.not_called)
    http = "".join(f" AND NOT ({each.http_span})" for each in dialects if each.http_span)
    return f"asks_model AND guardrail_name = '' AND NOT is_pending{http}{not_called}"


def _reported_cost(dialects: tuple[Dialect, ...]) -> str:
    # Rounded as a double and read as text: a client may write 6.449999999999999e-06 and mean 0.00000645.
    # An amount that the type cannot hold is no cost.
    cost = f"toDecimal64OrZero(toString(round(toFloat64OrZero({cost_told(dialects)}), 12)), 12)"
    return f"if(span_type IN ('llm', 'embedding', 'tool') AND NOT is_pending, nullIf(greatest({cost}, 0), 0), NULL)"
