"""The `MATERIALIZED` columns of `otel_traces`: what the dialects say, in columns, so that no page parses a Map.

They are computed by ClickHouse for every span, whoever inserts it: the portal's receiver or an OpenTelemetry
Collector.
"""

from collections.abc import Iterable, Mapping

from traces.store.dialects import DIALECTS, Dialect
from traces.store.dialects.base import WORDS, Source, first_of
from traces.store.dialects.frameworks import METHODS
from traces.store.dialects.guards import FILTERS
from traces.store.dialects.openinference import AGENTS_SDK
from traces.store.dialects.operations import type_of
from traces.store.dialects.pending import PENDING_MARKS

from .calls import COUNTS, MODELS, USAGE, call_columns, cost_told, model_column
from .guards import guardrail_columns
from .told import Told, Words

# Start and duration may be anything; their sum stops at the last time a DateTime64(9) can hold.
_END = (
    "fromUnixTimestamp64Nano(toInt64(least(toUInt64(greatest(toUnixTimestamp64Nano(Timestamp), 0)) "
    "+ least(Duration, 9223372036854775807), 9223372036854775807)))"
)
HTTP_ATTRIBUTES = ("http.route", "url.path", "http.request.method", "http.method")
_MARKS = ("evidence", "prompts", "questions", "answers")
_EVIDENCE = (
    "evidence",
    "questions",
    "answers",
    *USAGE,
    "input_tokens",
    "input_alone",
    "output_tokens",
    "total_tokens",
    "cost",
    "cost_details",
    "finish",
)


def typed_columns(dialects: Iterable[Dialect] = DIALECTS) -> dict[str, tuple[str, str]]:
    """Column name → (type, expression), in an order in which each expression uses earlier columns only.

    They use the column `told`, too (told.py).
    """
    dialects = tuple(dialects)
    told = told_by(dialects)
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
        "is_pending": ("Bool", f"{told.value('pending')} != ''"),
        "end_timestamp": ("DateTime64(9)", _END),
        "stated_kind": (text, told.value("kind")),
        **guardrail_columns(dialects, told),
        "model": model_column(told),
        "http_status": ("UInt16", f"toUInt16OrZero({told.value('http_status')})"),
        "tool_name": (text, first_of([*told.sources("tool_name"), f"(if(stated_kind = 'tool', {told.entity()}, ''))"])),
        "operation_told": (text, told.value("operation")),
        "span_type": (text, _span_type(dialects, told)),
        "is_llm_call": ("Bool", _is_call(dialects)),
        **call_columns(dialects, told),
        # 0 means "the client has no price", not "free".
        "reported_cost": ("Nullable(Decimal(18, 12))", _reported_cost(told)),
        "session_id": ("String", _attached("session_id", told, "session_id", "thread_id")),
        "user_id": ("String", _attached("user_id", told, "user_id")),
        "agent_name": (text, _agent_name(told)),
        "ended_as": (text, _ended_as(told)),
    }
    return {name: (kind, told.filled(expression)) for name, (kind, expression) in columns.items()}


def told_by(dialects: Iterable[Dialect] = DIALECTS) -> Told:
    """What the columns are made of; a column of its own, `told`."""
    dialects = tuple(dialects)
    meanings = {name: meaning for dialect in dialects for name, meaning in dialect.meanings.items()}
    return Told(_names(dialects), _words(dialects), meanings, marks=(*_MARKS, "http"), counts=COUNTS)


def _attached(column: str, told: Told, *names: str) -> str:
    return first_of([*told.sources(column), *_in_metadata(told, *names)])


def _in_metadata(told: Told, *names: str) -> list[Source]:
    """Texts in the JSON that callers attach to their spans: LangChain's `metadata` of a run."""
    return [f"(JSONExtractString({told.value('metadata')}, '{name}'))" for name in names]


def _names(dialects: tuple[Dialect, ...]) -> Mapping[str, list[Source]]:
    """Name → all that dialects look for under it."""
    names: dict[str, list[Source]] = {
        "http": list(HTTP_ATTRIBUTES),
        "http_status": ["http.response.status_code", "http.status_code"],
    }
    for mark in _MARKS:
        names[mark] = [key for dialect in dialects for key in getattr(dialect, mark)]
    for dialect in dialects:
        for name, sources in dialect.values.items():
            names.setdefault(name, []).extend(sources)
    return names


