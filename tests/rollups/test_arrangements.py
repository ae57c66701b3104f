"""Every recorded body says the same however it arrives: whole, span by span in any order with requests sent again, with
every span sent twice in other company, and after its roll-ups were computed anew. And that is what the truth says
(tests/dialects/test_clients.py, test_recorded_clients.py), by every door.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_django.plugin import DjangoDbBlocker

from projects.models import Project
from tests.cast import make_cast
from tests.dialects.test_clients import COUNTED, RIGHT
from tests.pages.spans import recorded
from tests.receiver import PAYLOADS, entry_of
from traces.ingest.otlp import receiver
from traces.ingest.otlp.clock import is_odd
from traces.store.queries.guardrails import guardrail_runs
from traces.store.queries.scopes import whole_time
from traces.store.rollups import rebuild

from .arrivals import in_any_order, pieces
from .sums import Found, found
from .test_recorded_clients import BODIES
from .test_recorded_clients import Told as Others

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

Request = ExportTraceServiceRequest
NAMES = [
    *(f"clients/{path.stem}" for path in sorted((PAYLOADS / "clients").glob("*.pb"))),
    *(path.stem for path in sorted(PAYLOADS.glob("*.pb"))),
]
WHOLE, SINGLE, TWICE = ARRANGEMENTS = ("whole", "single spans", "every span twice")
ROUNDS = 3  # after each of them everything is stored, and traces are judged by what is there
SEED = 20261128
TRUTH = RIGHT | COUNTED
RANGE = "start=2026-10-01T00:00:00Z&end=2026-12-31T00:00:00Z"
# What tests/dialects/test_clients.py leaves out where spans tell the same call: 64 for each of Anthropic's.
WRITTEN = {"anth-oi": 6 * 64, "litellm-new": 3 * 64, "logfire-openai": 64}
# Tools that ran, and how often. The one run of autogen-oi is told by two instrumentations: a tool is a span.
TOOLS = {
    "adk-oi": {"get_weather": 1, "boom": 1},
    "af": {"get_weather": 1},
    "ao-native": {"search": 1, "broken": 1},
    "autogen": {"get_weather": 1},
    "autogen-oi": {"get_weather": 2},
    "langfuse": {"get_weather": 1},
    "lc-oi": {"get_weather": 1, "boom": 1},
    "lc-oiboth": {"get_weather": 1, "boom": 1},
    "li": {"get_weather": 1},
    "oia-oi": {"get_weather": 1, "boom": 1, "handoff to Spanish agent": 1},
    "pyai-conv2": {"delegate": 3},
    "pyai-logfire": {"get_weather": 1, "boom": 1, "delegate": 1},
    "smol": {"get_weather": 3},
    "strands": {"get_weather": 1, "boom": 1},
    "vercel": {"get_weather": 1},
}
# Calls between an agent's span and the next agent's: one that uses a tool calls once more with what came of it.
CALLS_OF_AGENTS = {
    "adk-oi": {"weather_agent": 1, "plain_agent": 1, "boom_agent": 1},  # two more were made and not told
    "af": {"weather_agent": 2, "plain_agent": 1, "err_agent": 1, "stream_agent": 1},
    "ao-native": {"Researcher": 2, "Writer": 1},
    "autogen-oi": {"weather_agent": 1, "writer": 1, "critic": 1},
    "langfuse": {"researcher": 1},
    "lc-oi": {"weather_agent": 2, "boom_agent": 1},
    "lc-oiboth": {"weather_agent": 2, "boom_agent": 1},
    "li": {"FunctionAgent": 2},
    "oia-oi": {
        "Weather agent": 4,
        "Triage agent": 1,  # its other run was stopped before it called
        "Spanish agent": 1,
        "Chat agent": 1,
        "Err agent": 1,
        "Stream agent": 1,
    },
    "pyai-conv2": {"boss_agent": 6, "sub_agent": 3},
    "pyai-logfire": {
        "weather_agent": 3,
        "boss_agent": 2,
        "sub_agent": 1,
        "err_agent": 1,
        "typed_agent": 1,
        "stream_agent": 1,
    },
    "smol": {"weather_agent": 4, "CodeAgent": 3},
    "strands": {"weather_agent": 2, "boomer": 2, "plain": 1, "n1": 1, "n2": 1, "err": 1},
    "tl-crew": {"Researcher": 3, "Writer": 1, "Bad": 3},
}
# As lc-oi. Of its failed traces the third has only the other instrumentation's span of a call that failed.
OTHERS = BODIES | {"lc-oiboth": replace(BODIES["lc-oi"], failed=3)}


def arrived(request: Request, arrangement: str, dice: random.Random) -> list[list[Request]]:
    """The requests of each round."""
    if arrangement == WHOLE:
        return [[request], [], []]
    if arrangement == TWICE:
        return [list(in_any_order(request, dice.randrange(10**6), requests)) for requests in (4, 3, 1)]
    single = list(pieces(request))
    dice.shuffle(single)
    first, last = sorted(dice.sample(range(len(single) + 1), 2))
    rounds = [single[:first], single[first:last], single[last:]]
    again = [dice.sample(some, len(some) // 3) for some in rounds]
    return [rounds[0], rounds[1] + again[0], rounds[2] + again[1] + again[2]]


Projects = dict[tuple[str, str], UUID]  # by arrangement and name of the body


@pytest.fixture(scope="module")
def projects(django_db_setup: None, django_db_blocker: DjangoDbBlocker, own_store: None) -> Projects:
    made = {(arrangement, name): uuid4() for arrangement in ARRANGEMENTS for name in NAMES}
    dice = random.Random(SEED)
    rounds: list[list[tuple[UUID, Request]]] = [[] for _ in range(ROUNDS)]
    for (arrangement, name), project_id in made.items():
        for some, requests in zip(rounds, arrived(recorded(name), arrangement, dice), strict=True):
            some += ((project_id, each) for each in requests)
    with django_db_blocker.unblock():
        for some in rounds:
            dice.shuffle(some)
            waiting = [
                receiver.committer().submit(entry_of(project_id, request.SerializeToString()))
                for project_id, request in some
            ]
            for each in waiting:
                each.result(timeout=60)
            receiver.committer().decoder.settle(timeout=120)
    return made


def comparable(name: str, found: Found) -> Found:
    """Without what hangs on the company in which spans come: of those that a machine's own clock timed nobody knows
    when they were but by those beside them (traces/ingest/otlp/clock.py).
    """
    if not any(is_odd(span.start_time_unix_nano) for span in spans_in(recorded(name))):
        return found
    return replace(found, traces={key: replace(of, start_ns=0, end_ns=0) for key, of in found.traces.items()})


def spans_in(request: Request) -> Iterator[Any]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def test_every_arrangement_says_what_the_whole_body_says(projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> dict[tuple[str, str], Found]:
        by_project = found()
        return {key: comparable(key[1], by_project[str(project_id)]) for key, project_id in projects.items()}

    before = said()
    assert not [key for key in before if before[key] != before[WHOLE, key[1]]]
    runs = {
        key: Counter(
            (run.trace_id, run.guardrail, run.mode, run.outcome) for run in guardrail_runs(whole_time(project))
        )
        for key, project in projects.items()
        if any(trace.guardrail_runs for trace in before[key].traces.values())
    }
    assert runs
    assert not [key for key in runs if runs[key] != runs[WHOLE, key[1]]]

    monkeypatch.setattr(rebuild, "IN_FLIGHT", timedelta(0))
    rebuild.rebuild(connections["clickhouse"])
    after = said()
    assert not [key for key in before if after[key] != before[key]]


@dataclass(frozen=True)
class Figures:
    """What the truth names; None: this door does not tell it."""

    failed: int | None = None  # traces
    calls: int | None = None
    failed_calls: int | None = None
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    written: int | None = None
    reasoning: int | None = None
    cost: Decimal | None = None
    agents: dict[str, int] | None = None  # traces of each
    calls_of_agents: dict[str, int] | None = None
    sessions: frozenset[str] | None = None
    users: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    tools: dict[str, int] | None = None
    runs: int | None = None
    blocked: int | None = None


def truth_of(name: str) -> Figures:
    calls, others = TRUTH[name], OTHERS.get(name, Others())
    return Figures(
        failed=others.failed,
        calls=calls.done + calls.failed,
        failed_calls=calls.failed,
        input=calls.input,
        output=calls.output,
        cached=calls.cached,
        written=WRITTEN.get(name, calls.written),
        reasoning=calls.reasoning,
        cost=Decimal(calls.cost),
        agents=dict(others.agents),
        calls_of_agents=CALLS_OF_AGENTS.get(name, {}),
        sessions=others.sessions,
        users=others.users,
        tags=others.tags,
        tools=TOOLS.get(name, {}),
        runs=sum(others.runs.values()),
        blocked=sum(count for (_, outcome), count in others.runs.items() if outcome == "blocked"),
    )


Ask = Callable[[str], Any]


def by_usage(project_id: UUID, ask: Ask) -> Figures:
    said = ask(f"/api/v1/projects/{project_id}/usage?{RANGE}").json()
    tokens = said["tokens"]
    return Figures(
        failed=said["failed_requests"],
        calls=said["calls"],
        failed_calls=said["failed_calls"],
        input=tokens["input"],
        output=tokens["output"],
        cached=tokens["cached_input"],
        reasoning=tokens["reasoning"],
        cost=Decimal(said["cost"]["total"] or 0),
    )


def by_agents(project_id: UUID, ask: Ask) -> Figures:
    rows = ask(f"/api/v1/projects/{project_id}/usage/by?by=agent&{RANGE}").json()["results"]
    return Figures(calls_of_agents={row["name"]: row["calls"] for row in rows if row["name"] and row["calls"]})


def by_list(project_id: UUID, ask: Ask) -> Figures:
    context = ask(f"/projects/{project_id}/traces/?{RANGE}").context
    sums, traces = context["totals"], context["page"].traces
    return Figures(
        failed=sums.error_traces,
        calls=sums.llm_calls,
        cost=sums.cost.known or Decimal(0),
        sessions=frozenset(trace.session_id for trace in traces) - {""},
        users=frozenset(trace.user_id for trace in traces) - {""},
        tags=frozenset(tag for trace in traces for tag in trace.tags),
        agents=dict(Counter(agent for trace in traces for agent in trace.agents)),
    )


def by_export(project_id: UUID, ask: Ask) -> Figures:
    answer = ask(f"/api/v1/projects/{project_id}/traces/export?format=json&spans=true&{RANGE}")
    traces = json.loads(answer.getvalue(), parse_float=Decimal)["traces"]
    spans = [span for trace in traces for span in trace["spans"]]
    return Figures(
        failed=sum(trace["status"] == "error" for trace in traces),
        calls=sum(trace["llm_calls"] for trace in traces),
        input=sum(trace["input_tokens"] for trace in traces),
        output=sum(trace["output_tokens"] for trace in traces),
        cached=sum(trace["cached_input_tokens"] for trace in traces),
        reasoning=sum(trace["reasoning_tokens"] for trace in traces),
        cost=sum((Decimal(trace["cost_usd"] or 0) for trace in traces), Decimal(0)),
        agents=dict(Counter(agent for trace in traces for agent in trace["agents"])),
        sessions=frozenset(trace["session_id"] for trace in traces) - {""},
        users=frozenset(trace["user_id"] for trace in traces) - {""},
        tools=dict(Counter(span["tool"] for span in spans if span["type"] == "tool")),
        runs=sum(trace["guardrail_runs"] for trace in traces),
        blocked=sum(trace["blocked_runs"] for trace in traces),
    )


# Of every body, and the others of those that have most to tell: the store is asked about all of them.
FIRST_DOOR, DOORS = by_export, (by_usage, by_agents, by_list)
RICH = ("ao-native", "anth-oi", "gai", "langfuse", "litellm-new", "oia-oi", "pyai-conv2", "vercel")


def by_store(said: Found) -> Figures:
    calls_of_agents: dict[str, int] = Counter()
    for (agent, _), usage in said.usage.items():
        calls_of_agents[agent] += usage["calls"]

    def total(name: str) -> Any:
        return sum(usage[name] or 0 for usage in said.usage.values())

    return Figures(
        failed=sum(trace.status == "error" for trace in said.traces.values()),
        calls=total("calls"),
        failed_calls=total("failed_calls"),
        input=total("input_tokens"),
        output=total("output_tokens"),
        cached=total("cached_input_tokens"),
        written=said.written,
        reasoning=total("reasoning_tokens"),
        cost=Decimal(total("reported_cost")),
        calls_of_agents={name: calls for name, calls in calls_of_agents.items() if name and calls},
    )


def test_store_and_doors_say_what_the_truth_says(projects: Projects) -> None:
    cast, client, store = make_cast(), Client(), found()
    named = {name.removeprefix("clients/"): projects[SINGLE, name] for name in NAMES if name.startswith("clients/")}
    Project.objects.bulk_create(
        [Project(id=project_id, name=name, organization=cast.organization) for name, project_id in named.items()]
    )
    client.force_login(cast["bob"])

    wrong: dict[tuple[str, str, str], tuple[Any, Any]] = {}
    for name, project_id in named.items():
        truth = vars(truth_of(name))
        told = {"by_store": by_store(store[str(project_id)])}
        for door in (FIRST_DOOR, *(DOORS if name in RICH else ())):
            told[door.__name__] = door(project_id, client.get)
        wrong |= {
            (name, door_name, figure): (value, truth[figure])
            for door_name, figures in told.items()
            for figure, value in vars(figures).items()
            if value is not None and value != truth[figure]
        }
    assert not wrong
