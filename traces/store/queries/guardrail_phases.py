"""Guardrail runs by what they looked at: what goes into a model, or what comes out of it."""

from dataclasses import dataclass

from agentops_portal.clickhouse.gate import Scope, select

from .guardrails import DURATION, RUNS

# Modes as the clients name them: LiteLLM, agentops, the GenAI proposal, OpenLIT.
INPUT_MODES = (
    *("pre_call", "during_call", "pre_mcp_call", "during_mcp_call"),
    *("input", "llm_input", "user_input", "prompt", "request", "preflight"),
)
OUTPUT_MODES = ("post_call", "post_mcp_call", "output", "llm_output", "completion", "response", "postflight")
_MODES = "splitByChar(',', lower(mode))"
_OF_INPUT = f"hasAny({_MODES}, {{inputs:Array(String)}})"
_OF_OUTPUT = f"hasAny({_MODES}, {{outputs:Array(String)}})"
_NUMBER = "row_number() OVER (PARTITION BY trace_id, guardrail, mode ORDER BY started)"
# Over rows of RUNS. A guardrail with modes of both phases does not say in which one a run was. It runs once in each, so
# the first run in a trace is of the input and those that follow are of the output.
PHASE = (
    f"multiIf({_OF_INPUT} AND {_OF_OUTPUT}, if({_NUMBER} = 1, 'input', 'output'),"
    f" {_OF_INPUT}, 'input', {_OF_OUTPUT}, 'output', 'other')"
)
PHASE_PARAMETERS = {"inputs": list(INPUT_MODES), "outputs": list(OUTPUT_MODES)}


@dataclass(frozen=True)
class PhaseRuns:
    """Runs of one phase, each counted once; duration_ns is their sum."""

    runs: int = 0
    blocked: int = 0
    duration_ns: int = 0

    @property
    def block_rate(self) -> float:
        """Blocked ÷ runs; 0 when nothing ran."""
        return self.blocked / self.runs if self.runs else 0.0


def runs_by_phase(scope: Scope) -> dict[str, PhaseRuns]:
    """`input`, `output` and, for modes that name neither, `other`: the runs that start in the scope."""
    rows = select(
        f"""
        SELECT phase, count() AS runs, countIf(outcome = 'blocked') AS blocked, sum(duration) AS duration_ns
        FROM (SELECT outcome, {DURATION} AS duration, {PHASE} AS phase {RUNS})
        GROUP BY phase
        """,
        name="guardrail_phases.runs",
        scope=scope,
        parameters=PHASE_PARAMETERS,
    )
    found = {row.pop("phase"): PhaseRuns(**row) for row in rows}
    return {phase: found.get(phase, PhaseRuns()) for phase in ("input", "output", "other")}