def _words(dialects: tuple[Dialect, ...]) -> Mapping[str, Words]:
    found: dict[str, dict[str, dict[str, str]]] = {name: {} for name in ("kind", *WORDS)}
    for dialect in dialects:
        for name, keys in {"kind": dialect.kinds, **dialect.words}.items():
            for key, meanings in keys.items():
                found[name][key] = {**meanings, **found[name].get(key, {})}
    return found | {"pending": {key: {value: "yes"} for key, value in PENDING_MARKS.items()}}


def _span_type(dialects: tuple[Dialect, ...], told: Told) -> str:
    """Which of SPAN_TYPES a span is: what it states by an attribute for that or, weaker, by what it names an operation,
    else what its attributes show.

    An LLM call is recognised by its attributes, never by its name: names can be set by the caller. The cost of an
    insert grows with the size of this expression, so nothing stands in it twice.
    """
    shown = (
        f"multiIf({_shows_a_call(told)}, 'llm', tool_name != '', 'tool', {told.value('http')} != '', 'http', 'other')"
    )
    stated = f"if(stated_kind != '', stated_kind, {type_of('operation_told', shown)})"
    embeds = f"endsWith(operation_told, 'embedding') OR {told.value('embedding_model')} != ''"
    named = f"if(guardrail_name NOT IN ('', {_quoted(FILTERS)}), 'guardrail', NULL)"
    rules = [rule for dialect in dialects for rule in dialect.rules]
    http = [f"if({each.http_span}, 'http', NULL)" for each in dialects if each.http_span]
    other = f"replaceOne({stated}, 'llm', if({embeds}, 'embedding', 'llm'))"
    return f"coalesce({', '.join([named, *rules, *http, other])})"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _shows_a_call(told: Told) -> str:
    """A span that states no kind: it names a model and has something that only a call leaves, or has asked and was
    answered. What failed has nothing but the model.
    """
    # A proxy names the model of a request on spans of all that it does for it.
    failed = "StatusCode = 'Error' AND SpanKind != 'Server' AND NOT startsWith(ScopeName, 'litellm')"
    answered = f"{told.has_any('prompts', 'questions')} AND {told.has_any('answers')}"
    return f"if({told.has_any(*MODELS)}, {failed} OR {told.has_any(*_EVIDENCE)}, {answered})"


def _agent_name(told: Told) -> str:
    """Creating an agent is no run of it, and what carries its name beside another kind is no agent."""
    as_span = f"(if(stated_kind = '' OR {AGENTS_SDK}, '', replaceRegexpOne(SpanName, '\\\\.({METHODS})$', '')))"
    named = f"(if(span_type = 'agent', {first_of([*told.sources('agent_node', 'entity'), as_span])}, ''))"
    said = first_of([*told.sources("agent_name"), *_in_metadata(told, "lc_agent_name"), named])
    return f"if(span_type IN ('workflow', 'task', 'chain'), '', {said})"


def _ended_as(told: Told) -> str:
    """How a span ended, of which an agentops session and Logfire tell more than the status.

    "Indeterminate" is what is written for a decorated function that raised, which has an input; where the caller said
    so, the other spans tell.
    """
    state = told.value("ended")
    raised = f"{state} = 'Indeterminate' AND {told.value('input')} != ''"
    failed = f"{told.value('error')} = 'yes'"
    of_session = f"if({raised}, 'Error', {state})"
    return f"if(span_type = 'session' AND {state} != '', {of_session}, if({failed}, 'Error', StatusCode))"


def _is_call(dialects: tuple[Dialect, ...]) -> str:
    not_called = "".join(f" AND NOT ({each.not_called})" for each in dialects if each.not_called)
    return f"span_type IN ('llm', 'embedding') AND NOT is_pending{not_called}"


def _reported_cost(told: Told) -> str:
    # Rounded as a double and read as text: a client may write 6.449999999999999e-06 and mean 0.00000645.
    # An amount that the type cannot hold is no cost.
    cost = f"toDecimal64OrZero(toString(round(toFloat64OrZero({cost_told(told)}), 12)), 12)"
    return f"if(span_type IN ('llm', 'embedding', 'tool') AND NOT is_pending, nullIf(greatest({cost}, 0), 0), NULL)"
