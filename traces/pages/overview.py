"""What a project's overview shows: the figures of a range, where they come from, and what failed last."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from agentops_portal.clickhouse.together import Questions
from traces.store.figures import TraceFigures
from traces.store.queries.compared import Compared, compared
from traces.store.queries.filters import TraceFilter
from traces.store.queries.trace_list import trace_page
from traces.store.queries.trace_names import traces_by_name
from traces.store.queries.usage_series import UsageSeries, usage_series

from .analytics import cost_help, lines_by_name
from .charts import Chart
from .links import Links
from .overview_lists import TopList, top_agents, top_models, top_services, top_users
from .period import Period

TOP = 5
SERIES = 8  # models that a chart shows one by one
FAILED = 8


@dataclass(frozen=True)
class Overview:
    figures: Compared
    charts: Sequence[Chart]
    lists: Sequence[TopList]
    failed: Sequence[TraceFigures]


def overview(period: Period, links: Links) -> Overview:
    """All that the page shows, asked at the same time."""
    scope, step, zone = period.scope, period.step, period.zone
    with Questions() as ask:
        traces = ask(lambda: compared(scope, period.before, step, zone))
        models = ask(lambda: usage_series(scope, "model", step, zone, SERIES))
        named = ask(lambda: traces_by_name(scope, ("agent", "user", "service"), TOP))
        failed = ask(lambda: trace_page(scope, TraceFilter(status="error"), None, FAILED))
    names = named.result()
    return Overview(
        figures=traces.result(),
        charts=model_charts(models.result(), period),
        lists=[
            top_models(models.result(), links, TOP),
            top_agents(names["agent"], links),
            top_users(names["user"], links),
            top_services(names["service"], links),
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
            lines=lines_by_name(models, lambda usage: usage.cost.known or 0, unnamed),
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
