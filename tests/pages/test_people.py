"""Sessions and users: lists that are sorted by any figure, and a page of each, whatever its id is."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.api.asked import Asked, asked
from tests.kept import give
from traces.store.queries.person_keys import person_key

from .spans import MS, Spanlet, Value, request_of, span_id, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

__all__ = ["asked"]  # a fixture

NOON_NS = 1_795_435_200_000 * MS  # 2026-11-23T12:00Z
DAY = "?start=2026-11-23T00:00:00Z&end=2026-11-24T00:00:00Z"
HOSTILE = "a/b '\"\\ <script>alert(1)</script> 한글 🛒 \x00?#%2F"
LONG = "긴" * 10_000


def call(session: str, user: str, tokens: int, cost: float, end: float, said: tuple[str, str]) -> Spanlet:
    attributes: dict[str, Value] = {
        "session.id": session,
        "user.id": user,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.cost": cost,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": said[0],
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": said[1],
    }
    return Spanlet("ask", end=end, attributes=attributes)


TRACES = {
    1: [call(HOSTILE, "mina", 10, 0.5, 1_000, ("First?", "One."))],
    2: [
        call(HOSTILE, "mina", 20, 0.25, 3_000, ("Second?", "<b>Two</b>")),
        Spanlet("broken", 2, 1, 0, 10, status=2, message="no"),
    ],
    3: [call(LONG, "mina", 5, 2.0, 500, ("x" * 200_000, "too long"))],
    4: [call("plain", HOSTILE, 7, 0.0625, 250, ("Third?", "Three."))],
}
STARTS = {number: NOON_NS + number * 60_000 * MS for number in TRACES}


@pytest.fixture
def talks(project: Project) -> Project:
    give(project, request_of(TRACES, STARTS))
    return project


def address(project: Project, name: str, **named: str) -> str:
    return reverse(name, kwargs={"project_id": project.pk, **named})


def listed(client: Client, path: str) -> list[Any]:
    response = client.get(path)
    assert response.status_code == 200
    return [each.person for each in response.context["people"]]


def test_each_figure_sorts_its_list(client: Client, talks: Project, asked: list[Asked]) -> None:
    sessions = address(talks, "session-list") + DAY

    found = listed(client, sessions)

    assert [each.name for each in asked] == ["people_table.sessions"]
    assert [(each.id, each.traces, each.total_tokens, each.cost.reported) for each in found] == [
        ("plain", 1, 7, Decimal("0.0625")),
        (LONG, 1, 5, Decimal(2)),
        (HOSTILE, 2, 30, Decimal("0.75")),
    ]
    assert (found[2].first_ns, found[2].last_ns) == (STARTS[1], STARTS[2] + 3_000 * MS)
    orders = {"tokens": [HOSTILE, "plain", LONG], "cost": [LONG, HOSTILE, "plain"], "latency": [HOSTILE, LONG, "plain"]}
    for order, ids in orders.items():
        assert [each.id for each in listed(client, f"{sessions}&sort={order}")] == ids
    assert [each.id for each in listed(client, f"{sessions}&q=한글")] == [HOSTILE]
    assert client.get(f"{sessions}&sort=height").status_code == 400
    assert client.get(f"{sessions}&cursor=nothing").status_code == 400


def test_pages_follow_one_another_in_any_order(client: Client, talks: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traces.pages.people_views.ROWS", 1)
    for order in ("last", "errors", "cost"):
        path, ids = address(talks, "session-list") + DAY + f"&sort={order}", []
        while path:
            response = client.get(path)
            ids += [each.person.id for each in response.context["people"]]
            following = response.context["next_address"]
            path = address(talks, "session-list") + following if following else ""
        assert sorted(ids) == sorted([LONG, HOSTILE, "plain"])


def test_a_list_is_a_file_without_formulas(client: Client, talks: Project) -> None:
    response = client.get(address(talks, "user-list") + DAY + "&csv=users&sort=cost")

    head, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert head[:4] == ["User", "Sessions", "Requests", "Failed"]
    assert [row[1:4] + row[8:9] for row in rows] == [["2", "3", "0", "2.75"], ["1", "1", "0", "0.0625"]]


@pytest.mark.parametrize("id_", [HOSTILE, LONG, "plain"], ids=["hostile", "long", "plain"])
def test_every_session_has_a_page(client: Client, bobs_client: Client, talks: Project, id_: str) -> None:
    path = address(talks, "session-detail", key=person_key(id_))

    response = client.get(path)

    assert response.status_code == 200
    assert response.context["row"].person.id == id_
    assert path in client.get(address(talks, "session-list") + DAY).content.decode()
    assert bobs_client.get(path).status_code == 404
    assert "<script>alert(1)" not in response.content.decode()


def test_a_session_is_a_conversation(client: Client, talks: Project, asked: list[Asked]) -> None:
    response = client.get(address(talks, "session-detail", key=person_key(HOSTILE)))

    turns = response.context["turns"]
    assert [(trace.trace_id, said.question, said.answer) for trace, said in turns] == [
        (trace_id(1), "First?", "One."),
        (trace_id(2), "Second?", "<b>Two</b>"),
    ]
    assert "&lt;b&gt;Two&lt;/b&gt;" in response.content.decode()
    row = response.context["row"]
    assert (row.person.traces, row.person.error_traces, row.person.error_count) == (2, 0, 1)
    assert row.p95_ns == 2_900 * MS  # between 1 s and 3 s
    assert len(asked) == 5
    too_long = client.get(address(talks, "session-detail", key=person_key(LONG)))
    assert "too long to be shown here" in too_long.content.decode()
    assert client.get(address(talks, "session-detail", key=person_key(HOSTILE)) + "?page=2").status_code == 404
    assert client.get(address(talks, "session-detail", key=person_key("nobody"))).status_code == 404


def test_a_user_has_sessions_and_traces(client: Client, talks: Project) -> None:
    response = client.get(address(talks, "user-detail", key=person_key("mina")) + DAY)

    assert [each.person.id for each in response.context["sessions"]] == [LONG, HOSTILE]
    assert [trace.trace_id for trace in response.context["page"].traces] == [trace_id(3), trace_id(2), trace_id(1)]
    assert response.context["row"].person.cost.reported == Decimal("2.75")
    quiet = client.get(
        address(talks, "user-detail", key=person_key(HOSTILE)) + "?start=2026-11-01T00:00Z&end=2026-11-02T00:00Z"
    )
    assert quiet.context["row"] is None
    assert "asked nothing in this time range" in quiet.content.decode()
    assert client.get(address(talks, "user-detail", key=person_key("plain"))).status_code == 404  # a session, no user


def test_a_replay_tells_what_happened_when(client: Client, talks: Project) -> None:
    session = client.get(address(talks, "session-replay", key=person_key(HOSTILE)) + "?at=60000")

    shown = session.context["replay"]
    assert [(each.kind, each.at_ms, each.texts) for each in shown.moments] == [
        ("llm", 0.0, [("Asked", "First?"), ("Answered", "One.")]),
        ("llm", 60_000.0, [("Asked", "Second?"), ("Answered", "<b>Two</b>")]),
        ("error", 60_000.0, []),
    ]
    assert (shown.length_ms, shown.at_ms, shown.current) == (63_000.0, 60_000.0, 2)
    assert shown.moments[2].error == "Error: no"
    assert f"?span={span_id(2)}" in session.content.decode()
    assert "&lt;b&gt;Two&lt;/b&gt;" in session.content.decode()
    one = client.get(address(talks, "trace-replay", trace_id=trace_id(1)))
    assert [each.title for each in one.context["replay"].moments] == ["gpt-4o"]
    assert client.get(address(talks, "trace-replay", trace_id=trace_id(1)) + "?at=-1").status_code == 400
    assert client.get(address(talks, "trace-replay", trace_id=trace_id(9))).status_code == 404


def test_an_agent_that_calls_another_hands_over(client: Client, project: Project) -> None:
    def agent(name: str, **place: Any) -> Spanlet:
        return Spanlet(name, attributes={"agentops.span.kind": "agent", "agent.name": name}, **place)

    spanlets = [agent("Planner", id=1), Spanlet("plan", 2, 1), agent("Writer", id=3, parent=2, start=5)]
    give(project, request_of({1: spanlets}, NOON_NS))

    moments = client.get(address(project, "trace-replay", trace_id=trace_id(1))).context["replay"].moments

    assert [(each.kind, each.title, each.handed_by) for each in moments] == [
        ("agent", "Planner", ""),
        ("step", "plan", ""),
        ("agent", "Writer", "Planner"),
    ]
