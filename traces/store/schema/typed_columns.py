"""The `MATERIALIZED` columns of `otel_traces`: what the dialects say, in columns, so that no page parses a Map.

They are computed by ClickHouse for every span, whoever inserts it: the portal's receiver or an OpenTelemetry
Collector.
"""

from collections.abc import Iterable, Mapping

from traces.store.dialects import DIALECTS, Dialect
from traces.store.dialects.base import Source, attribute, first_of, is_expression, sql
from traces.store.dialects.guards import FILTERS
from traces.store.dialects.operations import EMBEDS, TWINS
from traces.store.dialects.pending import IS_PENDING

from .calls import COUNTS, call_columns, cost_told, model_column, operation_told
from .told import COLUMN, TYPE, Told

# Start and duration may be anything; their sum stops at the last time a DateTime64(9) can hold.
_END = (
    "fromUnixTimestamp64Nano(toInt64(least(toUInt64(greatest(toUnixTimestamp64Nano(Timestamp), 0)) "
    "+ least(Duration, 9223372036854775807), 9223372036854775807)))"
)
HTTP_ATTRIBUTES = ("http.route", "url.path", "http.request.method", "http.method")
CALLS = ("llm", "embedding")  # types of span
_MARKS = ("evidence", "prompts", "questions", "answers")
_EVIDENCE = (
    "evidence",
    "questions",
    "answers",
    "usage",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cost",
    "cost_details",
)
TRIPWIRE = "Guardrail tripwire triggered"


def typed_columns(dialects: Iterable[Dialect] = DIALECTS) -> dict[str, tuple[str, str]]:
    """Column name → (type, expression), in an order in which each expression uses earlier columns only."""
    dialects = tuple(dialects)
    told = Told(_names(dialects), marks=(*_MARKS, "http"), counts=COUNTS)
    text = "LowCardinality(String)"
    marks = dict.fromkeys(mark for dialect in dialects for mark in dialect.marks)
    return {
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
        COLUMN: (TYPE, told.expression()),
        "has_marks": ("Bool", f"arrayExists(key -> key IN ({_quoted(marks)}), mapKeys(SpanAttributes))"),
        "guardrail_name": (text, told.value("guardrail_name")),
        "guardrail_mode": (text, _guardrail_mode(told)),
        "guardrail_outcome": (text, _guardrail_outcome(dialects)),
        "model": model_column(told),
        "http_status": ("UInt16", f"toUInt16OrZero({told.value('http_status')})"),
        "tool_name": (text, told.value("tool_name")),
        "operation_told": (text, operation_told(told)),
        "span_type": (text, _span_type(dialects, told)),
        "is_llm_call": ("Bool", _is_call(dialects)),
        **call_columns(told),
        # 0 means "the client has no price", not "free".
        "reported_cost": ("Nullable(Decimal(18, 12))", _reported_cost(told)),
        "session_id": ("String", told.value("session_id")),
        "user_id": ("String", told.value("user_id")),
        # Creating an agent is no run of it, and what carries its name beside another kind is no agent.
        "agent_name": (text, f"if(span_type IN ('workflow', 'task', 'chain'), '', {told.value('agent_name')})"),
        # What openai-agents says of a guardrail that stopped a run, on the span that started the guardrail.
        "tripped_guardrail": (
            text,
            f"if(startsWith(StatusMessage, '{TRIPWIRE}'), "
            """extract(StatusMessage, '["'']guardrail["'']: *["'']([^"'']+)'), '')""",
        ),
    }


def _names(dialects: tuple[Dialect, ...]) -> Mapping[str, list[Source]]:
    """Name → all that dialects look for under it."""
    names: dict[str, list[Source]] = {
        "kind": [key for dialect in dialects for key in dialect.kinds],
        "http": list(HTTP_ATTRIBUTES),
        "http_status": ["http.response.status_code", "http.status_code"],
    }
    for mark in _MARKS:
        names[mark] = [key for dialect in dialects for key in getattr(dialect, mark)]
    for dialect in sorted(dialects, key=lambda each: bool(each.marks)):  # rare ones are asked last
        for name, sources in dialect.values.items():
            names.setdefault(name, []).extend(map(_rarely, sources) if dialect.marks else sources)
    # Long, and rarely needed: they are looked up, and not told.
    names["parameters"] = [f"({sql(source)})" for source in names.get("parameters", ())]
    return names


def _rarely(source: Source) -> Source:
    """The source of a rare dialect: an expression is worked out for the spans that have a mark of one only.

    A look-up in a Map is never skipped by `if`, and most of them find nothing; a lambda over no element does nothing.
    """
    return f"(arrayMap(one -> {sql(source)}, if(has_marks, [1], []))[1])" if is_expression(source) else source


