"""What guardrails looked at in a range, what came of it, and what no guardrail saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from agentops_portal.clickhouse.together import Questions
from traces.store.queries.compared import compared
from traces.store.queries.guardrail_phases import PhaseRuns, runs_by_phase
from traces.store.queries.guardrail_steps import Outcomes, outcomes, outcomes_over_time
from traces.store.queries.guardrails import GuardedTraces, GuardrailUse, guardrail_use
from traces.store.queries.trace_names import NamedTraces, traces_by_name

from .charts import Chart, Line
from .guardrail_cards import Figures
from .guardrail_tables import further_tables
from .links import Links
from .period import Period
from .tables import Column, Row, Table

TOP = 10  # names of a table


@dataclass(frozen=True)
class Guardrails:
    figures: Figures
    before: Figures | None
    charts: Sequence[Chart]
    tables: Sequence[Table]

    @property
    def is_empty(self) -> bool:
        """Neither a check nor anything to be checked."""
        return not self.figures.runs.runs and not self.figures.traces.with_calls


def guardrails(period: Period, links: Links) -> Guardrails:
    """All that the page shows, asked at the same time."""
    scope, before, step, zone = period.scope, period.before, period.step, period.zone
    with Questions() as ask:
        traces = ask(lambda: compared(scope, before, step, zone))
        runs = ask(lambda: outcomes(scope))
        run_steps = ask(lambda: outcomes_over_time(scope, step, zone))
        runs_before = ask(lambda: outcomes(before)) if before else None
        uses = ask(lambda: guardrail_use(scope))
        phases = ask(lambda: runs_by_phase(scope))
        named = ask(lambda: traces_by_name(scope, ("model", "agent", "user", "service"), TOP, "blocks"))
    found, names = traces.result(), named.result()
    of_traces = {start: each.guarded for start, each in found.steps.items()}
    return Guardrails(
        figures=Figures(runs.result(), found.now.guarded, run_steps.result(), of_traces),
        before=Figures(runs_before.result(), found.before.guarded) if runs_before and found.before else None,
        charts=_charts(period, run_steps.result(), of_traces),
        tables=[
            _by_guardrail(uses.result(), links),
            *further_tables(period),
            _by_phase(phases.result()),
            _by_name("model", _("By model"), _("Model"), names["model"], links),
            _by_name("agent", _("By agent"), _("Agent"), names["agent"], links),
            _by_name("user", _("By user"), _("User"), names["user"], links),
            _by_name("service", _("By service"), _("Service"), names["service"], links),
        ],
    )


def _charts(period: Period, runs: Mapping[datetime, Outcomes], traces: Mapping[datetime, GuardedTraces]) -> list[Chart]:
    each = list(runs.values())
    return [
        Chart(
            id="outcomes",
            title=_("What guardrails did"),
            help=_("Runs by their outcome, at the time of their start. Those that let everything pass are not drawn."),
            unit="count",
            starts=list(runs),
            step=period.step,
            lines=[
                Line(_("Blocked"), [one.blocked for one in each], "bad"),
                Line(_("Failed to check"), [one.failed for one in each], "warn"),
                Line(_("Masked"), [one.masked for one in each]),
                Line(_("Flagged"), [one.flagged for one in each]),
            ],
        ),
        Chart(
            id="coverage",
            title=_("Coverage and blocked share"),
            help=_(
                "Coverage: requests with an LLM call and a guardrail run, of those with an LLM call. Blocked share: of"
                " the requests that a guardrail looked at."
            ),
            unit="share",
            starts=list(traces),
            step=period.step,
            lines=[
                Line(_("Coverage"), [one.coverage for one in traces.values()], "good"),
                Line(_("Blocked share"), [one.block_rate for one in traces.values()], "bad"),
            ],
            kind="lines",
        ),
    ]


def _by_guardrail(uses: Sequence[GuardrailUse], links: Links) -> Table:
    return Table(
        id="by-guardrail",
        title=_("By guardrail"),
        help=_("Runs of each guardrail in each of its modes, which are the clients' own words. Latency is of one run."),
        named=_("Guardrail"),
        detailed=_("Mode"),
        columns=[
            Column(_("Checks"), "count"),
            Column(_("Blocked"), "count", "bad"),
            Column(_("Block rate"), "share", "bad"),
            Column(_("Masked"), "count"),
            Column(_("Flagged"), "count"),
            Column(_("Failed to check"), "count", "bad"),
            Column(_("Unknown"), "count"),
            Column("p50", "duration"),
            Column("p95", "duration"),
        ],
        rows=[
            Row(
                each.guardrail,
                [
                    each.runs,
                    each.blocked,
                    each.block_rate,
                    each.masked,
                    each.flagged,
                    each.failed,
                    each.unknown,
                    each.p50_ns,
                    each.p95_ns,
                ],
                links.runs(guardrail=each.guardrail, mode=each.mode),
                each.mode,
            )
            for each in uses
        ],
    )


def _by_phase(phases: Mapping[str, PhaseRuns]) -> Table:
    names = {"input": _("Input"), "output": _("Output"), "other": _("Neither is said")}
    return Table(
        id="by-phase",
        title=_("By what was looked at"),
        help=_(
            "Input: what goes into a model or tool. Output: what comes out. A guardrail with modes of both looked at"
            " the input in its first run of a request, and at the output in those that follow."
        ),
        named=_("Phase"),
        columns=[
            Column(_("Checks"), "count"),
            Column(_("Blocked"), "count", "bad"),
            Column(_("Block rate"), "share", "bad"),
            Column(_("Mean"), "duration"),
        ],
        rows=[
            Row(names[name], [each.runs, each.blocked, each.block_rate, each.duration_ns / each.runs])
            for name, each in phases.items()
            if each.runs
        ],
    )


def _by_name(id_: str, title: str, named: str, found: Sequence[NamedTraces], links: Links) -> Table:
    return Table(
        id=f"by-{id_}",
        title=title,
        help=_(
            "Requests with an LLM call or a guardrail run, by the name that they carry; one with two names counts for"
            " both. Unguarded: with an LLM call and no guardrail run."
        ),
        named=named,
        columns=[
            Column(_("Guarded"), "count"),
            Column(_("Blocked"), "count", "bad"),
            Column(_("Blocked share"), "share", "bad"),
            Column(_("Unguarded"), "count"),
            Column(_("Coverage"), "share"),
        ],
        rows=[
            Row(
                each.name,
                [
                    each.guarded.with_runs,
                    each.guarded.with_blocks,
                    each.guarded.block_rate,
                    each.guarded.with_calls - each.guarded.with_calls_and_runs,
                    each.guarded.coverage,
                ],
                links.traces(**{id_: each.name}),
            )
            for each in found
        ],
        note=_("The %(most)d with the most blocks.") % {"most": TOP} if len(found) == TOP else "",
    )
