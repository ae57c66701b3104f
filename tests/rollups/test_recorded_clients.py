"""Agents, people, guardrail runs and failed runs of the bodies of tests/payloads/clients: as the scripts and providers
behind them knew it, not as the portal counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_django.plugin import DjangoDbBlocker

from tests.pages.spans import store
from tests.receiver import PAYLOADS
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.guardrails import guardrail_runs, guardrail_use
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_list import trace_page

from . import naive
from .arrivals import pieces


@dataclass(frozen=True)
class Told:
    """agents: name → traces in which it ran; runs: (guardrail, outcome) → how many; failed: traces."""

    agents: Mapping[str, int] = field(default_factory=dict)
    sessions: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    runs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    failed: int = 0


def some(*names: str) -> frozenset[str]:
    return frozenset(names)


BODIES = {
    "adk-oi": Told(
        agents={"weather_agent": 1, "plain_agent": 1, "boom_agent": 1, "err_agent": 1},
        sessions=some("sess-adk-1", "sess-adk-2", "sess-adk-3", "sess-adk-4"),
        users=some("alice"),
        failed=1,
    ),
    "af": Told(agents={"plain_agent": 1, "weather_agent": 1, "err_agent": 1, "stream_agent": 1}, failed=1),
    "anth-oi": Told(failed=1),
    "ao-native": Told(
        agents={"Researcher": 2, "Writer": 1},
        tags=some("demo", "t1"),
        runs={
            ("no_pii", "allowed"): 1,
            ("no_pii", "blocked"): 1,
            ("no_bad", "allowed"): 1,
            ("crash_guard", "failed"): 1,
        },
        failed=1,
    ),
    "ao-end-error-string": Told(failed=1),
    "ao-end-legacy": Told(tags=some("legacy"), failed=1),
    "ao-end-raise": Told(failed=1),
    "ao-end-opraise": Told(failed=1),
    "autogen": Told(agents={"weather_agent": 1, "writer": 1, "critic": 1}),
    "autogen-oi": Told(agents={"weather_agent": 1, "writer": 1, "critic": 1}),
    "claude-code": Told(
        sessions=some("1a6ed271-53bc-48f2-9da8-138379211c6d", "f825a603-0d08-4682-a1b7-919e3ab24a6c"),
        users=some("user-replaced"),
    ),
    "dspy-both": Told(failed=2),
    "gai": Told(
        runs={
            ("no-paris", "blocked"): 1,
            ("no-paris", "masked"): 2,
            ("no-paris", "flagged"): 1,
            ("no-paris", "allowed"): 3,
        },
        failed=1,
    ),
    "langfuse": Told(
        agents={"researcher": 1},
        sessions=some("sess-lf"),
        users=some("alice"),
        tags=some("team-a", "prod"),
        runs={("no_pii", "allowed"): 1},
        failed=2,
    ),
    "lc-oi": Told(
        agents={"weather_agent": 1, "boom_agent": 1}, sessions=some("sess-lc"), users=some("alice"), failed=2
    ),
    "li": Told(agents={"FunctionAgent": 1}, failed=1),
    "litellm-new": Told(
        sessions=some("sess-1", "sess-2", "sess-hdr"),
        users=some("alice", "claude-user", "bob"),
        tags=some("team-a"),
        runs={
            ("prompt-injection", "allowed"): 19,
            ("prompt-injection", "blocked"): 1,
            ("content-filter", "allowed"): 17,
            ("content-filter", "blocked"): 1,
            ("content-filter", "masked"): 1,
        },
        failed=4,
    ),
    "logfire-openai": Told(failed=1),
    "nemo": Told(
        runs={
            ("self check input", "allowed"): 1,
            ("self check input", "blocked"): 1,
            ("self check output", "allowed"): 1,
        }
    ),
    "oia-oi": Told(
        agents={
            "Weather agent": 2,
            "Triage agent": 2,
            "Spanish agent": 1,
            "Chat agent": 1,
            "Err agent": 1,
            "Stream agent": 1,
        },
        runs={("no_math", "allowed"): 3, ("no_math", "blocked"): 1, ("no_secret", "allowed"): 2},
        failed=2,
    ),
    "openlit": Told(failed=1),
    "pyai-logfire": Told(
        agents={
            "weather_agent": 2,
            "err_agent": 1,
            "typed_agent": 1,
            "boss_agent": 1,
            "sub_agent": 1,
            "stream_agent": 1,
        },
        sessions=some(
            "01a21b95-d935-7173-aafa-3a88bf41209c",
            "01a21b95-d9bd-77df-84e7-b055a61ce38a",
            "01a21b95-da11-7787-ab4d-7a46dc444b82",
            "01a21b95-df51-712f-871a-162ca6eec477",
            "01a21b95-dfa7-7684-ba10-cb59d87ece07",
            "01a21b95-e000-7076-b2c6-645798d2ff43",
        ),
        failed=2,
    ),
    "pyai-conv2": Told(agents={"boss_agent": 3, "sub_agent": 3}, sessions=some("0-chat-of-alice")),
    "smol": Told(agents={"weather_agent": 1, "CodeAgent": 1}, failed=1),
    "strands": Told(
        agents={"weather_agent": 1, "plain": 1, "boomer": 1, "err": 1, "n1": 1, "n2": 1},
        sessions=some("sess-strands"),
        users=some("alice"),
        failed=1,
    ),
    "tl-crew": Told(agents={"Researcher": 2, "Writer": 1, "Bad": 1}, failed=1),
    "vercel": Told(sessions=some("sess-v"), users=some("alice"), tags=some("team-a"), failed=1),
}
# Stored span by span, the last one first.
REVERSED = ("ao-end-opraise", "oia-oi", "pyai-conv2", "gai")
LIMIT = 1000


@dataclass
class Stored:
    whole: dict[str, UUID]
    reversed: dict[str, UUID]


@pytest.fixture(scope="module")
def stored(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Stored:
    """Every body in a project of its own."""
    found = Stored({name: uuid4() for name in BODIES}, {name: uuid4() for name in REVERSED})
    with django_db_blocker.unblock():
        for name, project_id in found.whole.items():
            store(project_id, request_of(name))
        for name, project_id in found.reversed.items():
            for piece in reversed(list(pieces(request_of(name)))):
                store(project_id, piece)
    return found


def request_of(name: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((PAYLOADS / "clients" / f"{name}.pb").read_bytes())


def traces_of(project_id: UUID) -> list[TraceFigures]:
    return trace_page(whole_time(project_id), TraceFilter(), None, LIMIT).traces


def told(project_id: UUID) -> Told:
    traces = traces_of(project_id)
    runs = guardrail_runs(whole_time(project_id), LIMIT)
    return Told(
        agents=dict(Counter(agent for trace in traces for agent in trace.agents)),
        sessions=frozenset(trace.session_id for trace in traces) - {""},
        users=frozenset(trace.user_id for trace in traces) - {""},
        tags=frozenset(tag for trace in traces for tag in trace.tags),
        runs=dict(Counter((run.guardrail, run.outcome) for run in runs)),
        failed=sum(trace.status == "error" for trace in traces),
    )


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.parametrize("name", BODIES)
def test_a_client_is_understood(stored: Stored, name: str) -> None:
    assert told(stored.whole[name]) == BODIES[name]
    assert traces_of(stored.whole[name]) == naive.figures(stored.whole[name])


@pytest.mark.django_db(databases=["default", "clickhouse"])
@pytest.mark.parametrize("name", REVERSED)
def test_spans_may_arrive_one_by_one_and_the_last_first(stored: Stored, name: str) -> None:
    project_id = stored.reversed[name]
    assert told(project_id) == BODIES[name]
    assert traces_of(project_id) == traces_of(stored.whole[name])
    assert guardrail_use(whole_time(project_id)) == guardrail_use(whole_time(stored.whole[name]))
