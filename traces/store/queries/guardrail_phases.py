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
    """`input`, `output` and, for modes that name neither, `other`: the runs that start in the scope.

    A guardrail with modes of both phases does not say in which one a run was. It runs once in each, so the first run
    in a trace is of the input and those that follow are of the output.
    """
    modes = "splitByChar(',', lower(mode))"
    of_input = f"hasAny({modes}, {{inputs:Array(String)}})"
    of_output = f"hasAny({modes}, {{outputs:Array(String)}})"
    number = "row_number() OVER (PARTITION BY trace_id, guardrail, mode ORDER BY started)"
    rows = select(
        f"""
        SELECT phase, count() AS runs, countIf(outcome = 'blocked') AS blocked, sum(duration) AS duration_ns
        FROM (
            SELECT outcome, {DURATION} AS duration,
                multiIf({of_input} AND {of_output}, if({number} = 1, 'input', 'output'),
                    {of_input}, 'input', {of_output}, 'output', 'other') AS phase
            {RUNS}
        )
        GROUP BY phase
        """,
        name="guardrail_phases.runs",
        scope=scope,
        parameters={"inputs": list(INPUT_MODES), "outputs": list(OUTPUT_MODES)},
    )
    found = {row.pop("phase"): PhaseRuns(**row) for row in rows}
    return {phase: found.get(phase, PhaseRuns()) for phase in ("input", "output", "other")}
