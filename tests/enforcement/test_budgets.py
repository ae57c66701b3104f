"""Limits under many callers at once, and budgets that see what is stored, counted in PostgreSQL and in Redis. Rows are
committed: threads have their own connections.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from guardrails.enforcement import in_force, ledger, spending
from guardrails.enforcement.counting import Asked, counters
from guardrails.enforcement.deciding import Check, Verdict, decide
from guardrails.enforcement.limits import Call, uses_of
from guardrails.enforcement.models import Decision, Limit, Rule
from projects.credentials import Credential
from projects.models import Organization, Project
from projects.services import create_api_key
from tests.cast import make_cast
from tests.pages.spans import MS, Spanlet, request_of, store, trace_id
from tests.receiver import Receiver
from traces.ingest.otlp import receiver
from traces.store.queries.guardrails import guardrail_runs
from traces.store.queries.scopes import whole_time

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture(params=["postgres", "redis"])
def project(request: pytest.FixtureRequest, settings: Settings) -> Project:
    settings.REDIS_URL = "" if request.param == "postgres" else request.getfixturevalue("redis_url")
    in_force.forget()
    ledger.forget()
    return Project.objects.create(organization=Organization.objects.create(name="Acme"), name="agents")


def limit(project: Project, **values: Any) -> Limit:
    made = Limit.objects.create(organization=project.organization, project=project, name="Budget", **values)
    in_force.forget()
    return made


def asked(project: Project, **values: Any) -> Verdict:
    credential = Credential(project_id=project.pk, key_id=UUID(int=1), scopes=frozenset({"ingest"}))
    return decide(Check(credential=credential, **{"phase": "input", "source": "api", "texts": ["hi"], **values}))


def counter(made: Limit, value: str = "") -> Asked:
    call = Call(made.organization_id, key=value)
    return Asked.of(made, call, datetime.now(UTC))


def use_of(made: Limit) -> tuple[Decimal, Decimal]:
    [use] = uses_of(made, datetime.now(UTC)) or []
    return use.used, use.reserved


def call(cost: float, call_id: str) -> Spanlet:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.cost.total_cost": cost,
        "litellm.call_id": call_id,
    }
    return Spanlet("litellm_request", attributes=attributes)


def test_64_callers_at_once_get_exactly_what_is_there(project: Project) -> None:
    made = limit(project, measure="requests", amount=100, window="month")

    def many(_: int) -> int:
        try:
            return sum(asked(project).action == "allow" for _ in range(3))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(64) as pool:
        passed = sum(pool.map(many, range(64)))  # 192 ask

    assert passed == 100
    assert use_of(made) == (100, 0)


def test_a_budget_holds_reservations_until_the_spans_arrive(project: Project) -> None:
    made = limit(project, measure="cost", amount=1, window="month", reserve="0.25", per="all")
    traces = [trace_id(number) for number in range(1, 6)]

    actions = [asked(project, trace_id=trace, call_id=f"call-{n}").action for n, trace in enumerate(traces)]
    assert actions == ["allow"] * 4 + ["block"]
    refused = asked(project)
    assert refused.reason.startswith("Budget: $0 used and $1 reserved of $1. It starts anew at ")

    start_ns = time.time_ns() - 10 * MS
    store(project.pk, request_of({1: [call(0.05, "call-0")], 2: [call(0.15, "call-1")]}, start_ns))
    spending.settle(counter(made))
    assert use_of(made) == (Decimal("0.2"), Decimal("0.5"))
    waiting = counters().waiting(counter(made), datetime.now(UTC), most=10)
    assert [(each.project_id, each.trace_id, each.call_id) for each in waiting] == [
        (project.pk, traces[3], "call-3"),
        (project.pk, traces[2], "call-2"),
    ]
    assert asked(project, trace_id=traces[4], call_id="call-4").action == "allow"  # 0.2 + 0.5 + 0.25

    asked_for = counter(made)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=9, seconds=50)):
        spending.settle(asked_for)
        assert use_of(made) == (Decimal("0.2"), Decimal("0.75"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10, seconds=1)):
        spending.settle(asked_for)  # their spans never came
    assert use_of(made) == (Decimal("0.2"), 0)


def test_a_budget_of_each_key_counts_the_calls_of_that_key(project: Project) -> None:
    made = limit(project, measure="cost", amount="0.5", window="day", reserve="0.1", per="key")
    for number, key in ((1, "ann"), (2, "bob")):
        asked(project, key=key, trace_id=trace_id(number), call_id=f"call-{number}")
    store(project.pk, request_of({1: [call(0.45, "call-1")], 2: [call(0.05, "call-2")]}, time.time_ns() - 10 * MS))
    for value in ("ann", "bob"):
        spending.settle(counter(made, value))

    uses = {use.value: use.used for use in uses_of(made, datetime.now(UTC)) or []}
    assert uses == {"ann": Decimal("0.45"), "bob": Decimal("0.05")}
    assert asked(project, key="ann").action == "block"
    assert asked(project, key="bob").action == "allow"


@pytest.mark.parametrize("fails_open", [True, False])
def test_without_clickhouse_a_budget_does_as_it_says(
    project: Project, fails_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(project, measure="cost", amount=1, window="day", fails_open=fails_open)
    monkeypatch.setitem(connections["clickhouse"].settings_dict, "PORT", 1)

    assert asked(project).action == ("allow" if fails_open else "block")


def test_a_decision_that_no_client_traces_is_one_run_of_the_trace(project: Project) -> None:
    store(project.pk, request_of({1: [call(0.01, "call-1")]}, time.time_ns() - 10 * MS))
    asked(project, trace_id=trace_id(1), call_id="call-1")
    asked(project, trace_id=trace_id(1), is_traced=True, source="litellm")
    ledger.flush()
    receiver.committer().settle()
    [run] = guardrail_runs(whole_time(project.pk))
    assert (run.trace_id, run.guardrail, run.mode, run.outcome) == (trace_id(1), "AgentOps Portal", "input", "allowed")
    assert run.models == ("gpt-4o-mini",)
    assert Decision.objects.count() == 2


def run_of_litellm(span: int, mode: str, seconds: tuple[float, float]) -> Spanlet:
    """As LiteLLM 1.106.2 tells of a guardrail that did not block: "mask", whatever came of it."""
    attributes = {
        "openinference.span.kind": "GUARDRAIL",
        "guardrail_name": "portal",
        "guardrail_mode": mode,
        "guardrail_status": "success",
        "guardrail_response": '"mask"',
    }
    start, end = (1000 * each for each in seconds)
    return Spanlet("guardrail", id=span, parent=90, start=start, end=end, attributes=attributes)


def written_after(seconds: float) -> None:
    time.sleep(seconds)
    ledger.flush()
    connections.close_all()


def test_runs_of_litellm_have_the_outcome_that_was_decided(project: Project, otlp: Receiver) -> None:
    secret = create_api_key(project=project, name="proxy").secret
    Rule.objects.create(organization=project.organization, project=project, name="Cards", entities=["card"])
    in_force.forget()
    seen: dict[str, Any] = {"trace_id": trace_id(1), "source": "litellm", "is_traced": True}
    start_ns = time.time_ns()
    assert asked(project, texts=["4111 1111 1111 1111"], **seen).action == "mask"
    between = time.time_ns()
    assert asked(project, phase="output", **seen).action == "allow"
    first, second = (between - start_ns) / 1e9, (time.time_ns() - start_ns) / 1e9
    runs = [
        run_of_litellm(1, "pre_call", (0, first)),
        run_of_litellm(2, "post_call", (first, second)),
        run_of_litellm(3, "logging_only", (60, 61)),  # a guardrail of somebody else
    ]
    body = request_of({1: runs, 2: [run_of_litellm(4, "pre_call", (0, first))]}, start_ns).SerializeToString()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(written_after, 0.2)  # by the ledger's own thread, a third of a second after it was decided
        assert otlp.post(body, secret).status_code == 200
    found = guardrail_runs(whole_time(project.pk))
    assert {(run.trace_id, run.mode): run.outcome for run in found} == {
        (trace_id(1), "pre_call"): "masked",
        (trace_id(1), "post_call"): "allowed",
        (trace_id(1), "logging_only"): "allowed",
        (trace_id(2), "pre_call"): "allowed",
    }


@pytest.mark.parametrize("fails_open", [True, False])
def test_without_redis_a_limit_does_as_it_says_and_the_page_says_so(
    settings: Settings, client: Client, fails_open: bool
) -> None:
    cast = make_cast()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    in_force.forget()
    limit(cast.project, measure="requests", amount=1, window="day", fails_open=fails_open)

    verdicts = [asked(cast.project) for _ in range(2)]
    assert {verdict.action for verdict in verdicts} == {"allow" if fails_open else "block"}
    client.force_login(cast.alice)
    page = client.get(reverse("rule-list", kwargs={"project_id": cast.project.pk})).content.decode()
    assert "What is used is not known now" in page
