"""The requests that clients of the public API send, in their order and with their headers, against a real server."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from projects.services import create_api_key
from tests.api.v4.conftest import SESSION
from tests.cast import Cast
from tests.kept import give_recorded

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

Send = Callable[..., Any]


@pytest.fixture
def api_key(cast: Cast) -> str:
    give_recorded(cast.project, "agentops-0.4.21-session")
    return create_api_key(project=cast.project, name="client").secret


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=live_server.url, timeout=10) as client:
        yield client


def test_the_validation_of_the_sdk(client: httpx.Client, api_key: str) -> None:
    """agentops.validation: a token, the trace, its metrics, then proof of an LLM call."""
    bearer = client.post("/public/v1/auth/access_token", json={"api_key": api_key}).raise_for_status().json()["bearer"]
    headers = {"Authorization": f"Bearer {bearer}"}

    trace = client.get(f"/public/v1/traces/{SESSION}", headers=headers).raise_for_status().json()
    metrics = client.get(f"/public/v1/traces/{SESSION}/metrics", headers=headers).raise_for_status().json()

    assert len(trace["spans"]) >= 1
    assert metrics["total_tokens"] > 0
    kinds = [span["span_attributes"].get("agentops", {}).get("span", {}).get("kind") for span in trace["spans"]]
    models = [span["span_name"] for span in trace["spans"] if "gen_ai" in span["span_attributes"]]
    assert "session" in kinds
    assert "openai.chat.completion" in models


def test_the_mcp_server_of_agentops(client: httpx.Client, api_key: str) -> None:
    """Its tools auth, get_trace, get_span and get_complete_trace."""
    answer = client.post("/public/v1/auth/access_token", json={"api_key": api_key})
    headers = {"Authorization": f"Bearer {answer.json()['bearer']}", "User-Agent": "agentops-mcp/0.3.5"}

    def read(path: str) -> Any:
        answer = client.get(f"/public/v1{path}", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        return answer.json()

    assert read("/project")["name"] == "Alice's agents"
    complete = {**read(f"/traces/{SESSION}"), "metrics": read(f"/traces/{SESSION}/metrics")}
    for span in complete["spans"]:
        span |= {**read(f"/spans/{span['span_id']}"), "metrics": read(f"/spans/{span['span_id']}/metrics")}

    assert [span["metrics"]["total_tokens"] for span in complete["spans"]] == [0, 0, 0, 0, 0, 0, 20, 0]
    assert complete["spans"][6]["span_attributes"]["gen_ai"]["completion"][0]["role"] == "assistant"


def test_a_wrong_key_is_told_as_the_clients_expect(client: httpx.Client, api_key: str) -> None:
    answer = client.get(f"/public/v1/traces/{SESSION}", headers={"Authorization": "Bearer nonsense"})

    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid Bearer token"})
