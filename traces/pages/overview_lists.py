"""The dearest models and the busiest agents, users and services of an overview."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from traces.store.figures import Cost
from traces.store.queries.trace_metrics import sum_of_costs
from traces.store.queries.trace_names import NamedTraces
from traces.store.queries.usage_series import Series, UsageSeries

from .links import Links


@dataclass(frozen=True)
class TopRow:
    name: str
    count: int
    errors: int
    tokens: int
    cost: Cost
    address: str


@dataclass(frozen=True)
class TopList:
    title: str
    icon: str
    help: str
    counted: str  # what `count` is
    rows: Sequence[TopRow]
    has_usage: bool = True  # whether tokens and cost of a row are its own

    @property
    def shown(self) -> list[tuple[TopRow, float]]:
        """Rows, and how much of the largest count each has."""
        most = max((row.count for row in self.rows), default=0)
        return [(row, row.count / most) for row in self.rows]


def top_models(models: UsageSeries, links: Links, limit: int) -> TopList:
    called = [each for each in models.series if each.name and any(usage.calls for usage in each.usages)]
    return TopList(
        _("Models"),
        "cpu",
        _("LLM calls, with those that failed; what cost most comes first. Counted in quarters of an hour."),
        _("Calls"),
        [_model_row(each, links) for each in called[:limit]],
    )


def _model_row(model: Series, links: Links) -> TopRow:
    name = model.name or ""
    return TopRow(
        name,
        sum(usage.calls for usage in model.usages),
        sum(usage.failed_calls for usage in model.usages),
        sum(usage.total_tokens for usage in model.usages),
        sum_of_costs([usage.cost for usage in model.usages]),
        links.traces(model=name),
    )


def top_agents(agents: Sequence[NamedTraces], links: Links) -> TopList:
    return TopList(
        _("Agents"),
        "robot",
        _("By requests in which they took part, with those that failed. What each of them used: Analytics, by agent."),
        _("Requests"),
        [_row(each, links.traces(agent=each.name)) for each in agents],
        has_usage=False,
    )


def top_users(users: Sequence[NamedTraces], links: Links) -> TopList:
    return TopList(
        _("Users"),
        "users",
        _("By requests that name them, with those that failed and all that these requests used."),
        _("Requests"),
        [_row(each, links.traces(user=each.name)) for each in users],
    )


def top_services(services: Sequence[NamedTraces], links: Links) -> TopList:
    return TopList(
        _("Services"),
        "server",
        _("By requests that begin in them, with those that failed and all that these requests used."),
        _("Requests"),
        [_row(each, links.traces(service=each.name)) for each in services],
    )


def _row(named: NamedTraces, address: str) -> TopRow:
    sums = named.sums
    return TopRow(named.name, sums.traces, sums.error_traces, sums.total_tokens, sums.cost, address)
