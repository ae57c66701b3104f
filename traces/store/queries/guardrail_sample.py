"""Single guardrail runs for people to judge: a fair sample of a range, and one run by the name it has in addresses."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from agentops_portal.clickhouse.gate import Scope, select
from agentops_portal.units import NS_OF_DAY

from .guardrail_keys import RUN_KEY, is_run_key, start_of_key
from .guardrail_phases import PHASE, PHASE_PARAMETERS
from .guardrails import DURATION, RUNS
from .scopes import scope_of

# What of a run can be right or wrong: one that failed, or of which nobody told, has no verdict.
JUDGED: Final = ("blocked", "masked", "flagged", "allowed")
_PER_DAY: Final = 20  # candidates of one guardrail, outcome and day
_DRAW: Final = "intHash64(bitXor(toUInt64(toUnixTimestamp64Nano(started)), {seed:UInt64}))"
_LOOK_BACK_NS: Final = NS_OF_DAY  # for earlier runs of the same trace, which tell the phase


@dataclass(frozen=True)
class Run:
    """One run of the ledger. Times are nanoseconds since 1970, UTC."""

    key: str  # `RUN_KEY`
    trace_id: str
    span_id: str
    guardrail: str
    mode: str
    phase: str  # input, output or other
    outcome: str
    service: str
    start_ns: int
    duration_ns: int


def run_of_key(project_id: UUID, key: str) -> Run | None:
    """The run of that key, whenever it was; None when there is none, or no longer."""
    if not is_run_key(key):
        return None
    start_ns = start_of_key(key)
    scope = scope_of(project_id, start_ns - _LOOK_BACK_NS, start_ns)
    rows = select(
        f"""
        SELECT * FROM (
            SELECT trace_id AS trace, span_id AS span, toString(guardrail) AS name, toString(mode) AS when,
                {PHASE} AS phase, toString(outcome) AS result, toString(service) AS of_service,
                toUnixTimestamp64Nano(started) AS start_ns, {DURATION} AS duration_ns,
                if(start_ns = {{at:Int64}}, {RUN_KEY}, '') AS key
            {RUNS}
        )
        WHERE key = {{key:String}}
        LIMIT 1
        """,
        name="guardrail_sample.run",
        scope=scope,
        parameters={"at": start_ns, "key": key, **PHASE_PARAMETERS},
    )
    for row in rows:
        return Run(
            key=row["key"],
            trace_id=row["trace"],
            span_id=row["span"],
            guardrail=row["name"],
            mode=row["when"],
            phase=row["phase"],
            outcome=row["result"],
            service=row["of_service"],
            start_ns=row["start_ns"],
            duration_ns=row["duration_ns"],
        )
    return None


def sampled_keys(
    scope: Scope, seed: str, limit: int, guardrail: str = "", outcomes: Sequence[str] = JUDGED
) -> list[str]:
    """Keys of at most `limit` runs that start in the scope, in the order in which they are to be judged.

    Guardrails take turns; within a guardrail its outcomes do, and within an outcome the days, of UTC. Which run of a
    day comes first is drawn, by `seed` and its start alone: who asks again gets the same, and what arrives meanwhile
    moves nothing but its own place. A day of one guardrail and outcome gives at most _PER_DAY.
    """
    of_guardrail = "AND toString(guardrail) = {guardrail:String}" if guardrail else ""
    runs = f"{RUNS} AND outcome IN {{outcomes:Array(String)}} {of_guardrail}"
    # First the lots alone, which costs little for a million runs; then the runs that have drawn the lowest.
    lowest = f"""
        SELECT arrayJoin(groupArraySorted({_PER_DAY})({_DRAW})) {runs}
        GROUP BY guardrail, outcome, toDate(started, 'UTC')
    """
    rows = select(
        f"""
        SELECT key FROM (
            SELECT *, row_number() OVER (PARTITION BY guardrail ORDER BY turn_of_day, draw, key) AS turn FROM (
                SELECT *, row_number() OVER (PARTITION BY guardrail, outcome ORDER BY place, draw, key) AS turn_of_day
                FROM (
                    SELECT *, row_number() OVER (
                        PARTITION BY guardrail, outcome, toDate(started, 'UTC') ORDER BY draw, key
                    ) AS place
                    FROM (SELECT *, {_DRAW} AS draw, {RUN_KEY} AS key {runs} AND {_DRAW} GLOBAL IN ({lowest}))
                )
                WHERE place <= {_PER_DAY}
            )
        )
        ORDER BY turn, draw, key
        LIMIT {{limit:UInt32}}
        """,
        name="guardrail_sample.keys",
        scope=scope,
        parameters={
            "seed": int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"),
            "limit": limit,
            "outcomes": list(outcomes),
        }
        | ({"guardrail": guardrail} if guardrail else {}),
    )
    return [row["key"] for row in rows]


def nearest_call(scope: Scope, trace_id: str, at_ns: int) -> str:
    """The id of the span of the model call of a trace that began nearest to a moment; "" when there is none."""
    rows = select(
        """
        SELECT SpanId AS span
        FROM otel_traces
        WHERE project_id = {project_id:String}
            AND Timestamp >= {start:DateTime64(9)} AND Timestamp < {end:DateTime64(9)}
            AND TraceId = {trace_id:String} AND is_llm_call
        ORDER BY abs(toUnixTimestamp64Nano(Timestamp) - {at:Int64}), SpanId
        LIMIT 1
        """,
        name="guardrail_sample.nearest_call",
        scope=scope,
        parameters={"trace_id": trace_id, "at": at_ns},
    )
    return rows[0]["span"] if rows else ""
