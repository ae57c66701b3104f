"""Guardrail runs, each once however often it was sent, from the ledger `guardrail_runs`."""

from collections.abc import Sequence
from dataclasses import dataclass

from agentops_portal.clickhouse.gate import Scope, select
from traces.store.dialects.base import GUARDRAIL_OUTCOMES
from traces.store.figures import FIGURES
from traces.store.rollups.guardrail_runs import GUARDRAIL_RUNS, TRIPWIRE

from .summaries import figures_of, traces_sql

# With what the spans above them say of some; those began before them, and seldom a day before.
RUNS = f"""
    FROM (
        SELECT trace_id, span_id, guardrail, mode, service, started, ended,
            if(outcome IN ('allowed', 'unknown') AND teller GLOBAL IN (
                SELECT teller FROM {GUARDRAIL_RUNS.table}
                WHERE project_id = {{project_id:String}} AND outcome = '{TRIPWIRE}'
                    AND started >= {{start:DateTime64(9)}} - toIntervalDay(1) AND started < {{end:DateTime64(9)}}
            ), 'blocked', toString(outcome)) AS outcome
        FROM {GUARDRAIL_RUNS.table} FINAL
        WHERE project_id = {{project_id:String}} AND outcome != '{TRIPWIRE}'
            AND started >= {{start:DateTime64(9)}} AND started < {{end:DateTime64(9)}}
    )
    WHERE true
"""
DURATION = "toUnixTimestamp64Nano(ended) - toUnixTimestamp64Nano(started)"


@dataclass(frozen=True)
class GuardrailRun:
    """A guardrail that looked at a request or an answer. Times are nanoseconds since 1970, UTC.

    models, session_id and user_id are those of the run's trace.
    """

    trace_id: str
    span_id: str
    guardrail: str
    mode: str
    outcome: str  # one of traces.store.dialects.base.GUARDRAIL_OUTCOMES
    service: str
    start_ns: int
    duration_ns: int
    models: tuple[str, ...]
    session_id: str
    user_id: str
    key: str = ""  # its name in addresses, where it was asked for (guardrail_keys.py)


@dataclass(frozen=True)
class GuardrailUse:
    """How often one guardrail ran in one mode, and what came of it."""

    guardrail: str
    mode: str
    runs: int
    allowed: int
    masked: int
    flagged: int
    blocked: int
    failed: int
    unknown: int
    p50_ns: float
    p95_ns: float

    @property
    def block_rate(self) -> float:
        return self.blocked / self.runs


@dataclass(frozen=True)
class GuardedTraces:
    """Traces of a range: how many called a model, had a guardrail run, were blocked."""

    with_calls: int = 0
    with_calls_and_runs: int = 0
    with_runs: int = 0
    with_blocks: int = 0

    @property
    def coverage(self) -> float | None:
        """Traces with an LLM call and a run ÷ traces with an LLM call; None when there is none."""
        return self.with_calls_and_runs / self.with_calls if self.with_calls else None

    @property
    def block_rate(self) -> float | None:
        """Traces with a block ÷ traces with a run; None when there is none."""
        return self.with_blocks / self.with_runs if self.with_runs else None


def guardrail_runs(scope: Scope, limit: int = 100, outcomes: Sequence[str] = GUARDRAIL_OUTCOMES) -> list[GuardrailRun]:
    """The runs with one of `outcomes` that start in the scope, the newest first; at most `limit`."""
    rows = select(
        f"""
        SELECT trace_id AS trace, span_id AS span, toString(guardrail) AS name, toString(mode) AS when,
            outcome AS result, toString(service) AS of_service, toUnixTimestamp64Nano(started) AS start_ns,
            {DURATION} AS duration_ns
        {RUNS} AND outcome IN {{outcomes:Array(String)}}
        ORDER BY started DESC, trace_id DESC, guardrail, mode
        LIMIT {{limit:UInt32}}
        """,
        name="guardrails.runs",
        scope=scope,
        parameters={"limit": limit, "outcomes": list(outcomes)},
    )
    traces = figures_of(scope.project_id, {row["trace"] for row in rows})
    # A trace may be missing while its day is computed anew.
    of_trace = {id_: (trace.models, trace.session_id, trace.user_id) for id_, trace in traces.items()}
    return [
        GuardrailRun(
            trace_id=row["trace"],
            span_id=row["span"],
            guardrail=row["name"],
            mode=row["when"],
            outcome=row["result"],
            service=row["of_service"],
            start_ns=row["start_ns"],
            duration_ns=row["duration_ns"],
            models=models,
            session_id=session_id,
            user_id=user_id,
        )
        for row in rows
        for models, session_id, user_id in [of_trace.get(row["trace"], ((), "", ""))]
    ]


def guardrail_use(scope: Scope) -> list[GuardrailUse]:
    """Every guardrail and mode of the runs that start in the scope, the most blocks first."""
    outcomes = ", ".join(f"countIf(outcome = '{name}') AS {name}" for name in GUARDRAIL_OUTCOMES)
    rows = select(
        f"""
        SELECT toString(guardrail) AS name, toString(mode) AS when, count() AS runs, {outcomes},
            quantilesExact(0.5, 0.95)({DURATION}) AS durations
        {RUNS}
        GROUP BY name, when
        ORDER BY blocked DESC, runs DESC, name, when
        """,
        name="guardrails.use",
        scope=scope,
    )
    return [
        GuardrailUse(
            guardrail=row["name"],
            mode=row["when"],
            runs=row["runs"],
            **{name: row[name] for name in GUARDRAIL_OUTCOMES},
            p50_ns=row["durations"][0],
            p95_ns=row["durations"][1],
        )
        for row in rows
    ]


GUARDED_FIGURES = {f"has_{name}": f"{FIGURES[name]} > 0" for name in ("llm_calls", "guardrail_runs", "blocked_runs")}
GUARDED_COLUMNS = """
    countIf(has_llm_calls) AS with_calls, countIf(has_llm_calls AND has_guardrail_runs) AS with_calls_and_runs,
    countIf(has_guardrail_runs) AS with_runs, countIf(has_blocked_runs) AS with_blocks
"""


def guarded_traces(scope: Scope) -> GuardedTraces:
    """Over all traces of the scope."""
    [row] = select(
        f"SELECT {GUARDED_COLUMNS} FROM ({traces_sql(scope, GUARDED_FIGURES)})",
        name="guardrails.traces",
        scope=scope,
    )
    return GuardedTraces(**row)
