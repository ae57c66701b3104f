"""What the figures of a trace are: the one definition that the list, the trace page and their totals share.

`INGREDIENTS` say what each span adds to its trace, and how what two spans add becomes one: they are the columns of the
roll-up `trace_summaries` (traces/store/rollups/trace_summaries.py). `FIGURES` are expressions over them. Rules:

root      the span without a parent; the earliest of several, and the earliest span of all while none has arrived.
          Of two that start together the longer one: a parent is never shorter than what it waits for.
start/end earliest start and latest end of all spans; the duration lies between them, it is no sum.
status    `error` when the root failed; or a server span answered with HTTP 400 or more; or the work that ended last
          failed, whatever the root says: many frameworks end every run with Ok. Work are LLM calls and tools, and
          agents, tasks, chains and workflows where they failed; one that did not says nothing of what it holds. Else
          `ok`: a fallback that worked leaves failed spans in a trace that is fine, which is why `error_count` stands
          beside the status. A session of the agentops SDK says how it ended (`agentops.session.end_state`), and
          that it went well, too. "Indeterminate" is what is written for a decorated function that raised; where the
          caller said so, any failed span makes it a failure.
LLM calls one per model invocation, however many spans tell it: those that are layers of another one's call are
          found by traces/store/calls and taken out again (`of_verdict`), within a second or two.
models    by their names without the date of a version, so that one model is one; a span shows the whole name.
tokens    sums over LLM calls; a call has them once, however many spans describe it. An answer from a cache used none,
          though its span tells those of the call that filled the cache.
cost      what clients reported (LLM calls and tools) and, for LLM calls of which they report none, what the price book
          says (`computed_cost`, traces/store/schema/rates.py); the two are held apart. An answer from the cache cost
          nothing; what was reported for it is what it saved. Any other LLM call is counted as unknown.
session,  the one that the root names, else the one that the earliest span does: an agent that is called by another has
user      a conversation of its own.
tags      all that its spans name (traces/store/tags.py).
pending spans (traces/store/dialects/pending.py) say when a trace began, what it is called and whose it is, and
          count for nothing else: their final spans do.
guardrail runs are told apart by (name, mode, start, end): a blocked run is emitted twice by LiteLLM. What came of one
          of openai-agents, the span above it says (`tripped_guardrail`), in whatever order the two arrive.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.dialects.model_names import undated

from .tags import tags_of, tags_sql


@dataclass(frozen=True)
class Ingredient:
    """What a span adds to its trace.

    type: of the column in ClickHouse; of_span: expression over a row of `otel_traces`; merge: the aggregate function
    that makes one of several; neutral: what, merged with anything, changes nothing of it. A sum has none: it can be
    taken back.
    """

    type: str
    of_span: str
    merge: str
    neutral: str = ""

    @property
    def of_verdict(self) -> str:
        """Expression over a row of `span_verdicts` (traces/store/schema/verdicts.py): the same, added or taken away."""
        if self.neutral:
            return self.neutral
        # A UInt64 that is less than nothing is one that takes away: sums go round, and never end below nothing.
        return f"CAST(({self.of_span}) * sign, '{self.type}')"


_CASES = (str.lower, str.title, str.upper)


def _sum(of_span: str, type_: str = "UInt64") -> Ingredient:
    return Ingredient(type_, of_span, "sum")


def _set(of_span: str, element: str = "String") -> Ingredient:
    return Ingredient(f"Array({element})", of_span, "groupUniqArrayArray", f"CAST([], 'Array({element})')")


_LATEST = "fromUnixTimestamp64Nano(toInt64(9223372036854775807))"  # that a DateTime64(9) can hold

# What clients write in the place of a session or user that they do not know.
NOBODY = ("", *(each(word) for word in ("unknown", "none", "null", "undefined", "n/a") for each in _CASES))


def _of_root(column: str) -> Ingredient:
    """What the root says, else the earliest span that says something."""
    return Ingredient(
        "Tuple(is_blank Bool, is_child Bool, started DateTime64(9), id String)",
        f"({column} IN {NOBODY}, ParentSpanId != '', Timestamp, {column})",
        "min",
        f"(true, true, {_LATEST}, '')",
    )


_WORK = (
    *((kind, status) for kind in ("llm", "embedding", "tool") for status in ("Unset", "Ok", "Error")),
    *((kind, "Error") for kind in ("agent", "task", "chain", "workflow", "session")),
    ("session", "Ok"),
)
# The span that says what came of a guardrail run which does not say it itself: the one above it.
TELLER = "if(guardrail_mode = '', cityHash64(ParentSpanId, guardrail_name), 0)"
_MONEY = "Nullable(Decimal(38, 12))"  # NULL: nothing was reported


def tokens_used(column: str) -> str:
    """SQL: what a span adds to a sum of tokens, from the column that holds what it tells."""
    return f"if(cache_hit, 0, {column})"


# Of a span: whether it is known what it cost, and how much.
IS_PRICED = "cache_hit OR isNotNull(reported_cost) OR isNotNull(computed_cost)"
SPAN_COST = "if(cache_hit, 0, coalesce(reported_cost, computed_cost))"
IS_COST_UNKNOWN = f"is_llm_call AND NOT ({IS_PRICED})"

# The price of an insert grows with every function in these expressions: what can be worked out later is a figure.
# No name of a span's column: an alias would hide it from the expressions beside.
INGREDIENTS = {
    "started": Ingredient("DateTime64(9)", "Timestamp", "min", "Timestamp"),
    "ended": Ingredient("DateTime64(9)", "end_timestamp", "max", "end_timestamp"),
    "root": Ingredient(
        "Tuple(is_child Bool, started DateTime64(9), shortness UInt64, span_id String, name String, service String, "
        "status String)",
        "(ParentSpanId != '', Timestamp, bitNot(Duration), SpanId, SpanName, ServiceName, ended_as)",
        "min",
        f"(true, {_LATEST}, toUInt64(0), '', '', '', '')",
    ),
    "last_work": Ingredient(
        "Tuple(is_work Bool, ended DateTime64(9), span_id String, status String)",
        # The type decides, but for sessions, and for containers when they failed.
        f"((span_type, ended_as) IN {_WORK}, end_timestamp, SpanId, ended_as)",
        "max",
        "(false, fromUnixTimestamp64Nano(toInt64(0)), '', '')",
    ),
    "server_status": Ingredient("UInt16", "if(SpanKind = 'Server', http_status, 0)", "max", "toUInt16(0)"),
    "spans": _sum("NOT is_pending"),
    # By it what verdicts add can be told from what spans do (traces/store/rollups/rollup.py).
    "verdicts": Ingredient("UInt64", "0", "sum", "1"),
    "ok_spans": _sum("StatusCode = 'Ok'"),
    "failed_spans": _sum("StatusCode = 'Error'"),
    "done_calls": _sum("is_llm_call AND StatusCode != 'Error'"),
    "failed_calls": _sum("is_llm_call AND StatusCode = 'Error'"),
    "priced_calls": _sum(f"is_llm_call AND ({IS_PRICED})"),
    "cached_calls": _sum("cache_hit"),
    "input": _sum(tokens_used("input_tokens")),
    "output": _sum(tokens_used("output_tokens")),
    "cached_input": _sum(tokens_used("cached_input_tokens")),
    "reasoning": _sum(tokens_used("reasoning_tokens")),
    "tokens": _sum(tokens_used("total_tokens")),
    "cost": _sum("if(cache_hit, 0, reported_cost)", _MONEY),
    "computed": _sum("computed_cost", _MONEY),
    "saved": _sum("if(cache_hit, reported_cost, NULL)", _MONEY),
    "model_names": _set(f"if(is_llm_call, [{undated('model')}], [])"),
    "agent_names": _set("[agent_name]"),
    "span_names": _set("[SpanName]"),
    "session": _of_root("session_id"),
    "user": _of_root("user_id"),
    "tag_texts": _set(tags_sql()),
    "runs": _set(
        "if(guardrail_outcome = '', [], "
        f"[(cityHash64(guardrail_name, guardrail_mode, Timestamp, end_timestamp), guardrail_outcome, {TELLER})])",
        "Tuple(id UInt64, outcome String, teller UInt64)",
    ),
    "tripped": _set("if(tripped_guardrail = '', [], [cityHash64(SpanId, tripped_guardrail)])", "UInt64"),
}

# Lists of figures that more than one query sums up.
TOKENS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "total_tokens")
COSTS = ("reported_cost", "computed_cost", "unknown_cost_calls", "saved_cost")

# What came of each run.
OUTCOMES = "arrayMap(run -> if(has(tripped, run.teller), 'blocked', run.outcome), runs)"
_CALLS = "(done_calls + failed_calls)"


def paid(amount: str, verdicts: str, priced: str, otherwise: str = "0") -> str:
    """SQL: a sum of money of which some was taken back. Where all of it was, nothing is left that was paid, be it 0:
    whatever is told of these calls is told where they count. priced: how many calls have a cost; otherwise: what was
    paid beside.
    """
    return f"if({amount} = 0 AND {verdicts} > 0 AND ({priced} = 0 OR {otherwise} > 0), NULL, {amount})"


_REPORTED = paid("cost", "verdicts", "priced_calls")
_COMPUTED = paid("computed", "verdicts", "priced_calls", "ifNull(cost, 0)")
FIGURES = {
    "trace_id": "trace_id",
    "name": "root.name",
    "service": "root.service",
    "root_span_id": "root.span_id",
    "has_root": "NOT root.is_child",
    "start_ns": "toUnixTimestamp64Nano(started)",
    "end_ns": "toUnixTimestamp64Nano(ended)",
    "status": "if(root.status = 'Error' OR server_status >= 400 OR (last_work.is_work AND last_work.status = 'Error') "
    "OR (root.status = 'Indeterminate' AND failed_spans > 0), 'error', 'ok')",
    "span_count": "spans",
    "ok_count": "ok_spans",
    "error_count": "failed_spans",
    "llm_calls": _CALLS,
    "cache_hits": "cached_calls",
    "input_tokens": "input",
    "output_tokens": "output",
    "cached_input_tokens": "cached_input",
    "reasoning_tokens": "reasoning",
    "total_tokens": "tokens",
    "reported_cost": _REPORTED,
    "computed_cost": _COMPUTED,
    "saved_cost": "saved",
    "unknown_cost_calls": f"if({_CALLS} > priced_calls, {_CALLS} - priced_calls, 0)",
    "models": "arraySort(arrayFilter(name -> name != '', model_names))",
    "agents": "arraySort(arrayFilter(name -> name != '', agent_names))",
    "session_id": "if(session.is_blank, '', session.id)",
    "user_id": "if(user.is_blank, '', user.id)",
    "tags": "tag_texts",
    "guardrail_runs": "arrayUniq(arrayMap(run -> run.id, runs))",
    **{
        f"{outcome}_runs": f"countEqual({OUTCOMES}, '{outcome}')"
        for outcome in GUARDRAIL_OUTCOMES
        if outcome != "allowed"
    },
}


# The sum of what is known of a trace's cost; NULL when nothing is.
KNOWN_COST = f"if(isNull({_REPORTED}) AND isNull({_COMPUTED}), NULL, ifNull(cost, 0) + ifNull(computed, 0))"


def figures_sql(source: str, names: Iterable[str] = FIGURES) -> str:
    """`SELECT` of figures as `figure_<name>` from a source that has the ingredients, one row a trace."""
    columns = ", ".join(f"{FIGURES[name]} AS figure_{name}" for name in names)
    return f"SELECT {columns} FROM ({source})"  # noqa: S608  (expressions of this file)


def ingredients_of(*expressions: str) -> list[str]:
    """The names of the ingredients that the expressions use."""
    words = set(re.findall(r"\w+", " ".join(expressions)))
    return [name for name in INGREDIENTS if name in words]


def merged_ingredients(names: Iterable[str] = INGREDIENTS) -> str:
    """Columns of a `SELECT … FROM trace_summaries … GROUP BY trace_id`."""
    return ", ".join(["trace_id", *(f"{INGREDIENTS[name].merge}({name}) AS {name}" for name in names)])


@dataclass(frozen=True)
class Cost:
    """US dollars and where they come from. An unknown part is never shown as 0."""

    reported: Decimal | None  # None: nothing was reported
    unknown_calls: int  # LLM calls whose cost nobody knows
    saved: Decimal | None = None  # what answers from a cache would have cost
    computed: Decimal | None = None  # by the price book, of calls of which nothing was reported
    # Per cent that the book took off what it computed. Told of a span and of one trace, and not of other sums.
    discounts: tuple[Decimal, ...] = ()

    @property
    def known(self) -> Decimal | None:
        """Reported and computed together; None when neither is there."""
        amounts = [amount for amount in (self.reported, self.computed) if amount is not None]
        return sum(amounts, Decimal(0)) if amounts else None

    @property
    def source(self) -> str:
        """Where the known part comes from: reported, computed, mixed; unknown, or "" where there is nothing to pay."""
        if self.known is None:
            return "unknown" if self.unknown_calls else ""
        if self.reported is None or (self.computed and not self.reported):
            return "computed"
        return "mixed" if self.computed else "reported"

    @property
    def is_partial(self) -> bool:
        return self.known is not None and self.unknown_calls > 0

    @property
    def is_unknown(self) -> bool:
        return self.known is None and self.unknown_calls > 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Cost":
        """From columns reported_cost, computed_cost, unknown_cost_calls and, where there is one, saved_cost."""
        return cls(row["reported_cost"], row["unknown_cost_calls"], row.get("saved_cost"), row["computed_cost"])


@dataclass(frozen=True)
class TraceFigures:
    """One trace as lists and headers show it. Times are nanoseconds since 1970, UTC."""

    trace_id: str
    name: str
    service: str
    root_span_id: str
    has_root: bool
    start_ns: int
    end_ns: int
    status: str
    span_count: int
    ok_count: int  # spans with status Ok, which most clients never set
    error_count: int
    llm_calls: int
    cache_hits: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost: Cost
    models: tuple[str, ...]
    agents: tuple[str, ...]
    session_id: str
    user_id: str
    tags: tuple[str, ...]
    guardrail_runs: int
    blocked_runs: int
    masked_runs: int
    flagged_runs: int
    failed_runs: int
    unknown_runs: int

    @property
    def duration_ns(self) -> int:
        return max(self.end_ns - self.start_ns, 0)

    @property
    def guardrail(self) -> str:
        """The gravest outcome of the trace's guardrail runs; '' when none ran."""
        for outcome in ("blocked", "failed", "masked", "flagged", "unknown"):
            if getattr(self, f"{outcome}_runs"):
                return outcome
        return "allowed" if self.guardrail_runs else ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "TraceFigures":
        """From a row of `figures_sql()` with all figures."""
        values = {name.removeprefix("figure_"): value for name, value in row.items()}
        cost = Cost.of(values)
        for name in COSTS:
            values.pop(name)
        values |= {name: tuple(values[name]) for name in ("models", "agents")}
        values["tags"] = tags_of(values["tags"])
        values["has_root"] = bool(values["has_root"])
        return cls(cost=cost, **values)
