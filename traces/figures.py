"""What the figures of a trace are: the one definition that the list, the trace page and their totals share.

`FIGURES` are SQL expressions over the rows of `otel_traces`, one group per TraceId. Rules:

root      the span without a parent; the earliest of several, and the earliest span of all while none has arrived.
          Of two that start together the longer one: a parent is never shorter than what it waits for.
start/end earliest start and latest end of all spans; the duration lies between them, it is no sum.
status    `error` when the root's status is Error; or a server span answered with HTTP 400 or more; or the root says
          nothing (Unset) and the LLM call, agent or tool that ended last failed. Else `ok`: a fallback that worked
          leaves failed spans in a trace that is fine, which is why `error_count` stands beside the status.
tokens    sums over LLM calls; a call has them once, however many spans describe it.
cost      what clients reported (LLM calls and tools). An LLM call without a reported cost is counted as unknown.
guardrail runs are told apart by (name, mode, start, end): a blocked run is emitted twice by LiteLLM.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# Smallest first. Duration is unsigned and may exceed what a signed number holds.
_ROOT_ORDER = "(ParentSpanId != '', Timestamp, -toInt64(least(Duration, 9223372036854775807)), SpanId)"
_IS_WORK = "is_llm_call OR span_type IN ('agent', 'tool')"
_RUN = "(guardrail_name, guardrail_mode, Timestamp, end_timestamp)"


def _root(column: str) -> str:
    return f"argMin({column}, {_ROOT_ORDER})"


_STATUS = f"""if(
        {_root("StatusCode")} = 'Error'
        OR countIf(SpanKind = 'Server' AND http_status >= 400) > 0
        OR ({_root("StatusCode")} = 'Unset' AND argMaxIf(StatusCode, (end_timestamp, SpanId), {_IS_WORK}) = 'Error'),
        'error', 'ok')"""

FIGURES = {
    "trace_id": "TraceId",
    "name": _root("SpanName"),
    "service": _root("ServiceName"),
    "root_span_id": _root("SpanId"),
    "has_root": "countIf(ParentSpanId = '') > 0",
    "start_ns": "min(toUnixTimestamp64Nano(Timestamp))",
    "end_ns": "max(toUnixTimestamp64Nano(end_timestamp))",
    "status": _STATUS,
    "span_count": "count()",
    "error_count": "countIf(StatusCode = 'Error')",
    "llm_calls": "countIf(is_llm_call)",
    "input_tokens": "sum(input_tokens)",
    "output_tokens": "sum(output_tokens)",
    "cached_input_tokens": "sum(cached_input_tokens)",
    "reasoning_tokens": "sum(reasoning_tokens)",
    "total_tokens": "sum(total_tokens)",
    "reported_cost": "sum(reported_cost)",
    "reported_count": "count(reported_cost)",
    "unknown_cost_calls": "countIf(is_llm_call AND isNull(reported_cost))",
    "models": "arraySort(groupUniqArrayIf(toString(model), is_llm_call AND model != ''))",
    "session_id": "argMinIf(session_id, Timestamp, session_id != '')",
    "user_id": "argMinIf(user_id, Timestamp, user_id != '')",
    "guardrail_runs": f"uniqExactIf({_RUN}, guardrail_outcome != '')",
    "blocked_runs": f"uniqExactIf({_RUN}, guardrail_outcome = 'blocked')",
    "masked_runs": f"uniqExactIf({_RUN}, guardrail_outcome = 'masked')",
    "flagged_runs": f"uniqExactIf({_RUN}, guardrail_outcome = 'flagged')",
    "failed_runs": f"uniqExactIf({_RUN}, guardrail_outcome = 'failed')",
}


def figures_sql(*names: str) -> str:
    """`SELECT` of the named figures as `figure_<name>`, of all without names; FROM and GROUP BY TraceId must follow.

    The prefix is needed: an alias `input_tokens` would hide the column that `sum(input_tokens)` means.
    """
    columns = ",\n    ".join(f"{FIGURES[name]} AS figure_{name}" for name in names or FIGURES)
    return f"SELECT\n    {columns}"


@dataclass(frozen=True)
class Cost:
    """US dollars and where they come from. An unknown part is never shown as 0."""

    reported: Decimal | None  # None: nothing was reported
    unknown_calls: int  # LLM calls whose cost nobody knows

    @property
    def is_partial(self) -> bool:
        return self.reported is not None and self.unknown_calls > 0

    @property
    def is_unknown(self) -> bool:
        return self.reported is None and self.unknown_calls > 0


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
    error_count: int
    llm_calls: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost: Cost
    models: tuple[str, ...]
    session_id: str
    user_id: str
    guardrail_runs: int
    blocked_runs: int
    masked_runs: int
    flagged_runs: int
    failed_runs: int

    @property
    def duration_ns(self) -> int:
        return max(self.end_ns - self.start_ns, 0)

    @property
    def guardrail(self) -> str:
        """The gravest outcome of the trace's guardrail runs; '' when none ran."""
        for outcome in ("blocked", "failed", "masked", "flagged"):
            if getattr(self, f"{outcome}_runs"):
                return outcome
        return "allowed" if self.guardrail_runs else ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "TraceFigures":
        """From a row of `figures_sql()`."""
        values = {name.removeprefix("figure_"): value for name, value in row.items()}
        cost = cost_of(values)
        for name in ("reported_cost", "reported_count", "unknown_cost_calls"):
            values.pop(name)
        values["models"] = tuple(values["models"])
        values["has_root"] = bool(values["has_root"])
        return cls(cost=cost, **values)


def cost_of(values: Mapping[str, Any]) -> Cost:
    """From the columns reported_cost, reported_count and unknown_cost_calls."""
    reported = values["reported_cost"] if values["reported_count"] else None
    return Cost(reported=reported, unknown_calls=values["unknown_cost_calls"])
