"""What a project's overview shows: the figures of a range, where they come from, and what failed last."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agentops_portal.clickhouse.together import Questions
from traces.store.figures import TraceFigures
from traces.store.queries import people
from traces.store.queries.agents import agent_figures, busiest
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrail_steps import guarded_over_time
from traces.store.queries.guardrails import GuardedTraces, guarded_traces
from traces.store.queries.trace_list import trace_page
from traces.store.queries.trace_metrics import trace_steps, trace_sums
from traces.store.queries.usage import usage_by
from traces.store.queries.usage_series import UsageSeries, usage_series

from .analytics import cost_help, lines_by_name
from .charts import Chart
from .links import Links
from .overview_cards import Figures
from .overview_lists import TopList, top_agents, top_models, top_services, top_users
from .period import Period

TOP = 5
SERIES = 8  # models that a chart shows one by one
FAILED = 8
MOST_SERVICES = 50  # among which the busiest are looked for


@dataclass(frozen=True)
class Overview:
    figures: Figures
    before: Figures | None
    charts: Sequence[Chart]
    lists: Sequence[TopList]
    failed: Sequence[TraceFigures]


def overview(period: Period, links: Links) -> Overview:
    """All that the page shows, asked at the same time."""
    scope, before, step, zone = period.scope, period.before, period.step, period.zone
    with Questions() as ask:
        steps = ask(lambda: trace_steps(scope, step, zone))
        sums = ask(lambda: trace_sums(scope))
        guarded = ask(lambda: guarded_over_time(scope, step, zone))
        sums_before = ask(lambda: trace_sums(before)) if before else None
        guarded_before = ask(lambda: guarded_traces(before)) if before else None
        series = ask(lambda: usage_series(scope, "model", step, zone, SERIES))
        models = ask(lambda: usage_by(scope, "model", TOP + 1))  # one of them may be calls that name none
        services = ask(lambda: usage_by(scope, "service", MOST_SERVICES))
        agents = ask(lambda: agent_figures(scope, names=busiest(scope, TOP)))
        users = ask(lambda: people.top_users(scope, TOP))
        failed = ask(lambda: trace_page(scope, TraceFilter(status="error"), None, FAILED))
    of_steps = guarded.result()
    return Overview(
        figures=Figures(*sums.result(), sum(of_steps.values(), GuardedTraces()), steps.result(), of_steps),
        before=Figures(*sums_before.result(), guarded_before.result()) if sums_before and guarded_before else None,
        charts=model_charts(series.result(), period),
        lists=[
            top_models(models.result(), links, TOP),
            top_agents(agents.result(), links),
            top_users(users.result(), links),
            top_services(services.result(), links, TOP),
        ],
        failed=failed.result().traces,
    )


def model_charts(models: UsageSeries, period: Period) -> list[Chart]:
    """Cost and tokens by model."""
    unnamed = _("no model named")
    return [
        Chart(
            id="cost-by-model",
            title=_("Cost by model"),
            help=cost_help(),
            unit="dollars",
            starts=models.starts,
            step=period.step,
            lines=lines_by_name(models, lambda usage: usage.cost.reported or 0, unnamed),
        ),
        Chart(
            id="tokens-by-model",
            title=_("Tokens by model"),
            help=_("Input and output tokens of LLM calls, at the time of the call."),
            unit="count",
            starts=models.starts,
            step=period.step,
            lines=lines_by_name(models, lambda usage: usage.total_tokens, unnamed),
        ),
    ]
