from typing import Any

import pytest
from django.db import connections

from projects.services import create_api_key
from projects.tokens import issue_project_token
from tests.api.conftest import Get
from tests.browser import browser
from tests.cast import Cast
from tests.kept import give_recorded
from tests.pages.spans import Spanlet, store_trace
from tests.services import free_ports

from .stored import PREFIXES, RECORDED, address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

TRACE = "da3ddb1b0c511473c4cfcfa4e671121b"
OF_PROJECT = (
    "traces",
    "metrics",
    "analytics/cost-trend",
    "analytics/token-usage",
    "analytics/performance",
    "analytics/performance-summary",
    "analytics/agent-flow",
    "analytics/guardrails",
    "agents/usage",
    "agents/registry",
)
OF_TRACE = (f"traces/{TRACE}", f"replay/{TRACE}", f"timeline/{TRACE}")
AGENT = "agents/Researcher/detail"
ALL = (*OF_PROJECT, *OF_TRACE, AGENT)


@pytest.fixture
def recorded(cast: Cast) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_nobody_reads_without_signing_in(cast: Cast, get: Get, prefix: str) -> None:
    for path in ALL:
        answer = get(address(path, cast.project.pk, prefix))

        assert answer.status_code == 401, path
        assert answer.json() == {"detail": "User is not authenticated."}


def test_a_key_that_may_only_send_does_not_read(cast: Cast, get: Get) -> None:
    issued = create_api_key(project=cast.project, name="sender", scopes=["ingest"])

    for path in ALL:
        assert get(address(path, cast.project.pk), key=issued.secret).status_code == 403, path


