"""What a dialect is: the words in which one family of clients says what an LLM application did.

A dialect maps columns to the span attributes that hold their value. Where a value needs more than a look-up it is a
ClickHouse expression over the span's columns. `traces.store.schema.typed_columns` joins all dialects into the
`MATERIALIZED` columns of `otel_traces`: the first dialect that has a value wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SPAN_TYPES = (
    "session",
    "workflow",
    "agent",
    "task",
    "llm",
    "embedding",
    "tool",
    "guardrail",
    "retriever",
    "chain",
    "http",
    "other",
)
# What came of a guardrail run. An outcome that nobody told is unknown.
GUARDRAIL_OUTCOMES = ("allowed", "masked", "flagged", "blocked", "failed", "unknown")

BLANK = "''"
# An attribute key, or a ClickHouse expression in parentheses.
Source = str


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One family of clients.

    name: its file's name; reference: where its attributes are defined.
    marks: of a rare dialect, attributes of which a span has one that speaks it; its values are looked up in such spans
        only, and behind those of other dialects.
    rules: expressions that give a type or NULL, before anything else: for what no attribute alone tells.
    kinds: attribute that states the type of a span → {its value, lower case: one of SPAN_TYPES}.
    weak_kinds: the same, for attributes that count when no `kinds` of any dialect says something else.
    llm_call: condition under which a span without a stated kind is the one span of a model invocation.
    http_span: condition under which a span is a web framework's, though attributes of a call were written onto it.
    values: column → sources of its text, best first.
    guardrail_outcome: expression that gives one of GUARDRAIL_OUTCOMES, 'not_run', or '' when it does not tell.
    """

    name: str
    reference: str
    marks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    weak_kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    llm_call: str = ""
    http_span: str = ""
    values: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    guardrail_outcome: str = ""


def attribute(key: str) -> str:
    """The SQL of a span attribute's text, '' when the span has none. Keys are ours, never a client's."""
    if "'" in key or "\\" in key:
        raise ValueError(f"Attribute key {key!r} cannot be written into the schema.")
    return f"SpanAttributes['{key}']"


def sql(source: Source) -> str:
    return source if source.startswith("(") else attribute(source)


def first_of(sources: Iterable[Source]) -> str:
    """The SQL of the first source that is not blank; '' when all are."""
    expressions = list(dict.fromkeys(sql(source) for source in sources))
    if len(expressions) < 2:
        return "".join(expressions) or BLANK
    *earlier, last = expressions
    return f"coalesce({', '.join(f'nullIf({expression}, {BLANK})' for expression in earlier)}, {last})"
