"""The agent flow of a range: its figures, its picture, and what stands behind each box."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.api.asked import Asked, asked
from tests.kept import give, give_recorded
from traces.reading.agent_flow import AgentFlow, Calls, Stage, StageFigures
from traces.reading.flow_layout import layout

from .spans import RECORDED_DAY, Spanlet, request_of

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

NOON_NS = 1_795_435_200_000_000_000  # 2026-11-23T12:00Z


def shown(client: Client, project: Project) -> Any:
    response = client.get(reverse("flow", kwargs={"project_id": project.pk}) + RECORDED_DAY)
    assert response.status_code == 200
    return response.context


def test_stages_and_calls_are_those_of_the_monitoring_api(client: Client, project: Project, asked: list[Asked]) -> None:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    context = shown(client, project)
    assert len(asked) <= 5
    times = "start_time=2026-11-23T00:00:00Z&end_time=2026-11-24T00:00:00Z"
    answer = client.get(f"/api/agentops/analytics/agent-flow?project_id={project.pk}&{times}").json()

    stages, calls = context["tables"]
    api = {(each["data"]["kind"], each["data"]["call_count"]) for each in answer["nodes"]}
    kinds = {"Client": "client", "Model": "llm"}
    assert {(kinds.get(row.detail, row.detail.lower()), row.values[0]) for row in stages.rows} == api
    assert len(calls.rows) == len(answer["edges"]) == len(context["drawing"].arrows)
    assert sum(row.values[1] for row in calls.rows) == 4  # blocks


def test_boxes_lead_to_what_they_stand_for(client: Client, project: Project) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "여행 계획을 세우는 아주 긴 이름의 에이전트"}
    spans = [
        Spanlet("ask", end=100),
        Spanlet("agent", 2, 1, 0, 90, attributes=agent),
        Spanlet("chat", 3, 2, 0, 40, status=2, attributes=call),
    ]
    give(project, request_of({1: spans}, NOON_NS))

    boxes = {box.kind: box for box in shown(client, project)["drawing"].boxes}

    assert (boxes["llm"].words, boxes["llm"].failed) == ("1 call · 40.0 ms", "1 failed")
    assert boxes["agent"].short == "여행 계획을 세우는 아주…"
    assert boxes["client"].x < boxes["agent"].x < boxes["llm"].x
    for kind in ("llm", "agent", "client"):
        page = client.get(boxes[kind].address).context["page"]
        assert [trace.trace_id for trace in page.traces] == [f"{1:032x}"], kind


def flow_of(*lines: str, entries: str = "a") -> AgentFlow:
    flow = AgentFlow()
    for line in lines:
        source, target = (Stage("task", name) for name in line.split(">"))
        flow.calls[source, target] = Calls(1)
        for stage in (source, target):
            flow.stages[stage] = StageFigures(calls=1, is_entry=stage.name in entries)
    return flow


def layers(flow: AgentFlow) -> dict[str, int]:
    return {stage.name: spot.layer for stage, spot in layout(flow).items()}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("a>b", "b>c", "a>c"), {"a": 0, "b": 1, "c": 2}),  # behind all that call it
        (("a>b", "b>a"), {"a": 0, "b": 1}),
        (("a>a",), {"a": 0}),
        (("a>b", "b>c", "c>b", "c>d"), {"a": 0, "b": 1, "c": 2, "d": 3}),
        (("b>c", "c>b"), {"b": 0, "c": 1}),  # nobody begins it
    ],
)
def test_a_stage_stands_behind_its_callers(lines: tuple[str, ...], expected: dict[str, int]) -> None:
    assert layers(flow_of(*lines)) == expected


def test_lines_do_not_cross_where_they_need_not() -> None:
    spots = layout(flow_of("a>z", "b>y", "c>x", entries="abc"))

    rows = {stage.name: spot.row for stage, spot in spots.items()}
    assert [rows[name] for name in "zyx"] == [rows[name] for name in "abc"]


def test_names_are_text_in_the_picture(client: Client, project: Project) -> None:
    call = {"gen_ai.operation.name": "chat", "gen_ai.request.model": '"><script>alert(1)</script>'}
    give(project, request_of({1: [Spanlet("chat", attributes=call)]}, NOON_NS))

    page = client.get(reverse("flow", kwargs={"project_id": project.pk}) + RECORDED_DAY).content.decode()

    assert "<script>alert" not in page
    assert "&gt;&lt;script&gt;alert(1)&lt;" in page
