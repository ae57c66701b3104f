"""What a project used in time: of everything together, or by the model, provider or service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from agentops_portal.clickhouse.together import Questions
from traces.store.queries.agents import agent_figures, busiest
from traces.store.queries.compared import TracesFigures, compared
from traces.store.queries.metric_usage import MetricUsage, metric_usage
from traces.store.queries.trace_metrics import Durations
from traces.store.queries.trace_names import traces_by_name
from traces.store.queries.usage import Dimension, Latency, Usage, usage_by, usage_over_time
from traces.store.queries.usage_series import UsageSeries, usage_series

from .analytics_tables import agent_table, metric_table, usage_table, user_table
from .charts import Chart, Kind, Line, Number, Unit, series_name
from .links import Links
from .period import Period
from .tables import Table

SERIES = 8  # names that a chart shows one by one
MOST = 100  # names in the table
DIMENSIONS: Mapping[str, Dimension] = {"model": "model", "provider": "provider", "service": "service"}


@dataclass(frozen=True)
class Analytics:
    charts: Sequence[Chart]
    tables: Sequence[Table] = ()


def analytics(period: Period, by: str, links: Links) -> Analytics:
    """`by`: a choice of AnalyticsForm; "" for everything together."""
    if by in DIMENSIONS:
        return _by_dimension(period, DIMENSIONS[by], links)
    if by == "agent":
        return Analytics([], [agent_table(agent_figures(period.scope, names=busiest(period.scope, MOST)), links)])
    if by == "user":
        return Analytics([], [user_table(traces_by_name(period.scope, ("user",), MOST)["user"], links)])
    with Questions() as ask:
        usages = ask(lambda: usage_over_time(period.scope, period.step, period.zone))
        traces = ask(lambda: compared(period.scope, None, period.step, period.zone))
        told = ask(lambda: metric_usage(period.scope))
    return Analytics(_charts_of_all(period, usages.result(), traces.result().steps), _by_metrics(told.result()))


def _by_dimension(period: Period, dimension: Dimension, links: Links) -> Analytics:
    with Questions() as ask:
        series = ask(lambda: usage_series(period.scope, dimension, period.step, period.zone, SERIES))
        usages = ask(lambda: usage_by(period.scope, dimension, MOST))
    return Analytics(_charts_by_name(period, series.result()), [usage_table(usages.result(), dimension, links)])


def _by_metrics(told: Sequence[MetricUsage]) -> list[Table]:
    """Most projects have none."""
    return [metric_table(told[:MOST])] if told else []


def _charts_of_all(
    period: Period, usages: Mapping[datetime, Usage], traces: Mapping[datetime, TracesFigures]
) -> list[Chart]:
    used, sums = list(usages.values()), [each.sums for each in traces.values()]
    durations = [each.durations if each.sums.traces else None for each in traces.values()]

    def chart(id_: str, title: str, help_: str, unit: Unit, lines: list[Line], kind: Kind = "bars") -> Chart:
        return Chart(id_, title, help_, unit, list(usages), period.step, lines, kind)

    return [
        chart(
            "requests",
            _("Requests"),
            _("Traces, at the time of their start, by how they ended."),
            "count",
            [
                Line(_("OK"), [each.traces - each.error_traces for each in sums]),
                Line(_("Failed"), [each.error_traces for each in sums], "bad"),
            ],
        ),
        chart("cost", _("Cost"), cost_help(), "dollars", [Line(_("Cost"), [each.cost.known or 0 for each in used])]),
        chart(
            "tokens",
            _("Tokens"),
            _("Of LLM calls. Together they are all input and output: cached input is input, reasoning is output."),
            "count",
            [
                Line(_("Input"), [each.input_tokens - each.cached_input_tokens for each in used]),
                Line(_("Cached input"), [each.cached_input_tokens for each in used]),
                Line(_("Output"), [each.output_tokens - each.reasoning_tokens for each in used]),
                Line(_("Reasoning"), [each.reasoning_tokens for each in used]),
            ],
        ),
        chart(
            "calls",
            _("LLM calls"),
            _("Invocations of a model, at their own time; embeddings are calls, too."),
            "count",
            [
                Line(_("OK"), [each.calls - each.failed_calls for each in used]),
                Line(_("Failed"), [each.failed_calls for each in used], "bad"),
            ],
        ),
        chart(
            "request-latency",
            _("Request latency"),
            _("Of requests, from their first start to their last end."),
            "duration",
            _percentiles(durations),
            "lines",
        ),
        chart(
            "call-latency",
            _("LLM call latency"),
            _("Of LLM calls that did not fail."),
            "duration",
            _percentiles([each.latency for each in used]),
            "lines",
        ),
    ]


def _percentiles(latencies: Sequence[Latency | Durations | None]) -> list[Line]:
    return [
        Line("p50", [each.p50 if each else None for each in latencies]),
        Line("p95", [each.p95 if each else None for each in latencies]),
        Line("p99", [each.p99 if each else None for each in latencies], "muted"),
    ]


def lines_by_name(found: UsageSeries, value: Callable[[Usage], Number | None], unnamed: str) -> list[Line]:
    """Of the names that have any; a name has the same colour whatever is shown of it."""
    each = [
        Line(series_name(series.name, unnamed), [value(usage) for usage in series.usages], place=place)
        for place, series in enumerate(found.series)
    ]
    return [line for line in each if any(line.values)]


def _charts_by_name(period: Period, found: UsageSeries) -> list[Chart]:
    def lines(value: Callable[[Usage], Number | None]) -> list[Line]:
        return lines_by_name(found, value, _("without a name"))

    def chart(id_: str, title: str, help_: str, unit: Unit, shown: list[Line], kind: Kind = "bars") -> Chart:
        return Chart(id_, title, help_, unit, found.starts, period.step, shown, kind)

    tokens_help = _("Input and output tokens of LLM calls, at the time of the call.")
    return [
        chart("cost", _("Cost"), cost_help(), "dollars", lines(lambda each: each.cost.known or 0)),
        chart("tokens", _("Tokens"), tokens_help, "count", lines(lambda each: each.total_tokens)),
        chart("calls", _("LLM calls"), _("Failed ones included."), "count", lines(lambda each: each.calls)),
        chart(
            "failed-calls",
            _("Failed LLM calls"),
            _("Those whose span says that they failed."),
            "count",
            lines(lambda each: each.failed_calls),
        ),
        chart(
            "call-latency",
            _("LLM call latency, p95"),
            _("Of LLM calls that did not fail."),
            "duration",
            lines(lambda each: each.latency.p95 if each.latency else None),
            "lines",
        ),
    ]


def cost_help() -> str:
    return _(
        "US dollars, reported by clients or computed by the price book, at the time of the LLM call or tool, which may"
        " lie behind the start of its request. Calls of unknown cost are in no bar."
    )
