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

# Parts of the tokens of a call that most do not have: the keys of the column `token_details`.
TOKEN_DETAILS = ("cache_write_1h", "input_audio", "output_audio", "input_image", "output_image")
# What `values` may hold beside columns.
NAMES = (
    "served_model",  # what a proxy called, whatever it says of itself
    "embedding_model",
    "model_alias",  # the name under which a proxy was asked for it
    "usage",  # an object of counts, however nested (usage.py)
    "usage_parts",  # one whose parts may stand beside the sums (`tokens_apart`)
    "input_alone",  # tokens that were sent, where nothing of the conventions tells them
    "cache_read",  # parts of the tokens of a call
    "cache_write",
    "reasoning",
    *TOKEN_DETAILS,
    "cost",
    "cost_details",  # an object of amounts
    "entity",  # the name of the agent, tool or guardrail that a span is, where it states that it is one
    "agent_node",  # the same, of agents only
    "guard",  # a guardrail of which each step is a span
    "rail_name",
    "step",  # what a step of a guard is
    "group",  # what the runs of one conversation have in common
    "metadata",  # a JSON object of the caller's that may name agent, session and user
)
# What `words` may hold: attributes of which a few words count, as what they mean.
WORDS = (
    "operation",  # what a model was asked to do, or what a span is that asks none (operations.py)
    "finish",  # why an answer ended: the name of the provider's filter that ended it, or NO_FILTER
    "filter",  # the same, of filters that say what they looked at
    "done",  # what a guardrail did: an outcome
    "rail",  # what a rail looks at
    "found",  # what it found, which counts where nothing was done
    "ended",  # how a session ended: a status
    "error",  # Logfire's word for a failure: yes or no
    "input",  # yes where there is one
    "failed_provider",
    "hidden_params",  # of LiteLLM: "hit" where the answer came from its cache
    "late_guard",  # yes where a guardrail stopped what a model had answered
    "in_metadata",  # the session that a caller attached
    "in_parameters",  # the model among the parameters of a call
)
NO_FILTER = "none"
ANY = "*"  # in the place of a word: whatever the attribute says
BLANK = "''"
# An attribute key, or a ClickHouse expression in parentheses. In expressions told('name') is what a span tells under a
# name; it costs much less than to look for an attribute.
Source = str


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One family of clients.

    name: its file's name; reference: where its attributes are defined.
    rules: expressions that give a type or NULL, before anything else: for what no attribute alone tells.
    kinds: attribute that states the type of a span → {its value, lower case: one of SPAN_TYPES}.
    evidence: attributes that only a model's invocation leaves. A span that names a model, has one of them or usage and
    states no kind is a call, whatever its operation is called.
    questions, answers: what was asked and what was answered. Each is evidence; with both a span that names no model is
    a call, too. prompts: what was asked, in attributes that are no evidence: what only prepares a prompt has them.
    not_called: condition under which a span that says it asked a model did not get so far, or only prepared it.
    http_span: condition under which a span is a web framework's, though attributes of a call were written onto it.
    values: column, or one of NAMES → sources of its text, best first.
    words: one of WORDS → {attribute: {its value, lower case, or ANY: what it means}}.
    meanings: one of WORDS → the SQL of what any other word of its attributes means, of the SQL `text`.
    tokens_apart: expression that gives 1 where the input stands beside what was read from a cache and written to one,
        2 where every part stands beside the others, 0 where the sums hold their parts, as everywhere else.
    guardrail_outcome: expression that gives one of GUARDRAIL_OUTCOMES, 'not_run', or '' when it does not tell.
    """

    name: str
    reference: str
    rules: tuple[str, ...] = ()
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    not_called: str = ""
    http_span: str = ""
    values: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    tokens_apart: str = ""
    guardrail_outcome: str = ""


def attribute(key: str) -> str:
    """The SQL of a span attribute's text, '' when the span has none. Keys are ours, never a client's."""
    if "'" in key or "\\" in key:
        raise ValueError(f"Attribute key {key!r} cannot be written into the schema.")
    return f"SpanAttributes['{key}']"


def is_expression(source: Source) -> bool:
    return source.startswith("(")


def sql(source: Source) -> str:
    return source if is_expression(source) else attribute(source)


def first_of(sources: Iterable[Source]) -> str:
    """The SQL of the first source that is not blank; '' when all are."""
    expressions = list(dict.fromkeys(sql(source) for source in sources))
    if len(expressions) < 2:
        return "".join(expressions) or BLANK
    *earlier, last = expressions
    return f"coalesce({', '.join(f'nullIf({expression}, {BLANK})' for expression in earlier)}, {last})"


def where(condition: str, expression: str) -> str:
    """The SQL of an expression with look-ups among the attributes, worked out for rows that meet the condition; the
    type's zero for others.

    A look-up in a Map is never skipped by `if`, and most of them find nothing. In a lambda over no element nothing is
    looked up, as long as it is the lambda's own argument in which it is looked for.
    """
    in_lambda = expression.replace("SpanAttributes", "attributes")
    return f"arrayMap(attributes -> {in_lambda}, if({condition}, [SpanAttributes], []))[1]"


def has_any(sources: Iterable[Source]) -> str:
    """The SQL condition: a span has one of these attributes. What is worked out does not count."""
    keys = [source for source in sources if not is_expression(source)]
    return f"arrayExists(key -> key IN ({_quoted(keys)}), mapKeys(SpanAttributes))"


def _quoted(keys: Iterable[str]) -> str:
    return ", ".join(f"'{key}'" for key in dict.fromkeys(keys))
