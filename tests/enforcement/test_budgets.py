"""Limits under many callers at once, and budgets that see what is stored. Rows are committed: threads have their own
connections.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from guardrails.enforcement import in_force, ledger, spending
from guardrails.enforcement.deciding import Check, Verdict, decide
from guardrails.enforcement.limits import window_of
from guardrails.enforcement.models import Decision, Limit, LimitUse, Reservation
from projects.credentials import Credential
from projects.models import Organization, Project
from tests.pages.spans import MS, Spanlet, request_of, store, trace_id
from traces.ingest.otlp import receiver
from traces.store.queries.guardrails import guardrail_runs
from traces.store.queries.scopes import whole_time

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture
def project() -> Project:
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
    assert LimitUse.objects.get(limit=made).used == 100


def test_a_budget_holds_reservations_until_the_spans_arrive(project: Project) -> None:
    made = limit(project, measure="cost", amount=1, window="month", reserve="0.25", per="all")
    now = datetime.now(UTC)
    _, end = window_of("month", now)
    traces = [trace_id(number) for number in range(1, 6)]

    actions = [asked(project, trace_id=trace, call_id=f"call-{n}").action for n, trace in enumerate(traces)]
    assert actions == ["allow"] * 4 + ["block"]
    refused = asked(project)
    assert refused.reason.startswith("Budget: $0 used and $1 reserved of $1. It starts anew at ")

    start_ns = time.time_ns() - 10 * MS
    store(project.pk, request_of({1: [call(0.05, "call-0")], 2: [call(0.15, "call-1")]}, start_ns))
    use = LimitUse.objects.select_related("limit").get(limit=made)
    spending.settle(use, end)
    use.refresh_from_db()
    assert (use.used, use.reserved) == (Decimal("0.2"), Decimal("0.5"))
    assert set(Reservation.objects.values_list("call_id", flat=True)) == {"call-2", "call-3"}
    assert asked(project, trace_id=traces[4], call_id="call-4").action == "allow"  # 0.2 + 0.5 + 0.25

    Reservation.objects.update(expires_at=now - timedelta(seconds=1))  # their spans never came
    spending.settle(use, end)
    use.refresh_from_db()
    assert (use.used, use.reserved) == (Decimal("0.2"), 0)


def test_a_budget_of_each_key_counts_the_calls_of_that_key(project: Project) -> None:
    made = limit(project, measure="cost", amount="0.5", window="day", reserve="0.1", per="key")
    _, end = window_of("day", datetime.now(UTC))
    for number, key in ((1, "ann"), (2, "bob")):
        asked(project, key=key, trace_id=trace_id(number), call_id=f"call-{number}")
    store(project.pk, request_of({1: [call(0.45, "call-1")], 2: [call(0.05, "call-2")]}, time.time_ns() - 10 * MS))
    for use in LimitUse.objects.filter(limit=made).select_related("limit"):
        spending.settle(use, end)

    assert dict(LimitUse.objects.values_list("value", "used")) == {"ann": Decimal("0.45"), "bob": Decimal("0.05")}
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
