"""The busiest models, agents, users and services of an overview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from traces.store.figures import Cost
from traces.store.queries.agents import AgentFigures
from traces.store.queries.people import Person
from traces.store.queries.usage import Usage

from .links import Links


@dataclass(frozen=True)
class TopRow:
    name: str
    count: int
    errors: int
    tokens: int
    cost: Cost
    address: str
    share: float  # count ÷ that of the first row


@dataclass(frozen=True)
class TopList:
    title: str
    icon: str
    help: str
    counted: str  # what `count` is
    rows: Sequence[TopRow]


def top_models(usages: Mapping[str, Usage], links: Links, limit: int) -> TopList:
    found = {name: usage for name, usage in usages.items() if usage.calls and name}
    return TopList(
        _("Models"),
        "cpu",
        _("By LLM calls, with those that failed. Counted in quarters of an hour."),
        _("Calls"),
        _rows(
            [
                (name, usage.calls, usage.failed_calls, usage.total_tokens, usage.cost, links.traces(model=name))
                for name, usage in list(found.items())[:limit]
            ]
        ),
    )


def top_services(usages: Mapping[str, Usage], links: Links, limit: int) -> TopList:
    named = [(name, usage) for name, usage in usages.items() if usage.requests and name]
    busiest = sorted(named, key=lambda each: -each[1].requests)[:limit]
    return TopList(
        _("Services"),
        "server",
        _("By requests that begin in them, with those whose root span failed. Counted in quarters of an hour."),
        _("Requests"),
        _rows(
            [
                (name, each.requests, each.failed_requests, each.total_tokens, each.cost, links.traces(service=name))
                for name, each in busiest
            ]
        ),
    )


def top_agents(agents: Sequence[AgentFigures], links: Links) -> TopList:
    return TopList(
        _("Agents"),
        "robot",
        _("By requests in which they took part, with those that failed. Tokens and cost are those of their own calls."),
        _("Requests"),
        _rows(
            [
                (each.name, each.traces, each.error_traces, each.total_tokens, each.cost, links.traces(agent=each.name))
                for each in agents
            ]
        ),
    )


def top_users(users: Sequence[Person], links: Links) -> TopList:
    return TopList(
        _("Users"),
        "users",
        _("By requests that name them, with those that failed."),
        _("Requests"),
        _rows(
            [
                (each.id, each.traces, each.error_traces, each.total_tokens, each.cost, links.traces(user=each.id))
                for each in users
            ]
        ),
    )


def _rows(rows: Sequence[tuple[str, int, int, int, Cost, str]]) -> list[TopRow]:
    most = max((row[1] for row in rows), default=0)
    return [TopRow(*row, share=row[1] / most) for row in rows]