@pytest.mark.parametrize("path", ALL)
@pytest.mark.usefixtures("recorded")
def test_members_keys_and_tokens_read_the_same(cast: Cast, get: Get, path: str) -> None:
    issued = create_api_key(project=cast.project, name="reader", scopes=["read"])
    asked = address(path, cast.project.pk)

    answers = [
        get(asked, person="bo"),
        get(asked, key=issued.secret),
        get(asked, key=issue_project_token(issued.key)),
        get(asked, headers={"x-api-key": issued.secret}),
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("project_id", ["foreign", "6f1d2c3b-0000-4000-8000-000000000001", "1' OR '1'='1", "default"])
@pytest.mark.usefixtures("recorded")
def test_a_project_that_is_not_yours_is_not_found(cast: Cast, get: Get, project_id: str) -> None:
    wanted = str(cast.foreign_project.pk) if project_id == "foreign" else project_id
    own = create_api_key(project=cast.project, name="reader", scopes=["read"])

    for path in ALL:
        asked = address(path) + f"&project_id={wanted}"
        for answer in (get(asked, person="alice"), get(asked, key=own.secret)):
            assert answer.status_code == 404, path
            assert answer.json() == {"detail": "Project not found"}


@pytest.mark.parametrize("path", OF_TRACE)
@pytest.mark.usefixtures("recorded")
def test_a_trace_of_others_looks_like_none(cast: Cast, get: Get, path: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs")
    unknown = path.replace(TRACE, "f" * 32)
    answers = [get(address(path), person="charlie"), get(address(path), key=theirs.secret)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {answer.json()["detail"] for answer in answers} == {f"Trace not found: {TRACE}"}
    assert get(address(unknown), person="alice").json() == {"detail": f"Trace not found: {'f' * 32}"}


@pytest.mark.parametrize("path", OF_TRACE)
@pytest.mark.usefixtures("recorded")
def test_a_trace_is_found_without_its_project(cast: Cast, get: Get, path: str) -> None:
    own = create_api_key(project=cast.project, name="reader", scopes=["read"])

    for answer in (
        get(address(path), person="bob"),
        get(address(path), key=own.secret),
        get(address(path), person="root"),
    ):
        assert answer.status_code == 200
        assert answer.json()["trace_id"] == TRACE


def test_two_projects_may_have_the_same_trace_id(cast: Cast, get: Get) -> None:
    for project, name in ((cast.project, "ours"), (cast.foreign_project, "theirs")):
        trace = store_trace(project.pk, [Spanlet(name)], number=77)

    for person, name in (("alice", "ours"), ("charlie", "theirs")):
        [event] = get(address(f"replay/{trace}"), person=person).json()["events"]
        assert event["span_name"] == name


@pytest.mark.usefixtures("recorded")
def test_the_flow_of_a_trace_of_others_is_not_found(cast: Cast, get: Get) -> None:
    asked = address("analytics/agent-flow", cast.foreign_project.pk, trace_id=TRACE, start_time=None, end_time=None)

    assert get(asked, person="charlie").status_code == 404


@pytest.mark.usefixtures("recorded")
def test_agents_of_others_did_nothing(cast: Cast, get: Get) -> None:
    own = get(address(AGENT), person="bob").json()
    foreign = get(address(AGENT), person="charlie").json()

    assert own["metrics"]["trace_count"] == 1
    assert foreign["metrics"]["trace_count"] == 0
    assert foreign["traces"] == []
    assert sum(hour["call_count"] for hour in foreign["trend"]) == 0


@pytest.mark.parametrize("path", OF_PROJECT)
@pytest.mark.usefixtures("recorded")
def test_figures_hold_nothing_of_other_projects(cast: Cast, get: Get, path: str) -> None:
    before = get(address(path, cast.project.pk), person="bob").json()
    give_recorded(cast.foreign_project, "litellm-1.106.2-mixed")

    assert get(address(path, cast.project.pk), person="bob").json() == before


@pytest.mark.parametrize("trace_id", ["x", "' OR 1=1 --", "%00", "0" * 31, "a" * 5000, "%F0%9F%92%A9", "%ed%a0%80"])
def test_what_is_no_trace_id_names_no_trace(get: Get, trace_id: str) -> None:
    for path in ("traces", "replay", "timeline"):
        answer = get(f"/api/monitoring/{path}/{trace_id}", person="alice")

        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("Trace not found: ")


def test_missing_parameters_are_named(get: Get) -> None:
    for path in OF_PROJECT:
        answer = get(f"/api/monitoring/{path}", person="alice")

        assert answer.status_code == 422, path
        missing = {tuple(fault["loc"]) for fault in answer.json()["detail"] if fault["type"] == "missing"}
        times = set() if path == "analytics/agent-flow" else {("query", "start_time"), ("query", "end_time")}
        assert missing == {("query", "project_id"), *times}


def test_a_flow_needs_a_trace_or_a_range(cast: Cast, get: Get) -> None:
    asked = address("analytics/agent-flow", cast.project.pk, start_time=None)

    answer = get(asked, person="alice")

    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert (fault["loc"], fault["type"]) == (["query", "start_time"], "missing")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start_time", "yesterday"),
        ("start_time", "2026-13-01"),
        ("start_time", "\x00"),
        ("end_time", RECORDED["start_time"]),
        ("end_time", "2026-11-22T00:00:00Z"),
        ("end_time", "9" * 400),
        ("end_time", "nan"),
        ("project_id", ""),
        ("project_id", "\x00"),
    ],
    ids=["word", "month 13", "NUL", "empty range", "end before start", "huge", "nan", "no project", "NUL project"],
)
def test_wrong_parameters_are_named(cast: Cast, get: Get, name: str, value: str) -> None:
    asked: dict[str, Any] = {"project_id": cast.project.pk, name: value}

    for path in OF_PROJECT:
        answer = get(address(path, **asked), person="alice")

        assert answer.status_code == 422, path
        assert ["query", name] in [fault["loc"] for fault in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("traces", "page", "0"),
        ("traces", "page", "9" * 40),
        ("traces", "size", "101"),
        ("traces", "size", "many"),
        ("traces", "trace_type", "robots"),
        ("traces", "status", "running fast"),
        ("traces", "search", "\x00"),
        ("traces", "search", "x" * 201),
        ("traces", "min_duration", "nan"),
        ("traces", "max_cost", "-1"),
        ("analytics/cost-trend", "interval", "month"),
        ("analytics/cost-trend", "timezone", "Mars/Olympus"),
        ("analytics/token-usage", "timezone", "../etc/passwd"),
        ("analytics/token-usage", "timezone", "\x00"),
        ("analytics/performance", "limit", "10001"),
        ("agents/Researcher/detail", "timezone", "America"),
    ],
)
def test_wrong_choices_are_named(cast: Cast, get: Get, path: str, name: str, value: str) -> None:
    plain = value.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02x}" for byte in plain)

    answer = get(f"{address(path, cast.project.pk)}&{name}={quoted}", person="alice")

    assert answer.status_code == 422, answer.content
    assert [fault["loc"] for fault in answer.json()["detail"]] == [["query", name]]


@pytest.mark.parametrize("value", ["' OR 1=1 --", "%", "_", "\\", "{x:String}", "한국어", "a'b\"c`d"])
@pytest.mark.usefixtures("recorded")
def test_hostile_texts_find_nothing_and_break_nothing(cast: Cast, get: Get, value: str) -> None:
    assert get(address("traces", cast.project.pk, search=value), person="bob").json()["total"] in (0, 1)
    assert get(address("traces", cast.project.pk, search="%"), person="bob").json()["total"] == 0
    assert get(address("traces", cast.project.pk, model=value), person="bob").json()["total"] == 0
    asked = address("agents/X/detail", cast.project.pk).replace("X", "".join(f"%{b:02x}" for b in value.encode()))
    assert get(asked, person="bob").json()["metrics"]["trace_count"] == 0


def test_without_clickhouse_there_is_no_empty_answer(cast: Cast, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["clickhouse"], "PORT", free_ports(1)[0])

    for path in ALL:
        answer = get(address(path, cast.project.pk), person="bob")

        assert answer.status_code == 503, path
        assert int(answer["Retry-After"]) > 0
        assert "ClickHouse does not answer" in answer.json()["detail"]


def test_what_today_s_clients_send_beyond_that_is_ignored(cast: Cast, get: Get) -> None:
    assert get(address("metrics", cast.project.pk, tags="x", trace_type="llm"), person="bob").status_code == 200


def test_only_reading(cast: Cast) -> None:
    client = browser()
    client.force_login(cast.alice)

    assert client.post(address("traces", cast.project.pk)).status_code == 405
