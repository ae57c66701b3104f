"""Guardrail runs that fit a filter, page by page, from the ledger."""

from dataclasses import dataclass, fields

from agentops_portal.clickhouse.gate import Scope, select

from .guardrail_keys import RUN_KEY
from .guardrails import DURATION, RUNS, GuardrailRun
from .summaries import figures_of

RunKey = tuple[int, str, str, str, int]  # what pages are sorted by: start, trace, guardrail, mode, end


@dataclass(frozen=True)
class RunFilter:
    """What a run must be to be listed; blank means any."""

    guardrail: str = ""
    mode: str = ""
    outcome: str = ""  # one of traces.store.dialects.base.GUARDRAIL_OUTCOMES
    service: str = ""
    trace_id: str = ""


def key_of(run: GuardrailRun) -> RunKey:
    return run.start_ns, run.trace_id, run.guardrail, run.mode, run.start_ns + run.duration_ns


def run_page(scope: Scope, wanted: RunFilter, after: RunKey | None, limit: int) -> list[GuardrailRun]:
    """The runs that start in the scope, each once however often it was sent; the newest first, or behind `after`."""
    given = [each.name for each in fields(wanted) if getattr(wanted, each.name)]
    conditions = "".join(f" AND toString({name}) = {{{name}:String}}" for name in given)
    key = "toUnixTimestamp64Nano(started), trace_id, toString(guardrail), toString(mode), toUnixTimestamp64Nano(ended)"
    names = ("after_ns", "after_trace", "after_guardrail", "after_mode", "after_end")
    behind = (
        "({after_ns:Int64}, {after_trace:String}, {after_guardrail:String}, {after_mode:String}, {after_end:Int64})"
    )
    rows = select(
        f"""
        SELECT trace_id AS trace, span_id AS span, toString(guardrail) AS name, toString(mode) AS when,
            toString(outcome) AS result, toString(service) AS of_service, toUnixTimestamp64Nano(started) AS start_ns,
            {DURATION} AS duration_ns, {RUN_KEY} AS run_key
        FROM (
            SELECT *
            {RUNS}
                {conditions} {f"AND ({key}) < {behind}" if after else ""}
            ORDER BY started DESC, trace_id DESC, toString(guardrail) DESC, toString(mode) DESC, ended DESC
            LIMIT {{limit:UInt32}}
        )
        ORDER BY started DESC, trace_id DESC, toString(guardrail) DESC, toString(mode) DESC, ended DESC
        """,
        name="guardrail_pages.runs",
        scope=scope,
        parameters={name: getattr(wanted, name) for name in given}
        | (dict(zip(names, after, strict=True)) if after else {})
        | {"limit": limit},
    )
    traces = figures_of(scope.project_id, {row["trace"] for row in rows})
    found = []
    for row in rows:
        trace = traces.get(row["trace"])
        run = GuardrailRun(
            trace_id=row["trace"],
            span_id=row["span"],
            guardrail=row["name"],
            mode=row["when"],
            outcome=row["result"],
            service=row["of_service"],
            start_ns=row["start_ns"],
            duration_ns=row["duration_ns"],
            models=trace.models if trace else (),
            session_id=trace.session_id if trace else "",
            user_id=trace.user_id if trace else "",
            key=row["run_key"],
        )
        found.append(run)
    return found
