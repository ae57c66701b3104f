"""Who called whom in the requests of a range."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from projects.models import Project
from traces.reading.agent_flow import AgentFlow, agent_flow
from traces.store.figures import Cost
from traces.store.queries.flow_spans import newest_flow_spans

from .flow_drawing import KIND_NAMES, drawing, stage_address, stage_name
from .form_page import Answer, form_page
from .links import Links
from .period import PeriodForm
from .tables import CSV, Column, Row, Table, csv_of, with_downloads


@form_page("traces/flow.html", PeriodForm)
def flow_page(request: HttpRequest, project: Project, form: PeriodForm) -> Answer:
    """Context: `form`, `period`, `drawing`, `tables`, number of `requests` and whether they `is_cut`; with `?csv=<id>`
    one of the tables as a file; 400 with the field named when the address does not fit.
    """
    period = form.period(project.pk)
    links = Links(project.pk, period, form.address())
    traces, is_cut = newest_flow_spans(period.scope)
    flow = agent_flow(traces)
    tables = [_stages(flow, links), _calls(flow)]
    if CSV in request.GET:
        return csv_of(tables, request.GET[CSV], project.name)
    return {
        "is_empty": not traces,
        "period": period,
        "requests": len(traces),
        "is_cut": is_cut,
        "drawing": drawing(flow, links),
        "tables": with_downloads(tables, form),
    }


def _stages(flow: AgentFlow, links: Links) -> Table:
    ordered = sorted(flow.stages.items(), key=lambda each: -each[1].calls)
    return Table(
        id="stages",
        title=_("Stages"),
        help=_(
            "Agents, tools, models and guardrails, with the calls of each. Failed: its span says so. Tokens and cost"
            " are those of its own spans."
        ),
        named=_("Stage"),
        detailed=_("Kind"),
        columns=[
            Column(_("Calls"), "count"),
            Column(_("Failed"), "count", "bad"),
            Column(_("Mean duration"), "duration"),
            Column(_("Tokens"), "count"),
            Column(_("Cost"), "dollars"),
            Column(_("Unpriced calls"), "count"),
        ],
        rows=[
            Row(
                stage_name(stage),
                [
                    figures.calls,
                    figures.errors,
                    figures.average_ns,
                    figures.total_tokens,
                    Cost(figures.cost or None, figures.unknown_cost_calls),
                    figures.unknown_cost_calls,
                ],
                stage_address(stage, links),
                str(KIND_NAMES[stage.kind]),
            )
            for stage, figures in ordered
        ],
    )


def _calls(flow: AgentFlow) -> Table:
    ordered = sorted(flow.calls.items(), key=lambda each: -each[1].calls)
    return Table(
        id="calls",
        title=_("Calls"),
        help=_("Who called whom. Blocked: the guardrail that was called stopped what it looked at."),
        named=_("Caller"),
        detailed=_("Called"),
        columns=[Column(_("Calls"), "count"), Column(_("Blocked"), "count", "bad")],
        rows=[
            Row(stage_name(source), [calls.calls, calls.blocked], detail=stage_name(target))
            for (source, target), calls in ordered
        ],
    )