def _guardrail_mode(told: Told) -> str:
    # A list of modes comes as Python's text of one: "['pre_call', 'post_call']" is pre_call,post_call.
    mode = f"replaceRegexpAll({told.value('guardrail_mode')}, '[^a-zA-Z0-9_.,:-]', '')"
    return f"if(guardrail_name = '', '', {mode})"


def _guardrail_outcome(dialects: tuple[Dialect, ...]) -> str:
    """What a dialect says, else what the span's status says; '' for one that did not run or has not ended."""
    outcomes = [f"({dialect.guardrail_outcome})" for dialect in dialects if dialect.guardrail_outcome]
    outcome = first_of([*outcomes, "(if(StatusCode = 'Error', 'failed', 'unknown'))"])
    return f"if(guardrail_name = '' OR is_pending, '', replaceOne({outcome}, 'not_run', ''))"


def _span_type(dialects: tuple[Dialect, ...], told: Told) -> str:
    """Which of SPAN_TYPES a span is: what it states by an attribute for that or, weaker, by what it names an operation,
    else what its attributes show.

    An LLM call is recognised by its attributes, never by its name: names can be set by the caller. The cost of an
    insert grows with the size of this expression, so nothing stands in it twice.
    """
    shown = (
        f"multiIf({_shows_a_call(told)}, 'llm', tool_name != '', 'tool', {told.value('http')} != '', 'http', 'other')"
    )
    kind = f"lower(toLowCardinality({told.value('kind')}))"
    kinds = _kinds(words for dialect in dialects for words in dialect.kinds.values())
    operations = _kinds((words for dialect in dialects for words in dialect.weak_kinds.values()), TWINS)
    stated = _transform(kind, kinds, _transform("operation_told", operations, shown))
    said = f"concat({kind}, ' ', operation_told)"
    embeds = f"position({said}, '{EMBEDS}') > 0 OR {attribute('embedding.model_name')} != ''"
    named = f"if(guardrail_name NOT IN ('', {_quoted(FILTERS)}), 'guardrail', NULL)"
    rules = [rule for dialect in dialects for rule in dialect.rules]
    http = [f"if({each.http_span}, 'http', NULL)" for each in dialects if each.http_span]
    other = f"replaceOne({stated}, 'llm', if({embeds}, 'embedding', 'llm'))"
    return f"coalesce({', '.join([named, *rules, *http, other])})"


def _kinds(stated: Iterable[Mapping[str, str]], twins: Iterable[str] = ("",)) -> dict[str, str]:
    """Word → type of the span. A word that means a call to one dialect means one."""
    twins = tuple(twins)
    calls: dict[str, str] = {}
    others: dict[str, str] = {}
    for words in stated:
        for word, kind in words.items():
            if kind in CALLS:
                calls |= {f"{twin}{word}": "llm" for twin in twins}
            else:
                others.setdefault(word, kind)
    return others | calls


def _transform(value: str, words: Mapping[str, str], otherwise: str) -> str:
    return f"transform({value}, [{_quoted(words)}], [{_quoted(words.values())}], {otherwise})"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _shows_a_call(told: Told) -> str:
    """A span that states no kind: it names a model and has something that only a call leaves, or has asked and was
    answered. What failed has nothing but the model.
    """
    # A proxy names the model of a request on spans of all that it does for it.
    failed = "StatusCode = 'Error' AND SpanKind != 'Server' AND NOT startsWith(ScopeName, 'litellm')"
    answered = f"{told.has_any('prompts', 'questions')} AND {told.has_any('answers')}"
    return f"if({told.has_any('model', 'requested_model')}, {failed} OR {told.has_any(*_EVIDENCE)}, {answered})"


def _is_call(dialects: tuple[Dialect, ...]) -> str:
    not_called = "".join(f" AND NOT ({each.not_called})" for each in dialects if each.not_called)
    return f"span_type IN ('llm', 'embedding') AND NOT is_pending{not_called}"


def _reported_cost(told: Told) -> str:
    # Rounded as a double and read as text: a client may write 6.449999999999999e-06 and mean 0.00000645.
    # An amount that the type cannot hold is no cost.
    cost = f"toDecimal64OrZero(toString(round(toFloat64OrZero({cost_told(told)}), 12)), 12)"
    return f"if(span_type IN ('llm', 'embedding', 'tool') AND NOT is_pending, nullIf(greatest({cost}, 0), 0), NULL)"
