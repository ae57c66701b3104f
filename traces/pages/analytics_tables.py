"""What each model, provider, service, agent or user came to in a range."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from traces.store.figures import Cost
from traces.store.queries.agents import AgentFigures
from traces.store.queries.metric_usage import MetricUsage
from traces.store.queries.trace_names import NamedTraces
from traces.store.queries.usage import Dimension, Usage

from .cards import ratio
from .links import Links
from .tables import Column, Row, Table, Value


def usage_table(usages: Mapping[str, Usage], dimension: Dimension, links: Links) -> Table:
    titles = {"model": _("Models"), "provider": _("Providers"), "service": _("Services"), "agent": _("Agents")}
    names = {"model": _("Model"), "provider": _("Provider"), "service": _("Service"), "agent": _("Agent")}
    return Table(
        id=f"by-{dimension}",
        title=titles[dimension],
        help=_("By LLM calls. Counted in quarters of an hour; percentiles are of LLM calls that did not fail."),
        named=names[dimension],
        columns=[
            Column(_("Calls"), "count"),
            Column(_("Failed"), "count", "bad"),
            Column(_("Failure rate"), "share", "bad"),
            Column(_("Input tokens"), "count"),
            Column(_("Cached input"), "count"),
            Column(_("Output tokens"), "count"),
            Column(_("Reasoning"), "count"),
            Column(_("Cost"), "dollars"),
            Column(_("Unpriced calls"), "count"),
            Column(_("Call p50"), "duration"),
            Column(_("Call p95"), "duration"),
        ],
        rows=[
            Row(name or _("without a name"), _usage_values(usage), _address(dimension, name, links))
            for name, usage in usages.items()
            if usage.calls or usage.cost.known is not None
        ],
    )


def metric_table(told: Sequence[MetricUsage]) -> Table:
    """What clients tell by metrics only, which is in no other figure."""
    return Table(
        id="by-metrics",
        title=_("Told by metrics, without traces"),
        help=_(
            "Tokens and cost that metrics tell of services of which no call is known by a trace or log. They are in no"
            " other figure."
        ),
        named=_("Model"),
        columns=[
            Column(_("Input tokens"), "count"),
            Column(_("Cached input"), "count"),
            Column(_("Output tokens"), "count"),
            Column(_("Cost"), "dollars"),
        ],
        rows=[
            Row(
                each.model or _("without a name"),
                [each.input_tokens, each.cached_input_tokens, each.output_tokens, Cost(each.cost, 0)],
                detail=each.service,
            )
            for each in told
        ],
        detailed=_("Service"),
    )


def _usage_values(usage: Usage) -> list[Value]:
    return [
        usage.calls,
        usage.failed_calls,
        ratio(usage.failed_calls, usage.calls),
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.cost,
        usage.cost.unknown_calls,
        usage.latency.p50 if usage.latency else None,
        usage.latency.p95 if usage.latency else None,
    ]


def _address(dimension: Dimension, name: str, links: Links) -> str:
    """The trace list has no filter for providers, and none for what names nothing."""
    if dimension == "provider" or not name:
        return ""
    return links.traces(**{str(dimension): name})


def agent_table(agents: Sequence[AgentFigures], links: Links) -> Table:
    return Table(
        id="by-agent",
        title=_("Agents"),
        help=_(
            "By requests in which they took part. Tokens and cost are those of their own LLM calls, so that no call"
            " counts for two agents; latency is that of the requests."
        ),
        named=_("Agent"),
        columns=[*_request_columns(), Column(_("Request p50"), "duration"), Column(_("Request p95"), "duration")],
        rows=[
            Row(
                each.name,
                [
                    *_request_values(each.traces, each.error_traces, each.llm_calls),
                    each.input_tokens,
                    each.output_tokens,
                    *_cost_values(each.cost),
                    each.durations.p50,
                    each.durations.p95,
                ],
                links.traces(agent=each.name),
            )
            for each in agents
        ],
    )


def user_table(users: Sequence[NamedTraces], links: Links) -> Table:
    return Table(
        id="by-user",
        title=_("Users"),
        help=_("By requests that name them, with all that these requests used."),
        named=_("User"),
        columns=[*_request_columns(), Column(_("Blocked"), "count", "bad")],
        rows=[
            Row(
                each.name,
                [
                    *_request_values(each.sums.traces, each.sums.error_traces, each.sums.llm_calls),
                    each.sums.input_tokens,
                    each.sums.output_tokens,
                    *_cost_values(each.sums.cost),
                    each.guarded.with_blocks,
                ],
                links.traces(user=each.name),
            )
            for each in users
        ],
    )


def _request_columns() -> list[Column]:
    return [
        Column(_("Requests"), "count"),
        Column(_("Failed"), "count", "bad"),
        Column(_("Failure rate"), "share", "bad"),
        Column(_("LLM calls"), "count"),
        Column(_("Input tokens"), "count"),
        Column(_("Output tokens"), "count"),
        Column(_("Cost"), "dollars"),
        Column(_("Unpriced calls"), "count"),
    ]


def _request_values(traces: int, failed: int, calls: int) -> list[Value]:
    return [traces, failed, ratio(failed, traces), calls]


def _cost_values(cost: Cost) -> list[Value]:
    return [cost, cost.unknown_calls]
