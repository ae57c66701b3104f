"""/agents: agents that register themselves, and their runs, which become spans."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from agentops_portal.clickhouse.gate import Scope
from projects.models import AuditEvent
from projects.services import create_api_key
from tests.browser import browser
from tests.cast import Cast
from traces.ingest import agent_runs
from traces.ingest.otlp import receiver
from traces.ingest.otlp.errors import Unavailable
from traces.models import Agent, AgentRun
from traces.store.queries.scopes import whole_time
from traces.store.queries.trace_detail import trace_figures, trace_scope
from traces.store.queries.trace_spans import trace_spans
from traces.tasks import forget_old_agent_runs

from .sending import send

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

NEW = {"name": "planner", "type": "langflow"}


@pytest.fixture
def key(cast: Cast) -> str:
    return create_api_key(project=cast.project, name="both").secret


def registered(cast: Cast, key: str, **fields: Any) -> dict[str, Any]:
    answer = send(cast, "POST", "/agents/register", {**NEW, **fields}, key=key)
    assert answer.status_code == 200, answer.content
    agent: dict[str, Any] = answer.json()
    return agent


def started(cast: Cast, key: str, agent: dict[str, Any], **body: Any) -> str:
    answer = send(cast, "POST", f"/agents/{agent['id']}/trace/start", body, key=key)
    assert answer.status_code == 200, answer.content
    trace_id: str = answer.json()["trace_id"]
    return trace_id


def ended(cast: Cast, key: str, agent: dict[str, Any], trace_id: str, **body: Any) -> dict[str, Any]:
    answer = send(cast, "POST", f"/agents/{agent['id']}/trace/end", {"trace_id": trace_id, **body}, key=key)
    assert answer.status_code == 200, answer.content
    receiver.committer().settle()
    told: dict[str, Any] = answer.json()
    return told


def test_an_agent_registers_with_the_project_of_its_key(cast: Cast, key: str) -> None:
    agent = registered(cast, key, project_id="default-project", description="Plans trips", config={"세션": [1, None]})

    assert set(agent) == {
        *("id", "name", "type", "project_id", "external_id", "description", "config", "monitoring_enabled"),
        *("status", "created_at", "last_used_at"),
    }
    expected = {
        **NEW,
        "project_id": str(cast.project.pk),
        "external_id": None,
        "description": "Plans trips",
        "config": {"세션": [1, None]},
        "monitoring_enabled": True,
        "status": "active",
        "last_used_at": None,
    }
    assert {name: agent[name] for name in expected} == expected
    assert AuditEvent.objects.get(action="agent.registered").project == cast.project


def test_the_same_name_is_the_same_agent_until_another_project(cast: Cast, key: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret

    first, again, other = registered(cast, key), registered(cast, key, type="custom"), registered(cast, theirs)

    assert first == again
    assert other["id"] != first["id"]


def test_a_run_becomes_the_root_span_of_its_trace(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    inputs = {"question": "어디로 갈까? " + "x" * 5_000, "zero": "\x00"}

    trace_id = started(cast, key, agent, inputs=inputs, tags=["demo", "여행"])
    told = ended(cast, key, agent, trace_id, outputs="to the sea", cost=0.25, tokens=1200)

    assert (told["success"], told["trace_id"]) == (True, trace_id)
    scope = trace_scope(cast.project.pk, trace_id)
    assert isinstance(scope, Scope)
    [span] = trace_spans(scope, trace_id)
    assert (span.name, span.service, span.parent_span_id) == ("planner.execution", "agent-langflow", "")
    assert (span.type, span.agent_name, span.status) == ("agent", "planner", "Ok")
    assert span.duration_ns / 1_000_000 == told["duration_ms"] > 0
    assert json.loads(span.attributes["agent.inputs"]) == inputs  # whole
    expected = {
        "agent.id": agent["id"],
        "agent.type": "langflow",
        "metadata.agent_id": agent["id"],
        "metadata.agent_name": "planner",
        "agent.outputs": "to the sea",
        "gen_ai.usage.total_cost": "0.25",
        "gen_ai.usage.total_tokens": "1200",
    }
    assert {name: span.attributes[name] for name in expected} == expected
    figures = trace_figures(scope, trace_id)
    assert figures is not None
    # The LLM calls of the run report their own cost and tokens: those of the agent count no second time.
    assert (figures.llm_calls, figures.total_tokens, figures.cost.reported) == (0, 0, None)
    assert figures.tags == ("demo", "여행")
    page = browser()
    page.force_login(cast.bob)
    address = reverse(
        "span-detail", kwargs={"project_id": cast.project.pk, "trace_id": trace_id, "span_id": span.span_id}
    )
    assert "to the sea" in page.get(address).content.decode()


def test_a_run_that_failed_is_an_error(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    trace_id = started(cast, key, agent)

    ended(cast, key, agent, trace_id.upper(), error="ran out of time")

    scope = trace_scope(cast.project.pk, trace_id)
    assert scope is not None
    [span] = trace_spans(scope, trace_id)
    assert (span.status, span.status_message) == ("Error", "ran out of time")
    figures = trace_figures(scope, trace_id)
    assert figures is not None
    assert figures.status == "error"


def test_a_run_outlives_the_process_that_started_it_and_keeps_nothing_after_its_end(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    trace_id = started(cast, key, agent, inputs="secret plan")

    run = AgentRun.objects.get(trace_id=trace_id)
    assert (run.inputs, run.stored_at) == ('"secret plan"', None)
    ended(cast, key, agent, trace_id)
    run.refresh_from_db()
    assert run.inputs == ""
    assert run.stored_at is not None


def test_ending_a_run_again_changes_nothing(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    trace_id = started(cast, key, agent)

    first = ended(cast, key, agent, trace_id, tokens=5)
    again = ended(cast, key, agent, trace_id, tokens=7)

    assert first == again
    assert len(trace_spans(whole_time(cast.project.pk), trace_id)) == 1


def test_a_store_that_is_away_leaves_the_run_open(cast: Cast, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = registered(cast, key)
    trace_id = started(cast, key, agent)

    async def unavailable(*args: object) -> None:
        raise Unavailable("The span store cannot take spans now. Send it again later.")

    with monkeypatch.context() as away:
        away.setattr(agent_runs, "receive", unavailable)
        answer = send(cast, "POST", f"/agents/{agent['id']}/trace/end", {"trace_id": trace_id}, key=key)

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    end = AgentRun.objects.get(trace_id=trace_id).end_ns
    told = ended(cast, key, agent, trace_id)
    run = AgentRun.objects.get(trace_id=trace_id)
    assert run.end_ns == end  # when it was ended, not when the store came back
    assert run.end_ns is not None
    assert told["duration_ms"] == (run.end_ns - run.start_ns) / 1_000_000


def test_agents_that_are_not_monitored_start_nothing(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    address = f"/agents/{agent['id']}"

    send(cast, "PATCH", address, {"monitoring_enabled": False}, key=key)
    answer = send(cast, "POST", f"{address}/trace/start", {}, key=key)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Monitoring is disabled for agent: planner"})
    send(cast, "PATCH", address, {"monitoring_enabled": True}, key=key)
    assert send(cast, "DELETE", address, key=key).json()["status"] == "inactive"
    assert send(cast, "POST", f"{address}/trace/start", {}, key=key).status_code == 400
    assert registered(cast, key)["status"] == "active"
    assert started(cast, key, agent)


def test_agents_are_listed_changed_and_counted(cast: Cast, key: str) -> None:
    planner = registered(cast, key)
    registered(cast, key, name="writer", type="custom")
    trace_id = started(cast, key, planner)
    started(cast, key, planner)
    ended(cast, key, planner, trace_id, error="no", cost=1.5, tokens=30)

    listed = send(cast, "GET", "/agents?limit=1", person="bo").json()
    assert ([agent["name"] for agent in listed["agents"]], listed["total"]) == (["writer"], 2)
    rest = send(cast, "GET", "/agents?offset=1", person="bo").json()
    assert [agent["name"] for agent in rest["agents"]] == ["planner"]
    assert send(cast, "GET", "/agents?type=custom", key=key).json()["total"] == 1
    assert send(cast, "GET", "/agents?status=inactive", key=key).json()["total"] == 0
    changed = send(cast, "PATCH", f"/agents/{planner['id']}", {"name": "guide", "config": None}, person="ann").json()
    assert (changed["name"], changed["config"], changed["type"]) == ("guide", {}, "langflow")
    assert send(cast, "GET", f"/agents/{planner['id']}", person="bo").json()["last_used_at"]
    assert send(cast, "GET", "/agents/stats/summary", person="bo").json() == {
        "total_agents": 2,
        "active_agents": 2,
        "inactive_agents": 0,
        "monitored_agents": 2,
        "by_type": {"custom": 1, "langflow": 1},
        "running_traces": 1,
        "ended_traces": 1,
        "failed_traces": 1,
        "total_cost": 1.5,
        "total_tokens": 30,
    }


def test_both_addresses_and_a_slash_at_the_end_lead_here(cast: Cast, key: str) -> None:
    registered(cast, key)

    for address in ("/agents", "/agents/", "/api/agents", "/api/agents/"):
        assert send(cast, "GET", address, key=key).json()["total"] == 1


def test_two_agents_of_a_project_share_no_name(cast: Cast, key: str) -> None:
    registered(cast, key)
    other = registered(cast, key, name="writer")

    answer = send(cast, "PATCH", f"/agents/{other['id']}", {"name": "planner"}, key=key)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "name"]


def test_nobody_reaches_the_agents_of_others(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    trace_id = started(cast, key, agent)
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret
    address = f"/agents/{agent['id']}"
    end = {"trace_id": trace_id}

    for sender in ({"person": "charlie"}, {"key": theirs}):
        assert send(cast, "GET", "/agents", **sender).json() == {"agents": [], "total": 0}
        assert send(cast, "GET", f"/agents?project_id={cast.project.pk}", **sender).status_code == 404
        assert send(cast, "GET", address, **sender).status_code == 404
        assert send(cast, "PATCH", address, {"name": "x"}, **sender).status_code == 404
        assert send(cast, "DELETE", address, **sender).status_code == 404
        assert send(cast, "POST", f"{address}/trace/start", {}, **sender).status_code == 404
        assert send(cast, "POST", f"{address}/trace/end", end, **sender).status_code == 404
        body = {**NEW, "project_id": str(cast.project.pk)}
        assert send(cast, "POST", "/agents/register", body, **sender).status_code == 404
    other = registered(cast, theirs)
    answer = send(cast, "POST", f"/agents/{other['id']}/trace/end", end, key=theirs)
    assert (answer.status_code, answer.json()) == (404, {"detail": f"Trace not found: {trace_id}"})


def test_who_may_write(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    reader = create_api_key(project=cast.project, name="reader", scopes=["read"]).secret
    sender_only = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret
    in_project = {**NEW, "project_id": str(cast.project.pk)}

    assert send(cast, "POST", "/agents/register", in_project).status_code == 401
    assert send(cast, "POST", "/agents/register", in_project, key=reader).status_code == 403
    assert send(cast, "GET", "/agents", key=sender_only).status_code == 403
    assert send(cast, "POST", "/agents/register", in_project, key=sender_only).status_code == 200
    for person, status in (("bo", 403), ("bob", 403), ("ann", 200), ("alice", 200), ("root", 200)):
        assert send(cast, "POST", "/agents/register", in_project, person=person).status_code == status
        assert send(cast, "PATCH", f"/agents/{agent['id']}", {}, person=person).status_code == status
    trace_id = send(cast, "POST", f"/agents/{agent['id']}/trace/start", {}, person="ann").json()["trace_id"]
    end = send(cast, "POST", f"/agents/{agent['id']}/trace/end", {"trace_id": trace_id}, person="ann")
    assert end.json()["success"] is True


def test_a_key_that_only_sends_learns_and_changes_nothing(cast: Cast, key: str) -> None:
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret
    agent = registered(cast, key, description="of others", config={"token": "of others"}, external_id="theirs")
    address = f"/agents/{agent['id']}"

    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = send(cast, method, address, body, key=sender)
        assert (answer.status_code, "of others" in answer.content.decode()) == (403, False)
    told = registered(cast, sender, description="mine", config={"a": 1})
    assert told == {**agent, "description": "mine", "config": {"a": 1}, "external_id": None}
    send(cast, "DELETE", address, key=key)
    assert registered(cast, sender)["status"] == "inactive"  # whoever switched it off may read, too
    stored = send(cast, "GET", address, key=key).json()
    assert stored == {**agent, "status": "inactive"}


def test_a_key_that_only_sends_registers_its_own_agent_and_its_runs(cast: Cast) -> None:
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret
    agent = registered(cast, sender, description="mine", config={"a": 1})
    assert (agent["description"], agent["config"]) == ("mine", {"a": 1})

    trace_id = started(cast, sender, agent)
    assert ended(cast, sender, agent, trace_id, outputs="done")["success"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "custom"}, "name"),
        ({**NEW, "name": ""}, "name"),
        ({**NEW, "name": "a\x00"}, "name"),
        ({**NEW, "name": "a" * 201}, "name"),
        ({**NEW, "type": "crewai"}, "type"),
        ({**NEW, "config": "x"}, "config"),
        ({**NEW, "config": {"a": ["\x00"]}}, "config"),
        ({**NEW, "description": 5.5, "external_id": ["x"]}, "external_id"),
    ],
)
def test_what_is_wrong_with_an_agent_is_named(cast: Cast, key: str, body: dict[str, Any], field: str) -> None:
    answer = send(cast, "POST", "/agents/register", body, key=key)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_a_person_names_the_project(cast: Cast) -> None:
    answer = send(cast, "POST", "/agents/register", NEW, person="alice")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "project_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "trace_id"),
        ({"trace_id": "a", "cost": -1}, "cost"),
        ({"trace_id": "a", "cost": "free"}, "cost"),
        ({"trace_id": "a", "tokens": 2**60}, "tokens"),
        ({"trace_id": "a", "error": {"a": 1}}, "error"),
    ],
)
def test_what_is_wrong_with_an_end_is_named(cast: Cast, key: str, body: dict[str, Any], field: str) -> None:
    agent = registered(cast, key)

    answer = send(cast, "POST", f"/agents/{agent['id']}/trace/end", body, key=key)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("text", ["x", "00000000-0000-0000-0000-000000000000", "%00", "'--"])
def test_what_is_no_agent_is_404(cast: Cast, key: str, text: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/trace/start")):
        assert send(cast, method, f"/agents/{text}{path}", {}, key=key).status_code == 404
    agent = registered(cast, key)
    end = {"trace_id": str(uuid4())}
    assert send(cast, "POST", f"/agents/{agent['id']}/trace/end", end, key=key).status_code == 404
    assert Agent.objects.count() == 1


def test_old_runs_are_forgotten(cast: Cast, key: str) -> None:
    agent = registered(cast, key)
    old, new = started(cast, key, agent), started(cast, key, agent)
    AgentRun.objects.filter(trace_id=old).update(started_at=timezone.now() - timedelta(days=31))

    forget_old_agent_runs()

    assert [run.trace_id for run in AgentRun.objects.all()] == [new]
