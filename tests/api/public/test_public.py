"""/public/v1: project, traces, spans and their metrics, for the key that asks."""

from typing import Any

import pytest
from django.test import Client

from projects.services import create_api_key, revoke_api_key
from projects.tokens import issue_project_token
from tests.api.conftest import Get
from tests.api.v4.conftest import MASKED, SESSION, answered
from tests.cast import Cast
from tests.kept import give_recorded

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

CALL, TOOL, ROOT = "73bfd140fdc4beea", "0a58a5b5bca220d6", "85e57c045e281ecc"
PATHS = [
    "project",
    "project/metrics",
    "traces",
    f"traces/{SESSION}",
    f"traces/{SESSION}/metrics",
    f"spans/{CALL}",
    f"spans/{CALL}/metrics",
]


@pytest.fixture
def token(cast: Cast) -> str:
    """A project token, as the clients have it."""
    return token_of(cast, "agentops-0.4.21-session")


def token_of(cast: Cast, *recorded: str) -> str:
    give_recorded(cast.project, *recorded)
    return issue_project_token(create_api_key(project=cast.project, name="reader").key)


def test_a_project_says_which_it_is(cast: Cast, get: Get, token: str) -> None:
    assert answered(get("/public/v1/project", key=token)) == {
        "id": str(cast.project.pk),
        "name": "Alice's agents",
        "environment": "production",
    }


def test_a_trace_has_every_field_of_the_contract(cast: Cast, get: Get, token: str) -> None:
    answer = answered(get(f"/public/v1/traces/{SESSION}", key=token))

    spans = answer.pop("spans")
    assert answer == {"trace_id": SESSION, "project_id": str(cast.project.pk), "tags": ["demo"], "hidden_spans": 0}
    assert len(spans) == 8
    attributes = spans[0].pop("span_attributes")
    assert spans[0] == {
        "span_id": ROOT,
        "parent_span_id": None,
        "span_name": "research-run.session",
        "span_kind": "Internal",
        "start_time": "2026-11-23T08:29:07.872344+00:00",
        "end_time": "2026-11-23T08:29:07.972752+00:00",
        "duration": 100_407_689,
        "status_code": "UNSET",
        "status_message": "",
    }
    assert attributes["agentops"]["span"]["kind"] == "session"


def test_metrics_of_a_trace_are_those_of_v4(get: Get, token: str) -> None:
    metrics = answered(get(f"/public/v1/traces/{SESSION}/metrics", key=token))

    assert metrics == answered(get(f"/v4/traces/detail/{SESSION}", key=token))["metrics"]
    assert (metrics["total_tokens"], metrics["total_cost"], metrics["trace_count"]) == (20, "0.0100000", 1)


def test_a_span_has_every_field_of_the_contract(cast: Cast, get: Get, token: str) -> None:
    answer = answered(get(f"/public/v1/spans/{CALL}", key=token))

    attributes, resource = answer.pop("span_attributes"), answer.pop("resource_attributes")
    assert answer == {
        "span_id": CALL,
        "parent_span_id": "230ef3c3e122b9b2",
        "span_name": "openai.chat.completion",
        "span_kind": "Client",
        "service_name": "agentops",
        "start_time": "2026-11-23T08:29:07.873689+00:00",
        "end_time": "2026-11-23T08:29:07.968900+00:00",
        "duration": 95_211_098,
        "status_code": "OK",
        "status_message": "",
        "attributes": {},
    }
    assert attributes["gen_ai"]["request"]["model"] == "gpt-4o-mini"
    assert resource["agentops"]["project"]["id"] == str(cast.project.pk)


def test_metrics_of_a_span_are_always_there(get: Get, token: str) -> None:
    nothing = {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "reasoning_tokens"), 0),
        **dict.fromkeys(("total_tokens", "success_tokens", "fail_tokens", "indeterminate_tokens"), 0),
        **dict.fromkeys(("prompt_cost", "completion_cost", "other_cost", "total_cost"), "0.0000000"),
        "unknown_cost_calls": 0,
    }
    cost = {"other_cost": "0.0100000", "total_cost": "0.0100000"}
    tokens = {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20, "success_tokens": 20}

    assert answered(get(f"/public/v1/spans/{ROOT}/metrics", key=token)) == nothing
    assert answered(get(f"/public/v1/spans/{TOOL}/metrics", key=token)) == nothing | cost
    assert answered(get(f"/public/v1/spans/{CALL}/metrics", key=token)) == nothing | tokens | {"unknown_cost_calls": 1}


def test_traces_are_listed_and_searched(cast: Cast, get: Get) -> None:
    # Defect 49: there was neither.
    token = token_of(cast, "agentops-0.4.21-session", "litellm-1.106.2-mixed")

    everything = answered(get("/public/v1/traces?limit=100", key=token))
    found = answered(get("/public/v1/traces?query=SEARCH.tool&order_by=duration", key=token))

    assert everything["total"] == len(everything["traces"]) == 10
    assert [item["trace_id"] for item in found["traces"]] == [SESSION]
    assert answered(get("/public/v1/traces?query=demo", key=token))["total"] == 1  # a tag


def test_a_project_has_metrics(cast: Cast, get: Get, token: str) -> None:
    answer = answered(get("/public/v1/project/metrics?start_time=2026-11-23T00:00:00Z", key=token))

    assert (answer["project_id"], answer["trace_count"]) == (str(cast.project.pk), 1)
    assert answer["token_metrics"]["total_cost"] == "0.01000"


def test_agents_are_not_run_here_and_the_answer_says_so(token: str) -> None:
    answer = Client().post("/public/v1/agent/run", {}, "application/json", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 400
    assert "does not run them" in answer.json()["detail"]


@pytest.mark.parametrize("path", PATHS)
def test_other_projects_keys_see_nothing_of_it(cast: Cast, get: Get, token: str, path: str) -> None:
    theirs = create_api_key(project=cast.foreign_project, name="theirs").secret

    answer = get(f"/public/v1/{path}", key=theirs)

    if path.startswith("spans"):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Span not found"})
    elif path.startswith("traces/"):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Trace not found"})
    else:
        assert SESSION not in answer.content.decode()
        assert str(cast.project.pk) not in answer.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_without_a_good_key_it_is_400_as_clients_expect(cast: Cast, get: Get, token: str, path: str) -> None:
    gone = create_api_key(project=cast.project, name="gone")
    revoke_api_key(key=gone.key)
    missing, wrong = {"detail": "Missing or invalid Authorization header"}, {"detail": "Invalid Bearer token"}
    sender = create_api_key(project=cast.project, name="sender", scopes=["ingest"]).secret

    answers: list[tuple[Any, Any]] = [
        (get(f"/public/v1/{path}"), missing),
        (get(f"/public/v1/{path}", person="alice"), missing),
        (get(f"/public/v1/{path}", headers={"Authorization": "Basic eDp5"}), missing),
        (get(f"/public/v1/{path}", key="nonsense"), wrong),
        (get(f"/public/v1/{path}", key=gone.secret), wrong),
    ]

    for answer, detail in answers:
        assert (answer.status_code, answer.json()) == (400, detail)
    assert get(f"/public/v1/{path}", key=sender).status_code == 403
    assert get(f"/public/v1/{path}", key=token).status_code == 200


@pytest.mark.parametrize("name", ["0" * 32, "nonsense", "%00", "1'%20OR%201=1", "9" * 300])
def test_what_is_no_trace_or_span_is_404(get: Get, token: str, name: str) -> None:
    for kind in ("traces", "spans"):
        for suffix in ("", "/metrics"):
            answer = get(f"/public/v1/{kind}/{name}{suffix}", key=token)
            assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_a_span_of_a_masked_request_costs_what_its_call_cost(cast: Cast, get: Get) -> None:
    token = token_of(cast, "litellm-1.106.2-mixed")

    metrics = answered(get("/public/v1/spans/3069d0d127ac5ba9/metrics", key=token))

    assert (metrics["prompt_cost"], metrics["completion_cost"]) == ("0.0000016", "0.0000048")
    trace = answered(get(f"/public/v1/traces/{MASKED}/metrics", key=token))
    assert trace["total_cost"] == metrics["total_cost"] == "0.0000064"
